"""What PostgreSQL refuses in a transaction runs by itself, and the history tells the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing

from rung.errors import DirtyLedger, MigrationFailed
from rung.events import UnitFinished

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site

_COMMITS = (
    "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE inner_p (); COMMIT; END $$;"
)
_ALONE = {
    "vacuum": "VACUUM;",
    "concurrently": "CREATE INDEX CONCURRENTLY i ON base (x);",
    "unique": "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON base (x) -- end",
    "do": "DO $$ BEGIN CREATE TABLE d (); COMMIT; END $$;",
    "call": "CALL q();",
    "reindex": "REINDEX TABLE CONCURRENTLY base;",
    "system": "ALTER SYSTEM RESET work_mem;",
}


def _base(site: Site) -> Site:
    return site.add(
        "1_base",
        "CREATE TABLE base (x int); CREATE PROCEDURE q() LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO base VALUES (1); COMMIT; END $$;",
    )


@pytest.mark.parametrize("sql", _ALONE.values(), ids=_ALONE)
def test_a_statement_that_refuses_a_transaction_alone(site: Site, sql: str) -> None:
    """It runs, alone in its file, and the ledger ends clean."""
    assert _base(site).add("2_a", sql).up() == (1, 2)
    assert site.ledger() == [(2, False)]
    assert site.progress()[1] == ("done", 1, 1, None)


@pytest.mark.parametrize("sql", _ALONE.values(), ids=_ALONE)
def test_a_statement_that_refuses_a_transaction_among_others(site: Site, sql: str) -> None:
    """It runs between other statements, each of which commits and is counted."""
    text = (
        f"CREATE TABLE a ();\n{sql.removesuffix(' -- end').removesuffix(';')};\nCREATE TABLE b ();"
    )

    assert _base(site).add("2_a", text).up() == (1, 2)
    assert site.tables() >= {"a", "b"}
    assert site.ledger() == [(2, False)]
    assert site.progress()[1] == ("done", 3, 3, None)


def test_progress_is_told(site: Site) -> None:
    """Each unit that is committed is an event."""
    site.add(
        "1_a", "CREATE TABLE a (); CALL pg_catalog.q();".replace("CALL pg_catalog.q()", "VACUUM")
    )
    site.up()

    assert site.heard(UnitFinished) == [UnitFinished(1, 1, 2), UnitFinished(1, 2, 2)]


def test_a_procedure_that_commits_and_fails_is_dirty(site: Site) -> None:
    """What a procedure committed before it failed is there: dirty, with the statement named."""
    fails = _COMMITS.replace("COMMIT;", "COMMIT; PERFORM 1/0;")
    error = site.add("1_p", fails).add("2_a", "CALL p();").up_fails(MigrationFailed)

    assert (error.applied, error.dirty, error.server.sqlstate) == ((1,), True, "22012")
    assert (site.tables(), site.ledger()) == ({"inner_p"}, [(2, True)])
    assert site.history()[-1] == (2, "up", "failed")


def test_a_failure_in_the_middle_is_dirty_with_true_counts(site: Site) -> None:
    """Behind a unit that is committed a failure leaves dirty, and says how far it came."""
    text = "CREATE TABLE a ();\nVACUUM;\nCREATE TABLE b (); \nSELECT 1/0;\nCREATE TABLE c ();"
    error = site.add("1_a", text).up_fails(MigrationFailed)

    assert (error.dirty, error.place.line) == (True, 4)
    assert (site.tables(), site.ledger()) == ({"a"}, [(1, True)])
    assert site.progress() == [("failed", 2, 5, None)]
    for refused in (site.up, lambda: site.migrator().mark_applied((1,))):
        assert "2 of 5 statements are committed" in failing(DirtyLedger, refused).detail


def test_a_failure_in_the_first_transactional_unit_is_clean(site: Site) -> None:
    """Nothing of the file is left, so the ledger is what it was before."""
    text = "CREATE TABLE a ();SELECT 1;\nVACUUM;"
    error = site.add("1_a", f"SELECT nothing;\n{text}").up_fails(MigrationFailed)

    assert (error.dirty, error.place.line, error.place.column) == (False, 1, 8)
    assert (site.tables(), site.ledger()) == (set(), [])
    assert site.history() == [(1, "up", "failed")]


def test_a_failed_index_build_is_dirty_and_names_the_statement(site: Site) -> None:
    """A concurrent build that fails leaves an invalid index: dirty, with its statement."""
    site.add("1_a", "CREATE TABLE a (x int); INSERT INTO a VALUES (1), (1);")
    site.add("2_b", "SELECT 1;\nCREATE UNIQUE INDEX CONCURRENTLY i ON a (x);\nSELECT 2;")
    error = site.up_fails(MigrationFailed)

    assert (error.dirty, error.place.line, error.server.sqlstate) == (True, 2, "23505")
    assert site.ledger() == [(2, True)]
    assert site.progress()[-1][:3] == ("failed", 1, 3)
    assert "statement 2" in site.up_fails(DirtyLedger).detail


def test_what_works_in_no_way_is_not_tried_in_units(site: Site) -> None:
    """A VACUUM inside a function is refused anywhere: the file is rolled back whole, clean."""
    text = "CREATE TABLE a ();\nDO $$ BEGIN EXECUTE 'VACUUM'; END $$;"
    error = site.add("1_a", text).up_fails(MigrationFailed)

    assert (error.server.sqlstate, error.dirty, error.place.line) == ("25001", False, 2)
    assert (site.tables(), site.ledger()) == (set(), [])


def test_a_function_that_commits_is_not_tried_in_units(site: Site) -> None:
    """COMMIT inside a function, which a SELECT calls, is refused anywhere: clean."""
    function = "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;"
    error = site.add("1_a", f"{function}\nSELECT f();").up_fails(MigrationFailed)

    assert (error.server.sqlstate, error.dirty, error.place.line) == ("2D000", False, 2)
    assert site.ledger() == []


def test_a_down_in_units_that_fails_names_its_target(site: Site) -> None:
    """As with golang-migrate, the dirty row of a down holds the version below."""
    site.add_tables(1).add("2_b", "CREATE TABLE b ();", "DROP TABLE b;\nVACUUM;\nSELECT 1/0;").up()
    error = failing(MigrationFailed, site.migrator().down)

    assert (error.dirty, error.place.line) == (True, 3)
    assert (site.ledger(), site.tables()) == ([(1, True)], {"t1"})


def test_the_last_down_in_units_that_fails(site: Site) -> None:
    """The dirty row below the first version is golang-migrate's -1."""
    site.add("1_b", "CREATE TABLE b ();", "DROP TABLE b;\nVACUUM;\nSELECT 1/0;").up()
    failing(MigrationFailed, site.migrator().down)

    assert site.ledger() == [(-1, True)]
    assert str(site.migrator().version()) == "dirty at no version"


