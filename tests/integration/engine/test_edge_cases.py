"""A file may do what it likes to its session: our writes, and the next file, do not notice."""

from __future__ import annotations

import contextlib
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from rung.errors import LedgerDropped, LedgerMoved, MigrationFailed, UnwrittenMigration
from rung.events import Notice, Warned
from rung.planning.plan import Down

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site

_SETTINGS = {
    "search_path": "SET search_path = '';",
    "statement_timeout": "SET statement_timeout = '1ms';",
    "lock_timeout": "SET lock_timeout = '1ms';",
    "default_transaction_read_only": "SET default_transaction_read_only = on;",
    "default_transaction_isolation": "SET default_transaction_isolation = 'serializable';",
    "standard_conforming_strings": "SET standard_conforming_strings = off;",
    "client_encoding": "SET client_encoding = 'LATIN1';",
    "DateStyle": "SET DateStyle = 'SQL, DMY';",
    "row_security": "SET row_security = off;",
    "extra_float_digits": "SET extra_float_digits = -15;",
    "client_min_messages": "SET client_min_messages = error;",
    "role": "SET ROLE pg_monitor;",
    "session_authorization": "SET SESSION AUTHORIZATION pg_monitor;",
}


@pytest.mark.parametrize(("name", "sql"), _SETTINGS.items(), ids=_SETTINGS)
def test_a_setting_ends_with_its_file_and_is_told(site: Site, name: str, sql: str) -> None:
    """What a file SETs is gone for the next file, and a warning names it."""
    site.add("1_sets", sql).add("2_plain", f"CREATE TABLE seen AS SELECT 'é\\', '{name}' AS n;")

    assert site.up() == (1, 2)
    assert site.ask("SELECT * FROM public.seen") == [("é\\", name)]
    (warning,) = site.heard(Warned)
    assert f"1_sets.up.sql changes its session ({name})" in warning.message
    assert "golang-migrate would keep it" in warning.message


@pytest.mark.parametrize("sql", _SETTINGS.values(), ids=_SETTINGS)
def test_a_setting_does_not_reach_our_writes(site: Site, sql: str) -> None:
    """The ledger and the history are written whatever the file SET, in a file of units too."""
    site.add("1_whole", sql).add("2_units", f"VACUUM pg_class;\n{sql}\nSELECT 1;")
    site.add("3_own", f"BEGIN;\n{sql}\nCOMMIT;")

    assert site.up() == (1, 2, 3)
    assert site.ledger() == [(3, False)]
    assert site.history() == [(version, "up", "done") for version in (1, 2, 3)]


@pytest.mark.parametrize(
    "sql",
    [
        "SET LOCAL search_path = ''",
        "SET LOCAL statement_timeout = '1ms'",
        "SET LOCAL ROLE pg_monitor",
        "SET LOCAL default_transaction_read_only = on",
        "SET CONSTRAINTS ALL IMMEDIATE",
    ],
)
def test_set_local_is_the_files_own_affair(site: Site, sql: str) -> None:
    """SET LOCAL works, reaches neither our writes nor the next file, and needs no warning."""
    site.add("1_a", f"CREATE TABLE a ();\n{sql};").add("2_b", "CREATE TABLE b ();")

    assert site.up() == (1, 2)
    assert site.tables() == {"a", "b"}
    assert site.heard(Warned) == []


@pytest.mark.parametrize("level", ["SERIALIZABLE", "REPEATABLE READ", "READ COMMITTED"])
def test_a_leading_set_transaction_works(site: Site, level: str) -> None:
    """SET TRANSACTION may be the first statement: no query of ours comes before it."""
    sql = f"SET TRANSACTION ISOLATION LEVEL {level};\nCREATE TABLE a AS SHOW transaction_isolation;"
    sql = sql.replace(
        "SHOW transaction_isolation", "SELECT current_setting('transaction_isolation')"
    )
    site.add("1_a", sql).add("2_b", sql.replace("TABLE a", "TABLE b"))

    assert site.up() == (1, 2)
    assert site.ask("SELECT * FROM a") == site.ask("SELECT * FROM b") == [(level.lower(),)]


