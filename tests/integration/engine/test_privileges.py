"""What can be done with which rights, by real roles that have exactly those."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from psycopg.errors import LockNotAvailable
from tests.integration.engine.sites import failing, wait_for

from rung import database as databases
from rung.cancellation import CancelToken
from rung.certify.proxy import CountingProxy
from rung.drivers import open_driver
from rung.errors import LedgerMoved, LedgerUnreadable, MigrationFailed, RightsMissing
from rung.events import Warned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.engine.sites import Site

    from rung.drivers.inspection import Inspection
    from rung.migrator import Migrator

_BY_TRUNCATE = "SELECT, INSERT, TRUNCATE"
"""What golang-migrate needs."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role without rights, and a site on which it gets some."""

    name: str
    site: Site

    def grant(self, rights: str, on: str) -> None:
        """Give it rights on something of the database."""
        self.site.ask(f'GRANT {rights} ON {on} TO "{self.name}"')

    def ledger(self, rights: str) -> None:
        """Make a ledger that belongs to another role, with these rights on it alone."""
        self.site.ask(
            "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, "
            "dirty boolean NOT NULL)"
        )
        if rights:
            self.grant(rights, "schema_migrations")

    @property
    def conninfo(self) -> str:
        return self.site.database.conninfo.replace("user=postgres", f'user="{self.name}"')

    @property
    def migrator(self) -> Migrator:
        return self.site.migrator(self.place)

    @property
    def place(self) -> databases.Database:
        url = self.site.database.url.replace("postgres@", f"{quote(self.name)}@", 1)
        return databases.Database(url)

    def look(self) -> Inspection:
        """What it sees."""
        with open_driver(self.place).connect(CancelToken()) as session:
            return session.inspect()


@pytest.fixture
def role(site: Site) -> Iterator[Role]:
    """Make a role that may use schema `work`, in which it may make tables, and no more."""
    name = f"Deploy {site.database.name}"
    site.ask(f'CREATE ROLE "{name}" LOGIN')
    site.ask("REVOKE CREATE ON SCHEMA public FROM public")
    made = Role(name, site)
    site.ask("CREATE SCHEMA work")
    made.grant("USAGE, CREATE", "SCHEMA work")
    yield made
    site.ask(f'DROP OWNED BY "{name}"; DROP ROLE "{name}"')


def _tables_in_work(site: Site) -> set[str]:
    rows = site.ask("SELECT relname FROM pg_class WHERE relnamespace = 'work'::regnamespace")
    return {row[0] for row in rows}


def _add(site: Site) -> Site:
    for version in (1, 2):
        site.add(
            f"{version}_t",
            f"CREATE TABLE work.t{version} ();",
            f"DROP TABLE work.t{version};",
        )
    return site.add("3_v", "CREATE TABLE work.t3 (); VACUUM work.t1;", "DROP TABLE work.t3;")


# --- the ledger --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rights", [_BY_TRUNCATE, "SELECT, INSERT, UPDATE, DELETE", f"{_BY_TRUNCATE}, UPDATE"]
)
def test_a_ledger_is_written_with_the_rights_there_are(site: Site, role: Role, rights: str) -> None:
    """Whole files and files of units, up, force and down to nothing."""
    role.ledger(rights)
    migrator = _add(site).migrator(role.place)

    assert [step.version for step in migrator.up().steps] == [1, 2, 3]
    assert (site.ledger(), _tables_in_work(site)) == ([(3, False)], {"t1", "t2", "t3"})
    migrator.force(2)
    migrator.force(3)
    assert [step.version for step in migrator.down(None).steps] == [3, 2, 1]
    assert (site.ledger(), _tables_in_work(site)) == ([], set())


@pytest.mark.parametrize("last", ["down", "up"])
def test_by_truncate_it_is_still_a_compare_and_set(site: Site, role: Role, last: str) -> None:
    """A ledger that the file moves under us undoes the step."""
    role.ledger(_BY_TRUNCATE + ", UPDATE")
    sql = "CREATE TABLE work.a (); UPDATE schema_migrations SET version = 9;"
    site.add("1_a", "SELECT 1;", sql).add("2_b", sql, "SELECT 1;")
    migrator = site.migrator(role.place)
    migrator.up(1)
    failing(LedgerMoved, migrator.up if last == "up" else migrator.down)

    assert (site.ledger(), _tables_in_work(site)) == ([(1, False)], set())


def test_by_truncate_a_failure_rolls_back(site: Site, role: Role) -> None:
    """A file that fails leaves ledger and schema as they were; one of units is dirty."""
    role.ledger(_BY_TRUNCATE)
    site.add("1_a", "CREATE TABLE work.a ();").add("2_b", "CREATE TABLE work.b (); SELECT 1/0;")
    failing(MigrationFailed, role.migrator.up)
    assert (site.ledger(), _tables_in_work(site)) == ([(1, False)], {"a"})

    site.add("2_b", "CREATE TABLE work.b (); VACUUM work.b; SELECT 1/0;")
    assert failing(MigrationFailed, role.migrator.up).dirty
    assert site.ledger() == [(2, True)]


