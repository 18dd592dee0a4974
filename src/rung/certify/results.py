"""The certificate, as values, and the sums over single faults. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rung.certify.faults import FaultKind, InjectedFault
    from rung.certify.invariants import Violation


class FaultResult(NamedTuple):
    """One fault and the violations after it."""

    fault: InjectedFault
    injected: bool
    """False where the run ended before the fault's point."""
    dirty: bool = False
    """Whether the fault left the ledger dirty."""
    tried: tuple[str, ...] = ()
    """The commands of the recovery."""
    violations: tuple[Violation, ...] = ()
    undecided: str = ""
    """The question of `repair` where the user has to decide."""


class Finding(NamedTuple):
    """A violation, and the fault that caused it."""

    fault: InjectedFault
    violation: Violation


class Question(NamedTuple):
    """What the evidence after a fault does not decide, in the words of `repair`."""

    fault: InjectedFault
    told: str


@dataclass(frozen=True, slots=True)
class Count:
    """The number of faults of one kind in one run, and of their results."""

    injected: int = 0
    too_late: int = 0
    """Faults whose point the run did not reach: they disturbed nothing and are not counted."""
    dirty: int = 0
    undecided: int = 0
    """Faults after which `repair` asks the user."""
    violations: int = 0

    def with_(self, trial: FaultResult) -> Count:
        """Return the count with one more result."""
        if not trial.injected:
            return replace(self, too_late=self.too_late + 1)
        return Count(
            self.injected + 1,
            self.too_late,
            self.dirty + trial.dirty,
            self.undecided + bool(trial.undecided),
            self.violations + len(trial.violations),
        )


@dataclass(frozen=True, slots=True)
class Certificate:
    """
    The result of a certification.

    Args:
        counts: by the run's name, its direction and the kind of fault.
        findings: every violation.
        questions: what `repair` would ask the user.
        left_out: what could not be done on this machine, in sentences.
        seed: draws the same faults again.
        seconds: the duration.
        server: the version of PostgreSQL.
    """

    counts: dict[tuple[str, str, FaultKind], Count] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    questions: tuple[Question, ...] = ()
    left_out: tuple[str, ...] = ()
    seed: int = 0
    seconds: float = 0.0
    server: str = ""

    @property
    def injected(self) -> int:
        """Return the number of injected faults."""
        return sum(count.injected for count in self.counts.values())

    @property
    def too_late(self) -> int:
        """Return the number of faults that came after the end of their run."""
        return sum(count.too_late for count in self.counts.values())

    def total_of(self, name: str, direction: str) -> Count:
        """Return the sum over all kinds of fault in one run."""
        mine = [c for (n, d, _), c in self.counts.items() if (n, d) == (name, direction)]
        return Count(
            sum(count.injected for count in mine),
            sum(count.too_late for count in mine),
            sum(count.dirty for count in mine),
            sum(count.undecided for count in mine),
            sum(count.violations for count in mine),
        )


def add_up(
    trials: Iterable[FaultResult],
) -> tuple[dict[tuple[str, str, FaultKind], Count], tuple[Finding, ...], tuple[Question, ...]]:
    """Return the counts by run and kind, every violation and every question, in order."""
    counts: dict[tuple[str, str, FaultKind], Count] = {}
    findings: list[Finding] = []
    questions: list[Question] = []
    for trial in trials:
        run = trial.fault.run
        key = (run.name, run.direction, trial.fault.kind)
        counts[key] = counts.get(key, Count()).with_(trial)
        findings += (Finding(trial.fault, violation) for violation in trial.violations)
        questions += [Question(trial.fault, trial.undecided)] if trial.undecided else []
    return counts, tuple(findings), tuple(questions)
