"""
What the command's exit code says, and the one place where errors become codes.

What is the matter with files and database has one code, whether a check finds it or a run
is refused for it: docs/reference/exit-codes.md.
"""

from __future__ import annotations

from enum import IntEnum

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
    """How a command ended, for scripts."""

    DONE = 0
    """Done, or nothing was to do."""
    FAILED = 1
    """It failed, and the database is clean."""
    USAGE = 2
    """It was not understood, not configured, or not confirmed; no migration was run."""
    PENDING = 3
    """Files are pending, late, edited or missing; a version was waited for in vain."""
    DIRTY = 4
    """The database is dirty: found so, or left so by the migration that failed."""
    AHEAD = 5
    """The database is at a version above every file."""
    LOCKED = 6
    """Another run or program held the database for longer than was allowed, or took our lock."""
    NO_CONNECTION = 7
    """The database could not be reached, or the connection was lost."""
    AILING = 8
    """`doctor` found something to mend, and the database is not dirty."""
    VIOLATED = 9
    """Certify found a fault behind which not everything is as it should be."""
    INTERRUPTED = 130
    """Stopped by SIGINT while work remained."""
    TERMINATED = 143
    """Stopped by SIGTERM while work remained."""


class StoppedBySignal(Exception):
    """A stop, with the exit code that its signal asks for."""

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
    The code of an error, by its class and, for two of them, by its facts.

    A `Stopped` is a failure here: which signal stopped it only `signals` knows.
    """
    if isinstance(error, MigrationFailed):
        clean = ExitCode.LOCKED if error.locked else ExitCode.FAILED
        return ExitCode.DIRTY if error.dirty else clean
    if isinstance(error, MissingMigrationFile) and error.role == "ledger":
        return ExitCode.AHEAD if error.ahead else ExitCode.PENDING
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.FAILED)