def test_by_truncate_readers_wait_only_for_the_end(site: Site, role: Role) -> None:
    """While a file runs the ledger can be read, and nobody writes what it has compared."""
    role.ledger(_BY_TRUNCATE)
    site.add("1_a", "CREATE TABLE work.a ();").add("2_b", "SELECT pg_sleep(1);")
    role.migrator.up(1)
    run = Thread(target=role.migrator.up)
    run.start()
    busy = "SELECT count(*)::int FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    assert wait_for(lambda: site.ask(busy) == [(1,)])
    assert site.ledger() == [(1, False)]
    with pytest.raises(LockNotAvailable):
        site.ask("SET lock_timeout = 50; UPDATE schema_migrations SET version = 9")
    assert run.is_alive()
    run.join(20)
    assert site.ledger() == [(2, False)]


@pytest.mark.parametrize(
    ("rights", "lacking"),
    [("SELECT", "INSERT, UPDATE, DELETE"), ("SELECT, INSERT, UPDATE", "DELETE")],
)
def test_a_ledger_that_may_not_be_written(
    site: Site, role: Role, rights: str, lacking: str
) -> None:
    """The GRANT is printed before any SQL runs, and resolves it."""
    role.ledger(rights)
    error = failing(RightsMissing, _add(site).migrator(role.place).up)
    grant = f'GRANT {lacking} ON TABLE "public"."schema_migrations" TO "{role.name}";'

    refused = f'role "{role.name}" may not write the ledger public.schema_migrations'
    assert error.cause == refused
    assert (grant in error.hint, _tables_in_work(site)) == (True, set())
    failing(RightsMissing, lambda: role.migrator.force(1))
    site.ask(grant)
    assert len(role.migrator.up().steps) == 3


def test_a_ledger_that_may_not_be_read(site: Site, role: Role) -> None:
    """The GRANT is told, with the schema's where that is missing too."""
    role.ledger("")
    site.ask("CREATE SCHEMA closed; ALTER TABLE schema_migrations SET SCHEMA closed")
    place = role.place._replace(ledger_table="closed.schema_migrations")
    error = failing(LedgerUnreadable, site.migrator(place).version)
    grants = error.hint.partition(": ")[2]

    assert grants.startswith(f'GRANT USAGE ON SCHEMA "closed" TO "{role.name}";')
    site.ask(grants)
    assert site.migrator(place).version().version is None


def test_a_ledger_that_may_not_be_made(site: Site, role: Role) -> None:
    """The GRANT is printed, and resolves it; the history is created with it."""
    error = failing(RightsMissing, _add(site).migrator(role.place).up)
    assert "may not create the ledger" in error.cause
    site.ask(error.hint.removeprefix("grant it: "))

    assert len(role.migrator.up().steps) == 3
    assert len(site.history()) == 3


# --- the history -------------------------------------------------------------------------


def test_without_a_history(site: Site, role: Role) -> None:
    """Where it cannot be made the run goes on, says so once with the GRANT, and records nothing."""
    role.ledger(_BY_TRUNCATE)
    assert len(_add(site).migrator(role.place).up().steps) == 3
    (warning,) = site.heard(Warned)
    grant = f'GRANT CREATE ON SCHEMA "public" TO "{role.name}";'

    assert grant in warning.message
    assert site.ask("SELECT to_regclass('schema_migrations_history')") == [(None,)]
    assert role.look().missing_grant == grant
    site.ask(grant)
    assert role.look().missing_grant == ""
    role.migrator.down()
    assert "down" in {direction for _, direction, _ in site.history()}


@pytest.mark.parametrize(
    ("rights", "lacking"),
    [
        ("", "SELECT, INSERT, UPDATE"),
        ("SELECT", "INSERT, UPDATE"),
        ("INSERT", "SELECT, UPDATE"),
        ("SELECT, INSERT", "UPDATE"),
    ],
)
def test_a_history_that_may_not_be_written(
    site: Site, role: Role, rights: str, lacking: str
) -> None:
    """The run continues without it, failures included, and the GRANT resolves it."""
    site.add("0_z", "SELECT 1;", "SELECT 1;").up()
    role.grant(_BY_TRUNCATE, "schema_migrations")
    if rights:
        role.grant(rights, "schema_migrations_history")
    _add(site).add("4_x", "SELECT 1/0;")
    failing(MigrationFailed, role.migrator.up)
    grant = role.look().missing_grant

    assert (site.ledger(), site.history()) == ([(3, False)], [(0, "up", "done")])
    assert lacking in grant
    site.ask(grant)
    assert role.look().missing_grant == ""


def test_the_aftermath_without_a_history(site: Site, role: Role) -> None:
    """What became of an attempt is told by the ledger alone, and that is said."""
    role.ledger(_BY_TRUNCATE)
    driver = open_driver(role.place)
    with driver.connect(CancelToken()) as session:
        session.inspect()
        session.close()
        found = driver.recover(session, "5f9a3a06-0000-4000-8000-000000000000")

    assert (found.outcome, found.recorded) == (None, False)