def test_the_fallback_needs_no_second_history_row(site: Site) -> None:
    """A file that was tried whole and then ran in units is one attempt."""
    _base(site).add("2_a", "CREATE TABLE a (); CALL q(); SELECT 1;").up()

    assert site.history() == [(1, "up", "done"), (2, "up", "done")]


def test_copy_in_a_file_of_units(site: Site) -> None:
    """COPY data goes with its statement when each statement is sent alone."""
    text = (
        "CREATE TABLE a (x int);\nCOPY a FROM STDIN;\n1\n2\n\\.\nVACUUM a;\nCOPY a FROM STDIN;\n3\n"
    )

    assert site.add("1_a", text).up() == (1,)
    assert site.ask("SELECT sum(x) FROM a") == [(6,)]
    assert site.add("2_b", "COPY a FROM STDIN;\n4\n\\.\nDO $$ BEGIN COMMIT; END $$;").up() == (2,)
    assert site.ask("SELECT sum(x) FROM a") == [(10,)]


@pytest.mark.parametrize("text", ["CREATE TABLE b ();", "CREATE TABLE b ();\nVACUUM;"])
def test_a_number_of_the_history_that_is_given_twice(site: Site, text: str) -> None:
    """Sequences can go back behind a crash: that is told as it is, and the next try succeeds."""
    site.add_tables(1).up()
    site.add("2_b", text)
    site.ask("ALTER SEQUENCE schema_migrations_history_id_seq RESTART")
    error = site.up_fails(MigrationFailed)

    assert "the server's log" in error.hint
    assert (site.ledger(), site.tables()) == ([(1, False)], {"t1"})
    assert site.up() == (2,)


