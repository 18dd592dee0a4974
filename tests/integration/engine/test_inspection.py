"""What a run costs in round trips and commits, and what can be done with SELECT alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing

from rung.certify.proxy import CountingProxy
from rung.drivers.postgres.inspection import where_question
from rung.drivers.postgres.lock import foreign_key
from rung.drivers.postgres.quoting import Sql, statement
from rung.drivers.postgres.tables import TableNames
from rung.errors import (
    LedgerElsewhere,
    LedgerUnreadable,
    MissingMigrationFile,
    ReadOnlyDatabase,
    RightsMissing,
)
from rung.events import Warned
from rung.planning.plan import Down

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.engine.sites import Site

    from rung.certify.wire import Counts

_ASYNC_ROWS = 10


@pytest.fixture
def proxy(site: Site) -> Iterator[CountingProxy]:
    """Give a counting proxy before the site's server."""
    with CountingProxy(site.database.server.socket_dir, site.database.server.port) as proxy:
        yield proxy


def _counted(site: Site, proxy: CountingProxy) -> Counts:
    """With a long limit: a slow machine's statement would be looked at from beside."""
    before = proxy.counts
    directory = str(site.database.server.socket_dir)
    through = site.database.conninfo.replace(directory, str(proxy.socket_dir))
    site.migrator(through, lock_timeout=30).up()
    return proxy.counts - before


