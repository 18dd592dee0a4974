"""Compare files, ledger and history, version by version. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rung.errors import ScriptError
from rung.planning.edits import edits, has_digest, renamed, uncompared
from rung.planning.history_replay import described, reconcile, unknown_rows
from rung.planning.plan import allows_out_of_order
from rung.script import NOT_COMPARED, contents_of, foreign_marker, may_have_marker, read
from rung.source import Direction

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from rung.drivers.inspection import Inspection
    from rung.ledger import Attempt, LedgerState
    from rung.planning.edits import Edit
    from rung.planning.history_replay import Applied, AppliedFile, AppliedVersion
    from rung.script import Contents
    from rung.script.dialect import Dialect
    from rung.source import Migration, MigrationFile, MigrationSet

APPLIED, PENDING, OUT_OF_ORDER, EDITED = "applied", "pending", "out of order", "edited"
MISSING, DIRTY, AHEAD = "missing", "dirty", "ahead"
EMPTY, UNWRITTEN, DOWN_ONLY = "empty", "unwritten", "down-only"
REPLACED, FORCED, NOT_REVERTED = "replaced", "forced", "not reverted"
_AS_IT_SHOULD_BE = frozenset({APPLIED, EMPTY, FORCED})

_NO_HISTORY = (
    "There is no history: files at or below the ledger's version count as applied, and "
    "out-of-order or edited ones are not detected."
)
_NEWER = (
    "The history has a row that this version of Rung cannot read ({row}): files at or below "
    "the ledger's version count as applied, and out-of-order or edited ones are not detected. "
    "Use the newer Rung that wrote it."
)
_MOVED = (
    "Another tool changed the ledger after the last row of the history; the next run records "
    "what it finds."
)
_TWINS = (
    "The ledger {ours} does not exist, but this database has {others}: `--ledger-table "
    "SCHEMA.NAME` names the one to use."
)
_UNVERSIONED = (
    "There are tables and no ledger: no migration is recorded for them, and `rung up` stops "
    "until `rung force V` records one."
)
_UNEXPLAINED = (
    "There are tables, the ledger has no row, and no migration is recorded: `rung up` stops "
    "until `rung force V` records one."
)
_ALLOWED = "its file allows that; the next up applies it"
_WAS_EMPTY = "it was applied while it was empty, and has SQL now"
_OF_STATE = {
    DOWN_ONLY: "it has a down file and no up file, and is skipped",
    UNWRITTEN: "it has no statement yet",
    NOT_REVERTED: "a down skipped it: what its up created still exists",
    FORCED: "recorded by force; no run of it succeeded",
}
_UNCOMPARED = f"cannot be compared: {NOT_COMPARED}"
_DOWN_EDITED = "its down was edited since; the next run that writes stores the new one"


@dataclass(frozen=True, slots=True)
class StatusLine:
    """
    One version.

    `state` is applied, pending, out of order (below the ledger and never applied), edited (after it
    was applied), replaced (its files are another migration's), dirty, missing (applied, its
    up file not there), ahead (the same, above every file), empty (its up held no statement),
    unwritten (the newest, and it holds none yet), down-only (it has no up file), forced (only
    `force` says that it is applied) or not reverted (a down passed it over). `finished` and
    `seconds` are None where the history knows nothing of it; `note` is what else there is to say.
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
    """Every version with its state, from one inspection."""

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
    """What the states do not say, in sentences."""
    undeclared: tuple[int, ...] = ()
    """The versions, except the newest, whose up has no statement and does not declare that."""
    empty_downs: tuple[int, ...] = ()
    """The versions that cannot be reverted: the down is empty or missing, and not declared."""
    edited_downs: tuple[int, ...] = ()
    """The applied versions of which only the down was edited since."""
    uncompared: tuple[int, ...] = ()
    """The applied versions whose files can be called neither edited nor unedited."""
    unreadable_downs: tuple[int, ...] = ()
    """The versions whose down can never run: its file is refused before anything is sent."""

    @property
    def pending(self) -> tuple[int, ...]:
        """The versions that `up` would apply."""
        again = (PENDING, NOT_REVERTED)
        return tuple(line.version for line in self.lines if line.state in again)

    @property
    def problems(self) -> tuple[StatusLine, ...]:
        """Every line with a problem, that cannot be compared, or whose down cannot run."""
        doubtful = {*self.unreadable_downs, *self.uncompared}
        return tuple(
            line
            for line in self.lines
            if line.state not in _AS_IT_SHOULD_BE or line.version in doubtful
        )

    def versions(self, state: str) -> tuple[int, ...]:
        """The versions in a state."""
        return tuple(line.version for line in self.lines if line.state == state)


