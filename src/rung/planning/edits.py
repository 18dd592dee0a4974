"""
Which files of applied migrations were edited, exchanged or renamed since. Pure.

A migration's identity is its version, its title and its text. Another text is an edit, and
with another title it is another migration; another title alone is a new name.

Two texts are the same where their checksums are; comments and spacing do not count. Equal
digests spare the reading. A checksum of a formula that is not known here cannot be
compared: `uncompared` names its version, and it proves nothing where SQL is to run by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from rung.errors import ScriptError
from rung.script import Dialect, has_checksum, is_proven_by, knows_formula, read
from rung.source import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.planning.history_replay import Applied, AppliedFile, AppliedVersion
    from rung.source import Migration, MigrationFile, MigrationSet


@dataclass(frozen=True, slots=True)
class Edit:
    """A half that is not any more what the history holds of it."""

    version: int
    direction: Direction
    half: MigrationFile
    kept: AppliedFile | None
    """None for a half that had no file when the version was applied."""
    applied_as: str = ""
    """The title it was applied under, where that is another: then it is another migration."""


class Renamed(NamedTuple):
    """An applied migration whose files have another title, and the same text."""

    version: int
    applied_as: str
    name: str


def renamed(
    applied: Applied, migrations: MigrationSet, dialect: Dialect = Dialect.POSTGRES
) -> tuple[Renamed, ...]:
    """Give every applied migration that has another title now and the same text."""
    pairs = ((m, applied.versions.get(m.version)) for m in migrations.migrations)
    return tuple(
        Renamed(migration.version, known.name, migration.up.title)
        for migration, known in pairs
        if known is not None and known.up is not None and migration.up is not None
        if known.name and known.name != migration.up.title
        if is_proven(migration.up.text, known.up, dialect)
    )


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
        if known is not None and known.kept and not known.is_empty
        for edit in _of(migration, known, dialect)
    )


def uncompared(applied: Applied, migrations: MigrationSet) -> tuple[int, ...]:
    """The versions of which a half can be called neither edited nor unedited, ascending."""
    return tuple(
        migration.version
        for migration in migrations.migrations
        if (known := applied.versions.get(migration.version)) is not None and not known.is_empty
        if _cannot_be_compared(migration.up, known.up)
        or _cannot_be_compared(migration.down, known.down)
    )


def _cannot_be_compared(half: MigrationFile | None, kept: AppliedFile | None) -> bool:
    if half is None or kept is None or kept.checksum is None or knows_formula(kept.formula):
        return False
    return kept.digest != sha256(half.text.encode()).hexdigest()


def differences(kept: str, now: str, file: str) -> str:
    """The differences between a kept text and a file's, as a unified diff; empty for none."""
    from difflib import unified_diff

    before, after = (text.replace("\r\n", "\n").splitlines() for text in (kept, now))
    lines = unified_diff(before, after, f"{file} as applied", f"{file} now", lineterm="", n=2)
    return "\n".join(lines)


def is_proven(text: str, kept: AppliedFile | None, dialect: Dialect = Dialect.POSTGRES) -> bool:
    """
    Whether the history proves that a text is what it holds of a half.

    Unlike `is_kept` it says no where that cannot be compared.
    """
    if kept is None:
        return False
    if kept.digest == sha256(text.encode()).hexdigest():
        return True
    try:
        script = read(text, dialect)
    except ScriptError:
        return False
    return is_proven_by(script, kept.checksum, kept.formula)


def is_kept(text: str, kept: AppliedFile, dialect: Dialect = Dialect.POSTGRES) -> bool:
    """
    Whether a text is what the history holds of a half.

    Without a checksum, of a half whose SQL could not be read, only the same text is. True where
    that cannot be compared: see `uncompared`.
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
            other = direction is Direction.UP and bool(known.name) and known.name != half.title
            yield Edit(migration.version, direction, half, kept, known.name if other else "")