@pytest.mark.parametrize(
    "sql", ["SET TRANSACTION READ ONLY;", "BEGIN READ ONLY; SELECT 1; COMMIT;"]
)
def test_a_read_only_transaction_is_applied(site: Site, sql: str) -> None:
    """A file whose own transaction is read-only is recorded after it, as golang-migrate does."""
    assert site.add("1_a", sql).add_tables(2).up() == (1, 2)
    assert (site.tables(), site.ledger()) == ({"t2"}, [(2, False)])
    assert site.history() == [(1, "up", "done"), (2, "up", "done")]


@pytest.mark.parametrize(
    "sql",
    [
        "SET TRANSACTION READ ONLY; CREATE TABLE a ();",
        "BEGIN READ ONLY; CREATE TABLE a (); COMMIT;",
    ],
)
def test_a_write_in_a_read_only_transaction_fails_clean(site: Site, sql: str) -> None:
    """What the server refuses there is the file's own failure."""
    error = site.add("1_a", sql).up_fails(MigrationFailed)

    assert (error.server.sqlstate, error.dirty, site.ledger()) == ("25006", False, [])
    assert site.history() == [(1, "up", "failed")]


def test_a_late_set_transaction_fails_clean(site: Site) -> None:
    """SET TRANSACTION behind a query is the file's fault, and no reason to run it in units."""
    text = "CREATE TABLE a ();\nSELECT 1;\nSET TRANSACTION ISOLATION LEVEL SERIALIZABLE;"
    error = site.add("1_a", text).up_fails(MigrationFailed)

    assert (error.server.sqlstate, error.place.line, error.dirty) == ("25001", 3, False)
    assert (site.tables(), site.ledger()) == (set(), [])


def test_a_role_that_may_not_write_the_ledger(site: Site) -> None:
    """A file may end as a role without any right to our tables."""
    site.ask("DROP ROLE IF EXISTS nobody_here; CREATE ROLE nobody_here")
    site.ask("GRANT ALL ON SCHEMA public TO nobody_here")
    site.add("1_a", "SET ROLE nobody_here;\nCREATE TABLE a ();").add_tables(2)

    assert site.up() == (1, 2)
    assert site.ask(
        "SELECT tableowner FROM pg_tables WHERE tablename IN ('a', 't2') ORDER BY 1"
    ) == [
        ("nobody_here",),
        ("postgres",),
    ]
    assert site.ask("SELECT DISTINCT database_user FROM schema_migrations_history") == [
        ("postgres",)
    ]
    site.ask("DROP OWNED BY nobody_here; DROP ROLE nobody_here")


def test_the_role_of_the_connection_is_put_back(site: Site) -> None:
    """Where the connection's own options name a role, our writes are made as that role."""
    owner, login = f"owner_{site.database.name}", f"login_{site.database.name}"
    site.ask(f"CREATE ROLE {owner}; CREATE ROLE {login} LOGIN NOINHERIT IN ROLE {owner}")
    site.ask(f"GRANT ALL ON SCHEMA public TO {owner}")
    conninfo = site.database.conninfo.replace("user=postgres", f"user={login}")
    site.add("1_a", "SET ROLE NONE;").add("2_b", "BEGIN;\nSET ROLE NONE;\nCOMMIT;")

    site.migrator(f"{conninfo} options='-c role={owner}'").up()
    assert site.ledger() == [(2, False)]
    owners = site.ask("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    assert owners == [(owner,)]
    site.ask(f"DROP OWNED BY {owner}; DROP ROLE {login}, {owner}")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE schema_migrations SET version = 9",
        "DELETE FROM schema_migrations",
        "INSERT INTO schema_migrations VALUES (9, false)",
        "UPDATE schema_migrations SET dirty = true",
        "TRUNCATE schema_migrations",
    ],
)
def test_a_file_that_changes_the_ledger_is_rolled_back(site: Site, sql: str) -> None:
    """The ledger is ours to move: a file that moves it is undone, and the run stops there."""
    site.add_tables(1).add("2_b", f"CREATE TABLE b ();\n{sql};").add_tables(3)
    error = site.up_fails(LedgerMoved)

    assert (error.version, error.applied) == (2, (1,))
    assert "clean at version 1" in error.now
    assert (site.tables(), site.ledger()) == ({"t1"}, [(1, False)])
    assert site.history()[-1] == (2, "up", "failed")


