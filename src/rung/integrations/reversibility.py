"""
Every migration up, down and up again on a database of a test's, and what that leaves behind.

Two opinions are asked: Rung's snapshot, which tells differences object by object, and pg_dump,
which sees more and is not always at hand.
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
    """Its lines; None where there is no pg_dump."""


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
    below = _schema(database)
    for migration in read_source(source).migrations:
        migrator.up(1)
        there = _schema(database)
        if migration.down is not None:
            migrator.down(1)
            left = _told(migration.version, below, _schema(database), "after its down")
            yield from left
            try:
                migrator.up(1)
            except MigrationFailed as failed:
                if not left:
                    raise
                yield f"version {migration.version}, the second time: {failed.cause}"
                return
            yield from _told(migration.version, there, _schema(database), "the second time")
        below = there


def _told(version: int, wanted: _Schema, found: _Schema, when: str) -> list[str]:
    differing = differences(wanted.snapshot, found.snapshot)
    sentences = list(in_words(differing, "the one before", "the database"))
    if not sentences and wanted.dump != found.dump:
        lines = "\n  ".join(_changed(wanted.dump or (), found.dump or ()))
        return [(f"version {version}, {when}: pg_dump writes other lines:\n  {lines}")]
    return [f"version {version}, {when}: {sentence}" for sentence in sentences]


def _changed(wanted: tuple[str, ...], found: tuple[str, ...]) -> list[str]:
    """The lines that are less, by a minus, and those that are more, by a plus."""
    compared = list(unified_diff(wanted, found, n=0, lineterm=""))[2:]
    return [line for line in compared if not line.startswith("@@")]


def _schema(database: str) -> _Schema:
    with open_driver(Database.of(database)).read() as reader:
        return _Schema(reader.snapshot(), dump_of(database))
