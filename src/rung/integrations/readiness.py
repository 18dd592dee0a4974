"""
Whether a service may serve on its database, and why not: as values. Pure.

Owns the names of the states, which errors mean which, and how long to pause before looking
again. Runs nothing and knows no framework.
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

State = Literal[
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
Where a service stands with its schema.

starting (nothing known yet), migrating, locked (another run is waited for), current, unchecked
(policy "ignore"), behind (pending, and not to be applied here), ahead (of this build),
unknown-version (at a version without a file), dirty, late, edited, unwritten (the
newest file holds no statement yet), unversioned (tables and no
ledger), incomplete (the ledger is ahead of a schema that lacks what the service
uses), down (no connection), read-only (pending, and the server takes no writes), refused
(rights, poolers, an unreadable ledger), files (the migrations cannot be read), failed
(a migration was refused), stopped.
"""

_STATES: tuple[tuple[type[RungError], State], ...] = (
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
"""The first pause is this part of the longest."""
_FAILED_TIMES = 20
"""A migration that was refused is tried this many times more seldom."""


class Readiness(NamedTuple):
    """What a readiness probe is told."""

    ready: bool
    state: State
    reason: str
    """A sentence, masked as every text of Rung's is."""
    version: int | None = None
    """Where the database is, as far as it is known."""


STARTING = Readiness(ready=False, state="starting", reason="the database was not inspected yet")


def of_error(error: RungError) -> Readiness:
    """What an error of a look or a run says about readiness."""
    told = isinstance(error, DirtyLedger) or (
        isinstance(error, MigrationFailed) and error.unrecorded
    )
    hint = f"; {error.hint}" if told else ""
    reason = " ".join(f"{error.cause}{hint}".split())
    version = error.version if isinstance(error, DirtyLedger | MissingMigrationFile) else None
    return Readiness(ready=False, state=_state(error), reason=reason, version=version)


def _state(error: RungError) -> State:
    if isinstance(error, MissingMigrationFile):
        return "ahead" if error.ahead else "unknown-version"
    return next((state for kind, state in _STATES if isinstance(error, kind)), "failed")


def pause_after(state: State, times: int, longest: float) -> float:
    """
    Seconds to wait before the next look; the caller jitters it.

    A migration that was refused locks tables each time that it is tried, so it is tried
    seldom. Everything else costs a round trip.

    Args:
        state: what the last look came to.
        times: how many looks in a row came to that, from 1.
        longest: seconds, the longest pause between two looks.
    """
    if state == "failed":
        first, most = longest, longest * _FAILED_TIMES
    else:
        first, most = longest / _FIRST_PART, longest
    return float(min(first * 2 ** min(times - 1, 16), most))
