"""
The observations of a database after a fault and of an undisturbed run, as values.

`invariants` judges them, and `test_databases` makes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rung.ledger import Attempt, LedgerState
    from rung.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class ObservedDatabase:
    """The content of a database at one moment."""

    ledger: LedgerState
    history: tuple[Attempt, ...] | None
    """Oldest first; None where there is none."""
    schema: Snapshot
    rows: Mapping[str, int]
    """The number of rows of each table, without ledger and history."""


class RunClaim(NamedTuple):
    """What a run reported about its end."""

    finished: bool = False
    """Whether it returned, and so claims to be complete."""
    state: str = ""
    """The database state that it reports; empty where it reports none."""
    error: str = ""
    """The error that it reports."""
    fault: str = ""
    """An unexpected error, which is a fault of the program."""


class CompletedStep(NamedTuple):
    """One up or down that ran completely."""

    version: int | None
    direction: str


@dataclass(frozen=True, slots=True)
class UndisturbedRun:
    """
    An undisturbed run, observed after each of its steps.

    Args:
        direction: up or down.
        states: the database before the first step and after each step.
        earlier: the steps that the history had as done before the run.
    """

    direction: str
    states: tuple[ObservedDatabase, ...]
    earlier: tuple[CompletedStep, ...] = ()

    @property
    def end(self) -> ObservedDatabase:
        """Return the database after the run."""
        return self.states[-1]

    @property
    def steps(self) -> tuple[CompletedStep, ...]:
        """Return the steps of the run, in order."""
        versions = [station.ledger.version for station in self.states]
        return tuple(self._step(before, after) for before, after in pairwise(versions))

    def at(self, version: int | None) -> int | None:
        """Return the number of steps to a version; None where the run never reaches it."""
        versions = [station.ledger.version for station in self.states]
        return versions.index(version) if version in versions else None

    def _step(self, before: int | None, after: int | None) -> CompletedStep:
        return CompletedStep(after if self.direction == "up" else before, self.direction)


@dataclass(frozen=True, slots=True)
class FaultFacts:
    """The observations after one fault, and after the recovery from it."""

    left: ObservedDatabase
    """The database after the fault, once no session of the run was left."""
    sessions: int
    """The number of sessions of the run that the server did not end in time."""
    lock_free: bool
    """Whether a new session could take the lock at once."""
    claim: RunClaim | None = None
    """What the disturbed run reported; None where it was killed."""
    tried: tuple[str, ...] = ()
    """The commands of the recovery, in order."""
    refused: str = ""
    """Why the recovery failed; empty where it succeeded."""
    undecided: str = ""
    """The question of `repair` where the evidence does not decide."""
    end: ObservedDatabase | None = None
    """The database after the recovery; None where there was none."""
