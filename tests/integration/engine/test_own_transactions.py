"""Files with BEGIN and COMMIT of their own: our rows go in with theirs, or progress is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rung.errors import (
    DirtyLedger,
    MigrationFailed,
    OwnWriteRefused,
    StatementMisplaced,
    UnbalancedTransaction,
)

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site

_FORMS = [
    "BEGIN;\n{}\nCOMMIT;",
    "-- first\nBEGIN ;{} COMMIT",
    "START TRANSACTION ISOLATION LEVEL SERIALIZABLE;\n{}\nEND; -- last",
    "BEGIN WORK;{} -- a comment before the end\nCOMMIT AND NO CHAIN;\n\n",
    "BEGIN TRANSACTION;{}; /* x */ END TRANSACTION /* y */",
    "BEGIN;{} SAVEPOINT s; SELECT 1; ROLLBACK TO s; RELEASE s; COMMIT;",
]


@pytest.mark.parametrize("form", _FORMS)
def test_an_enclosing_transaction_commits_with_our_rows(site: Site, form: str) -> None:
    """The file's own transaction carries the ledger and the history."""
    site.add("1_a", form.format("CREATE TABLE a AS SELECT txid_current() AS x;")).up()

    assert site.ledger() == [(1, False)]
    assert site.ask(
        "SELECT a.x = l.xmin::text::bigint AND h.xmin = l.xmin FROM a, schema_migrations l, "
        "schema_migrations_history h"
    ) == [(True,)]


@pytest.mark.parametrize("form", _FORMS)
def test_a_failure_inside_rolls_all_back(site: Site, form: str) -> None:
    """A failing statement in the file's own transaction leaves nothing, and the ledger clean."""
    site.add("1_a", form.format("CREATE TABLE a ();\nSELECT 1/0;")).add_tables(2)
    error = site.up_fails(MigrationFailed)

    assert (error.server.sqlstate, error.dirty) == ("22012", False)
    assert "SELECT 1/0" in error.place.excerpt
    assert (site.tables(), site.ledger()) == (set(), [])
    assert site.history() == [(1, "up", "failed")]


@pytest.mark.parametrize("form", ["{}", "{}COMMIT;", "{}BEGIN;SELECT 1;COMMIT;", "BEGIN;{}COMMIT;"])
def test_a_large_file_commits_with_its_rows_or_not_at_all(site: Site, form: str) -> None:
    """Where the history's row is refused, nothing of the file and no move of the ledger stays."""
    site.add_tables(1).up()
    site.ask(
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.version = 2 THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$; "
        "CREATE TRIGGER no BEFORE INSERT ON schema_migrations_history "
        "FOR EACH ROW EXECUTE FUNCTION no()"
    )
    large = f"CREATE TABLE a AS SELECT '{'x' * 1_500_000}' AS text;"
    site.add("2_a", form.format(large)).up_fails(OwnWriteRefused)

    assert (site.tables(), site.ledger()) == ({"t1"}, [(1, False)])


def test_several_transactions_are_units(site: Site) -> None:
    """A file of two transactions keeps the first where the second fails, and says so."""
    text = "BEGIN;\nCREATE TABLE a ();\nCOMMIT;\nBEGIN;\nCREATE TABLE b ();\nSELECT 1/0;\nCOMMIT;"
    error = site.add("1_a", text).up_fails(MigrationFailed)

    assert (error.dirty, error.place.line) == (True, 6)
    assert (site.tables(), site.ledger()) == ({"a"}, [(1, True)])
    assert site.progress() == [("failed", 3, 7, None)]
    told = site.up_fails(DirtyLedger).detail
    assert "; 3 of 7 statements are committed; statement 6: division by zero" in told


def test_several_transactions_that_work(site: Site) -> None:
    """A file of two transactions and a statement between them runs to its end."""
    text = "BEGIN;CREATE TABLE a ();COMMIT; CREATE TABLE b (); BEGIN;CREATE TABLE c ();END;"

    assert site.add("1_a", text).add_tables(2).up() == (1, 2)
    assert site.tables() == {"a", "b", "c", "t2"}
    assert site.progress()[0] == ("done", 7, 7, None)