@pytest.mark.parametrize("table", ["schema_migrations", "schema_migrations_history"])
def test_a_file_that_drops_ledger_or_history_is_rolled_back(site: Site, table: str) -> None:
    """A file that drops one of our tables is undone, and the run stops there."""
    site.add_tables(1).add("2_b", f"CREATE TABLE b ();\nDROP TABLE {table};").add_tables(3)
    error = site.up_fails(LedgerDropped)

    assert (error.version, error.applied) == (2, (1,))
    assert f'relation "public.{table}" does not exist' in error.cause
    assert "clean at version 1" in error.now
    assert (site.tables(), site.ledger()) == ({"t1"}, [(1, False)])
    assert site.history()[-1] == (2, "up", "failed")


def test_an_empty_ledger_gets_its_first_row(site: Site) -> None:
    """A ledger that is there and empty, which an UPDATE would pass over, takes the first row."""
    site.ask("CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)")

    assert site.add_tables(1).up() == (1,)
    assert site.ledger() == [(1, False)]


def test_things_of_the_session_end_with_their_file(site: Site) -> None:
    """Temporary tables, prepared statements, cursors and listening are gone for the next file."""
    site.add(
        "1_a",
        "CREATE TEMP TABLE x (); PREPARE p AS SELECT 1; LISTEN l; "
        "DECLARE c CURSOR WITH HOLD FOR SELECT 1;",
    )
    site.add(
        "2_b",
        "CREATE TABLE left_over AS SELECT (SELECT count(*) FROM pg_prepared_statements) "
        "+ (SELECT count(*) FROM pg_cursors) + (SELECT count(*) FROM pg_listening_channels()) "
        "+ (SELECT count(*) FROM pg_class WHERE relpersistence = 't') AS n;",
    )

    assert site.up() == (1, 2)
    assert site.ask("SELECT n FROM left_over") == [(0,)]


@pytest.mark.parametrize("sql", ["DISCARD ALL;", "SELECT pg_advisory_unlock_all();"])
def test_a_file_that_gives_our_lock_away_is_run_all_the_same(site: Site, sql: str) -> None:
    """Without the lock the run goes on, step by step from the planned state."""
    site.add_tables(1).add("2_b", sql).add_tables(3)

    assert site.up() == (1, 2, 3)
    assert site.ledger() == [(3, False)]


def test_unlocking_all_does_not_let_a_step_run_twice(site: Site) -> None:
    """A file that gives our lock away lets another run in, which then moves nothing twice."""
    site.add("1_a", "CREATE TABLE n (v int); SELECT pg_advisory_unlock_all();")
    for version in (2, 3, 4):
        wait = "SELECT pg_sleep(0.2);"
        site.add(f"{version}_n", f"{wait} INSERT INTO n VALUES ({version});")

    def go() -> None:
        with contextlib.suppress(LedgerMoved, MigrationFailed):  # the table may be there by now
            site.migrator().up()

    runs = [Thread(target=go) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert site.up() in {(), (2, 3, 4), (3, 4), (4,)}
    assert site.ask("SELECT v FROM n ORDER BY v") == [(2,), (3,), (4,)]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("CREATE TABLE a () -- no line end", {"a"}),
        ("CREATE TABLE a () /* at the end */", {"a"}),
        ("CREATE TABLE a ()", {"a"}),
        ("CREATE TABLE a ();;;", {"a"}),
        ("\ufeffCREATE TABLE a ();", {"a"}),
    ],
)
def test_the_ends_of_a_file(site: Site, text: str, made: set[str]) -> None:
    """A missing semicolon, a trailing comment: the file runs and is recorded."""
    assert site.add("1_a", text).up() == (1,)
    assert (site.tables(), site.ledger()) == (made, [(1, False)])


