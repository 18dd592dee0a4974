"""Errors of a run that began. Each carries how far the run got and the state of the database."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from rung.errors.base import RungError, listed
from rung.errors.sqlstate import (
    DEADLOCK_DETECTED,
    DUPLICATE_COLUMN,
    DUPLICATE_CURSOR,
    DUPLICATE_DATABASE,
    DUPLICATE_FUNCTION,
    DUPLICATE_OBJECT,
    DUPLICATE_PREPARED_STATEMENT,
    DUPLICATE_SCHEMA,
    DUPLICATE_TABLE,
    INSUFFICIENT_PRIVILEGE,
    LOCK_NOT_AVAILABLE,
    QUERY_CANCELED,
    SERIALIZATION_FAILURE,
    UNSAFE_NEW_ENUM_VALUE_USAGE,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.errors.location import SourceLocation
    from rung.errors.server_message import ServerMessage

_INSPECT = (
    "run `rung repair`: it compares the schema with the file, and asks before it changes anything; "
    "`rung history` names the statement that failed"
)
_UNRECORDED = (
    "the ledger has no row, and what this file creates exists: probably some of these migrations "
    "were applied without it\n"
    "find the newest version whose tables and columns all exist, from the last file backwards, and "
    "record it: `rung force V`; then run `rung up`\n"
    "if newer ones exist and older ones do not, record each that does: `rung mark-applied V`"
)
_CLUSTER_WIDE = (
    "a role, a database or a tablespace belongs to the whole server, so it may exist before this "
    "database has the migration\n"
    "change {file} to create it only where it is missing (for a role, DO with EXCEPTION WHEN "
    "duplicate_object), or drop it by hand, and run {again} again; no force is needed"
)
_PASSED_OVER = (
    "version {version} is recorded as not reverted: a down skipped it, so the objects that its up "
    "created still exist\n"
    "if all of them exist, record that: `rung mark-applied {version}`; then run `rung up`. "
    "Otherwise drop the rest by hand and run {again} again"
)
_REVERTED = (
    "an object of this file exists although version {version} is not applied: its down did not "
    "drop it, or something else created it\n"
    "if all of its objects exist, record that: `rung mark-applied {version}`. Otherwise drop by "
    "hand what exists, make the down drop it too, and run {again} again"
)
_SEE_STATUS = "see `rung status` and run {again} again; no migration is applied twice"
NOTHING_LEFT = "rung status"
"""The command of a run whose last step is committed: running it again would do more."""
EXISTS_ALREADY = frozenset(
    {
        DUPLICATE_TABLE,
        DUPLICATE_COLUMN,
        DUPLICATE_OBJECT,
        DUPLICATE_SCHEMA,
        DUPLICATE_FUNCTION,
        DUPLICATE_DATABASE,
        DUPLICATE_PREPARED_STATEMENT,
        DUPLICATE_CURSOR,
    }
)
"""The codes for an object of that name that exists already."""
_REMEDIES = {
    INSUFFICIENT_PRIVILEGE: "use a role that may do this (--role), or grant it the right",
    SERIALIZATION_FAILURE: "wait for the conflicting transaction",
    DEADLOCK_DETECTED: "wait for the conflicting transaction",
    UNSAFE_NEW_ENUM_VALUE_USAGE: (
        "move ALTER TYPE … ADD VALUE into a migration of its own before this one"
    ),
    LOCK_NOT_AVAILABLE: "wait for the lock holder, or retry for longer (--lock-retry-for)",
    QUERY_CANCELED: "give it more time (SET LOCAL statement_timeout in the file) or less to do",
}
"""What to do where the file is not at fault, by SQLSTATE."""


@dataclass(eq=False, repr=False)
class RunError(RungError):
    """
    A run began and did not reach its end.

    Args:
        applied: the versions finished by this run, in order, before it stopped.
        now: the state of the database now: `clean at version 2; …`.
    """

    applied: Sequence[int]
    now: str
    again_command = ""
    """The command that does the rest of the run; empty for the command that was given."""

    def again_by(self, command: str) -> None:
        """Name the command that does the rest of the run."""
        self.again_command = command

    @property
    def database(self) -> str:
        return self.now

    @property
    def _again(self) -> str:
        return f"`{self.again_command}`" if self.again_command else "the same command"


@dataclass(eq=False, repr=False)
class MigrationFailed(RunError):
    """
    The server rejected a migration.

    Args:
        applied: the versions finished by this run before this one.
        now: the state of the database now.
        version: the version that failed.
        name: its title.
        direction: "up" or "down".
        place: the failing statement in the file.
        server: what the database said.
        at_commit: True where the statements ran and the COMMIT failed.
        dirty: True where the file ran in several units and the ledger is left dirty.
        remedy: what to do where the file is not at fault; empty where the code tells it.
        locked: the lock holders and how long the lock was waited for, in sentences; none where
            the failure was not a lock timeout.
        resumes: where it is dirty, whether the file can be resumed where it stopped.
        strange: a sentence about a character that is invisible or looks like another; else empty.
        unrecorded: whether what the file creates exists, at a ledger without a row.
        exists: whether what an up creates exists.
        cluster_wide: whether that belongs to the whole server, as a role does.
        skipped: whether a down skipped this version before.
        reverted: whether this version was applied once, and a down of it has run.
    """

    _: KW_ONLY
    version: int
    name: str = ""
    direction: str
    place: SourceLocation
    server: ServerMessage
    at_commit: bool = False
    dirty: bool = False
    remedy: str = ""
    locked: Sequence[str] = ()
    resumes: bool = True
    strange: str = ""
    unrecorded: bool = False
    exists: bool = False
    cluster_wide: bool = False
    skipped: bool = False
    reverted: bool = False

    def explained_by(self, *, passed_over: bool, reverted: bool) -> None:
        """
        Say why what the file creates may exist already, where the history shows it.

        Args:
            passed_over: whether a down skipped this version.
            reverted: whether this version was applied once, and a down of it has run.
        """
        if (self.exists or self.unrecorded) and not self.cluster_wide:
            self.unrecorded = self.unrecorded and not (passed_over or reverted)
            self.skipped, self.reverted = passed_over, reverted

    @property
    def cause(self) -> str:
        name = f" ({self.name})" if self.name else ""
        down = "down of " if self.direction == "down" else ""
        commit = " at COMMIT" if self.at_commit else ""
        return f"{down}migration {self.version}{name} failed{commit}: {self.server}"

    @property
    def where(self) -> SourceLocation:
        return self.place

    @property
    def detail(self) -> str:
        return "\n".join((*((self.strange,) if self.strange else ()), *self.locked))

    @property
    def blocks(self) -> tuple[tuple[str, str], ...]:
        """What the server sent besides its message, then our own blocks."""
        return (*self.server.blocks, *super().blocks)

    @property
    def hint(self) -> str:
        if self.unrecorded:
            return _UNRECORDED
        text = _PASSED_OVER if self.skipped else _REVERTED if self.reverted else ""
        text = _CLUSTER_WIDE if self.cluster_wide else text
        if text and not self.dirty:
            return text.format(file=self.place.file, version=self.version, again=self._again)
        if self.dirty and not self.resumes:
            return _INSPECT
        code = self.server.sqlstate
        remedy = self.remedy or _REMEDIES.get(code, "")
        remedy = remedy or ("make room on the server" if code[:2] == "53" else "")
        if self.dirty:
            return (
                f"{remedy or f'fix the rest of {self.place.file}'}, then {_resume(self.direction)}"
            )
        if remedy:
            return f"{remedy}, then run {self._again} again; no force is needed"
        return f"fix {self.place.file} and run {self._again} again; no force is needed"


def _resume(direction: str) -> str:
    return (
        f"resume it: `rung {direction} --resume`. `rung repair` first compares the schema with the "
        "file"
    )


@dataclass(eq=False, repr=False)
class LedgerMoved(RunError):
    """
    The ledger was no longer what the plan was made for; the step was rolled back.

    The lock was lost, the file itself changed the ledger, or another tool did.
    """

    version: int
    file: str

    @property
    def cause(self) -> str:
        return f"the ledger changed while {self.file} ran"

    @property
    def detail(self) -> str:
        return "The file changed it, another tool did, or the lock was lost."

    @property
    def hint(self) -> str:
        return _SEE_STATUS.format(again=self._again)


@dataclass(eq=False, repr=False)
class LockLost(RunError):
    """
    Behind a pooler the lock was lost before a transaction began; nothing of that one ran.

    Another run took the lease over, because this one's heartbeat was overdue, or another tool
    with a connection of its own ran between two transactions.
    """

    version: int
    file: str

    @property
    def cause(self) -> str:
        return f"the lock was lost before the next transaction of {self.file}"

    @property
    def detail(self) -> str:
        return "Another run took the lease over, or another tool ran between two transactions."

    @property
    def hint(self) -> str:
        return _SEE_STATUS.format(again=self._again)


@dataclass(eq=False, repr=False)
class LedgerDropped(RunError):
    """
    A file dropped the ledger or the history, which only a down to no version may.

    Args:
        applied: the versions finished by this run, in order.
        now: the state of the database now.
        version: the version that was running.
        file: the file's name.
        said: what the database said when the table was to be written.
    """

    version: int
    file: str
    said: str

    @property
    def cause(self) -> str:
        return f"{self.file} drops the ledger or the history: {self.said}"

    @property
    def hint(self) -> str:
        return (
            f"change {self.file}: drop tables by name, or put ledger and history into a schema of "
            "their own (--ledger-table SCHEMA.NAME). Only a down to no version that runs in one "
            "transaction may drop them; they are created again, empty"
        )


@dataclass(eq=False, repr=False)
class OwnWriteRefused(RunError):
    """
    A rule of the database rejected our own write to ledger or history; no file is at fault.

    Args:
        applied: the versions finished by this run, in order.
        now: the state of the database now.
        version: the version that was running.
        table: what was written: `the ledger public.schema_migrations`.
        objects: what may have rejected it, each in words.
        server: what the database said.
        remedy: the way out.
        resume: the command that resumes the file; empty where it was rolled back.
    """

    version: int
    table: str
    objects: Sequence[str]
    server: ServerMessage
    remedy: str
    resume: str = ""

    @property
    def cause(self) -> str:
        objects = f" ({listed(self.objects)})" if self.objects else ""
        return f"the database rejects Rung's own write to {self.table}{objects}: {self.server}"

    @property
    def detail(self) -> str:
        return f"Migration {self.version} is not at fault: its statements ran."

    @property
    def blocks(self) -> tuple[tuple[str, str], ...]:
        """What the server sent besides its message, then our own blocks."""
        return (*self.server.blocks, *super().blocks)

    @property
    def hint(self) -> str:
        again = f"`{self.resume}`" if self.resume else f"run {self._again} again"
        return f"{self.remedy}; then {again}"


@dataclass(eq=False, repr=False)
class UnexpectedTransactionControl(RunError):
    """
    The server warned of transaction control in a file in which none was read.

    The file was parsed wrongly, so other transactions were committed than were planned.
    """

    version: int
    file: str
    warning: str

    @property
    def cause(self) -> str:
        return f"{self.file} controls transactions in a way that Rung did not read"

    @property
    def detail(self) -> str:
        return f"The server warned: {self.warning}."

    @property
    def hint(self) -> str:
        return (
            f"check what {self.file} left in the database, and remove the transaction control from "
            "it. Please report the file: its parsing is a bug"
        )


@dataclass(eq=False, repr=False)
class ConnectionLost(RunError):
    """
    The connection was lost inside a migration.

    Args:
        applied: the versions finished by this run, the lost one included if it is committed.
        now: the state of the database now.
        version: the version that was running.
        reason: what was said of the loss, redacted.
        committed: whether it is committed; None where that could not be read.
        dirty: True where a file that ran in several units was interrupted.
        direction: "up" or "down".
    """

    version: int
    reason: str
    committed: bool | None = None
    dirty: bool = False
    direction: str = "up"

    @property
    def cause(self) -> str:
        return f"the connection was lost during migration {self.version}: {self.reason}"

    @property
    def detail(self) -> str:
        if self.committed is None:
            return "Could not reconnect, so it is not known whether the migration was committed."
        negated = "" if self.committed else "not "
        return f"Reconnected: the migration was {negated}committed."

    @property
    def hint(self) -> str:
        if self.committed is None:
            return "when the server answers again, see `rung status`"
        if self.dirty:
            return _resume(self.direction)
        if self.again_command == NOTHING_LEFT:
            return "nothing of the run is left to do; see `rung status`"
        return f"run {self._again} again to continue"


@dataclass(eq=False, repr=False)
class Stopped(RunError):
    """
    The run was cancelled before its plan was done.

    Args:
        applied: the versions finished by this run.
        now: the state of the database now.
        remaining: the versions that were planned and not finished.
        dirty: True where a file that ran in several units was cancelled.
        direction: where it is dirty, "up" or "down".
    """

    remaining: Sequence[int]
    _: KW_ONLY
    dirty: bool = False
    direction: str = "up"

    @property
    def cause(self) -> str:
        left = listed([str(version) for version in self.remaining])
        return f"stopped on request; not run: {left}" if left else "stopped on request"

    @property
    def hint(self) -> str:
        if self.dirty:
            return _resume(self.direction)
        return f"run {self._again} again to continue"