def test_a_new_history_can_be_read_by_who_reads_the_ledger(site: Site, role: Role) -> None:
    """The ledger's SELECT grants are taken over, also those to all, and no others."""
    role.ledger("SELECT")
    site.ask(f'CREATE ROLE "Boss {role.name}"')
    site.ask(f'ALTER TABLE schema_migrations OWNER TO "Boss {role.name}"')
    site.ask("GRANT INSERT ON schema_migrations TO public")
    _add(site).up()
    may = (
        "SELECT has_table_privilege('{}', 'schema_migrations_history', 'SELECT'),"
        " has_table_privilege('{}', 'schema_migrations_history', 'INSERT')"
    )

    assert site.ask(may.format(role.name, role.name)) == [(True, False)]
    assert site.ask(may.format(f"Boss {role.name}", role.name)) == [(True, False)]
    assert len(role.migrator.history()) == 3
    site.ask("DROP TABLE schema_migrations_history; GRANT SELECT ON schema_migrations TO public")
    site.migrator().force(3)
    assert site.ask(may.format("pg_monitor", "pg_monitor")) == [(True, False)]
    site.ask(f'DROP OWNED BY "Boss {role.name}" CASCADE; DROP ROLE "Boss {role.name}"')


def test_under_a_publication_for_all_tables(site: Site) -> None:
    """Every move of the ledger and every update of the history can be published."""
    site.ask("SET client_min_messages = error; CREATE PUBLICATION everything FOR ALL TABLES")
    site.add("1_a", "CREATE TABLE a (); VACUUM a; SELECT 1;", "DROP TABLE a;").add_tables(2)

    assert site.up() == (1, 2)
    site.migrator().force(2)
    assert site.migrator().down(None).version is None
    assert {outcome for _, _, outcome in site.history()} == {"done"}


# --- what costs what ---------------------------------------------------------------------


def test_a_look_is_one_round_trip_whatever_the_rights(site: Site, role: Role) -> None:
    """Rights are found in the same message as the ledger."""
    role.ledger(_BY_TRUNCATE)
    server = site.database.server
    with ExitStack() as stack:
        proxy = stack.enter_context(CountingProxy(server.socket_dir, server.port))
        through = role.place.url.replace(
            str(server.socket_dir).replace("/", "%2F"), str(proxy.socket_dir).replace("/", "%2F")
        )
        site.migrator(through).version()
        counts = proxy.counts

    assert (counts.connections, counts.round_trips, counts.commits) == (1, 1, 0)


@pytest.mark.parametrize("taken", [True, False])
def test_the_rights_are_those_of_the_role_taken_on(
    site: Site,
    role: Role,
    taken: bool,  # noqa: FBT001
) -> None:
    """--role decides what may be done, and stands in the GRANT."""
    role.ledger("SELECT")
    place = databases.Database(site.database.url, role=role.name if taken else None)
    migrator = _add(site).migrator(place)
    if taken:
        assert role.name in failing(RightsMissing, migrator.up).hint
    else:
        assert len(migrator.up().steps) == 3


# --- the tables of a database without a ledger -------------------------------------------


def test_the_tables_where_there_is_no_ledger(site: Site, role: Role) -> None:
    """Those that no extension owns, by name, without our own, views or partitions."""
    site.ask(
        'CREATE TABLE b (); CREATE TABLE "A b" (); CREATE TABLE work.c (); CREATE VIEW v AS '
        "SELECT 1; CREATE TABLE p (x int) PARTITION BY RANGE (x); "
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9)"
    )
    assert role.look().tables == ('"A b"', "b", "p")
    site.migrator().force(None)
    site.ask("DROP TABLE schema_migrations")

    look = role.look()
    assert (look.ledger_exists, look.tables) == (False, ('"A b"', "b", "p"))


def test_what_an_extension_owns_is_no_table_of_ours(site: Site) -> None:
    """A fresh database with an extension is still fresh."""
    available = site.ask("SELECT count(*) FROM pg_available_extensions WHERE name = 'postgis'")
    name, table = ("postgis", "spatial_ref_sys") if available != [(0,)] else ("plpgsql", "owned")
    site.ask(f"CREATE EXTENSION IF NOT EXISTS {name}; CREATE TABLE IF NOT EXISTS {table} ()")
    if name == "plpgsql":
        site.ask("ALTER EXTENSION plpgsql ADD TABLE owned")

    assert site.add_tables(1).up() == (1,)


def test_a_history_without_its_ledger_is_read(site: Site) -> None:
    """Where somebody dropped the ledger the history still says how far the database was."""
    site.add_tables(1).up()
    site.ask("DROP TABLE schema_migrations")
    with open_driver(databases.Database(site.database.conninfo)).connect(CancelToken()) as session:
        look = session.inspect()

    assert look.ledger_exists is False
    assert [entry.version for entry in look.history or ()] == [1]
