"""A dirty SQLite database is diagnosed on a scratch file, and repaired."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from rung.errors import MigrationFailed

if TYPE_CHECKING:
    from tests.integration.sqlite.golang import Golang
    from tests.integration.sqlite.sites import Site

_NO_TRANSACTION = "-- rung: no-transaction\n"
_UP = "ALTER TABLE t ADD COLUMN y int;\nCREATE TABLE u (x int);\n"
_DOWN = "DROP TABLE u;\nALTER TABLE t DROP COLUMN y;"


def test_a_part_of_a_file_is_not_rolled_back(site: Site) -> None:
    """Nothing here tells who made a table: the rows are to be fixed, and the file resumed."""
    site.add("1_a", "CREATE TABLE t (x int);\nINSERT INTO t VALUES (1);", "DROP TABLE t;")
    migrator = site.migrator()
    migrator.up(1)
    site.add("2_b", f"{_NO_TRANSACTION}{_UP}CREATE UNIQUE INDEX i ON t (x);", _DOWN)
    site.ask("INSERT INTO t VALUES (1)")
    with suppress(MigrationFailed):
        migrator.up()
    found = migrator.diagnose()
    assert found is not None
    assert (found.finding.done, found.action) == (2, None)
    assert found.rollback is not None
    assert found.rollback.proof.value == "not proved"
    site.ask("UPDATE t SET x = 2 WHERE rowid = 2")
    migrator.up(resume=True)

    assert str(migrator.version()) == "clean at version 2"


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