@pytest.mark.parametrize("text", ["-- nothing", "/* nothing */", ";", "", " \n\t\r\n", "\ufeff"])
def test_a_file_of_nothing(site: Site, text: str) -> None:
    """As the newest it is not written yet; with a later one it is passed and recorded, as empty."""
    site.add("1_a", text).up_fails(UnwrittenMigration)
    assert site.ask("SELECT to_regclass('schema_migrations')") == [(None,)]

    steps = site.add_tables(2).migrator().up().steps
    assert [(step.version, step.result) for step in steps] == [(1, "empty"), (2, "applied")]
    assert (site.tables(), site.ledger()) == ({"t2"}, [(2, False)])
    assert "1 up without a statement: 1" in site.heard(Warned)[0].message


def test_a_missing_up_is_passed_over_and_told(site: Site) -> None:
    """The ledger never stops at a version without an up file; a warning names it."""
    site.add("1_a", down="DROP TABLE a;").add_tables(2)

    assert site.up() == (2,)
    assert (site.tables(), site.ledger()) == ({"t2"}, [(2, False)])
    assert site.history() == [(2, "up", "done")]
    assert [one.message for one in site.heard(Warned)] == [
        "skipped 1: it has a down file and no up file"
    ]


@pytest.mark.parametrize("left", [False, True])
def test_the_ledger_never_stops_at_a_version_without_an_up(site: Site, left: bool) -> None:  # noqa: FBT001
    """Going down passes it, and leaves it where another tool stopped there."""
    site.add_tables(1, 3).add("2_b", down="DROP TABLE gone;")
    site.migrator().force(2, allow_missing_file=True) if left else site.up()
    site.ask("CREATE TABLE IF NOT EXISTS t1 (x int)")
    ran = site.migrator().down().steps

    expected = [(2, "empty"), (1, "reverted")] if left else [(3, "reverted")]
    assert [(step.version, step.result) for step in ran] == expected
    assert site.ledger() == ([] if left else [(1, False)])
    assert site.migrator().status().versions("down-only") == (2,)


def test_a_schema_of_false_friends_on_the_path(site: Site) -> None:
    """Functions, operators, types and tables named like the catalog's and ours are not used."""
    site.ask(_FALSE_FRIENDS)
    name = site.database.name
    site.ask(f"ALTER DATABASE {name} SET search_path = evil, pg_catalog")
    site.ask("CREATE TABLE evil.schema_migrations (version bigint PRIMARY KEY, dirty boolean)")
    site.add("1_a", "CREATE TABLE evil.a ();").add("2_b", "SET search_path = evil, pg_catalog;")
    site.add("3_c", "CREATE TABLE evil.c (); VACUUM evil.a;", "DROP TABLE evil.c CASCADE;")
    site.migrator().force(None)

    assert site.up() == (1, 2, 3)
    site.ask("CREATE VIEW evil.v AS SELECT 1 FROM evil.c")
    assert [loss.table for loss in site.migrator().plan(Down()).losses] == ["evil.c", "evil.v"]
    site.migrator().doctor()
    site.migrator().down()
    assert site.ask("SELECT version, dirty FROM evil.schema_migrations") == [(2, False)]
    assert len(site.migrator().history()) == 5


def test_deferred_triggers_run_with_the_files_own_path(site: Site) -> None:
    """A deferred trigger that names a table without its schema finds it at COMMIT."""
    site.add(
        "1_a",
        "CREATE TABLE a (x int); CREATE TABLE noted (x int);\n"
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO noted VALUES (NEW.x); RETURN NULL; END $$;\n"
        "CREATE CONSTRAINT TRIGGER later AFTER INSERT ON a DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION note();\n",
    ).add("2_b", "INSERT INTO a VALUES (1);").add("3_c", "BEGIN; INSERT INTO a VALUES (2); COMMIT;")

    assert site.up() == (1, 2, 3)
    assert site.ask("SELECT x FROM noted ORDER BY x") == [(1,), (2,)]


