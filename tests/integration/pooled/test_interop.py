"""What a file leaves in its session reaches no other client of the pool, nor the next file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from tests.integration.engine.sites import failing

from rung.database import Database
from rung.errors import LedgerUnreadable, MigrationFailed, PooledConnection, RightsMissing

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.engine.sites import Site
    from tests.integration.pooled.conftest import Behind
    from tests.poolers import Pooler

_LEAVES = """
SET search_path = pg_catalog; SET work_mem = '77MB'; SET ROLE pg_monitor; RESET ROLE;
SET client_encoding = 'LATIN1'; CREATE TEMP TABLE kept (x int); PREPARE kept AS SELECT 1;
LISTEN kept; SELECT pg_advisory_lock(77); SET statement_timeout = '77s';
"""
_FOUND = """
SELECT current_setting('search_path'), current_setting('work_mem'), current_user,
       current_setting('statement_timeout'), current_setting('client_encoding'),
       (SELECT count(*) FROM pg_class WHERE relname = 'kept'),
       (SELECT count(*) FROM pg_prepared_statements WHERE name = 'kept'),
       (SELECT count(*) FROM pg_listening_channels()),
       (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database =
           (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
_CLEAN = ('"$user", public', "4MB", "postgres", "0", "UTF8", 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("ending", "ends"),
    [("", True), ("SELECT 1/0;", False), ("DO $$ BEGIN PERFORM 1/0; END $$;", False)],
)
@pytest.mark.parametrize("own", ["", "BEGIN;"])
def test_nothing_leaks(
    site: Site, pooler: Callable[..., Pooler], own: str, ending: str, *, ends: bool
) -> None:
    """The pool's one connection is as it was, whether the file ends well or not."""
    url = pooler("transaction", default_pool_size="1", server_reset_query="").url(site.database)
    site.add("1_a", own + _LEAVES + ending + "COMMIT;" * bool(own))
    if ends:
        assert [step.version for step in site.migrator(url).up().steps] == [1]
    else:
        failing(MigrationFailed, site.migrator(url).up)

    with psycopg.connect(url, autocommit=True) as other:
        assert other.execute(_FOUND).fetchone() == _CLEAN


@pytest.mark.parametrize(("ending", "tables"), [("", [("s2", "b")]), ("SELECT 1/0;", [])])
def test_one_transaction_of_several_files(
    site: Site, pooler: Callable[..., Pooler], ending: str, tables: list[tuple[str, str]]
) -> None:
    """Each file of it finds the URL's settings, and the pool's one connection is as it was."""
    pool = pooler("transaction", default_pool_size="1", server_reset_query="")
    site.add("1_a", f"{_LEAVES} SET LOCAL search_path = pg_temp;").add("2_b", "CREATE TABLE b ();")
    site.add("3_c", _LEAVES + ending).ask("CREATE SCHEMA s2")
    migrator = site.migrator(pool.url(site.database, "search_path=s2"))
    if ending:
        failing(MigrationFailed, lambda: migrator.up(atomic=True))
    else:
        migrator.up(atomic=True)

    assert site.ask("SELECT schemaname, tablename FROM pg_tables WHERE tablename = 'b'") == tables
    with psycopg.connect(pool.url(site.database), autocommit=True) as other:
        assert other.execute(_FOUND).fetchone() == _CLEAN


def test_what_others_left_is_not_ours(site: Site, pooler: Callable[..., Pooler]) -> None:
    """Another client's search_path leads neither our tables nor the file astray."""
    url = pooler("transaction", default_pool_size="1", server_reset_query="").url(site.database)
    site.ask("CREATE SCHEMA elsewhere")
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SET search_path = elsewhere")
        site.add_tables(1).migrator(url).up()
        left = other.execute("SHOW search_path").fetchone()

    assert site.tables() == {"t1"}
    assert site.ledger() == [(1, False)]
    assert left == ("elsewhere",)


@pytest.mark.parametrize(
    ("sql", "query", "why"),
    [
        ("SET work_mem = '9MB'; VACUUM;", "", "statement 1 (line 1) changes the session"),
        ("VACUUM;", "search_path=public", "statement 1 (line 1) runs outside a transaction"),
        ("BEGIN; SELECT 1; COMMIT; SET work_mem = '9MB';", "", "statement 4 (line 1) changes"),
    ],
)
def test_what_needs_one_session(behind: Behind, sql: str, query: str, why: str) -> None:
    """It is refused before anything runs, and runs past the pooler."""
    behind.site.add_tables(1).add("2_s", sql)
    error = failing(PooledConnection, behind.migrator(query).up)

    assert why in error.cause
    assert "2_s.up.sql" in error.cause
    assert behind.site.tables() == set()


def test_a_transaction_that_allows_no_query_before_it(behind: Behind) -> None:
    """It fails clean, with the way out."""
    behind.site.add("1_s", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; CREATE TABLE s ();")
    error = failing(MigrationFailed, behind.migrator().up)

    assert "not through the pooler" in error.hint
    assert behind.site.tables() == set()
    assert behind.site.up() == (1,)


@pytest.mark.parametrize(("settings", "expected"), [("", (1,)), ("SET work_mem = '9MB';", ())])
def test_what_only_the_server_refuses(
    behind: Behind, settings: str, expected: tuple[int, ...]
) -> None:
    """A procedure that commits runs by itself, unless the file's session goes beyond it."""
    behind.site.ask("CREATE PROCEDURE p() LANGUAGE plpgsql AS 'BEGIN COMMIT; END'")
    behind.site.add("1_p", settings + "CALL p();")
    if expected:
        assert behind.up() == expected
    else:
        assert "not through the pooler" in failing(MigrationFailed, behind.migrator().up).hint
        assert behind.site.ledger() == []


def test_without_the_right_to_make_a_lease(behind: Behind) -> None:
    """A run says what to grant; with the grant it runs, and reading needs none."""
    behind.site.add_tables(1).ask("DROP ROLE IF EXISTS poor; CREATE ROLE poor")
    poor = behind.site.migrator(Database(behind.url, role="poor"))
    error = failing(RightsMissing, poor.up)
    assert poor.version().version is None
    assert error.hint == 'grant it: GRANT CREATE ON SCHEMA "public" TO "poor";'
    behind.site.ask(error.hint.removeprefix("grant it: "))

    assert len(poor.up().steps) == 1


def test_a_direct_run_without_rights_on_the_lease(behind: Behind) -> None:
    """It cannot see whether a run behind the pooler is at work, so it says what to grant."""
    behind.site.add_tables(1).ask("DROP ROLE IF EXISTS late; CREATE ROLE late")
    behind.up()
    behind.site.add_tables(2).ask(
        "GRANT ALL ON SCHEMA public TO late; "
        "GRANT ALL ON schema_migrations, schema_migrations_history TO late"
    )
    late = behind.site.migrator(Database(behind.site.database.conninfo, role="late"))
    error = failing(RightsMissing, late.up)
    behind.site.ask(error.hint.removeprefix("grant it: "))

    assert [step.version for step in late.up().steps] == [2]


def test_the_lease_is_shared_with_ledger_writers_alone(behind: Behind) -> None:
    """They need it to run; another who may write the ledger gets no right that doctor takes."""
    site = behind.site.add_tables(1)
    site.up()
    for role in ("deploys", "looks_on"):
        site.ask(f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role}")
        site.ask(f"GRANT INSERT ON schema_migrations TO {role}")
    named = Database(behind.url, ledger_writers=("deploys",))
    site.add_tables(2).migrator(named).up()

    rights = (
        "SELECT string_agg(DISTINCT grantee::text, ',') FROM information_schema.table_privileges"
    )
    of_lease = f"{rights} WHERE table_name = 'schema_migrations_lease' AND grantee <> 'postgres'"
    assert site.ask(of_lease) == [("deploys",)]
    found = site.migrator(named).doctor().problems
    assert [one.name for one in found if one.kind == "open to others"] == [
        "public.schema_migrations"
    ]


@pytest.mark.parametrize("columns", ["id int", "one bool, owner text, expires int"])
@pytest.mark.parametrize("way", ["direct", "pooled"])
def test_another_table_of_its_name(behind: Behind, way: str, columns: str) -> None:
    """Somebody's own table where the lease would be is named as that, and left alone."""
    site = behind.site.add("1_a", "CREATE TABLE a ();")
    site.migrator().force(None)
    site.ask(f"CREATE TABLE schema_migrations_lease ({columns})")
    url = behind.url if way == "pooled" else site.database.url
    error = failing(LedgerUnreadable, site.migrator(url).up)

    assert "schema_migrations_lease exists but is not a lease table: " in str(error)
    assert "rename the other table" in error.hint
