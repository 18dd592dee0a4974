"""What running a file takes and gives, as values; the part of the contract that a run needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rung.errors import ServerMessage
    from rung.events import Blocker, Queued
    from rung.ledger import LedgerState, Outcome


LEDGER_MOVED = "the ledger is not in the state that this step starts from"
"""What is said, and recorded, of a `StatementFailure` that has `ledger_moved`."""


class FileVersion(NamedTuple):
    """What is recorded of one half of a migration."""

    checksum: str | None
    """None for a half whose SQL cannot be read."""
    digest: str
    """The SHA-256 of its text as it was read."""
    sql: str | None
    """The SQL with its secrets masked; None where an earlier row of the version has the same."""


class StoredSql(NamedTuple):
    """A half of a migration as the history kept it."""

    version: int
    direction: str
    checksum: str | None
    sql: str
    """With its secrets masked."""
    id: int = 0
    """The row that holds it."""
    digest: str | None = None
    """The SHA-256 that the row has of the text as it was read."""
    formula: int | None = None
    """The formula of its checksum."""


@dataclass(frozen=True, slots=True)
class NewAttempt:
    """What is recorded of one attempt at one half of a migration."""

    id: str
    """A UUID of ours, by which the attempt is found again after a lost connection."""
    version: int | None
    name: str
    direction: str
    up: FileVersion | None
    """None where the version has no such half."""
    down: FileVersion | None
    statements_total: int
    tool: str = "rung"
    statements_done: int = 0
    """How many an earlier attempt has committed, where this one goes on behind them."""
    continues: str = ""
    """The id of that attempt, where the history has a row of it."""
    remark: str | None = None
    """What is to be said of an attempt that runs nothing."""


@dataclass(frozen=True, slots=True)
class LedgerTransition:
    """The ledger's move: from exactly the state a plan was made for, to another."""

    before: LedgerState
    after: LedgerState


class LockTimeout(NamedTuple):
    """A lock that was not to be had in time."""

    limit: float = 0.0
    """Seconds that it may have been waited for; 0 where it was not waited for at all."""
    ours: bool = True
    """Whether the limit was ours, and not the file's or the URL's."""
    blockers: tuple[Blocker, ...] = ()
    queued: tuple[Queued, ...] = ()
    tries: int = 1
    tried_for: float = 0.0
    """Seconds from the first refusal to the last."""
    once: bool = False
    """Whether it was not tried again, because something may have been committed."""


class OwnWrite(NamedTuple):
    """A write of ours that a rule of the database refused; no file is at fault."""

    table: str
    """What was written, in words: `the ledger public.schema_migrations`."""
    objects: tuple[str, ...]
    """What there is at the table that may refuse, each in words; none where nothing is seen."""
    remedy: str


@dataclass(frozen=True, slots=True)
class StatementFailure:
    """
    Why a script did not run to its end; it was rolled back as far as its unit reaches.

    `statement` is the number of the statement that failed in the script, and `offset` the
    place in the script's text, both None where it was not a statement of the script.
    """

    server: ServerMessage
    statement: int | None = None
    offset: int | None = None
    statements_done: int = 0
    at_commit: bool = False
    needs_no_transaction: bool = False
    """The server runs that statement only outside a transaction block."""
    needs_commit_before: bool = False
    """It uses what the server lets be used only behind a commit: a value new in its enum."""
    read_only: bool = False
    """Every statement ran, and the file's transaction lets nobody write, so neither us."""
    ledger_moved: bool = False
    """Every statement ran, and the ledger was not in the state the move starts from."""
    ledger_dropped: bool = False
    """Every statement ran, and the ledger or the history was gone."""
    lock_lost: bool = False
    """Nothing of it ran, for the lock was not ours any more, or another tool held a key of it."""
    cancelled: bool = False
    lock_wait: LockTimeout | None = None
    """The lock that was not to be had; None where it was something else."""
    triggers: tuple[int, int] | None = None
    """
    What the triggers of ledger and history fire for, where that is not what was found before.
    Nothing is kept then: sent again, both are written to suit them.
    """
    altered: bool = False
    """Whether that write was made, and a trigger or rule left something else of it."""
    own_table: str = ""
    """`ledger` or `history`, where it was a write of ours that a rule of the database refused."""
    own: OwnWrite | None = None
    """What is known of that."""
    remedy: str = ""
    """What to do where the script is not at fault; empty where the message's code tells it."""


@dataclass(frozen=True, slots=True)
class ServerNotice:
    """A notice or warning; `sqlstate` is empty where the database has none."""

    severity: str
    sqlstate: str
    message: str


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """What running a script or a unit of it came to: all of it (no refusal), or none."""

    refusal: StatementFailure | None = None
    notices: tuple[ServerNotice, ...] = ()
    control_warning: str = ""
    """The server's warning of transaction control that the lexer did not see; else empty."""


def makes_none(name: str) -> bool:
    """Where no files are known: none of them makes a table of this name."""
    del name
    return False


class TablesReady(NamedTuple):
    """What came of making ledger and history."""

    no_history: str = ""
    """Why there is none, and the way out; empty where there is one, or rights are missing."""
    note: str = ""
    """What a person should know of them; empty where all is as usual."""


@dataclass(frozen=True, slots=True)
class RecoveryInfo:
    """What was found after a lost connection."""

    outcome: Outcome | None
    """What the history says of the attempt; None where nothing of it is left."""
    ledger: LedgerState
    recorded: bool = True
    """False where there is no history that could know of the attempt."""


@dataclass(frozen=True, slots=True)
class LeakedSettings:
    """Settings that a file left changed in its session, before they were put back."""

    names: tuple[str, ...] = ()