def make_status(migrations: MigrationSet, inspection: Inspection) -> Status:
    """Compare the migrations with an inspection of the database."""
    dialect = inspection.place.dialect
    newer = unknown_rows(inspection.history or ())
    history = None if newer else inspection.history
    applied = reconcile(history, inspection.ledger, migrations, dialect)
    found = edits(applied, migrations, dialect)
    files = _Files(migrations, dialect, applied)
    return Status(
        database=inspection.place.database,
        schema=inspection.place.schema,
        server=inspection.place.server,
        source=migrations.source,
        ledger=inspection.ledger,
        ledger_exists=inspection.ledger_exists,
        history_exists=inspection.history is not None,
        lines=tuple(_lines(files, inspection, applied, found)),
        warnings=migrations.warnings,
        notes=tuple(_notes(inspection, applied, newer)),
        undeclared=files.undeclared,
        empty_downs=files.empty_downs,
        edited_downs=_edited_downs(found),
        uncompared=uncompared(applied, migrations),
        unreadable_downs=tuple(files.unreadable_downs),
    )


class _Files:
    """The files, and the contents of each of them."""

    def __init__(self, migrations: MigrationSet, dialect: Dialect, applied: Applied) -> None:
        self.migrations, self.dialect = migrations, dialect
        there = migrations.migrations
        self.ups = {m.version: self._read(m.up) for m in there if m.up is not None}
        self.downs = {m.version: self._read(m.down) for m in there if m.down is not None}
        self.newest = max(self.ups, default=-1)
        self.unreadable_downs = {}
        for migration in there:
            down, before = migration.down, applied.versions.get(migration.version)
            if down is None or (before and _was_readable(down, before.down)):
                continue
            if why := why_refused(down, dialect, down=True):
                self.unreadable_downs[migration.version] = why

    def _read(self, half: MigrationFile) -> Contents:
        return contents_of(half.text, self.dialect)

    @property
    def undeclared(self) -> tuple[int, ...]:
        """The versions, except the newest, whose empty up is not declared."""
        return tuple(v for v, up in self.ups.items() if up.is_undeclared and v != self.newest)

    @property
    def empty_downs(self) -> tuple[int, ...]:
        """The versions with an up to revert and no down that reverts it or is declared."""
        return tuple(m.version for m in self.migrations.migrations if self._is_one_way(m))

    def _is_one_way(self, migration: Migration) -> bool:
        up, down = self.ups.get(migration.version), self.downs.get(migration.version)
        if up is None or up.is_empty or up.irreversible:
            return False
        return down is None or (down.is_undeclared and not down.irreversible)


def _edited_downs(found: Sequence[Edit]) -> tuple[int, ...]:
    ups = {edit.version for edit in found if edit.direction is Direction.UP}
    return tuple(sorted({edit.version for edit in found} - ups))


def _lines(
    files: _Files, inspection: Inspection, applied: Applied, found: Sequence[Edit]
) -> Iterator[StatusLine]:
    migrations = files.migrations
    ups = {edit.version: edit for edit in found if edit.direction is Direction.UP}
    notes = _notes_of(files, applied, found)
    missing = set(applied.missing(migrations))
    late = {m.version for m in applied.out_of_order(migrations, inspection.ledger)}
    for version in sorted({*migrations.versions, *applied.versions}):
        line = _line(version, migrations, inspection.ledger, applied.versions.get(version))
        if line.state == DIRTY:
            pass
        elif version not in applied.versions or version in applied.reopened:
            line = replace(line, state=_to_do(version, files, applied, late))
        elif version in missing:
            line = replace(line, state=_gone(version, migrations))
        elif version in ups:
            line = replace(line, state=REPLACED if ups[version].applied_as else EDITED)
        else:
            line = replace(line, state=_done(applied.versions[version], files))
        yield replace(line, note=_unreadable(line, files) or _note(line, files, notes))