def test_the_first_of_several_transactions_fails_clean(site: Site) -> None:
    """Where the first transaction of a file fails nothing is left, so the ledger is clean."""
    text = "BEGIN;\nCREATE TABLE a ();\nSELECT 1/0;\nCOMMIT;\nBEGIN;CREATE TABLE b ();COMMIT;"
    error = site.add_tables(1).add("2_a", text).up_fails(MigrationFailed)

    assert (error.dirty, error.place.line) == (False, 3)
    assert (site.tables(), site.ledger()) == ({"t1"}, [(1, False)])
    assert site.progress()[-1] == ("failed", 0, 7, None)


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN; CREATE TABLE a (); ROLLBACK;",
        "BEGIN; CREATE TABLE a (); ABORT;",
        "BEGIN; CREATE TABLE a (); ROLLBACK AND CHAIN; CREATE TABLE b (); ROLLBACK;",
    ],
)
def test_an_own_rollback_is_obeyed(site: Site, text: str) -> None:
    """A file that rolls its own work back is applied, and nothing of it is there."""
    assert site.add("1_a", text).up() == (1,)
    assert (site.tables(), site.ledger()) == (set(), [(1, False)])


def test_commit_and_chain(site: Site) -> None:
    """COMMIT AND CHAIN goes on in the next transaction, and the ledger ends clean."""
    text = "BEGIN; CREATE TABLE a (); COMMIT AND CHAIN; CREATE TABLE b (); COMMIT;"

    assert site.add("1_a", text).up() == (1,)
    assert (site.tables(), site.ledger()) == ({"a", "b"}, [(1, False)])


def test_a_failure_behind_commit_and_chain_is_dirty(site: Site) -> None:
    """What an inner COMMIT kept is there, so the ledger is dirty."""
    text = "BEGIN; CREATE TABLE a (); COMMIT AND CHAIN; SELECT 1/0; COMMIT;"
    error = site.add("1_a", text).up_fails(MigrationFailed)

    assert error.dirty
    assert (site.tables(), site.ledger()) == ({"a"}, [(1, True)])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("SELECT 1;\nBEGIN;\nSELECT 1;", 2),
        ("SELECT 1;\nCOMMIT; BEGIN;\nCOMMIT AND CHAIN;", 3),
        ("BEGIN; CREATE TABLE a ();\nPREPARE TRANSACTION 'p1'; COMMIT PREPARED 'p1';", 2),
    ],
)
def test_an_open_transaction_is_refused_before_anything_runs(
    site: Site, text: str, line: int
) -> None:
    """A BEGIN without COMMIT, or a prepared transaction, stops the run before its first step."""
    error = site.add_tables(1).add("2_b", text).up_fails(UnbalancedTransaction)

    assert (error.file, error.line) == ("2_b.up.sql", line)
    assert site.ask("SELECT to_regclass('schema_migrations'), to_regclass('t1')") == [(None, None)]


def test_what_can_never_run_in_its_block_is_refused_before_anything_runs(site: Site) -> None:
    """VACUUM between BEGIN and COMMIT stops the run before its first step."""
    error = site.add_tables(1).add("2_b", "BEGIN;\nVACUUM;\nCOMMIT;").up_fails(StatementMisplaced)

    assert (error.file, error.line) == ("2_b.up.sql", 2)
    assert site.ask("SELECT to_regclass('t1')") == [(None,)]


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("CREATE TABLE a (); COMMIT;", {"a"}),
        ("CREATE TABLE a (); COMMIT; CREATE TABLE b (); END; ROLLBACK;", {"a", "b"}),
        ("CREATE TABLE a (); BEGIN; CREATE TABLE b (); ROLLBACK; CREATE TABLE c ();", {"c"}),
        ("BEGIN; BEGIN; CREATE TABLE a (); COMMIT;", {"a"}),
        ("CREATE TABLE a (); ROLLBACK; CREATE TABLE b (); ABORT", set()),
        ("BEGIN; CREATE TABLE a (); ROLLBACK AND CHAIN; CREATE TABLE b (); COMMIT;", {"b"}),
    ],
)
def test_borders_are_those_of_one_message(site: Site, text: str, tables: set[str]) -> None:
    """What stands before a BEGIN belongs to it, and a COMMIT without one commits, as there."""
    assert site.add("1_a", text).add_tables(2).up() == (1, 2)
    assert (site.tables(), site.ledger()) == (tables | {"t2"}, [(2, False)])


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN READ ONLY; SELECT 1; COMMIT;",
        "SET TRANSACTION READ ONLY; SELECT 1;",
        "BEGIN; CREATE TABLE a (); SET TRANSACTION READ ONLY; SELECT 1; COMMIT;",
        "CREATE TABLE a (); COMMIT; BEGIN READ ONLY; SELECT 1; COMMIT; CREATE TABLE b ();",
        "SET default_transaction_read_only = on; COMMIT; SELECT 1; COMMIT; SELECT 2;",
    ],
)
def test_a_read_only_transaction_is_applied(site: Site, text: str) -> None:
    """Where the file's transaction lets nobody write, our rows follow it."""
    assert site.add("1_a", text).add_tables(2).up() == (1, 2)
    assert site.ledger() == [(2, False)]
    assert [row[0] for row in site.progress()] == ["done", "done"]


