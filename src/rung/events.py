"""
What happens during a run, as frozen records handed to a listener.

The library reports, somebody else prints: a `Listener` is any callable that takes an
`Event`. It is called in the thread that runs the migrations, between round trips; an error
that it raises ends the run after the current migration.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from rung.errors.base import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "BaselineRecorded",
    "Blocker",
    "BlockerCancelled",
    "BuildProgress",
    "DatabaseWaiting",
    "Event",
    "HalfMissing",
    "Listener",
    "LockAwaited",
    "LockRefused",
    "LockWaiting",
    "ModeChanged",
    "Notice",
    "Queued",
    "RunPlanned",
    "StepFinished",
    "StepRan",
    "StepResumed",
    "StepStarted",
    "UnitFinished",
    "Warned",
    "held_by",
    "ignore",
    "waiting_behind",
]


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
            f"version {self.version} has no {self.direction} file, only {other}: the ledger "
            "changes and nothing runs"
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
    """The step that has started resumes after statements that an earlier attempt committed."""

    version: int
    direction: str
    statements_done: int
    statements_total: int

    def __str__(self) -> str:
        return (
            f"The {self.direction} of version {self.version} resumes after statement "
            f"{self.statements_done} of {self.statements_total}."
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
    """No-op listener."""
    del event


_MINUTE, _HOUR = 60, 3600
_FEW = 3
_AUTOVACUUM = "autovacuum: "


class Blocker(NamedTuple):
    """Who keeps a lock from us."""

    pid: int
    """0 for a prepared transaction, which has no process."""
    user: str = ""
    application: str = ""
    state: str = ""
    """active, idle in transaction, …; empty where it is not shown."""
    in_state: float | None = None
    """Seconds in that state; for an active one since its query began."""
    in_transaction: float | None = None
    """Seconds since its transaction began."""
    query: str = ""
    """The beginning of its query, the last one where it is idle; its secrets masked."""
    prepared: str = ""
    """The name of a prepared transaction, where it is one and its name is known."""
    standby: str = ""
    """Which standbys are waited for, where a commit waits for a synchronous one."""

    def __str__(self) -> str:
        if self.standby:
            return f"a synchronous standby ({self.standby})"
        if not self.pid and self.prepared:
            since = f", prepared{_for(self.in_transaction)}" if self.in_transaction else ""
            return f'the prepared transaction "{self.prepared}"{since}'
        if not self.pid:
            return "a prepared transaction (see pg_prepared_xacts)"
        who = [f'user "{self.user}"'] if self.user else []
        who += [f'application "{self.application}"'] if self.application else []
        said = f"process {self.pid}" + (f" ({', '.join(who)})" if who else "")
        if self.state:
            said += f", {self.state}" + _for(self.in_state)
        if (self.in_transaction or 0.0) - (self.in_state or 0.0) >= 1:
            said += f", transaction open{_for(self.in_transaction)}"
        return said + (f": {self.query}" if self.query else "")

    @property
    def ending(self) -> str:
        """The SQL that ends it; empty where it ends by itself, or is not known."""
        if self.query.startswith(_AUTOVACUUM):
            return ""
        if self.pid:
            return f"SELECT pg_terminate_backend({self.pid});"
        quoted = self.prepared.replace("'", "''")
        return f"ROLLBACK PREPARED '{quoted}';" if self.prepared else ""


class Queued(NamedTuple):
    """Who waits behind us for the same lock."""

    pid: int
    application: str = ""

    def __str__(self) -> str:
        return f"{self.pid} ({self.application})" if self.application else str(self.pid)


def held_by(blockers: Iterable[Blocker]) -> tuple[str, ...]:
    """Name each lock holder and the SQL that ends it, a sentence each."""
    lines = []
    for one in blockers:
        lines.append(f"Blocked by {one}.")
        if one.ending:
            lines.append(f"To end it: {one.ending}")
        if one.query.startswith(_AUTOVACUUM):
            lines.append("It gives way after one second: --lock-timeout 1500ms.")
    return tuple(lines)


def waiting_behind(queued: Sequence[Queued]) -> str:
    """Say how many sessions are queued behind us, and which; empty where none is."""
    if not queued:
        return ""
    names = listed([str(one) for one in queued], _FEW)
    sessions = "1 session is" if len(queued) == 1 else f"{len(queued)} sessions are"
    processes = "process" if len(queued) == 1 else "processes"
    return f"{sessions} queued behind this migration: {processes} {names}."


def _for(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < _MINUTE:
        return f" for {seconds:.1f} s"
    whole = int(seconds)
    if seconds < _HOUR:
        return f" for {whole // _MINUTE} min {whole % _MINUTE} s"
    return f" for {whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
