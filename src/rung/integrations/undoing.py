"""Every migration up, down and up again on a database of a test's, and what that leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.database import Database
from rung.drivers import open_driver
from rung.errors import MigrationFailed
from rung.migrations import read_source
from rung.migrator import Migrator
from rung.snapshot import differences, in_words

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from rung.snapshot import Snapshot


def left_behind(database: str, source: str | os.PathLike[str]) -> tuple[str, ...]:
    """
    What each down leaves of its up, and each second up of the first, in sentences.

    A migration without a down file is taken up only: it says itself that there is no way back.

    Args:
        database: an empty one, which is at the newest version afterwards.
        source: a folder, or `package:NAME`.

    Returns:
        The sentences; they end early where what a down left keeps the second up from working.

    Raises:
        RungError: a migration, or taking it back, failed for another reason.
    """
    return tuple(_left_behind(database, source))


def _left_behind(database: str, source: str | os.PathLike[str]) -> Iterator[str]:
    migrator = Migrator(database, source)
    below = _snapshot(database)
    for migration in read_source(source).migrations:
        migrator.up(1)
        there = _snapshot(database)
        if migration.down is not None:
            migrator.down(1)
            left = _told(migration.version, below, _snapshot(database), "after its down")
            yield from left
            try:
                migrator.up(1)
            except MigrationFailed as failed:
                if not left:
                    raise
                yield f"Version {migration.version}, the second time: {failed.cause}"
                return
            yield from _told(migration.version, there, _snapshot(database), "the second time")
        below = there


def _told(version: int, wanted: Snapshot, found: Snapshot, when: str) -> list[str]:
    sentences = in_words(differences(wanted, found), "the one before", "the database")
    return [f"Version {version}, {when}: {sentence}." for sentence in sentences]


def _snapshot(database: str) -> Snapshot:
    with open_driver(Database.of(database)).read() as reader:
        return reader.snapshot()