def test_backslashes_are_read_as_the_session_reads_them(site: Site) -> None:
    """Where plain strings have escapes for this database, the file is read so too."""
    site.ask(f"ALTER DATABASE {site.database.name} SET standard_conforming_strings = off")
    site.ask(f"ALTER DATABASE {site.database.name} SET escape_string_warning = off")

    assert site.add("1_a", "CREATE TABLE a AS SELECT 'it\\'s; BEGIN' AS x;").up() == (1,)
    assert site.ask("SELECT x FROM a") == [("it's; BEGIN",)]


def test_notices_are_events(site: Site) -> None:
    """RAISE NOTICE and WARNING reach the listener with their migration, whatever their text."""
    sql = "DO $$ BEGIN RAISE NOTICE 'hello %', 1; RAISE WARNING 'careful'; END $$;"
    site.add("1_a", sql).up()

    assert site.heard(Notice) == [Notice(1, "NOTICE", "hello 1"), Notice(1, "WARNING", "careful")]


def test_times_in_the_history_do_not_depend_on_the_session(site: Site) -> None:
    """A database that shows floats in short tells the same moments."""
    site.add_tables(1).up()
    before = site.migrator().history()
    site.ask(f"ALTER DATABASE {site.database.name} SET extra_float_digits = -15")
    site.ask(f"ALTER DATABASE {site.database.name} SET DateStyle = 'German'")

    assert site.migrator().history() == before


_RAISES = "LANGUAGE plpgsql AS $$ BEGIN RAISE 'a false friend was called'; END $$"
_TYPES = ("bigint", "int", "boolean", "name", '"char"', "oid", "text", "uuid")
_FALSE_FRIENDS = (
    "CREATE SCHEMA evil;"
    + "".join(
        f"CREATE FUNCTION evil.wrong({kind}, {kind}) RETURNS boolean {_RAISES};"
        f"CREATE OPERATOR evil.= (FUNCTION = evil.wrong, LEFTARG = {kind}, RIGHTARG = {kind});"
        f"CREATE OPERATOR evil.<> (FUNCTION = evil.wrong, LEFTARG = {kind}, RIGHTARG = {kind});"
        for kind in _TYPES
    )
    + (
        f"CREATE FUNCTION evil.divides(int, bigint) RETURNS bigint {_RAISES};"
        "CREATE OPERATOR evil./ (FUNCTION = evil.divides, LEFTARG = int, RIGHTARG = bigint);"
        f"CREATE FUNCTION evil.compares(bigint, int) RETURNS boolean {_RAISES};"
        "CREATE OPERATOR evil.= (FUNCTION = evil.compares, LEFTARG = bigint, RIGHTARG = int);"
        f"CREATE FUNCTION evil.joined(text, name) RETURNS text {_RAISES};"
        "CREATE OPERATOR evil.|| (FUNCTION = evil.joined, LEFTARG = text, RIGHTARG = name);"
        f"CREATE FUNCTION evil.pg_try_advisory_lock(bigint) RETURNS boolean {_RAISES};"
        f"CREATE FUNCTION evil.current_schema() RETURNS name {_RAISES};"
        f"CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz {_RAISES};"
        "CREATE TABLE evil.pg_class (x int); CREATE TABLE evil.pg_stat_activity (x int);"
        "CREATE TABLE evil.pg_settings (x int); CREATE DOMAIN evil.uuid AS int;"
        "CREATE DOMAIN evil.timestamptz AS int; CREATE DOMAIN evil.text AS int;"
        'CREATE DOMAIN evil."char" AS pg_catalog."char" CHECK (false);'
    )
)
