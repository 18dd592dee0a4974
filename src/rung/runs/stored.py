"""
Migrations out of the history: as they ran, whatever their files say now. Pure.

A stored text whose secrets were redacted is not what ran: its digest and checksum tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.applied import KeptHalf, is_kept, is_proven
from rung.migrations import Direction, Half, Migration, MigrationSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.dialect import Dialect
    from rung.drivers.base import Session
    from rung.drivers.work import StoredHalf
    from rung.ledger import HistoryEntry


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
        if text is not None and unlike and is_proven(text, kept, dialect):
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