def _pages(site: Site) -> int:
    """How many pages the whole question reads in a new session."""
    question = str(where_question(TableNames()))
    plan = site.ask(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {question}")[0][0]
    return int(plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"])


def test_the_question_does_not_grow_with_the_schema(site: Site) -> None:
    """Who else may write is asked of what leads to our tables, not of every view there is."""
    site.add_tables(1).up()
    before = _pages(site)
    site.ask(
        "DO $$ BEGIN FOR n IN 1..300 LOOP "
        "EXECUTE format('CREATE VIEW v%s AS SELECT * FROM t1', n); END LOOP; END $$"
    )

    assert _pages(site) < before + 300


def test_nothing_to_do_is_one_round_trip(site: Site, proxy: CountingProxy) -> None:
    """An up-to-date database costs one connection, one round trip, no commit and no error."""
    site.add_tables(1, 2).up()
    counts = _counted(site, proxy)

    assert (counts.connections, counts.round_trips, counts.commits, counts.errors) == (1, 1, 0, 0)


def test_a_lease_costs_no_second_round_trip(site: Site, proxy: CountingProxy) -> None:
    """The lease's own CHECK calls no function; another does, and is looked into."""
    site.add_tables(1).up()
    site.ask(str(statement("create_lease", lease=Sql("public.schema_migrations_lease"))))
    assert _counted(site, proxy).round_trips == 1

    site.ask("ALTER TABLE schema_migrations ADD CHECK (version > 0)")
    assert _counted(site, proxy).round_trips == 2


@pytest.mark.parametrize("level", ["repeatable read", "serializable", "read committed"])
def test_the_idle_look_under_every_isolation(site: Site, proxy: CountingProxy, level: str) -> None:
    """The default isolation of the database changes nothing."""
    site.ask(f"ALTER DATABASE {site.database.name} SET default_transaction_isolation = '{level}'")

    assert site.add_tables(1, 2).up() == (1, 2)
    assert _counted(site, proxy).round_trips == 1


@pytest.mark.parametrize("number", [1, 50])
def test_a_migration_is_one_round_trip_and_one_commit(
    site: Site, proxy: CountingProxy, number: int
) -> None:
    """N transactional migrations cost N round trips and commits and at most ten more."""
    site.add_tables(*range(1, number + 1))
    counts = _counted(site, proxy)

    assert counts.connections == 1
    assert number < counts.round_trips <= number + 10
    assert number < counts.commits <= number + 2


def test_the_look_is_drawn_again_under_the_lock(site: Site, proxy: CountingProxy) -> None:
    """A version without a file is reported only with the lock held: look, lock, look, unlock."""
    site.add_tables(1).up()
    site.ask("UPDATE schema_migrations SET version = 7")
    directory = str(site.database.server.socket_dir)
    through = site.database.conninfo.replace(directory, str(proxy.socket_dir))
    error = failing(MissingMigrationFile, site.migrator(through).up)

    assert error.ahead
    assert proxy.counts.round_trips == 4


@pytest.fixture
def reader(site: Site) -> Iterator[str]:
    """Make a role that may read and nothing else; how to connect as it."""
    role = f"reader_{site.database.name}"
    site.ask(f"CREATE ROLE {role} LOGIN")
    site.ask("REVOKE CREATE ON SCHEMA public FROM public")
    yield site.database.conninfo.replace("user=postgres", f"user={role}")
    site.ask(f"DROP OWNED BY {role}; DROP ROLE {role}")


def _reads(site: Site, database: str) -> tuple[str, tuple[int, ...], int, tuple[int, ...]]:
    migrator = site.migrator(database)
    steps = migrator.plan().plan.steps
    return (
        str(migrator.version()),
        migrator.status().pending,
        len(migrator.history()),
        tuple(step.version for step in steps),
    )


def test_reading_with_select_alone(site: Site, reader: str) -> None:
    """version, status, history and plan work for a role with SELECT only, and up to date is up."""
    site.add_tables(1).up()
    site.ask(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader_{site.database.name}")
    assert site.migrator(reader).up().nothing_to_do

    site.add_tables(2)
    assert _reads(site, reader) == ("clean at version 1", (2,), 1, (2,))


def test_reading_without_a_ledger(site: Site, reader: str) -> None:
    """Reading works where no ledger exists yet, and creates none."""
    site.add_tables(1, 2)

    assert _reads(site, reader) == ("clean at no version", (1, 2), 0, (1, 2))
    assert site.ask("SELECT to_regclass('schema_migrations')") == [(None,)]


def test_reading_without_the_history(site: Site, reader: str) -> None:
    """A history that is forbidden, or not there, is an answer and no error."""
    site.add_tables(1).up()
    site.ask(f"GRANT SELECT ON schema_migrations TO reader_{site.database.name}")
    assert _reads(site, reader) == ("clean at version 1", (), 0, ())

    site.ask("DROP TABLE schema_migrations_history")
    assert _reads(site, reader) == ("clean at version 1", (), 0, ())


def test_a_forbidden_ledger_is_told(site: Site, reader: str) -> None:
    """A ledger that may not be read is never taken for a missing one."""
    site.add_tables(1).up()
    error = failing(LedgerUnreadable, site.migrator(reader).version)

    assert "permission denied for table schema_migrations" in error.cause
    assert "grant the role SELECT" in error.hint


def test_a_session_that_takes_no_writes(site: Site) -> None:
    """With default_transaction_read_only reading works, and up says why it does not."""
    site.add_tables(1)
    site.ask(f"ALTER DATABASE {site.database.name} SET default_transaction_read_only = on")

    assert _reads(site, site.database.conninfo) == ("clean at no version", (1,), 0, (1,))
    assert "is read-only" in site.up_fails(ReadOnlyDatabase).cause
    assert "is read-only" in failing(ReadOnlyDatabase, lambda: site.migrator().force(1)).cause
    assert "is read-only" in failing(ReadOnlyDatabase, site.migrator().drop).cause


def test_up_to_date_on_a_session_that_takes_no_writes(site: Site) -> None:
    """Where nothing is to do a read-only session is no obstacle."""
    site.add_tables(1).up()
    site.ask(f"ALTER DATABASE {site.database.name} SET default_transaction_read_only = on")

    assert site.up() == ()


def test_a_role_that_may_not_create_is_told(site: Site, reader: str) -> None:
    """Up by a role without rights says which one is missing and leaves nothing."""
    error = failing(RightsMissing, site.add_tables(1).migrator(reader).up)

    role = f"reader_{site.database.name}"
    assert error.cause == f'role "{role}" may not create the ledger public.schema_migrations'
    assert f'GRANT CREATE ON SCHEMA "public" TO "{role}";' in error.hint
    assert site.tables() == set()


@pytest.mark.parametrize(
    "ddl",
    [
        "CREATE TABLE schema_migrations (version varchar PRIMARY KEY)",
        (
            "CREATE TABLE schema_migrations (version text, dirty boolean);"
            "INSERT INTO schema_migrations VALUES ('x', false)"
        ),
        (
            "CREATE TABLE schema_migrations (version bigint, dirty boolean);"
            "INSERT INTO schema_migrations VALUES (1, false), (2, false)"
        ),
        (
            "CREATE TABLE schema_migrations (version bigint, dirty boolean);"
            "INSERT INTO schema_migrations VALUES (NULL, false)"
        ),
    ],
)
def test_what_is_no_ledger_stops_everything(site: Site, ddl: str) -> None:
    """A table of that name that is none of ours is told, and nothing runs."""
    site.ask(ddl)

    failing(LedgerUnreadable, site.migrator().version)
    site.add_tables(1).up_fails(LedgerUnreadable)
    assert site.tables() == set()


def test_a_ledger_elsewhere_on_the_path(site: Site) -> None:
    """A ledger in another schema of the path stops the run before it makes a second."""
    site.add_tables(1).up()
    site.ask("CREATE SCHEMA first_of_all")
    site.ask(f"ALTER DATABASE {site.database.name} SET search_path = first_of_all, public")

    assert "public" in site.add_tables(2).up_fails(LedgerElsewhere).cause


def test_no_schema_for_the_ledger(site: Site) -> None:
    """Where no schema of the path exists there is no place for a ledger, and it says so."""
    site.ask(f"ALTER DATABASE {site.database.name} SET search_path = nowhere")

    assert "no schema of search_path exists" in site.add_tables(1).up_fails(LedgerUnreadable).cause


@pytest.mark.parametrize(
    "drop",
    [
        'DROP TABLE U&"d\\0061t"',
        "DROP TABLE a.b.c.d",
        "DROP TABLE IF EXISTS t1, nowhere.t",
        'DROP TABLE "T""1"',
        "ALTER TABLE t1 DROP x, DROP COLUMN IF EXISTS y CASCADE",
        "TRUNCATE t1, ONLY (t1)",
        "DROP SCHEMA nowhere",
        "DELETE FROM ONLY t1 WHERE x = 1",
    ],
)
def test_a_plan_for_any_loss(site: Site, drop: str) -> None:
    """Whatever name a file drops something by, the plan can be shown."""
    site.add("1_t1", "CREATE TABLE t1 (x int);", f"{drop};").up()

    assert [loss.rows for loss in site.migrator().plan(Down()).losses if loss.table == "x"] == []


@pytest.mark.parametrize("schema", ["with space", 'with"quote', "Case", "sélect", "user"])
def test_a_schema_with_any_name(site: Site, schema: str) -> None:
    """The ledger of a schema with an odd name is found, made and moved there."""
    quoted = '"' + schema.replace('"', '""') + '"'
    site.ask(f"CREATE SCHEMA {quoted}")
    site.ask(f"ALTER DATABASE {site.database.name} SET search_path = {quoted}")

    assert site.add_tables(1, 2).up() == (1, 2)
    assert site.up() == ()
    site.migrator().force(1)
    assert site.ask(f"SELECT version, dirty FROM {quoted}.schema_migrations") == [(1, False)]


@pytest.mark.parametrize("held", [True, False])
def test_dirty_while_somebody_holds_the_lock(site: Site, held: bool) -> None:  # noqa: FBT001
    """A dirty ledger may be another run's work under way: reading says who holds the lock."""
    site.add_tables(1).up()
    site.ask("UPDATE schema_migrations SET dirty = true")
    key = foreign_key("public", "schema_migrations", f"/{site.database.name}")
    with site.database.connect() as other:
        if held:
            other.execute("SELECT pg_advisory_lock(%s)", (key,))
        assert site.migrator().version().dirty

    assert [("in progress" in event.message) for event in site.heard(Warned)] == [True] * held
