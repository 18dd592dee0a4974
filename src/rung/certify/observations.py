"""
What is observed of a database that a fault befell, and of an undisturbed run, as values.

Nothing here judges (`invariants` does) and nothing here looks (`lab` does).
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
class Seen:
    """A database as an onlooker finds it at one moment."""

    ledger: LedgerState
    history: tuple[Attempt, ...] | None
    """Oldest first; None where there is none."""
    schema: Snapshot
    rows: Mapping[str, int]
    """How many rows each table has, ledger and history left out."""


class Said(NamedTuple):
    """What a run told of itself."""

    finished: bool = False
    """It returned, and so claims that all is done."""
    state: str = ""
    """What it says the database's state is; empty where it says nothing."""
    error: str = ""
    """What it says went wrong."""
    fault: str = ""
    """An error that is none of Rung's: a fault of the program."""


class Done(NamedTuple):
    """One half of a migration that was run to its end."""

    version: int | None
    direction: str


@dataclass(frozen=True, slots=True)
class Way:
    """
    An undisturbed run, looked at after each of its steps.

    Args:
        direction: up or down.
        stations: what the database is like before the first step and behind each.
        earlier: what the history holds as done from before the run.
    """

    direction: str
    stations: tuple[Seen, ...]
    earlier: tuple[Done, ...] = ()

    @property
    def end(self) -> Seen:
        """What an undisturbed run leaves."""
        return self.stations[-1]

    @property
    def steps(self) -> tuple[Done, ...]:
        """The halves that it runs, in order."""
        versions = [station.ledger.version for station in self.stations]
        return tuple(self._step(before, after) for before, after in pairwise(versions))

    def at(self, version: int | None) -> int | None:
        """How many steps lead to a version; None where the run never is at it."""
        versions = [station.ledger.version for station in self.stations]
        return versions.index(version) if version in versions else None

    def _step(self, before: int | None, after: int | None) -> Done:
        return Done(after if self.direction == "up" else before, self.direction)


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found behind one fault, and what the next run made of it."""

    left: Seen
    """What the fault left, once no session of the run was there any more."""
    sessions: int
    """Sessions of the run that the server had not ended in time."""
    lock_free: bool
    """Whether a new session could take the lock at once."""
    said: Said | None = None
    """What the disturbed run said; None where it was killed."""
    tried: tuple[str, ...] = ()
    """The commands of the recovery, in order."""
    refused: str = ""
    """Why the recovery came to no end; empty where it did."""
    undecided: str = ""
    """What `repair` said where the evidence does not decide, and a person has to."""
    end: Seen | None = None
    """What the recovery left; None where none was tried."""
