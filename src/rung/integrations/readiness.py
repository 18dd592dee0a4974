"""
The readiness of a service for its database, as values. Pure.

Owns the names of the states, their errors, and the pause before the next check. Runs nothing and
uses no framework.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from rung.errors import (
    ConnectionFailed,
    ConnectionLost,
    DatabaseBusy,
    DatabaseError,
    DirtyLedger,
    EditedMigrations,
    LockLost,
    LockNotAcquired,
    MigrationFailed,
    MissingMigrationFile,
    OutOfOrderMigrations,
    ReadOnlyDatabase,
    RungError,
    ScriptError,
    SourceError,
    Stopped,
    UnversionedDatabase,
    UnwrittenMigration,
)

ReadinessState = Literal[
    "starting",
    "migrating",
    "locked",
    "current",
    "unchecked",
    "behind",
    "ahead",
    "unknown-version",
    "dirty",
    "out-of-order",
    "edited",
    "unwritten",
    "unversioned",
    "incomplete",
    "down",
    "read-only",
    "refused",
    "files",
    "failed",
    "stopped",
]
"""
The state of a service's schema.

starting (not checked yet), migrating, locked (waiting for another run), current, unchecked (policy
"ignore"), behind (pending, and this process does not apply them), ahead (of this build),
unknown-version (at a version without a file), dirty, out-of-order (a pending migration is below
the version), edited, unwritten (the newest file holds no statement yet), unversioned (tables and no
ledger), incomplete (the ledger is ahead of a schema that lacks what the service uses), down (no
connection), read-only (pending, and the server accepts no writes), refused (rights, poolers, an
unreadable ledger), files (the migrations cannot be read), failed (a migration failed), stopped.
"""

_STATES: tuple[tuple[type[RungError], ReadinessState], ...] = (
    (DirtyLedger, "dirty"),
    (OutOfOrderMigrations, "out-of-order"),
    (EditedMigrations, "edited"),
    (UnwrittenMigration, "unwritten"),
    (UnversionedDatabase, "unversioned"),
    (ConnectionFailed, "down"),
    (ConnectionLost, "down"),
    (DatabaseBusy, "locked"),
    (LockNotAcquired, "locked"),
    (LockLost, "locked"),
    (ReadOnlyDatabase, "read-only"),
    (DatabaseError, "refused"),
    (SourceError, "files"),
    (ScriptError, "files"),
    (Stopped, "stopped"),
)
_FIRST_PART = 30
"""The longest pause divided by the first."""
_FAILED_TIMES = 20
"""The factor by which a failed migration is retried less often."""


class Readiness(NamedTuple):
    """The content of a readiness probe."""

    ready: bool
    state: ReadinessState
    reason: str
    """A sentence, with secrets redacted."""
    version: int | None = None
    """The version of the database; None where it is not known."""


STARTING = Readiness(ready=False, state="starting", reason="the database was not inspected yet")


def readiness_of_error(error: RungError) -> Readiness:
    """Return the readiness that an error of a check or a run means."""
    has_hint = isinstance(error, DirtyLedger) or (
        isinstance(error, MigrationFailed) and error.unrecorded
    )
    hint = f"; {error.hint}" if has_hint else ""
    reason = " ".join(f"{error.cause}{hint}".split())
    version = error.version if isinstance(error, DirtyLedger | MissingMigrationFile) else None
    return Readiness(ready=False, state=_state(error), reason=reason, version=version)


def _state(error: RungError) -> ReadinessState:
    if isinstance(error, MissingMigrationFile):
        return "ahead" if error.ahead else "unknown-version"
    return next((state for kind, state in _STATES if isinstance(error, kind)), "failed")


def pause_after(state: ReadinessState, times: int, longest: float) -> float:
    """
    Return the seconds to wait before the next check; the caller adds jitter.

    A failed migration locks tables each time that it is retried, so it is retried rarely. Any
    other check costs a round trip.

    Args:
        state: the result of the last check.
        times: how many checks in a row had this result, from 1.
        longest: seconds, the longest pause between two checks.
    """
    if state == "failed":
        first, most = longest, longest * _FAILED_TIMES
    else:
        first, most = longest / _FIRST_PART, longest
    return float(min(first * 2 ** min(times - 1, 16), most))
