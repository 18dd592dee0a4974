"""A file that drops ledger or history: undone, but in the last down, where they are made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing

from rung import database as databases
from rung.errors import LedgerDropped, MigrationFailed

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site

_BOTH = "schema_migrations, schema_migrations_history"
_DROPS = {
    "the schema": "DROP SCHEMA public CASCADE;",
    "the schema, made again": "DROP SCHEMA public CASCADE; CREATE SCHEMA public;",
    "both tables": f"DROP TABLE {_BOTH};",
    "the ledger": "DROP TABLE schema_migrations;",
    "the history": "DROP TABLE schema_migrations_history;",
    "in its own transaction": "BEGIN; DROP SCHEMA public CASCADE; COMMIT;",
    "under another path": f"SET search_path = pg_temp; DROP TABLE public.{_BOTH};".replace(
        ", ", ", public."
    ),
    "with a setting": "SET statement_timeout = 9999; DROP SCHEMA public CASCADE;",
}
_MAKES = "CREATE TABLE IF NOT EXISTS a ();"
_EMPTY = "SELECT count(*) FROM schema_migrations"


def _columns(site: Site) -> list[tuple[object, ...]]:
    return site.ask(
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
        "WHERE table_name LIKE 'schema_migrations%' ORDER BY 1, ordinal_position"
    )


@pytest.mark.parametrize("sql", _DROPS.values(), ids=_DROPS)
def test_the_last_down_may_drop_them(site: Site, sql: str) -> None:
    """They are made again, empty, in the same transaction, and the database goes up again."""
    site.add("1_a", _MAKES, f"DROP TABLE IF EXISTS public.a; {sql}").add_tables(2).up()
    before = _columns(site)
    steps = site.migrator().down(None).steps

    assert [step.version for step in steps] == [2, 1]
    assert (site.ask(_EMPTY), _columns(site)) == ([(0,)], before)
    assert site.migrator().up(1).version == 1
    assert (site.ledger(), site.history()[-1]) == ([(1, False)], (1, "up", "done"))
    texts = "SELECT up_sql FROM schema_migrations_history WHERE version = 1 AND up_sql IS NOT NULL"
    assert site.ask(texts) == [(_MAKES,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; DROP SCHEMA public CASCADE;",
        "BEGIN ISOLATION LEVEL SERIALIZABLE; DROP SCHEMA public CASCADE; COMMIT;",
    ],
)
def test_a_last_down_that_allows_no_query_before_it(site: Site, sql: str) -> None:
    """Where the ledger cannot be compared beforehand, the drop is reported and undone."""
    site.add("1_a", "SELECT 1;", sql).up()
    failing(LedgerDropped, site.migrator().down)

    assert site.ledger() == [(1, False)]


def test_a_history_that_is_left_has_the_down(site: Site) -> None:
    """Where the file drops the ledger alone the history goes on; a new one begins empty."""
    site.add("1_a", "SELECT 1;", "DROP TABLE schema_migrations;").up()
    site.migrator().down()
    assert site.history() == [(1, "up", "done"), (1, "down", "done")]

    site.add("1_a", "SELECT 1;", "DROP TABLE schema_migrations_history;").up()
    site.migrator().down()
    assert site.history() == []


@pytest.mark.parametrize("sql", _DROPS.values(), ids=_DROPS)
def test_no_other_down_may(site: Site, sql: str) -> None:
    """A down to a version is undone whole, with a message of its own."""
    site.add_tables(1).add("2_b", "CREATE TABLE b ();", sql).up()
    error = failing(LedgerDropped, site.migrator().down)

    assert error.cause.startswith("2_b.down.sql drops the ledger or the history: relation ")
    assert error.now == "clean at version 2; the failed migration was rolled back"
    assert (site.ledger(), site.tables()) == ([(2, False)], {"t1", "b"})
    assert site.history()[-1] == (2, "down", "failed")


@pytest.mark.parametrize("sql", ["DROP SCHEMA public CASCADE;", f"DROP TABLE {_BOTH};"])
def test_no_up_may(site: Site, sql: str) -> None:
    """The very first up neither: its ledger is empty before it, and not after it."""
    error = site.add("1_a", sql).up_fails(LedgerDropped)

    assert error.now == "clean at no version; the failed migration was rolled back"
    assert (site.ledger(), site.history()) == ([], [(1, "up", "failed")])


@pytest.mark.parametrize("table", ["schema_migrations", "schema_migrations_history"])
@pytest.mark.parametrize("direction", ["up", "down"])
def test_no_file_of_units_may(site: Site, table: str, direction: str) -> None:
    """The unit that drops a table is undone; the ledger stays, dirty at the file's version."""
    sql = f"CREATE TABLE b ();\nVACUUM b;\nBEGIN; DROP TABLE {table}; COMMIT;\nSELECT 1;"
    if direction == "up":
        error = site.add_tables(1).add("2_b", sql).up_fails(LedgerDropped)
    else:
        site.add("1_b", "SELECT 1;", sql).up()
        error = failing(LedgerDropped, site.migrator().down)

    assert site.ledger() == [(2, True) if direction == "up" else (-1, True)]
    assert "dirty" in error.now
    assert site.history()[-1][1:] == (direction, "failed")


