"""
Migrations out of the history: for versions whose files are not here. Pure.

A database that is ahead of its files can go down with the down that was stored when the
version was applied. A stored text whose secrets were masked is not what ran, and is not
run: its checksum tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.applied import KeptHalf, is_kept
from rung.errors import StoredTextUnusable
from rung.migrations import Direction, Half, Migration, MigrationSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.applied import AppliedVersion
    from rung.dialect import Dialect
    from rung.drivers.base import Session
    from rung.drivers.work import StoredHalf
    from rung.ledger import HistoryEntry


def with_stored(
    migrations: MigrationSet,
    gone: Sequence[AppliedVersion],
    halves: Sequence[StoredHalf],
    dialect: Dialect,
) -> MigrationSet:
    """
    The same migrations, with those that only the history has.

    Args:
        migrations: the files.
        gone: applied versions without a file.
        halves: every text that is kept of them.
        dialect: the SQL that the database reads.

    Raises:
        StoredTextUnusable: a down of theirs is kept, and cannot be run.
    """
    found = [_migration(one, halves, dialect) for one in gone]
    together = sorted((*migrations.migrations, *found), key=lambda one: one.version)
    return MigrationSet(migrations.source, tuple(together), migrations.warnings)


def with_all_stored(
    migrations: MigrationSet,
    history: Sequence[HistoryEntry],
    session: Session,
    dialect: Dialect,
) -> MigrationSet:
    """
    The migrations as they ran, as far as the history tells, with those that only it has.

    A file that was edited since stands back behind the text that is kept, unless a secret was
    masked in that.

    Args:
        migrations: the files.
        history: every row, oldest first.
        session: asked for the texts.
        dialect: the SQL that the database reads.
    """
    newest = {row.version: row for row in history if row.version is not None and _has_texts(row)}
    halves = session.stored(sorted(newest))
    found = dict(migrations.by_version)
    for version, row in newest.items():
        found[version] = _as_it_ran(found.get(version), row, halves, dialect)
    there = sorted((m for m in found.values() if m.up or m.down), key=lambda one: one.version)
    return MigrationSet(migrations.source, tuple(there), migrations.warnings)


def _has_texts(row: HistoryEntry) -> bool:
    return bool(row.up_checksum or row.down_checksum)


def _as_it_ran(
    migration: Migration | None, row: HistoryEntry, halves: Sequence[StoredHalf], dialect: Dialect
) -> Migration:
    version = row.version or 0
    here = migration or Migration(version)
    sums = {Direction.UP: row.up_checksum, Direction.DOWN: row.down_checksum}
    digests = {Direction.UP: row.up_digest, Direction.DOWN: row.down_digest}
    made = {}
    for direction, total in sums.items():
        half = here.half(direction)
        kept = KeptHalf(total, row.checksum_formula, digests[direction])
        text = kept_text(halves, version, direction, total) if total else None
        unlike = half is None or not is_kept(half.text, kept, dialect)
        if text is not None and unlike and is_kept(text, kept, dialect):
            file = f"{version}_{row.name}.{direction.value}.sql (as stored)"
            half = Half(file, row.name, text)
        made[direction] = half
    return Migration(version, made[Direction.UP], made[Direction.DOWN])


def kept_text(
    halves: Sequence[StoredHalf], version: int, direction: Direction, checksum: str | None
) -> str | None:
    """The newest kept text of a half with a checksum; None where there is none."""
    wanted = (version, direction.value, checksum)
    found = [h.sql for h in halves if (h.version, h.direction, h.checksum) == wanted]
    return found[-1] if found else None


def _migration(
    applied: AppliedVersion, halves: Sequence[StoredHalf], dialect: Dialect
) -> Migration:
    up = _half(applied, Direction.UP, applied.up, halves)
    down = _half(applied, Direction.DOWN, applied.down, halves)
    if down is None and applied.down is not None:
        raise StoredTextUnusable(applied.version, "was not kept")
    whole = applied.down and down and is_kept(down.text, applied.down, dialect)
    if down is not None and not whole:
        raise StoredTextUnusable(applied.version, "holds a secret, which was not kept with it")
    return Migration(applied.version, up, down)


def _half(
    applied: AppliedVersion,
    direction: Direction,
    kept: KeptHalf | None,
    halves: Sequence[StoredHalf],
) -> Half | None:
    if kept is None:
        return None
    text = kept_text(halves, applied.version, direction, kept.checksum)
    if text is None:
        return None
    file = f"{applied.version}_{applied.name}.{direction.value}.sql (as stored)"
    return Half(file, applied.name, text)
