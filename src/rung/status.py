"""What a database's migrations look like side by side: files, ledger and history. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rung.applied import edits, settle
from rung.migrations import Direction
from rung.plan import may_be_late

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from rung.applied import Applied, AppliedVersion
    from rung.dialect import Dialect
    from rung.drivers.found import Look
    from rung.ledger import LedgerState
    from rung.migrations import MigrationSet

APPLIED, PENDING, LATE, EDITED = "applied", "pending", "late", "edited"
MISSING, DIRTY, AHEAD = "missing", "dirty", "ahead"

_NO_HISTORY = (
    "There is no history to go by: files at or below the ledger's version count as applied, "
    "and late or edited ones cannot be told apart."
)
_MOVED = (
    "Another tool moved the ledger since the history was written; the next run records what "
    "it found."
)
_UNVERSIONED = (
    "There are tables and no ledger: nothing says which migrations they come from, and a run is "
    "refused until `rung force V` records it."
)
_MAY_BE_LATE = "its file allows that; the next up runs it"
_DOWN_EDITED = "its down was edited since; the next run that writes stores the new one"


@dataclass(frozen=True, slots=True)
class StatusLine:
    """
    One version.

    `state` is applied, pending, late (below the ledger and never applied), edited (after it
    was applied), dirty, missing (applied, its up file not there) or ahead (the same, above
    every file). `finished` and `seconds` are None where the history knows
    nothing of it; `note` is what else there is to say.
    """

    version: int
    name: str
    state: str
    finished: datetime | None = None
    seconds: float | None = None
    checksum: str | None = None
    tool: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """The whole picture, as one look found it."""

    database: str
    schema: str
    server: str
    source: str
    ledger: LedgerState
    ledger_exists: bool
    history_exists: bool
    lines: tuple[StatusLine, ...]
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What the states cannot say, in sentences."""

    @property
    def pending(self) -> tuple[int, ...]:
        """The versions that `up` would apply."""
        return self.versions(PENDING)

    @property
    def problems(self) -> tuple[StatusLine, ...]:
        """Every line that is not plainly applied."""
        return tuple(line for line in self.lines if line.state != APPLIED)

    def versions(self, state: str) -> tuple[int, ...]:
        """The versions in a state."""
        return tuple(line.version for line in self.lines if line.state == state)


def make_status(migrations: MigrationSet, look: Look) -> Status:
    """Compare the migrations with what a look found."""
    applied = settle(look.history, look.ledger, migrations)
    return Status(
        database=look.place.database,
        schema=look.place.schema,
        server=look.place.server,
        source=migrations.source,
        ledger=look.ledger,
        ledger_exists=look.ledger_exists,
        history_exists=look.history is not None,
        lines=tuple(_lines(migrations, look, applied)),
        warnings=migrations.warnings,
        notes=tuple(_notes(look, applied)),
    )


def _lines(migrations: MigrationSet, look: Look, applied: Applied) -> Iterator[StatusLine]:
    found = edits(applied, migrations, look.place.dialect)
    ups = {edit.version for edit in found if edit.direction is Direction.UP}
    downs = {edit.version for edit in found} - ups
    missing = set(applied.missing(migrations))
    for version in sorted({*migrations.versions, *applied.versions}):
        line = _line(version, migrations, look.ledger, applied.versions.get(version))
        if line.state == APPLIED and version in missing:
            line = replace(line, state=_gone(version, migrations))
        elif line.state == APPLIED and version in ups:
            line = replace(line, state=EDITED)
        yield replace(line, note=_note(line, migrations, look.place.dialect, downs))


def _note(
    line: StatusLine, migrations: MigrationSet, dialect: Dialect, edited_downs: Collection[int]
) -> str:
    if line.state == LATE and may_be_late(migrations.by_version[line.version], dialect):
        return _MAY_BE_LATE
    return _DOWN_EDITED if line.version in edited_downs else ""


def _gone(version: int, migrations: MigrationSet) -> str:
    return AHEAD if version > max(migrations.versions, default=-1) else MISSING


def _line(
    version: int, migrations: MigrationSet, ledger: LedgerState, known: AppliedVersion | None
) -> StatusLine:
    migration = migrations.by_version.get(version)
    name = migration.name if migration else known.name if known else ""
    if ledger.dirty and version == ledger.version:
        return StatusLine(version, name, DIRTY)
    if known is None:
        below = ledger.version is not None and version < ledger.version
        return StatusLine(version, name, LATE if below else PENDING)
    return _applied_line(name, known)


def _applied_line(name: str, known: AppliedVersion) -> StatusLine:
    entry = known.entry
    if entry is None:
        return StatusLine(known.version, name, APPLIED)
    timed = entry.direction == "up" and entry.finished is not None
    return StatusLine(
        known.version,
        name,
        APPLIED,
        entry.finished if timed else None,
        (entry.finished - entry.started).total_seconds() if timed and entry.finished else None,
        known.up.checksum if known.up else None,
        entry.tool,
    )


def _notes(look: Look, applied: Applied) -> Iterator[str]:
    if look.tables and not look.ledger_exists:
        yield _UNVERSIONED
        return
    if look.ledger.version is None and look.history is None:
        return
    if not applied.recorded:
        yield _NO_HISTORY
    elif applied.unrecorded and not look.ledger.dirty:
        yield _MOVED
