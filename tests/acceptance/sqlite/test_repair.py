"""A dirty SQLite database is diagnosed on a scratch file, and mended."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from rung.errors import MigrationFailed

if TYPE_CHECKING:
    from tests.acceptance.sqlite.golang import Golang
    from tests.acceptance.sqlite.sites import Site

_NO_TRANSACTION = "-- rung: no-transaction\n"
_UP = "ALTER TABLE t ADD COLUMN y int;\nCREATE TABLE u (x int);\n"
_DOWN = "DROP TABLE u;\nALTER TABLE t DROP COLUMN y;"


def test_a_part_of_a_file_is_rolled_back(site: Site) -> None:
    """The rows break the third statement, so what is there of the file is undone."""
    site.add("1_a", "CREATE TABLE t (x int);\nINSERT INTO t VALUES (1);", "DROP TABLE t;")
    migrator = site.migrator()
    migrator.up(1)
    before = site.ask("SELECT name, sql FROM sqlite_master WHERE name = 't'")
    site.add("2_b", f"{_NO_TRANSACTION}{_UP}CREATE UNIQUE INDEX i ON t (x);", _DOWN)
    site.ask("INSERT INTO t VALUES (1)")
    with suppress(MigrationFailed):
        migrator.up()
    found = migrator.diagnose()
    assert found is not None
    migrator.repair(found)

    assert (found.finding.done, str(migrator.version())) == (2, "clean at version 1")
    assert site.ask("SELECT name, sql FROM sqlite_master WHERE name IN ('t', 'u')") == before


def test_what_golang_migrate_left(site: Site, golang: Golang) -> None:
    """Its file was rolled back, and the ledger says dirty."""
    site.add("1_a", "CREATE TABLE t (x int);", "DROP TABLE t;")
    site.add("2_b", f"{_UP}INSERT INTO nowhere VALUES (1);", _DOWN)
    golang.run("up")
    migrator = site.migrator()
    found = migrator.diagnose()

    assert found is not None
    assert found.action is not None
    assert (found.finding.done, found.action.kind.value, found.action.version) == (0, "mark", 1)