def test_a_last_down_that_fails_behind_the_drop(site: Site) -> None:
    """All is rolled back, ledger and history with it."""
    site.add("1_a", "CREATE TABLE a ();", f"DROP TABLE {_BOTH}; SELECT 1/0;").up()
    failing(MigrationFailed, site.migrator().down)

    assert (site.ledger(), site.tables()) == ([(1, False)], {"a"})
    assert site.history()[-1] == (1, "down", "failed")


def test_copy_data_is_sent_again(site: Site) -> None:
    """A last down with COPY data that drops the schema runs whole in its second sending."""
    copy = "CREATE TABLE kept.c (x int);\nCOPY kept.c FROM STDIN;\n1\n2\n\\.\n"
    site.add("1_a", "CREATE SCHEMA kept;", f"{copy}DROP SCHEMA public CASCADE;").up()
    site.migrator().down()

    assert site.ask("SELECT count(*) FROM kept.c") == [(2,)]
    assert site.ask(_EMPTY) == [(0,)]


def test_tables_in_two_schemas_of_any_name(site: Site) -> None:
    """Both schemas are made again where both are gone."""
    site.ask('CREATE SCHEMA "Led ger"; CREATE SCHEMA log')
    place = databases.Database(
        site.database.conninfo, ledger_table='"Led ger".v', history_table="log.h"
    )
    drop = 'DROP SCHEMA "Led ger" CASCADE; DROP SCHEMA log CASCADE;'
    migrator = site.add("1_a", "SELECT 1;", drop).migrator(place)
    migrator.up()
    migrator.down()

    assert site.ask('SELECT (SELECT count(*) FROM "Led ger".v), count(*) FROM log.h') == [(0, 0)]
    assert len(migrator.up().steps) == 1


def test_a_role_that_may_not_make_them_again(site: Site) -> None:
    """The last down is undone where what it drops could not be made again."""
    name = f"owner_{site.database.name}"
    site.ask(f"CREATE ROLE {name} LOGIN; CREATE SCHEMA own AUTHORIZATION {name}")
    place = site.database.conninfo.replace("user=postgres", f"user={name}")
    database = databases.Database(place, ledger_table="own.v")
    migrator = site.add("1_a", "SELECT 1;", "DROP SCHEMA own CASCADE;").migrator(database)
    migrator.up()
    error = failing(LedgerDropped, migrator.down)

    assert "permission denied for database" in error.cause
    assert site.ask("SELECT version FROM own.v") == [(1,)]
    site.ask(f"DROP OWNED BY {name}; DROP ROLE {name}")
