"""The real golang-migrate under the same kinds of faults: made, counted, put into lines."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.faults.golang import LIE, NEEDLESS, TWICE, Golang, judge

from rung.certify.faults import FaultKind
from rung.certify.inject import measure
from rung.certify.test_databases import FaultDatabases
from rung.render.text import aligned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from rung.certify.baseline import Baseline
    from rung.certify.certification import LearnedRuns
    from rung.certify.results import FaultResult

_HEADING = ("fault", "injected", "left dirty", "of these whole", "clean and not true", "done twice")


def disturb(
    bench: LearnedRuns,
    binary: Path,
    total: int,
    seed: int,
    tell: Callable[[FaultResult, int, int], None],
) -> list[FaultResult]:
    """
    Make so many faults in runs of golang-migrate, its own conversation cut all over.

    It cannot be asked to stop while the network is frozen, so that kind is left out.
    """
    client = Golang(str(binary))
    golang_migrate = replace(
        bench,
        baselines=tuple(_measured(bench, client)),
        without=bench.without | {FaultKind.PAUSE},
    )
    faults = golang_migrate.draw(total, seed)
    trials = []
    for trial in golang_migrate.inject(faults, client, judge):
        trials.append(trial)
        tell(trial, len(trials), len(faults))
    return trials


def lines(trials: Iterable[FaultResult]) -> list[str]:
    """What was counted, by the kind of fault."""
    made = [trial for trial in trials if trial.injected]
    by_kind = {kind: [trial for trial in made if trial.fault.kind is kind] for kind in FaultKind}
    rows = [_HEADING, *(_row(kind.value, mine) for kind, mine in by_kind.items() if mine)]
    rows.append(_row("all", made))
    return ["  ".join(cells).rstrip() for cells in aligned(rows, range(1, len(_HEADING)))]


def _row(name: str, trials: list[FaultResult]) -> tuple[str, str, str, str, str, str]:
    told = Counter(violation.told for trial in trials for violation in trial.violations)
    dirty = sum(trial.dirty for trial in trials)
    numbers = (len(trials), dirty, told[NEEDLESS], told[LIE], told[TWICE])
    injected, left, whole, lies, twice = map(str, numbers)
    return (name, injected, left, whole, lies, twice)


def _measured(bench: LearnedRuns, client: Golang) -> Iterator[Baseline]:
    """The runs with the number of messages that golang-migrate's have."""
    lab = FaultDatabases.of(bench.server, "theirs")
    for baselines in bench.baselines:
        with lab.fresh(baselines.template) as address:
            yield replace(baselines, points=measure(address, client, baselines.run)[0])
    lab.close()
