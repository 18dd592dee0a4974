"""
Run every migration up, down and up again on a test database, and compare the schemas.

They are compared twice: by Rung's snapshot, which shows differences by object, and by pg_dump,
which shows more and is not always installed.
"""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING, NamedTuple

from rung.database import Database
from rung.drivers import open_driver
from rung.errors import MigrationFailed
from rung.integrations.pg_dump import dump_of
from rung.migrator import Migrator
from rung.snapshot import differences, in_words
from rung.source import read_source

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from rung.snapshot import Snapshot


class _Schema(NamedTuple):
    snapshot: Snapshot
    dump: tuple[str, ...] | None
    """The lines of pg_dump; None where there is none."""


def undo_differences(database: str, source: str | os.PathLike[str]) -> tuple[str, ...]:
    """
    Describe what each down leaves of its up, and how each second up differs from the first.

    A migration without a down file runs up only: it is irreversible.

    Args:
        database: an empty database, which is at the newest version afterwards.
        source: a folder, or `package:NAME`.

    Returns:
        Sentences; they end early where a second up fails because of what a down left.

    Raises:
        RungError: an up or a down failed for another reason.
    """
    return tuple(_undo_differences(database, source))


def _undo_differences(database: str, source: str | os.PathLike[str]) -> Iterator[str]:
    migrator = Migrator(database, source)
    before = _schema(database)
    for migration in read_source(source).migrations:
        migrator.up(1)
        applied = _schema(database)
        if migration.down is not None:
            migrator.down(1)
            sentences = _compare(migration.version, before, _schema(database), "after its down")
            yield from sentences
            try:
                migrator.up(1)
            except MigrationFailed as failed:
                if not sentences:
                    raise
                yield f"version {migration.version}, the second time: {failed.cause}"
                return
            yield from _compare(migration.version, applied, _schema(database), "the second time")
        before = applied


def _compare(version: int, expected: _Schema, actual: _Schema, when: str) -> list[str]:
    diff = differences(expected.snapshot, actual.snapshot)
    sentences = list(in_words(diff, "the one before", "the database"))
    if not sentences and expected.dump != actual.dump:
        lines = "\n  ".join(_changed_lines(expected.dump or (), actual.dump or ()))
        return [(f"version {version}, {when}: pg_dump writes other lines:\n  {lines}")]
    return [f"version {version}, {when}: {sentence}" for sentence in sentences]


def _changed_lines(expected: tuple[str, ...], actual: tuple[str, ...]) -> list[str]:
    """Return the removed lines with a minus, and the added ones with a plus."""
    diff = list(unified_diff(expected, actual, n=0, lineterm=""))[2:]
    return [line for line in diff if not line.startswith("@@")]


def _schema(database: str) -> _Schema:
    with open_driver(Database.of(database)).read() as reader:
        return _Schema(reader.snapshot(), dump_of(database))
