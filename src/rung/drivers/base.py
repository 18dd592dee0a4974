"""
What a database driver is: the whole contract, with the values that cross it.

A driver knows its dialect and nothing about policy: it connects, locks, reads and writes
ledger and history, runs a script, lists what would be lost, drops. What to run, when to
wait and what to tell people is decided above. A new driver inherits `tests/contract`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from rung.errors import ServerMessage
    from rung.ledger import HistoryEntry, LedgerState, Outcome
    from rung.losses import Loss
    from rung.statements import Script, Unit
    from rung.stopping import Stop


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session is."""

    database: str
    schema: str
    """Where the ledger is or will be."""
    read_only: bool
    """A standby, or a session that takes no writes."""
    server: str
    """Kind and version, for people."""
    process: int | None = None
    """The server process of the connection, where the database has such."""
    plain_backslashes: bool = True
    """False where a backslash escapes in a plain string (standard_conforming_strings off)."""


@dataclass(frozen=True, slots=True)
class Look:
    """
    What one round trip tells of a database.

    `history` is newest last, and None where there is none or it may not be read.
    """

    place: Place
    ledger: LedgerState
    ledger_exists: bool
    history: tuple[HistoryEntry, ...] | None


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Who holds the lock, as far as our rights show it."""

    pid: int
    user: str = ""
    application: str = ""
    address: str = ""
    since: str = ""

    def __str__(self) -> str:
        facts = [f"process {self.pid}"]
        facts += [f"user {self.user}"] if self.user else []
        facts += [f"application {self.application}"] if self.application else []
        facts += [f"from {self.address}"] if self.address else []
        facts += [f"connected since {self.since}"] if self.since else []
        return "The lock is held by " + ", ".join(facts) + "."


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is recorded of one attempt at one half of a migration."""

    id: str
    """A UUID of ours, by which the attempt is found again after a lost connection."""
    version: int | None
    name: str
    direction: str
    up_checksum: str | None
    down_checksum: str | None
    up_sql: str | None
    """The SQL of the halves; None where an earlier row of the version has the same."""
    down_sql: str | None
    statements_total: int


@dataclass(frozen=True, slots=True)
class Move:
    """The ledger's move: from exactly the state a plan was made for, to another."""

    before: LedgerState
    after: LedgerState


@dataclass(frozen=True, slots=True)
class Refusal:
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
    ledger_moved: bool = False
    """Every statement ran, and the ledger was not in the state the move starts from."""
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class ServerNotice:
    """A notice or warning; `sqlstate` is empty where the database has none."""

    severity: str
    sqlstate: str
    message: str


@dataclass(frozen=True, slots=True)
class Ran:
    """What running a script or a unit of it came to: all of it (no refusal), or none."""

    refusal: Refusal | None = None
    notices: tuple[ServerNotice, ...] = ()
    control_warning: str = ""
    """The server's warning of transaction control that the lexer did not see; else empty."""


class Disconnected(Exception):
    """The connection was lost while a message was under way; `reason` is masked."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What was found after a lost connection."""

    outcome: Outcome | None
    """What the history says of the attempt; None where nothing of it is left."""
    ledger: LedgerState


@dataclass(frozen=True, slots=True)
class Carried:
    """Settings that a file left changed in its session, before they were put back."""

    names: tuple[str, ...] = ()


class Session(Protocol):
    """One connection. Everything that touches the database goes through here."""

    def look(self) -> Look:
        """Read all that a decision needs, in one round trip, without lock or write."""

    def locate(self) -> Place:
        """Find where the ledger is, without reading it: what mends a broken ledger uses this."""

    def ensure_tables(self) -> None:
        """Make ledger and history where they are missing; only under the lock."""

    def try_lock(self) -> bool:
        """Take every key that excludes other runs, or none; never wait in the server."""

    def unlock(self) -> None:
        """Give all keys back; quiet where the connection is gone."""

    def holder(self) -> LockHolder | None:
        """Who holds a key that `try_lock` needs; None where nobody is seen."""

    def yield_foreign_keys(self) -> None:
        """Give back the keys on which another tool may queue, keeping our own."""

    def try_foreign_keys(self) -> bool:
        """Take them again, all or none."""

    def run_whole(
        self,
        script: Script,
        move: Move,
        attempt: Attempt,
        meanwhile: Callable[[], None],
        *,
        last: bool,
    ) -> Ran:
        """
        Run a script in one transaction with its move and its history row, in one round trip.

        `meanwhile` is called once while the server is at work.
        `last` asks for a commit that is on disk when it returns, and with it all before.
        """

    def begin_units(self, move: Move, attempt: Attempt) -> Ran:
        """Commit the dirty mark and the history row of a file that runs unit by unit."""

    def run_unit(self, script: Script, unit: Unit, attempt_id: str) -> Ran:
        """Run one unit of such a file and record the progress with it."""

    def end_units(self, move: Move | None, attempt_id: str, refusal: Refusal | None) -> Ran:
        """Commit the outcome of such a file, and the ledger's move where it is settled."""

    def record_failure(self, attempt: Attempt, refusal: Refusal) -> None:
        """Write the history row of an attempt that was rolled back; flushed to disk."""

    def restore_session(self) -> Carried:
        """Put the session back to what it was at connect; name what had been changed."""

    def flush(self) -> None:
        """Have every commit so far on disk."""

    def force(self, version: int | None, attempt: Attempt) -> None:
        """Write the ledger, clean at `version`, whatever it holds, with a history row."""

    def estimate(self, losses: Sequence[Loss]) -> tuple[Loss, ...]:
        """The same losses with the planner's estimate of the rows in them."""

    def everything(self) -> tuple[Loss, ...]:
        """All that `drop_everything` would remove."""

    def drop_everything(self) -> None:
        """Remove all objects of the ledger's schema that no extension owns, at once."""

    def close(self) -> None:
        """Close the connection; quiet where it is gone."""


class Driver(Protocol):
    """One database, named and not yet connected to."""

    @property
    def shown(self) -> str:
        """The database as people may see it, without secrets."""

    def connect(self, stop: Stop) -> AbstractContextManager[Session]:
        """
        Connect.

        Raises:
            ConnectionFailed: with the reason, masked.
        """

    def aftermath(self, attempt_id: str, lost: Session) -> Aftermath:
        """
        What became of an attempt whose connection was lost.

        Connects anew, waits for the lost connection's server process to end, and looks for
        the attempt's id in the history.

        Raises:
            DatabaseError: that cannot be learned.
        """
