"""
What happens during a run, as frozen records handed to a listener.

The library reports, somebody else prints: a `Listener` is any callable that takes an
`Event`. It is called in the thread that runs the migrations, between round trips; an error
that it raises ends the run after the current migration.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rung.blockers import Blocker, Queued


class RunPlanned(NamedTuple):
    """A plan was made under the lock and begins."""

    versions: tuple[int, ...]
    direction: str


class LockWaiting(NamedTuple):
    """Another run holds the lock; said at once and then every five seconds."""

    waited: float
    """Seconds waited so far."""
    holder: str
    """Who holds it, since when and from where, in a sentence; empty where it is not shown."""


class DatabaseWaiting(NamedTuple):
    """The database is waited for; said at once and then every five seconds."""

    waited: float
    """Seconds waited so far."""
    reason: str
    """What keeps it: that it does not answer, or the version it is at; masked."""


class BaselineRecorded(NamedTuple):
    """The history was brought to where another tool had left the ledger."""

    versions: tuple[int, ...]
    """What counts as applied from now on; empty where that tool only went down."""
    version: int | None
    """Where it left the database; None before the first migration."""


class StepStarted(NamedTuple):
    """One half of a migration is about to be sent."""

    version: int
    name: str
    direction: str
    mode: str
    """transactional, own transaction, unit by unit; or atomic: all of the run together."""
    number: int
    """1 for the first step of the run."""
    total: int


class HalfMissing(NamedTuple):
    """The step that has started has no file: the ledger moves and nothing runs."""

    version: int
    direction: str

    def __str__(self) -> str:
        other = "up" if self.direction == "down" else "down"
        return (
            f"Version {self.version} has no {self.direction} file, only {other}: the ledger "
            "moves and nothing runs."
        )


class ModeChanged(NamedTuple):
    """The server refused the step that has started as it was planned; it runs otherwise."""

    version: int
    mode: str
    """As in StepStarted."""
    reason: str

    def __str__(self) -> str:
        return f"Version {self.version} runs {self.mode}: {self.reason}."


class StepRan(NamedTuple):
    """
    One half of a migration has run in the transaction that holds all of its run.

    Nothing is committed yet: behind the last one `StepFinished` is said of each, or the run
    fails and none is kept.
    """

    version: int
    name: str
    direction: str
    seconds: float
    number: int
    total: int


class StepFinished(NamedTuple):
    """One half of a migration is committed, with its ledger and history rows."""

    version: int
    name: str
    direction: str
    seconds: float
    number: int
    total: int
    result: str = ""
    """applied, reverted, empty (nothing ran), or not reverted (passed over, all of it is left)."""


class StepResumed(NamedTuple):
    """The step that has started goes on behind statements that an earlier attempt committed."""

    version: int
    direction: str
    statements_done: int
    statements_total: int

    def __str__(self) -> str:
        return (
            f"The {self.direction} of version {self.version} goes on behind statement "
            f"{self.statements_done} of {self.statements_total}, which is done."
        )


class UnitFinished(NamedTuple):
    """A part of a file that runs unit by unit is committed and recorded."""

    version: int
    statements_done: int
    statements_total: int


class LockRefused(NamedTuple):
    """A lock was not to be had in time: all was rolled back, and is tried again whole."""

    version: int
    tries: int
    """How many there were so far."""
    waited: float
    """Seconds since the first of them."""
    limit: float
    """Seconds that a try may stand in the lock's queue; 0 for no limit of ours."""
    pause: float
    """Seconds until the next try."""
    blockers: tuple[Blocker, ...] = ()
    queued: tuple[Queued, ...] = ()


class LockAwaited(NamedTuple):
    """A statement under way waits for others; said at once and then every five seconds."""

    waited: float
    """Seconds since it was first seen to wait."""
    blockers: tuple[Blocker, ...]
    queued: tuple[Queued, ...] = ()


class BlockerCancelled(NamedTuple):
    """The query of one who keeps a lock from us was cancelled, as was allowed by name."""

    blocker: Blocker
    refused: str = ""
    """Why it could not be, and what can be done, in sentences; empty where it was."""


class BuildProgress(NamedTuple):
    """How far the building of an index has come; said every second."""

    phase: str
    """As the server names it."""
    done: int
    total: int
    """Of what is counted in this phase; 0 where nothing is."""
    what: str
    """What is counted: blocks, tuples, or the transactions that are waited for; may be empty."""
    waited: float
    """Seconds since the statement was sent."""


class Notice(NamedTuple):
    """The database said something during a migration (RAISE NOTICE, a warning)."""

    version: int
    severity: str
    message: str


class Warned(NamedTuple):
    """Something that a person should know of, in a sentence; the run goes on."""

    message: str

    def __str__(self) -> str:
        return self.message


Event = (
    RunPlanned
    | LockWaiting
    | DatabaseWaiting
    | BaselineRecorded
    | StepStarted
    | HalfMissing
    | ModeChanged
    | StepRan
    | StepFinished
    | StepResumed
    | UnitFinished
    | LockRefused
    | LockAwaited
    | BlockerCancelled
    | BuildProgress
    | Notice
    | Warned
)

Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The listener of those who do not listen."""
    del event
