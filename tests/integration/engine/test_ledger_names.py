"""A ledger under another name, in another schema, and together with the real golang-migrate."""

from __future__ import annotations

from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from tests.integration.engine.sites import failing, wait_for

from rung import database as databases
from rung.errors import (
    LedgerElsewhere,
    LedgerUnreadable,
    LockNotAcquired,
    QueryFailed,
    UsageError,
)

if TYPE_CHECKING:
    from tests.integration.engine.golang import Golang
    from tests.integration.engine.sites import Site

    from rung.migrator import Migrator

_ADVISORY = (
    "SELECT count(*)::int FROM pg_locks JOIN pg_database d ON d.oid = database "
    "WHERE locktype = 'advisory' AND granted AND datname = current_database()"
)
_QUOTED = quote('"s2"."mig"')
_NAMES = {
    "another table": ("versions", '"public"."versions"', '"public"."versions_history"'),
    "letter case": ("Versions", '"public"."Versions"', '"public"."Versions_history"'),
    "another schema": ("ops.v", '"ops"."v"', '"ops"."v_history"'),
    "a dot in it": ('"ops.v"', '"public"."ops.v"', '"public"."ops.v_history"'),
    "quotes": ('"Odd ""one"""."a.b"', '"Odd ""one"""."a.b"', '"Odd ""one"""."a.b_history"'),
}


def _named(site: Site, ledger: str | None, history: str | None = None) -> Migrator:
    place = site.database.conninfo
    return site.migrator(databases.Database(place, ledger_table=ledger, history_table=history))


@pytest.mark.parametrize(("name", "ledger", "history"), _NAMES.values(), ids=_NAMES)
def test_a_ledger_of_any_name(site: Site, name: str, ledger: str, history: str) -> None:
    """Up, status, history, force and down go by the named tables, and make no others."""
    site.ask('CREATE SCHEMA ops; CREATE SCHEMA "Odd ""one"""')
    migrator = _named(site.add_tables(1, 2), name)

    assert [step.version for step in migrator.up().steps] == [1, 2]
    assert site.ask(f"SELECT version, dirty FROM {ledger}") == [(2, False)]
    assert site.ask(f"SELECT version FROM {history} ORDER BY id") == [(1,), (2,)]
    assert (migrator.up().nothing_to_do, len(migrator.history())) == (True, 2)
    migrator.force(1)
    assert [step.version for step in migrator.down().steps] == [1]
    assert site.ask("SELECT to_regclass('public.schema_migrations')") == [(None,)]


def test_a_history_elsewhere(site: Site) -> None:
    """The history goes where it is told to, and a drop takes it along."""
    site.ask("CREATE SCHEMA log; CREATE TABLE log.kept ()")
    migrator = _named(site.add_tables(1), None, "log.Steps")
    migrator.up()

    assert site.ask('SELECT version FROM log."Steps"') == [(1,)]
    assert 'log."Steps"' in [loss.table for loss in migrator.drop()]
    left = site.ask("SELECT relname FROM pg_class WHERE relnamespace = 'log'::regnamespace")
    assert left == [("kept",)]


@pytest.mark.parametrize(
    ("ledger", "history", "what"),
    [("nowhere.v", None, "ledger nowhere.v"), (None, "nowhere.h", "history nowhere.h")],
)
def test_a_schema_that_is_not_there(
    site: Site, ledger: str | None, history: str | None, what: str
) -> None:
    """Reading finds nothing; a run says which schema to make, and makes nothing."""
    migrator = _named(site.add_tables(1), ledger, history)
    assert migrator.status().pending == (1,)
    error = failing(QueryFailed, migrator.up)

    assert error.cause == f"the schema of the {what} does not exist"
    assert 'CREATE SCHEMA "nowhere";' in error.hint
    assert site.tables() == set()


def test_a_name_that_is_none(site: Site) -> None:
    """A name that cannot be read is refused before a connection is made."""
    failing(UsageError, lambda: _named(site, "a.b.c"))


def test_errors_name_the_real_table(site: Site) -> None:
    """Messages about a ledger name the one that was configured."""
    site.ask("CREATE TABLE versions (version bigint, dirty boolean)")
    site.ask("INSERT INTO versions VALUES (1, false), (2, false)")

    assert (
        "the ledger public.versions has"
        in failing(LedgerUnreadable, _named(site, "versions").version).cause
    )


