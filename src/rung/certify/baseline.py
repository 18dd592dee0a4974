"""
Record undisturbed runs: each folder's migrations up and down, observed after each step.

Recorded once, before any fault; the state after a fault is compared with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.certify.faults import Points, Run
from rung.certify.inject import measure
from rung.certify.invariants import judge
from rung.certify.observations import CompletedStep, FaultFacts, UndisturbedRun
from rung.certify.subjects import Rung
from rung.certify.test_databases import observing
from rung.errors import NotCertifiable, RungError
from rung.migrator import Migrator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.certify.observations import ObservedDatabase
    from rung.certify.test_databases import FaultDatabases, ProxyAddress

EMPTY = "template0"
UP, DOWN = "up", "down"


@dataclass(frozen=True, slots=True)
class Baseline:
    """
    The facts about an undisturbed run.

    Args:
        run: the run.
        way: the database after each of its steps.
        points: the number of its messages.
        template: the database on which it starts.
    """

    run: Run
    way: UndisturbedRun
    points: Points
    template: str


def learn(lab: FaultDatabases, name: str, source: str) -> tuple[tuple[Baseline, ...], str]:
    """
    Run a folder's migrations up and down without faults.

    Returns:
        A baseline for each direction, and why the downs are left out, or an empty text.

    Raises:
        NotCertifiable: the ups fail, or have different results in two runs.
    """
    top = lab.make(f"{lab.prefix}_top")
    try:
        up = _way(top, source, UP)
    except RungError as error:
        raise NotCertifiable(
            f'"{name}" fails even without faults: {error.cause}',
            f"run it alone: rung up --database embedded --source {source}",
        ) from error
    if len(up.states) == 1:
        raise NotCertifiable(f"{name} has no migrations")
    up_baseline = _baseline_of(lab, Run(name, source, UP), up, EMPTY)
    try:
        with lab.fresh(top.dbname) as copy:
            down = _way(copy, source, DOWN, up.steps)
        return (up_baseline, _baseline_of(lab, Run(name, source, DOWN), down, top.dbname)), ""
    except (RungError, NotCertifiable) as error:
        return (up_baseline,), f"{name}, down: {error}"


def _way(
    address: ProxyAddress, source: str, direction: str, earlier: tuple[CompletedStep, ...] = ()
) -> UndisturbedRun:
    return UndisturbedRun(direction, tuple(_stations(address, source, direction)), earlier)


def _stations(address: ProxyAddress, source: str, direction: str) -> Iterator[ObservedDatabase]:
    migrator = Migrator(address.conninfo, source)
    step = migrator.up if direction == UP else migrator.down
    with observing(address) as observer:
        yield observer.observe()
        while step(1).steps:
            yield observer.observe()


def _baseline_of(lab: FaultDatabases, run: Run, way: UndisturbedRun, template: str) -> Baseline:
    with lab.fresh(template) as address:
        points, claim = measure(address, Rung(), run)
        with observing(address) as observer:
            violations = judge(way, FaultFacts(observer.observe(), 0, observer.lock_free()))
    if claim.error:
        raise NotCertifiable(
            f"{run}: the files run once, but not in a second database: {claim.error}",
            "create an object of the whole server, such as a role, only where it is missing",
        )
    if violations:
        texts = "; ".join(violation.told for violation in violations)
        raise NotCertifiable(f"{run}: two runs without faults differ: {texts}")
    return Baseline(run, way, points, template)
