"""Run every migration up, down and up again on a test database, and compare the schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.database import Database
from rung.drivers import open_driver
from rung.errors import MigrationFailed
from rung.migrator import Migrator
from rung.snapshot import differences, in_words
from rung.source import read_source

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from rung.snapshot import Snapshot


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


def _compare(version: int, expected: Snapshot, actual: Snapshot, when: str) -> list[str]:
    sentences = in_words(differences(expected, actual), "the one before", "the database")
    return [f"version {version}, {when}: {sentence}" for sentence in sentences]


def _schema(database: str) -> Snapshot:
    with open_driver(Database.of(database)).read() as reader:
        return reader.snapshot()