def test_two_ledgers_on_the_path(site: Site) -> None:
    """Both schemas are named, nothing is written, and a named one ends the doubt."""
    site.add_tables(1).up()
    site.ask('CREATE SCHEMA "First"; CREATE TABLE "First".schema_migrations '
             "(version bigint PRIMARY KEY, dirty boolean NOT NULL)")  # fmt: skip
    site.ask(f'ALTER DATABASE {site.database.name} SET search_path = "First", public')
    error = site.up_fails(LedgerElsewhere)

    assert 'the current schema is First, but schema_migrations exists in: "First", public' in str(
        error
    )
    assert "--ledger-table SCHEMA.schema_migrations" in error.hint
    assert _named(site, "public.schema_migrations").up().nothing_to_do
    assert site.ask('SELECT count(*) FROM "First".schema_migrations') == [(0,)]


def test_a_file_that_makes_a_schema_that_comes_first(site: Site) -> None:
    """The run ends with the ledger it began with, and the next one stops at the doubt."""
    site.add("1_a", "CREATE SCHEMA postgres; CREATE TABLE t ();").add_tables(2)

    assert site.up() == (1, 2)
    assert site.ask("SELECT version FROM public.schema_migrations") == [(2,)]
    error = site.up_fails(LedgerElsewhere)
    assert "the current schema is postgres, but schema_migrations exists in: public" in error.cause


# --- the real golang-migrate -------------------------------------------------------------

_TABLES = {
    "plain": ("x-migrations-table=mig", "mig"),
    "with a dot": ("x-migrations-table=s2.mig", '"s2.mig"'),
    "quoted": (f"x-migrations-table-quoted=1&x-migrations-table={_QUOTED}", "s2.mig"),
}


@pytest.mark.parametrize(("query", "name"), _TABLES.values(), ids=_TABLES)
def test_both_tools_share_a_named_ledger(site: Site, golang: Golang, query: str, name: str) -> None:
    """Each goes on where the other left off, by its URL or by --ledger-table."""
    site.ask("CREATE SCHEMA s2")
    theirs = replace(golang, query=query)
    site.add_tables(1, 2, 3)
    assert theirs.run("up", "1")[0] == 0

    assert [step.version for step in _named(site, name).up(1).steps] == [2]
    assert theirs.run("up")[0] == 0
    ours = site.migrator(f"{site.database.url}&{query}")
    assert (ours.up().nothing_to_do, ours.version().version) == (True, 3)


@pytest.mark.parametrize(("query", "name"), _TABLES.values(), ids=_TABLES)
def test_golang_keeps_us_out_of_a_named_ledger(
    site: Site, golang: Golang, query: str, name: str
) -> None:
    """While golang-migrate is at work with that table we wait, and find its work done."""
    site.ask("CREATE SCHEMA s2")
    site.add("1_a", "CREATE TABLE a (); SELECT pg_sleep(1);")
    theirs = replace(golang, query=query).begin("up")
    assert wait_for(lambda: site.ask(_ADVISORY) == [(1,)])
    error = failing(
        LockNotAcquired,
        site.migrator(databases.Database(site.database.conninfo, ledger_table=name),
                      wait_for_lock=0).up,
    )  # fmt: skip

    assert "process" in error.holder
    assert theirs.communicate(timeout=30)[1].startswith("1/u a")


@pytest.mark.parametrize(("query", "name"), _TABLES.values(), ids=_TABLES)
def test_we_keep_golang_out_of_a_named_ledger(
    site: Site, golang: Golang, query: str, name: str
) -> None:
    """While we are at work golang-migrate waits, and finds nothing to do."""
    site.ask("CREATE SCHEMA s2")
    site.add("1_a", "CREATE TABLE a (); SELECT pg_sleep(1);")
    run = Thread(target=_named(site, name).up)
    run.start()
    assert wait_for(lambda: site.ask(_ADVISORY) == [(3,)])
    told = replace(golang, query=query).run("up")
    run.join(30)

    assert told == (0, "no change")
