"""
What undisturbed runs do: each folder's migrations up and down, looked at after each step.

Made once, before any fault: what comes later is held against this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.certify.faults import Points, Run
from rung.certify.inject import measure
from rung.certify.invariants import judge
from rung.certify.observations import Done, Facts, Way
from rung.certify.subjects import Rung
from rung.certify.test_databases import looking_at
from rung.errors import NotCertifiable, RungError
from rung.migrator import Migrator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.certify.observations import Seen
    from rung.certify.test_databases import Lab, ProxyAddress

EMPTY = "template0"
UP, DOWN = "up", "down"


@dataclass(frozen=True, slots=True)
class Baseline:
    """
    What is known of a run before it is disturbed.

    Args:
        run: which.
        way: what it leaves behind each of its steps.
        points: how many messages it has.
        template: the database from which it begins.
    """

    run: Run
    way: Way
    points: Points
    template: str


def learn(lab: Lab, name: str, source: str) -> tuple[tuple[Baseline, ...], str]:
    """
    Run a folder's migrations up and down undisturbed.

    Returns:
        What is known of each direction, and why the downs are left out; empty where not.

    Raises:
        NotCertifiable: the ups fail, or do not do the same each time.
    """
    top = lab.make(f"{lab.prefix}_top")
    try:
        up = _way(top, source, UP)
    except RungError as error:
        raise NotCertifiable(
            f"{name} does not run undisturbed: {error.cause}",
            f"See it alone: rung up --database embedded --source {source}",
        ) from error
    if len(up.stations) == 1:
        raise NotCertifiable(f"{name} has no migrations.")
    known = _known(lab, Run(name, source, UP), up, EMPTY)
    try:
        with lab.fresh(top.dbname) as copy:
            down = _way(copy, source, DOWN, up.steps)
        return (known, _known(lab, Run(name, source, DOWN), down, top.dbname)), ""
    except (RungError, NotCertifiable) as error:
        return (known,), f"{name}, down: {error}"


def _way(address: ProxyAddress, source: str, direction: str, earlier: tuple[Done, ...] = ()) -> Way:
    return Way(direction, tuple(_stations(address, source, direction)), earlier)


def _stations(address: ProxyAddress, source: str, direction: str) -> Iterator[Seen]:
    migrator = Migrator(address.conninfo, source)
    step = migrator.up if direction == UP else migrator.down
    with looking_at(address) as onlooker:
        yield onlooker.see()
        while step(1).steps:
            yield onlooker.see()


def _known(lab: Lab, run: Run, way: Way, template: str) -> Baseline:
    with lab.fresh(template) as address:
        points, said = measure(address, Rung(), run)
        with looking_at(address) as onlooker:
            found = judge(way, Facts(onlooker.see(), 0, onlooker.lock_free()))
    if said.error:
        raise NotCertifiable(
            f"{run}: the files run once, and not in a second database: {said.error}",
            "What belongs to a whole server, such as a role, must be looked for before it is made.",
        )
    if found:
        told = "; ".join(violation.told for violation in found)
        raise NotCertifiable(f"{run}: undisturbed runs differ: {told}.")
    return Baseline(run, way, points, template)
