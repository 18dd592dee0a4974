"""
Which files of applied migrations were edited since, and how the texts differ. Pure.

Two texts are the same where their checksums are; comments and spacing do not count. Equal
digests spare the reading. A checksum of a formula that is not known here cannot be
compared, and is taken as unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from rung.errors import ScriptError
from rung.migrations import Direction
from rung.statements import Dialect, has_checksum, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.applied.account import Applied, AppliedVersion, KeptHalf
    from rung.migrations import Half, Migration, MigrationSet


@dataclass(frozen=True, slots=True)
class Edit:
    """A half that is not any more what the history holds of it."""

    version: int
    direction: Direction
    half: Half
    kept: KeptHalf | None
    """None for a half that had no file when the version was applied."""


def edits(
    applied: Applied, migrations: MigrationSet, dialect: Dialect = Dialect.POSTGRES
) -> tuple[Edit, ...]:
    """
    Every edited half, ascending by version.

    Args:
        applied: what the history holds.
        migrations: the files there are now.
        dialect: the SQL that the database reads.
    """
    pairs = ((m, applied.versions.get(m.version)) for m in migrations.migrations)
    return tuple(
        edit
        for migration, known in pairs
        if known is not None and known.kept
        for edit in _of(migration, known, dialect)
    )


def differences(kept: str, now: str, file: str) -> str:
    """The differences between a kept text and a file's, as a unified diff; empty for none."""
    from difflib import unified_diff

    before, after = (text.replace("\r\n", "\n").splitlines() for text in (kept, now))
    lines = unified_diff(before, after, f"{file} as applied", f"{file} now", lineterm="", n=2)
    return "\n".join(lines)


def is_kept(text: str, kept: KeptHalf, dialect: Dialect = Dialect.POSTGRES) -> bool:
    """
    Whether a text is what the history holds of a half.

    Without a checksum, of a half whose SQL could not be read, only the same text is.
    """
    if kept.digest == sha256(text.encode()).hexdigest():
        return True
    if kept.checksum is None:
        return False
    try:
        script = read(text, dialect)
    except ScriptError:
        return False
    return has_checksum(script, kept.checksum, kept.formula)


def _of(migration: Migration, known: AppliedVersion, dialect: Dialect) -> Iterator[Edit]:
    for direction, kept in ((Direction.UP, known.up), (Direction.DOWN, known.down)):
        half = migration.half(direction)
        if half is None:
            continue
        if kept is None or not is_kept(half.text, kept, dialect):
            yield Edit(migration.version, direction, half, kept)
