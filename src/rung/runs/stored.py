"""
Migrations out of the history: as they ran, whatever their files say now. Pure.

A stored text whose secrets were redacted is not what ran: its digest and checksum tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.applied import KeptHalf, is_proven
from rung.migrations import Direction, Half, Migration, MigrationSet
from rung.runs.downs import why_unseen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rung.drivers.base import Session
    from rung.drivers.found import Look
    from rung.drivers.work import StoredHalf
    from rung.ledger import HistoryEntry


def with_all_stored(
    migrations: MigrationSet,
    history: Sequence[HistoryEntry],
    session: Session,
    look: Look,
    say: Callable[[str], None],
) -> MigrationSet:
    """
    The migrations as they ran, as far as the history tells, with those that only it has.

    A file that was edited since stands back behind the text that is kept, unless a secret was
    redacted in that, or others could have written it: that is run nowhere unseen.

    Args:
        migrations: the files.
        history: every row, oldest first.
        session: asked for the texts.
        look: the dialect, and who else may write the history.
        say: told of a text that is left out though no file stands in for it.
    """
    newest = {row.version: row for row in history if row.version is not None and _has_texts(row)}
    halves = session.stored(sorted(newest))
    found = dict(migrations.by_version)
    for version, row in newest.items():
        found[version] = _as_it_ran(found.get(version), row, halves, look, say)
    there = sorted((m for m in found.values() if m.up or m.down), key=lambda one: one.version)
    return MigrationSet(migrations.source, tuple(there), migrations.warnings)


def _has_texts(row: HistoryEntry) -> bool:
    return bool(row.up_checksum or row.down_checksum)


def _as_it_ran(
    migration: Migration | None,
    row: HistoryEntry,
    halves: Sequence[StoredHalf],
    look: Look,
    say: Callable[[str], None],
) -> Migration:
    version, dialect = row.version or 0, look.place.dialect
    here = migration or Migration(version)
    sums = {Direction.UP: row.up_checksum, Direction.DOWN: row.down_checksum}
    digests = {Direction.UP: row.up_digest, Direction.DOWN: row.down_digest}
    made = {}
    for direction, total in sums.items():
        made[direction] = half = here.half(direction)
        kept = KeptHalf(total, row.checksum_formula, digests[direction])
        stored = _newest(halves, version, direction, total) if total else None
        if stored is None or not is_proven(stored.sql, kept, dialect):
            continue
        file = f"{version}_{row.name}.{direction.value}.sql (as stored)"
        if half is not None and is_proven(half.text, kept, dialect):
            continue
        if why := why_unseen(min(stored.id, row.id), look.other_writers):
            if half is None:
                say(f"{file} is not run on scratch. {why}")
            continue
        made[direction] = Half(file, row.name, stored.sql)
    return Migration(version, made[Direction.UP], made[Direction.DOWN])


def _newest(
    halves: Sequence[StoredHalf], version: int, direction: Direction, checksum: str
) -> StoredHalf | None:
    wanted = (version, direction.value, checksum)
    found = [half for half in halves if (half.version, half.direction, half.checksum) == wanted]
    return found[-1] if found else None


def kept_text(
    halves: Sequence[StoredHalf], version: int, direction: Direction, checksum: str | None
) -> str | None:
    """The newest kept text of a half with a checksum; None where there is none."""
    wanted = (version, direction.value, checksum)
    found = [h.sql for h in halves if (h.version, h.direction, h.checksum) == wanted]
    return found[-1] if found else None
