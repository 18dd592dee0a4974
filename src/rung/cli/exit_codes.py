"""
The exit codes of the command, and the one place where an error becomes one.

A problem of files and database has one code, whether `rung check` finds it or a run stops
because of it: docs/reference/exit-codes.md.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Self

from rung.errors import (
    CannotResume,
    ConfirmationRequired,
    ConnectionFailed,
    ConnectionLost,
    DatabaseBusy,
    DirtyLedger,
    DownRefused,
    DriverMissing,
    EditedMigrations,
    LockLost,
    LockNotAcquired,
    MigrationFailed,
    MissingMigrationFile,
    OutOfOrderMigrations,
    RedoUnfinished,
    RepairUndecided,
    RungError,
    ScratchFailed,
    SourceNotFound,
    Stopped,
    StoredSqlUnconfirmed,
    UnwrittenMigration,
    UsageError,
    VersionNotReached,
)


class ExitCode(IntEnum):
    """How a command ended, for scripts. The docstring of a code is its line in the help."""

    def __new__(cls, value: int, doc: str) -> Self:
        """Make a member with a docstring of its own."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.__doc__ = doc
        return member

    DONE = 0, "done, or there was nothing to do"
    FAILED = 1, "failed; the database is clean"
    USAGE = 2, "invalid command line or settings, or not confirmed; no migration was run"
    PENDING = 3, "migrations are pending, out of order, edited or missing, or were not reached"
    DIRTY = 4, "the database is dirty"
    AHEAD = 5, "the database is at a version above every file"
    LOCKED = 6, "could not get a lock in time, or lost it"
    NO_CONNECTION = 7, "could not connect, or lost the connection"
    PROBLEMS = 8, "found problems; the database is not dirty"
    VIOLATIONS = 9, "found violations"
    REFUTED = 10, "a check is refuted"
    NOT_PROVED = 11, "a check is not proved, and none is refuted"
    INTERRUPTED = 130, "stopped by SIGINT while work remained"
    TERMINATED = 143, "stopped by SIGTERM while work remained"


class StoppedBySignal(Exception):
    """A stop, with the exit code of its signal."""

    def __init__(self, error: Stopped, code: ExitCode) -> None:
        super().__init__(error, code)
        self.error, self.code = error, code


_CODES: tuple[tuple[type[RungError], ExitCode], ...] = (
    (UsageError, ExitCode.USAGE),
    (ConfirmationRequired, ExitCode.USAGE),
    (SourceNotFound, ExitCode.USAGE),
    (DriverMissing, ExitCode.USAGE),
    (DirtyLedger, ExitCode.DIRTY),
    (RepairUndecided, ExitCode.DIRTY),
    (ScratchFailed, ExitCode.DIRTY),
    (CannotResume, ExitCode.DIRTY),
    (StoredSqlUnconfirmed, ExitCode.USAGE),
    (UnwrittenMigration, ExitCode.PENDING),
    (DownRefused, ExitCode.PENDING),
    (RedoUnfinished, ExitCode.PENDING),
    (OutOfOrderMigrations, ExitCode.PENDING),
    (EditedMigrations, ExitCode.PENDING),
    (LockNotAcquired, ExitCode.LOCKED),
    (LockLost, ExitCode.LOCKED),
    (DatabaseBusy, ExitCode.LOCKED),
    (VersionNotReached, ExitCode.PENDING),
    (ConnectionFailed, ExitCode.NO_CONNECTION),
    (ConnectionLost, ExitCode.NO_CONNECTION),
)


def exit_code_of(error: RungError) -> ExitCode:
    """
    Return the code of an error, by its class and, for two classes, by its fields.

    A `Stopped` is a failure here: only `signals` knows which signal caused it.
    """
    if isinstance(error, MigrationFailed):
        clean = ExitCode.LOCKED if error.locked else ExitCode.FAILED
        return ExitCode.DIRTY if error.dirty else clean
    if isinstance(error, MissingMigrationFile) and error.role == "ledger":
        return ExitCode.AHEAD if error.ahead else ExitCode.PENDING
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.FAILED)
