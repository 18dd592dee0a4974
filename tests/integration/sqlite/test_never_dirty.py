"""What fails leaves the database where it was; what succeeds is recorded with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing

from rung.errors import LedgerDropped, LedgerMoved, MigrationFailed, UnwrittenMigration
from rung.events import Notice, StepStarted, Warned
from rung.ledger import LedgerState

if TYPE_CHECKING:
    from tests.integration.sqlite.sites import Site

REBUILD = """
PRAGMA foreign_keys=OFF;
BEGIN;
CREATE TABLE new (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO new SELECT id, name FROM parents;
DROP TABLE parents;
ALTER TABLE new RENAME TO parents;
{more}
COMMIT;
PRAGMA foreign_keys=ON;
"""
FAMILY = """
CREATE TABLE parents (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE children (parent int NOT NULL REFERENCES parents ON DELETE CASCADE);
INSERT INTO parents VALUES (1, 'ada');
INSERT INTO children VALUES (1);
"""
FAILING = {
    "a statement": "CREATE TABLE b (x); SELECT nope FROM b;",
    "a statement in its own transaction": "BEGIN; CREATE TABLE b (x); SELECT nope FROM b; COMMIT;",
    "its commit": (
        "CREATE TABLE b (x INTEGER PRIMARY KEY); CREATE TABLE c (y REFERENCES b DEFERRABLE "
        "INITIALLY DEFERRED); INSERT INTO c VALUES (1);"
    ),
    "a trigger that rolls back": (
        "CREATE TABLE b (x); CREATE TRIGGER t BEFORE INSERT ON b BEGIN SELECT "
        "RAISE(ROLLBACK, 'never'); END; INSERT INTO b VALUES (1);"
    ),
    "what it inserts": "CREATE TABLE b (x UNIQUE); INSERT OR ROLLBACK INTO b VALUES (1), (1);",
}


@pytest.mark.parametrize("sql", FAILING.values(), ids=FAILING)
def test_a_failure(site: Site, sql: str) -> None:
    """Nothing of the file is kept, the ledger is clean, the attempt is in the history."""
    site.add_tables(1).add("2_b", sql)
    failed = failing(MigrationFailed, site.migrator("?_fk=1").up)

    assert (failed.applied, failed.dirty) == ((1,), False)
    assert (site.ledger(), site.tables()) == ([(1, 0)], {"t1"})
    assert [row[:2] for row in site.progress()] == [(1, "done"), (2, "failed")]


def test_a_failed_down(site: Site) -> None:
    """A down that fails leaves its version as it was."""
    site.add("1_a", "CREATE TABLE a (x);", "DROP TABLE a; DROP TABLE nowhere;").up()
    failing(MigrationFailed, site.migrator().down)

    assert (site.ledger(), site.tables()) == ([(1, 0)], {"a"})


def test_what_a_failure_says(site: Site) -> None:
    """The file, the place with its caret, SQLite's words, and the state."""
    site.add("1_a", "CREATE TABLE a (x);\nINSERT INTO a\n  VALUES ('ü', nope);\n")
    failed = failing(MigrationFailed, site.migrator().up)

    assert str(failed) == "migration 1 (a) failed: no such column: nope"
    assert failed.lines() == (
        "  --> 1_a.up.sql:3:16",
        "  3 |   VALUES ('ü', nope);",
        "    |                ^^^^",
        "database: clean at no version; the failed migration was rolled back",
        "hint: fix 1_a.up.sql and run `rung up` again; no force is needed",
    )


@pytest.mark.parametrize(
    "sql",
    [
        "BEGIN; CREATE TABLE a (x); COMMIT;",
        "BEGIN IMMEDIATE; CREATE TABLE a (x); SAVEPOINT s; RELEASE s; END;",
        "CREATE TABLE a (x); -- rung: nothing\n",
    ],
)
def test_one_transaction(site: Site, sql: str) -> None:
    """Its own BEGIN is welcome: our rows go in before its COMMIT."""
    assert site.add("1_a", sql).up() == (1,)
    assert (site.ledger(), site.tables()) == ([(1, 0)], {"a"})
    assert site.heard(StepStarted)[0].mode != "unit by unit"


@pytest.mark.parametrize(
    ("sql", "mode"),
    [
        ("CREATE TABLE a (x); VACUUM;", "delete"),
        ("CREATE TABLE a (x);\nPRAGMA journal_mode = WAL;", "wal"),
        ("CREATE TABLE a (x); ATTACH ':memory:' AS b; CREATE TABLE b.c (x); DETACH b;", "delete"),
        ("-- rung: no-transaction\nCREATE TABLE a (x); PRAGMA synchronous = OFF;", "delete"),
        ("CREATE TABLE a (x); PRAGMA wal_checkpoint;", "delete"),
    ],
)
def test_what_refuses_a_transaction(site: Site, sql: str, mode: str) -> None:
    """Such a file runs unit by unit, and ends clean."""
    assert site.add("1_a", sql).up() == (1,)
    assert (site.ledger(), site.tables()) == ([(1, 0)], {"a"})
    assert [row[1] for row in site.progress()] == ["done"]
    assert site.ask("PRAGMA journal_mode") == [(mode,)]


def test_what_only_sqlite_knows_to_refuse(site: Site) -> None:
    """A file that was thought to be whole is run unit by unit where SQLite says so."""
    sql = "CREATE TEMP TABLE b (x);\nPRAGMA temp_store = MEMORY;\nCREATE TABLE a (x);"

    assert site.add("1_a", sql).up() == (1,)
    assert (site.ledger(), site.tables()) == ([(1, 0)], {"a"})


def test_a_table_is_rebuilt(site: Site) -> None:
    """SQLite's own recipe works: with foreign keys off nothing cascades."""
    site.add("1_a", FAMILY).add("2_b", REBUILD.format(more=""))

    assert [step.version for step in site.migrator("?_fk=1").up().steps] == [1, 2]
    assert site.ask("SELECT parent FROM children") == [(1,)]
    assert site.ledger() == [(2, 0)]


def test_a_rebuilding_that_fails(site: Site) -> None:
    """Before its transaction it only changed its session, so nothing is left, and not dirty."""
    site.add("1_a", FAMILY).add("2_b", REBUILD.format(more="SELECT nope;"))
    failed = failing(MigrationFailed, site.migrator("?_fk=1").up)

    assert (failed.dirty, site.ledger()) == (False, [(1, 0)])
    assert site.tables() == {"parents", "children"}


def test_a_pragma_that_does_nothing_is_told(site: Site) -> None:
    """Inside a transaction SQLite passes over PRAGMA foreign_keys=ON; the listener is told."""
    site.add("1_a", FAMILY).add("2_b", "PRAGMA foreign_keys=ON; DELETE FROM parents;")
    site.migrator().up()

    assert site.ask("SELECT count(*) FROM children") == [(1,)]
    (notice,) = site.heard(Notice)
    assert "PRAGMA foreign_keys on line 1 had no effect" in notice.message


def test_a_unit_fails(site: Site) -> None:
    """What committed before it stays, dirty, and the history names how far it came."""
    site.add("1_a", "CREATE TABLE a (x); VACUUM; SELECT nope; CREATE TABLE b (x);")
    failed = failing(MigrationFailed, site.migrator().up)

    assert (failed.dirty, site.ledger(), site.tables()) == (True, [(1, 1)], {"a"})
    assert site.progress() == [(1, "failed", 2, None)]


def test_a_transaction_that_its_file_rolls_back(site: Site) -> None:
    """Its statements are done, nothing of them is left, and the rest goes on."""
    assert site.add("1_a", "BEGIN; CREATE TABLE b (x); ROLLBACK; CREATE TABLE a (x);").up() == (1,)
    assert (site.ledger(), site.tables()) == ([(1, 0)], {"a"})
    assert site.progress() == [(1, "done", 4, None)]


@pytest.mark.parametrize("table", ["schema_migrations", "schema_migrations_history"])
def test_a_unit_that_drops_our_tables(site: Site, table: str) -> None:
    """The unit is taken back; what was before it stays."""
    site.add("1_a", f"CREATE TABLE a (x); VACUUM; DROP TABLE {table};")
    failing(LedgerDropped, site.migrator().up)

    assert (site.ledger(), site.tables()) == ([(1, 1)], {"a"})
    assert site.progress() == [(1, "failed", 2, None)]


def test_triggers(site: Site) -> None:
    """A trigger is one statement, with all that stands in it."""
    sql = (
        "CREATE TABLE a (x); CREATE TABLE log (y);\n"
        "CREATE TRIGGER t AFTER INSERT ON a WHEN new.x > 0 BEGIN\n"
        "  INSERT INTO log VALUES (CASE new.x WHEN 1 THEN 'one;' ELSE 'more' END);\n"
        "  UPDATE a SET x = x; END;\nINSERT INTO a VALUES (1), (2);"
    )

    assert site.add("1_a", sql, "DROP TABLE a; DROP TABLE log;").up() == (1,)
    assert site.ask("SELECT y FROM log") == [("one;",), ("more",)]
    site.migrator().down()
    assert (site.ledger(), site.tables()) == ([], set())


def test_rows_that_are_no_text(site: Site) -> None:
    """A file may select what is no UTF-8, and rows without end are not kept in memory."""
    assert site.add("1_a", "SELECT CAST(x'ff' AS TEXT); SELECT 1 UNION SELECT 2;").up() == (1,)


def test_each_file_starts_afresh(site: Site) -> None:
    """What a file leaves in its session is taken back, and named."""
    site.add(
        "1_a",
        "CREATE TEMP TABLE scratch (x); PRAGMA cache_size = 7; PRAGMA case_sensitive_like = ON; "
        "ATTACH ':memory:' AS other;",
    )
    site.add(
        "2_b",
        "CREATE TABLE b AS SELECT 'A' LIKE 'a' AS x, max(seq) AS y FROM pragma_database_list;",
    )
    assert site.up() == (1, 2)
    (warned,) = site.heard(Warned)

    assert "(cache_size, temp.scratch, ATTACH other)" in warned.message
    assert site.ask("SELECT x, y < 2 FROM b") == [(1, 1)]


@pytest.mark.parametrize("table", ["schema_migrations", "schema_migrations_history"])
def test_a_last_down_that_drops_our_tables(site: Site, table: str) -> None:
    """They are made again, and the next up starts from the beginning."""
    site.add("1_a", "CREATE TABLE a (x);", f"DROP TABLE a; DROP TABLE {table};").up()
    site.migrator().down()

    assert (site.ledger(), site.tables()) == ([], set())
    assert site.up() == (1,)


def test_a_file_that_moves_the_ledger(site: Site) -> None:
    """The step is taken back: a ledger that moved is not what was planned for."""
    site.add_tables(1).add("2_b", "CREATE TABLE b (x); UPDATE schema_migrations SET version = 7;")
    failing(LedgerMoved, site.migrator().up)

    assert (site.ledger(), site.tables()) == ([(1, 0)], {"t1"})
    assert site.migrator().version() == LedgerState(1)


def test_a_file_without_statements(site: Site) -> None:
    """A blank file and a comment move the ledger where a later version follows, and only there."""
    failing(UnwrittenMigration, site.add("1_a", "").add("2_b", "-- nothing yet\n").up)
    assert site.add("3_c", "CREATE TABLE c (x int);").up() == (1, 2, 3)