def _unreadable(line: StatusLine, files: _Files) -> str:
    """Say why a pending file can never run, with its line; empty where it can."""
    migration = files.migrations.by_version.get(line.version)
    down = files.unreadable_downs.get(line.version, "")
    if line.state not in (PENDING, OUT_OF_ORDER) or migration is None or migration.up is None:
        return down
    return why_refused(migration.up, files.dialect, down=False) or down


def why_refused(half: MigrationFile, dialect: Dialect, *, down: bool) -> str:
    """Say why a file can never run, with its line; empty where it can."""
    try:
        if found := foreign_marker(read(half.text, dialect), down=down):
            raise found
    except ScriptError as error:
        cause = error.in_file(half.file).located
        return f"{cause}; {error.way}" if error.way else cause
    return ""


def _was_readable(half: MigrationFile, recorded: AppliedFile | None) -> bool:
    """Whether a file is the one that the history has a checksum of: then its SQL could be read."""
    if recorded is None or recorded.checksum is None or not has_digest(half.text, recorded):
        return False
    return not may_have_marker(half.text)


def _to_do(version: int, files: _Files, applied: Applied, late: Collection[int]) -> str:
    """Return the state of a version that is not applied."""
    if version not in files.ups:
        return DOWN_ONLY
    if version in late:
        return OUT_OF_ORDER
    if version == files.newest and files.ups[version].is_undeclared:
        return UNWRITTEN
    return NOT_REVERTED if version in applied.unreverted else PENDING


def _done(known: AppliedVersion, files: _Files) -> str:
    """Return the state of an applied version with unedited files."""
    if known.version not in files.ups:
        return DOWN_ONLY
    nothing_recorded = known.entry is None and files.ups[known.version].is_empty
    if known.is_empty or nothing_recorded:
        return EMPTY
    return FORCED if known.is_forced else APPLIED


def _notes_of(files: _Files, applied: Applied, found: Sequence[Edit]) -> dict[int, str]:
    """Make the notes of single versions; a later one replaces an earlier one."""
    notes = {v: f"declared: {up.empty}" for v, up in files.ups.items() if up.is_empty and up.empty}
    notes |= dict.fromkeys(_edited_downs(found), _DOWN_EDITED)
    notes |= {
        one.version: f'renamed, applied as "{one.applied_as}"'
        for one in renamed(applied, files.migrations, files.dialect)
    }
    notes |= dict.fromkeys(uncompared(applied, files.migrations), _UNCOMPARED)
    notes |= dict.fromkeys(applied.reopened, _WAS_EMPTY)
    return notes | {
        edit.version: f'applied as "{edit.applied_as}"' for edit in found if edit.applied_as
    }


def _note(line: StatusLine, files: _Files, notes: Mapping[int, str]) -> str:
    migration = files.migrations.by_version.get(line.version)
    if line.state == OUT_OF_ORDER and migration and allows_out_of_order(migration, files.dialect):
        return _ALLOWED
    return _OF_STATE.get(line.state) or notes.get(line.version, "")


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
        return StatusLine(version, name, OUT_OF_ORDER if below else PENDING)
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


def _notes(inspection: Inspection, applied: Applied, newer: Sequence[Attempt]) -> Iterator[str]:
    if newer:
        yield _NEWER.format(row=described(newer[-1]))
        return
    if inspection.twins:
        yield _TWINS.format(
            ours=inspection.place.ledger, others=", ".join(twin.table for twin in inspection.twins)
        )
    if inspection.tables:
        yield _UNEXPLAINED if inspection.ledger_exists else _UNVERSIONED
        return
    if inspection.ledger.version is None and inspection.history is None:
        return
    if not applied.recorded:
        yield _NO_HISTORY
    elif applied.unrecorded and not inspection.ledger.dirty:
        yield _MOVED
