"""
Find the files of applied migrations that were edited, replaced or renamed since. Pure.

A migration's identity is its version, its title and its text. Another text is an edit, and with
another title it is another migration; another title alone is a new name.

Two texts are equal where their checksums are; comments and spacing do not count. Files with equal
digests are not parsed. A checksum with a formula that this version does not have cannot be
compared: `uncompared` returns its version, and it proves nothing where SQL is to run by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from rung.errors import ScriptError
from rung.script import Dialect, has_checksum, is_proven_by, knows_formula, read
from rung.source import Direction

if TYPE_CHECKING:
    from rung.planning.history_replay import Applied, AppliedFile
    from rung.source import MigrationFile, MigrationSet


@dataclass(frozen=True, slots=True)
class Edit:
    """A file that differs from what the history has of it."""

    version: int
    direction: Direction
    half: MigrationFile
    recorded: AppliedFile | None
    """None for a file that did not exist when the version was applied."""
    applied_as: str = ""
    """The title it was applied under, if that is another: then it is another migration."""


class Renamed(NamedTuple):
    """An applied migration whose files have another title and the same text."""

    version: int
    applied_as: str
    name: str


def renamed(
    applied: Applied, migrations: MigrationSet, dialect: Dialect = Dialect.POSTGRES
) -> tuple[Renamed, ...]:
    """Find the applied migrations that have another title now and the same text."""
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
    Find the edited files, ascending by version.

    Args:
        applied: what the history has.
        migrations: the files.
        dialect: the SQL dialect of the database.
    """
    found = []
    for migration in migrations.migrations:
        before = applied.versions.get(migration.version)
        if before is None or not before.has_files or before.is_empty:
            continue
        for direction, recorded in ((Direction.UP, before.up), (Direction.DOWN, before.down)):
            file = migration.half(direction)
            if file is None or (recorded and is_unedited(file.text, recorded, dialect)):
                continue
            is_other = direction is Direction.UP and before.name not in ("", file.title)
            applied_as = before.name if is_other else ""
            found.append(Edit(migration.version, direction, file, recorded, applied_as))
    return tuple(found)


def uncompared(applied: Applied, migrations: MigrationSet) -> tuple[int, ...]:
    """Return the versions with a file that can be called neither edited nor unedited, ascending."""
    found = []
    for migration in migrations.migrations:
        before = applied.versions.get(migration.version)
        if before is None or before.is_empty:
            continue
        pairs = ((migration.up, before.up), (migration.down, before.down))
        if any(_cannot_be_compared(file, recorded) for file, recorded in pairs):
            found.append(migration.version)
    return tuple(found)


def _cannot_be_compared(file: MigrationFile | None, recorded: AppliedFile | None) -> bool:
    if file is None or recorded is None or recorded.checksum is None:
        return False
    if knows_formula(recorded.formula):
        return False
    return not has_digest(file.text, recorded)


def has_digest(text: str, recorded: AppliedFile) -> bool:
    """Whether a text has the digest that the history has of a file; nothing is lexed."""
    return recorded.digest == sha256(text.encode()).hexdigest()


def differences(stored: str, now: str, file: str) -> str:
    """Return the differences between a stored text and a file's as a unified diff."""
    from difflib import unified_diff

    before, after = (text.replace("\r\n", "\n").splitlines() for text in (stored, now))
    lines = unified_diff(before, after, f"{file} as applied", f"{file} now", lineterm="", n=2)
    return "\n".join(lines)


def is_proven(text: str, recorded: AppliedFile | None, dialect: Dialect = Dialect.POSTGRES) -> bool:
    """
    Whether the history proves that a text is what it has of a file.

    Unlike `is_unedited` it returns False where they cannot be compared.
    """
    if recorded is None:
        return False
    if has_digest(text, recorded):
        return True
    try:
        script = read(text, dialect)
    except ScriptError:
        return False
    return is_proven_by(script, recorded.checksum, recorded.formula)


def is_unedited(text: str, recorded: AppliedFile, dialect: Dialect = Dialect.POSTGRES) -> bool:
    """
    Whether a text is what the history has of a file.

    A file whose SQL could not be read has no checksum: then only the same text is. True where they
    cannot be compared: see `uncompared`.
    """
    if has_digest(text, recorded):
        return True
    if recorded.checksum is None:
        return False
    try:
        script = read(text, dialect)
    except ScriptError:
        return False
    return has_checksum(script, recorded.checksum, recorded.formula)