_FAILS = """
CREATE FUNCTION fails(int) RETURNS int IMMUTABLE LANGUAGE plpgsql
AS $$ BEGIN RAISE undefined_table; END $$;
"""


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("DROP TABLE t1;\nCREATE INDEX CONCURRENTLY i ON t2 (x);\nALTER TABEL b ADD j int;", 7),
        ("BEGIN; DROP TABLE t1; COMMIT;\nBEGIN WORK;\nEND; SELEC 1", 6),
        ("DROP TABLE t1; VACUUM;\nCOPY t2 FROM STDIN;\n\\.\nSELECT 1 +", 11),
    ],
)
def test_nothing_is_begun_that_cannot_be_parsed(site: Site, text: str, column: int) -> None:
    """A syntax error anywhere in a file of several units means that nothing ran."""
    error = site.add_tables(1, 2).add("3_c", text).up_fails(MigrationFailed)

    assert (error.dirty, error.server.sqlstate) == (False, "42601")
    assert (error.place.line, error.place.column) == (text.count("\n") + 1, column)
    assert (site.tables(), site.ledger()) == ({"t1", "t2"}, [(2, False)])
    assert site.history()[-1] == (3, "up", "failed")


_EVERYTHING = """
CREATE TABLE a (i int); ; /* nothing */ ;
VACUUM a;
BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE; END TRANSACTION;
CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END;
CREATE RULE r AS ON DELETE TO a DO ALSO (SELECT 1; SELECT 2);
CREATE SCHEMA s CREATE TABLE b (i int) CREATE VIEW v AS SELECT 1 AS "end";
CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;
CALL p(); DO $$ BEGIN PERFORM 1; COMMIT; END $$;
COPY a FROM STDIN;
1
\\.
PREPARE q AS SELECT $1; EXECUTE q('x'); DEALLOCATE q; ABORT; COMMIT;
CREATE INDEX CONCURRENTLY ON a (i);
START TRANSACTION; SAVEPOINT x; ROLLBACK TO x; RELEASE x; COMMIT AND NO CHAIN;
TABLE a; VALUES (1); (SELECT 1); SELECT 1 AS atomic, 'ä€'
"""


def test_what_the_server_can_read_is_not_refused(site: Site) -> None:
    """Every form of a statement is read in the file's check as where it runs."""
    assert site.add("1_a", _EVERYTHING).up() == (1,)
    assert site.ledger() == [(1, False)]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE INDEX CONCURRENTLY i ON missing (x);",
        "SET lock_timeout = '1s';\nCREATE INDEX CONCURRENTLY i ON t1 (missing);",
        "CREATE INDEX CONCURRENTLY i ON part (x);",
        "VACUUM missing;",
        "REINDEX TABLE CONCURRENTLY missing;",
        "ALTER TABLE part DETACH PARTITION missing CONCURRENTLY;",
        "CREATE DATABASE postgres;",
        "DROP DATABASE missing;",
        "ALTER SYSTEM SET no_such_setting = 1;",
        "COMMIT PREPARED 'missing';",
        "BEGIN; CREATE TABLE x (); ROLLBACK; VACUUM missing;",
    ],
)
def test_a_statement_alone_that_did_nothing_leaves_clean(site: Site, text: str) -> None:
    """Where the server rejects it before it does anything, and nothing was committed before."""
    site.add("1_a", "CREATE TABLE t1 (y int); CREATE TABLE part (x int) PARTITION BY RANGE (x);")
    error = site.add("2_b", text).up_fails(MigrationFailed)

    assert not error.dirty
    assert site.ledger() == [(1, False)]
    assert site.history()[-1] == (2, "up", "failed")


def test_a_statement_alone_that_left_something_is_dirty(site: Site) -> None:
    """A build over a function that fails half way leaves an invalid index, whatever its code."""
    site.add("1_a", "CREATE TABLE a AS SELECT 1 AS x;")
    site.add("2_f", _FAILS).up()
    error = site.add("3_b", "CREATE INDEX CONCURRENTLY i ON a (fails(x));").up_fails(
        MigrationFailed
    )

    assert (error.dirty, error.server.sqlstate) == (True, "42P01")
    assert site.ledger() == [(3, True)]