_SPEAKS = """
CREATE SCHEMA s; CREATE TABLE heard (said text); CREATE TABLE s.d (x int UNIQUE);
CREATE FUNCTION hear() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO heard VALUES (TG_TABLE_NAME || NEW.version); RETURN NULL; END $$;
CREATE TRIGGER hear AFTER INSERT OR UPDATE ON schema_migrations FOR EACH ROW
EXECUTE FUNCTION hear();
"""


@pytest.mark.parametrize("form", ["{}", "BEGIN; {} COMMIT;", "{} COMMIT; SELECT 1;"])
def test_a_trigger_of_the_ledger_finds_our_path(site: Site, form: str) -> None:
    """What a file sets in its transaction reaches neither our rows nor what hangs on them."""
    site.add("1_a", _SPEAKS).up()
    site.add("2_b", form.format("SET search_path = s; INSERT INTO d VALUES (1);")).up()

    assert ("schema_migrations2",) in site.ask("SELECT said FROM heard")


def test_what_a_file_deferred_is_checked_under_its_own_path(site: Site) -> None:
    """A deferred constraint that fails in front of our rows is told as of the COMMIT."""
    text = (
        "CREATE SCHEMA s; BEGIN; SET LOCAL search_path = s;\n"
        "CREATE TABLE d (x int UNIQUE DEFERRABLE INITIALLY DEFERRED);\n"
        "INSERT INTO d VALUES (1), (1); COMMIT;"
    )
    error = site.add("1_a", text).up_fails(MigrationFailed)

    assert (error.at_commit, error.dirty, error.server.sqlstate) == (True, False, "23505")


def test_what_a_rolled_back_transaction_takes_with_it_is_not_left(site: Site) -> None:
    """A failure behind transactions that were rolled back leaves the ledger clean."""
    text = (
        "CREATE TABLE a (); BEGIN; INSERT INTO t1 SELECT; ROLLBACK; CREATE TABLE b (); SELECT 1/0;"
    )
    error = site.add_tables(1).add("2_b", text).up_fails(MigrationFailed)

    assert not error.dirty
    assert (site.tables(), site.ledger()) == ({"t1"}, [(1, False)])


def test_rows_go_in_under_our_role_and_path(site: Site) -> None:
    """A role and a search path that the file takes on inside do not reach our rows."""
    text = (
        "CREATE ROLE role_of_a_file; CREATE SCHEMA s AUTHORIZATION role_of_a_file; "
        "BEGIN; SET ROLE role_of_a_file; SET search_path = s; CREATE TABLE a (); COMMIT; "
        "CREATE TABLE b (); ALTER TABLE a OWNER TO role_of_a_file; RESET ROLE; "
        "DROP SCHEMA s CASCADE; DROP ROLE role_of_a_file;"
    )

    assert site.add("1_a", text).up() == (1,)
    assert (site.tables(), site.ledger()) == (set(), [(1, False)])


def test_copy_inside_an_own_transaction(site: Site) -> None:
    """COPY data in a file with its own BEGIN and COMMIT goes where it belongs."""
    text = "BEGIN;\nCREATE TABLE a (x int);\nCOPY a FROM STDIN;\n1\n2\n\\.\nCOMMIT;\n"

    assert site.add("1_a", text).up() == (1,)
    assert site.ask("SELECT sum(x) FROM a") == [(3,)]
