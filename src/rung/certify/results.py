"""What a certification comes to, as values; and how the results of single faults add up. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rung.certify.faults import InjectedFault, Kind
    from rung.certify.invariants import Violation


class Trial(NamedTuple):
    """One fault and what was found behind it."""

    fault: InjectedFault
    injected: bool
    """False where the run was over before the fault's point came."""
    dirty: bool = False
    """Whether the fault left the ledger dirty."""
    tried: tuple[str, ...] = ()
    """The commands of the recovery."""
    violations: tuple[Violation, ...] = ()
    undecided: str = ""
    """What `repair` said where a person has to decide."""


class Finding(NamedTuple):
    """A violation, and the fault that brought it about."""

    fault: InjectedFault
    violation: Violation


class Question(NamedTuple):
    """What the evidence behind a fault does not decide, in the words of `repair`."""

    fault: InjectedFault
    told: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many faults of one kind were made in one run, and what they left."""

    injected: int = 0
    too_late: int = 0
    """Those whose point the run never came to: they disturbed nothing and count for nothing."""
    dirty: int = 0
    undecided: int = 0
    """Those behind which `repair` asks a person."""
    violations: int = 0

    def with_(self, trial: Trial) -> Count:
        """One more."""
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
    What a certification found.

    Args:
        counts: by the run's name, its direction and the kind of fault.
        findings: every violation.
        questions: what `repair` would ask a person.
        left_out: what could not be done here, in sentences.
        seed: with which all can be drawn again.
        seconds: how long it took.
        server: the version of PostgreSQL.
    """

    counts: dict[tuple[str, str, Kind], Count] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    questions: tuple[Question, ...] = ()
    left_out: tuple[str, ...] = ()
    seed: int = 0
    seconds: float = 0.0
    server: str = ""

    @property
    def injected(self) -> int:
        """How many faults were injected in all."""
        return sum(count.injected for count in self.counts.values())

    @property
    def too_late(self) -> int:
        """How many disturbed nothing, for the run was over."""
        return sum(count.too_late for count in self.counts.values())

    def total_of(self, name: str, direction: str) -> Count:
        """All kinds of one run together."""
        mine = [c for (n, d, _), c in self.counts.items() if (n, d) == (name, direction)]
        return Count(
            sum(count.injected for count in mine),
            sum(count.too_late for count in mine),
            sum(count.dirty for count in mine),
            sum(count.undecided for count in mine),
            sum(count.violations for count in mine),
        )


def add_up(
    trials: Iterable[Trial],
) -> tuple[dict[tuple[str, str, Kind], Count], tuple[Finding, ...], tuple[Question, ...]]:
    """The counts by run and kind, every violation and every question, in the trials' order."""
    counts: dict[tuple[str, str, Kind], Count] = {}
    findings: list[Finding] = []
    questions: list[Question] = []
    for trial in trials:
        run = trial.fault.run
        key = (run.name, run.direction, trial.fault.kind)
        counts[key] = counts.get(key, Count()).with_(trial)
        findings += (Finding(trial.fault, violation) for violation in trial.violations)
        questions += [Question(trial.fault, trial.undecided)] if trial.undecided else []
    return counts, tuple(findings), tuple(questions)
