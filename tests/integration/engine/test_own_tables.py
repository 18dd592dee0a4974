"""Our own tables where the team or another role has put something on them, or beside them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from tests.integration.engine.sites import failing

from rung.database import Database
from rung.drivers.postgres import quoting
from rung.errors import (
    LedgerElsewhere,
    LedgerMoved,
    LedgerUnreadable,
    MigrationFailed,
    OwnWriteRefused,
    RowSecurityHides,
    SchemaMissing,
    TableRefused,
    TablesUntrusted,
)
from rung.events import Warned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.engine.golang import Golang
    from tests.integration.engine.sites import Site

_NOTE = """
    CREATE TABLE noted (id serial, op text, version bigint, dirty boolean);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO public.noted (op, version, dirty) VALUES (TG_OP, NEW.version, NEW.dirty);
        RETURN NEW;
    END $$;
    CREATE TRIGGER note AFTER INSERT OR UPDATE ON schema_migrations
        FOR EACH ROW EXECUTE FUNCTION note();
"""
_GUARD = """
    CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the house says no to %', TG_OP; END $$;
"""
_SPY = """
    CREATE FUNCTION public.spy() RETURNS bigint LANGUAGE plpgsql AS
        $$ BEGIN CREATE TABLE IF NOT EXISTS public.robbed (who text);
           INSERT INTO public.robbed VALUES (current_user); RETURN 9; END $$;
"""


def _guard(events: str, level: str = "ROW", table: str = "schema_migrations") -> str:
    trigger = f"guard_{events.replace(' ', '_').lower()}"
    return (
        f"CREATE TRIGGER {trigger} BEFORE {events} ON {table} "
        f"FOR EACH {level} EXECUTE FUNCTION guard();"
    )


@contextmanager
def _stranger(site: Site) -> Iterator[str]:
    """A role that may make things in the schema, and is nobody's member."""
    name = f"stranger {site.database.name}"
    site.ask(f'CREATE ROLE "{name}" LOGIN; GRANT ALL ON SCHEMA public TO "{name}"')
    try:
        yield name
    finally:
        site.ask(f'DROP OWNED BY "{name}" CASCADE; DROP ROLE "{name}"')


@pytest.fixture
def stranger(site: Site) -> Iterator[str]:
    """Give the name of such a role."""
    with _stranger(site) as name:
        yield name


def _as(site: Site, role: str) -> Database:
    return Database(site.database.url.replace("postgres@", f"{quote(role)}@", 1))


# --- triggers of the team ----------------------------------------------------------------


@pytest.mark.parametrize("atomic", [False, True])
def test_an_insert_trigger_that_a_file_makes(site: Site, *, atomic: bool) -> None:
    """It sees the version that made it, and every one after it, whichever way they run."""
    site.add("1_note", _NOTE).add_tables(2).add("3_v", "VACUUM;").add_tables(4)
    if atomic:
        (site.folder / "3_v.up.sql").write_text("CREATE TABLE v ();")
    site.migrator(atomic=atomic).up()

    assert site.ask("SELECT DISTINCT op FROM noted") == [("INSERT",)]
    found = site.ask("SELECT version FROM noted WHERE NOT dirty ORDER BY id")
    assert found == [(1,), (2,), (3,), (4,)]
    assert site.ledger() == [(4, False)]


@pytest.mark.parametrize(
    "guards",
    [
        [("UPDATE", "ROW")],
        [("UPDATE", "STATEMENT")],
        [("DELETE", "ROW")],
        [("DELETE", "STATEMENT")],
        [("UPDATE OR DELETE", "ROW")],
        [("UPDATE", "STATEMENT"), ("DELETE", "STATEMENT")],
        [("TRUNCATE", "STATEMENT")],
        [("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")],
    ],
)
def test_guards_on_the_ledger(site: Site, guards: list[tuple[str, str]]) -> None:
    """What is guarded against is not done: up, a file of units, and force all go through."""
    site.add_tables(1).up()
    site.ask(_GUARD + "".join(_guard(*guard) for guard in guards))
    site.add_tables(2).add("3_v", "VACUUM;").up()
    if all("DELETE" not in events for events, _ in guards) or len(guards) == 1:
        site.migrator().force(2)
        site.up()

    assert site.ledger() == [(3, False)]


def test_a_guard_against_all_of_it(site: Site) -> None:
    """What leaves no way is told as our ledger's, with its triggers, and the file is not blamed."""
    site.add_tables(1).up()
    site.ask(_GUARD + _guard("INSERT OR UPDATE OR DELETE") + _guard("TRUNCATE", "STATEMENT"))
    error = site.add_tables(2).up_fails(OwnWriteRefused)

    assert "the ledger public.schema_migrations" in error.cause
    assert "trigger guard_insert_or_update_or_delete" in error.cause
    assert "--ledger-table" in error.hint
    assert site.ledger() == [(1, False)]
    assert "t2" not in site.tables()


def test_a_guard_on_the_history(site: Site) -> None:
    """A history that refuses our row is told as ours, and the migration is undone."""
    site.add_tables(1).up()
    site.ask("ALTER TABLE schema_migrations_history ADD CONSTRAINT odd CHECK (version < 2)")
    error = site.add_tables(2).up_fails(OwnWriteRefused)

    assert "the history public.schema_migrations_history (check constraint odd)" in error.cause
    assert site.ledger() == [(1, False)]


@pytest.mark.parametrize("key", ["", "ALTER TABLE schema_migrations REPLICA IDENTITY NOTHING"])
def test_a_published_ledger_without_a_key(site: Site, golang: Golang, key: str) -> None:
    """UPDATE and DELETE are refused there, so it is written as golang-migrate writes it."""
    site.add_tables(1)
    assert golang.run("up")[0] == 0
    drop = "ALTER TABLE schema_migrations DROP CONSTRAINT schema_migrations_pkey"
    site.ask(f"{key or drop}; CREATE PUBLICATION p FOR ALL TABLES")
    site.add("2_v", "VACUUM;", "SELECT 1;").up()
    site.migrator().force(1)

    assert site.ledger() == [(1, False)]


# --- what others put there ---------------------------------------------------------------


@pytest.mark.parametrize("superuser", [True, False])
def test_a_ledger_that_is_a_view(site: Site, stranger: str, *, superuser: bool) -> None:
    """It is not read by anybody, for its functions would have our rights."""
    site.ask(f"{_SPY} CREATE VIEW schema_migrations AS SELECT spy() AS version, false AS dirty")
    site.ask(f'ALTER VIEW schema_migrations OWNER TO "{stranger}"')
    migrator = site.add_tables(1).migrator(None if superuser else _as(site, stranger))

    for call in (migrator.version, migrator.status, migrator.up, lambda: migrator.force(1)):
        error = failing(LedgerUnreadable, call)
        assert f'is a view of "{stranger}" and was not read' in error.cause
    assert site.tables() == set()


@pytest.mark.parametrize("what", ["history", "lease"])
def test_a_history_or_a_lease_that_is_a_view(site: Site, what: str) -> None:
    """The ledger is told with a warning, the view is not read, and no run writes."""
    site.add_tables(1).up()
    site.ask(f"{_SPY} ALTER TABLE IF EXISTS schema_migrations_{what} RENAME TO old")
    columns = "attempt, outcome, statements_done, up_checksum"
    body = "old WHERE spy() > 0" if what == "history" else "spy()"
    names = f"id, {columns}" if what == "history" else "spy AS owner"
    site.ask(f"CREATE VIEW schema_migrations_{what} AS SELECT {names} FROM {body}")
    migrator = site.add_tables(2).migrator()

    assert migrator.version().version == 1
    assert any("was not read" in warned.message for warned in site.heard(Warned))
    assert "is a view" in failing(TablesUntrusted, migrator.up).cause
    failing(TablesUntrusted, lambda: migrator.force(2))
    assert "robbed" not in site.tables()


@pytest.mark.parametrize(
    "ddl",
    [
        "CREATE TRIGGER x BEFORE UPDATE ON schema_migrations EXECUTE FUNCTION theirs();",
        "CREATE TRIGGER x AFTER INSERT ON schema_migrations_history EXECUTE FUNCTION theirs();",
        "ALTER TABLE schema_migrations ADD CHECK (number() > version);",
        "ALTER TABLE schema_migrations_history ADD x bigint DEFAULT number();",
        "CREATE INDEX x ON schema_migrations ((number()));",
        (
            "CREATE OPERATOR === (leftarg = bigint, rightarg = bigint, function = same);"
            "ALTER TABLE schema_migrations ADD CHECK (version === 1::bigint);"
        ),
        (
            "CREATE OPERATOR === (leftarg = bigint, rightarg = bigint, function = same);"
            "CREATE TRIGGER x BEFORE UPDATE ON schema_migrations FOR EACH ROW"
            " WHEN (NEW.version === 1::bigint)"
            " EXECUTE FUNCTION suppress_redundant_updates_trigger();"
        ),
        (
            "CREATE DOMAIN positive AS bigint CHECK (number() > VALUE);"
            "ALTER DOMAIN positive OWNER TO {role};"
            "ALTER TABLE schema_migrations ADD x positive DEFAULT 3;"
        ),
        (
            "CREATE TABLE child () INHERITS (schema_migrations);"
            "CREATE TRIGGER x BEFORE UPDATE ON child FOR EACH ROW EXECUTE FUNCTION theirs();"
        ),
    ],
)
def test_what_would_run_a_function_of_others(site: Site, stranger: str, ddl: str) -> None:
    """Runs refuse to write there and name it; reading is answered, with a warning."""
    site.add_tables(1).up()
    site.ask(
        "CREATE FUNCTION theirs() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE FUNCTION number() RETURNS bigint IMMUTABLE LANGUAGE sql AS 'SELECT 99::bigint';"
        "CREATE FUNCTION same(bigint, bigint) RETURNS boolean IMMUTABLE LANGUAGE sql"
        " AS 'SELECT true';"
        f'ALTER FUNCTION same(bigint, bigint) OWNER TO "{stranger}";'
        f'{ddl.format(role=quoting.name(stranger))} ALTER FUNCTION theirs() OWNER TO "{stranger}";'
        f'ALTER FUNCTION number() OWNER TO "{stranger}"'
    )
    migrator = site.add_tables(2).migrator()

    error = failing(TablesUntrusted, migrator.up)
    assert f'of role "{stranger}"' in error.cause
    assert migrator.version().version == 1
    assert site.heard(Warned)
    assert "t2" not in site.tables()


@pytest.mark.parametrize(
    ("what", "above"), [("", "schema_migrations"), ("", "middle"), ("_history", "")]
)
def test_a_foreign_table_below_is_not_read(site: Site, what: str, above: str) -> None:
    """A SELECT on our table would fetch its rows: refused until the command of the hint was run."""
    table = f"schema_migrations{what}"
    site.add_tables(1).up()
    site.ask(
        f"CREATE TABLE middle () INHERITS ({table});"
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;"
        f"CREATE FOREIGN TABLE far () INHERITS ({above or table}) SERVER s"
    )
    migrator = site.add_tables(2).migrator()

    error = failing(TablesUntrusted if what else LedgerUnreadable, migrator.up)
    assert "a foreign table as a child" in error.cause
    if what:
        assert migrator.version().version == 1
    assert f"`ALTER FOREIGN TABLE public.far NO INHERIT public.{above or table};`" in error.hint
    site.ask(error.hint.split("`")[1])
    assert site.up() == (2,)


def test_a_foreign_partition_is_not_read(site: Site) -> None:
    """A partition is named with the table that it belongs to, at any depth."""
    site.add_tables(1).up()
    site.ask(
        "CREATE TABLE parts (version bigint NOT NULL, dirty boolean NOT NULL)"
        " PARTITION BY RANGE (version);"
        'CREATE TABLE "Half" PARTITION OF parts FOR VALUES FROM (0) TO (9)'
        " PARTITION BY RANGE (version);"
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;"
        'CREATE FOREIGN TABLE far PARTITION OF "Half" FOR VALUES FROM (0) TO (5) SERVER s;'
        "DROP TABLE schema_migrations; ALTER TABLE parts RENAME TO schema_migrations"
    )
    error = failing(LedgerUnreadable, site.add_tables(2).migrator().up)
    assert '`ALTER TABLE public."Half" DETACH PARTITION public.far;`' in error.hint


def test_a_domain_of_others_is_given_to_us(site: Site, stranger: str) -> None:
    """The doctor's statement ends the refusal."""
    site.add_tables(1).up()
    site.ask('CREATE DOMAIN "Odd one" AS bigint; ALTER TABLE schema_migrations ADD x "Odd one"')
    site.ask(f'ALTER DOMAIN "Odd one" OWNER TO "{stranger}"')
    error = failing(TablesUntrusted, site.add_tables(2).migrator().up)
    assert '`ALTER DOMAIN public."Odd one" OWNER TO postgres;`' in error.hint
    (found,) = site.migrator().doctor().problems
    assert found.kind == "untrusted table"
    site.ask(found.fix)

    assert site.migrator().doctor().problems == ()
    assert site.up() == (2,)


# --- row security ------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["schema_migrations", "schema_migrations_history"])
def test_row_security_that_hides(site: Site, stranger: str, table: str) -> None:
    """No command tells "none" of rows that it may not see, and no policy is evaluated."""
    site.add_tables(1).up()
    site.ask(
        f'{_SPY} GRANT ALL ON ALL TABLES IN SCHEMA public TO "{stranger}";'
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
        f"CREATE POLICY p ON {table} USING (spy() > 10)"
    )
    migrator = site.add_tables(2).migrator(_as(site, stranger))

    for call in (migrator.version, migrator.status, migrator.history, migrator.plan, migrator.up):
        error = failing(RowSecurityHides, call)
        assert "row-level security hides" in error.cause
        assert stranger in error.cause
    failing(RowSecurityHides, lambda: migrator.force(2))
    assert site.history() == [(1, "up", "done")]
    assert "robbed" not in site.tables()


def test_an_open_policy_is_a_way_out(site: Site, stranger: str) -> None:
    """A policy that hides nothing lets reading and writing go on."""
    site.add_tables(1).up()
    site.ask(f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{stranger}"')
    for table in ("schema_migrations", "schema_migrations_history"):
        site.ask(
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            f'CREATE POLICY rung ON {table} TO "{stranger}" USING (true)'
        )
    migrator = site.add_tables(2).migrator(_as(site, stranger))

    assert migrator.version().version == 1
    migrator.up()
    assert (site.ledger(), len(site.history())) == ([(2, False)], 2)


# --- tables that are refused, and names that are taken -----------------------------------

_HOUSE = """
    CREATE FUNCTION house() RETURNS event_trigger LANGUAGE plpgsql AS $$
    DECLARE o record; BEGIN FOR o IN SELECT * FROM pg_event_trigger_ddl_commands() LOOP
        IF o.object_identity ~ '{refused}' THEN RAISE EXCEPTION 'not here'; END IF;
    END LOOP; END $$;
    CREATE EVENT TRIGGER house ON ddl_command_end WHEN TAG IN ('CREATE TABLE')
        EXECUTE FUNCTION house();
"""


def test_a_history_that_an_event_trigger_refuses(site: Site) -> None:
    """The run goes on without one, and says who refuses it and what to do."""
    site.ask(_HOUSE.replace("{refused}", "_history"))
    site.add_tables(1).up()

    (warned,) = site.heard(Warned)
    assert "event trigger house" in warned.message
    assert "--history-table" in warned.message
    assert (site.ledger(), site.tables()) == ([(1, False)], {"t1"})


def test_a_ledger_that_an_event_trigger_refuses(site: Site) -> None:
    """Nothing is run; the error names our ledger, the trigger and the way out."""
    site.ask(_HOUSE.replace("{refused}", "schema_migrations"))
    error = site.add_tables(1).up_fails(TableRefused)

    assert "the ledger public.schema_migrations (event trigger house)" in error.cause
    assert "--ledger-table" in error.hint
    assert "nothing was run" in error.database
    assert site.ask("SELECT FROM pg_tables WHERE schemaname = 'public'") == []


_RECIPE = "CREATE TABLE schema_migrations_history (id serial, version bigint);"


def test_the_usual_name_is_taken(site: Site, golang: Golang) -> None:
    """The history stands under its other name, said once, and is found there ever after."""
    site.add("1_h", _RECIPE, "DROP TABLE schema_migrations_history;")
    assert golang.run("up")[0] == 0
    site.add_tables(2).up()
    site.add_tables(3).up()

    assert len([one for one in site.heard(Warned) if "rung_history" in one.message]) == 1
    assert [entry.version for entry in site.migrator().history()] == [1, 2, 3]
    assert site.ask("SELECT count(*) FROM schema_migrations_history") == [(0,)]
    site.migrator().down(None)
    assert [entry.direction for entry in site.migrator().history()][-3:] == ["down"] * 3
    assert golang.run("up")[0] == 0
    assert site.migrator().version().version == 3


@pytest.mark.parametrize(
    "sql",
    [
        _RECIPE,
        "CREATE UNLOGGED TABLE IF NOT EXISTS public.Schema_Migrations_History (version bigint);",
        'CREATE TABLE a (x int); ALTER TABLE a RENAME TO "schema_migrations_history";',
    ],
)
def test_a_file_that_makes_a_table_of_that_name(site: Site, sql: str) -> None:
    """On a new database the history leaves the name to it."""
    site.add_tables(1).add("2_h", sql)
    site.migrator().up(limit=1)
    site.up()

    assert [entry.version for entry in site.migrator().history()] == [1, 2]


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("schema_migrations", "--ledger-table"),
        ("public.schema_migrations_history", "--history-table"),
    ],
)
def test_a_later_file_that_makes_a_table_of_ours(site: Site, name: str, option: str) -> None:
    """It is told whose name that is."""
    site.add_tables(1).up()
    error = site.add("2_h", f"CREATE TABLE {name} (id int);").up_fails(MigrationFailed)

    assert option in error.hint
    assert "Rung" in error.hint


@pytest.mark.parametrize("place", ["ops", "other.versions"])
def test_a_second_ledger_is_not_made_in_silence(site: Site, place: str) -> None:
    """`force` and `mark-applied` say where the ledger is, unless a second one is wanted."""
    site.ask("CREATE SCHEMA other")
    named = Database(site.database.conninfo, ledger_table=place)
    site.add_tables(1, 2).migrator(named).up(limit=1)
    migrator = site.migrator()

    for call in (lambda: migrator.force(1), lambda: migrator.mark_applied([1])):
        error = failing(LedgerElsewhere, call)
        assert f"--ledger-table {place if '.' in place else f'public.{place}'}" in error.hint
        assert "--new-ledger" in error.hint
    assert site.ask("SELECT FROM pg_tables WHERE tablename ~ 'schema_migr'") == []
    migrator.force(1, new_ledger=True)
    assert site.ledger() == [(1, False)]
    migrator.force(2)


def test_what_only_looks_like_a_ledger_stops_no_force(site: Site) -> None:
    """Other columns, and the same name for another tenant, are no second ledger."""
    site.ask(
        "CREATE TABLE a (version bigint, dirty boolean, x int); CREATE SCHEMA tenant;"
        "CREATE TABLE b (version text, dirty boolean);"
        "CREATE TABLE tenant.schema_migrations (version bigint, dirty boolean)"
    )
    site.add_tables(1).migrator().force(1)

    assert site.ledger() == [(1, False)]


# --- triggers that swallow or alter what is written -----------------------------------------


_LEDGER, _HISTORY = "schema_migrations", "schema_migrations_history"
_ALTERS = [
    (_LEDGER, "BEFORE INSERT", "RETURN NULL;"),
    (_LEDGER, "BEFORE INSERT", "NEW.dirty = true; RETURN NEW;"),
    (_LEDGER, "BEFORE INSERT OR UPDATE", "NEW.version = 9; RETURN NEW;"),
    (_LEDGER, "AFTER UPDATE", f"INSERT INTO {_LEDGER} VALUES (99, false); RETURN NULL;"),
    (_LEDGER, "AFTER INSERT", f"DELETE FROM {_LEDGER}; RETURN NULL;"),
    (_HISTORY, "BEFORE INSERT", "RETURN NULL;"),
    (_HISTORY, "BEFORE INSERT", "NEW.outcome = 'failed'; RETURN NEW;"),
]


def _alters(table: str, events: str, body: str, kind: str = "TRIGGER") -> str:
    made = f"CREATE FUNCTION alter_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;"
    deferred = "DEFERRABLE INITIALLY DEFERRED" if kind != "TRIGGER" else ""
    return f"""{made} CREATE {kind} altering {events} ON {table} {deferred}
               FOR EACH ROW EXECUTE FUNCTION alter_it();"""


@pytest.mark.parametrize("sql", ["CREATE TABLE b ();", "CREATE TABLE b (); VACUUM;"])
@pytest.mark.parametrize(("table", "events", "body"), _ALTERS)
def test_a_trigger_that_alters_what_is_written(
    site: Site, table: str, events: str, body: str, sql: str
) -> None:
    """Nothing is reported that is not there: the run fails, names the trigger, keeps nothing."""
    site.add_tables(1).up()
    site.ask(_alters(table, events, body))
    error = site.add("2_b", sql).up_fails(OwnWriteRefused)

    assert f"public.{table} (trigger altering): a trigger or rule changed" in error.cause
    assert "change trigger altering to leave Rung's rows unchanged, or name another" in error.hint
    marked = "VACUUM" in sql and "dirty" in body  # the dirty mark itself is as it was written
    assert site.ledger() == ([(2, True)] if marked else [(1, False)])
    assert ("b" in site.tables()) is marked


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(("table", "events", "body"), _ALTERS)
def test_a_file_that_makes_such_a_trigger(
    site: Site, table: str, events: str, body: str, *, first: bool
) -> None:
    """It is undone, and told that the trigger has to go, be the ledger empty or not."""
    if not first:
        site.add_tables(1).up()
    if first and "UPDATE" in events:
        pytest.skip("a first row is an INSERT")
    error = site.add("2_b", _alters(table, events, body)).up_fails(OwnWriteRefused)

    assert "remove the trigger or rule on it from the file that creates it" in error.hint
    assert site.ledger() == ([] if first else [(1, False)])


def test_a_trigger_that_alters_the_ledger_at_commit(site: Site) -> None:
    """A deferred one fires before the comparison."""
    site.add_tables(1).up()
    body = f"DELETE FROM {_LEDGER}; RETURN NULL;"
    site.ask(_alters(_LEDGER, "AFTER INSERT OR UPDATE", body, "CONSTRAINT TRIGGER"))
    site.add_tables(2).up_fails(OwnWriteRefused)

    assert site.ledger() == [(1, False)]


def test_force_with_a_trigger_that_swallows(site: Site) -> None:
    """It fails, and changes nothing."""
    site.add_tables(1).add_tables(2).up()
    site.ask(_alters(_LEDGER, "BEFORE INSERT", "RETURN NULL;"))
    with pytest.raises(TableRefused, match="trigger altering"):
        site.migrator().force(1)

    assert site.ledger() == [(2, False)]


def test_a_rule_that_swallows_the_history(site: Site) -> None:
    """A run whose rows the history would not keep fails, and names the rule."""
    site.add_tables(1).up()
    site.ask(f"CREATE RULE quiet AS ON INSERT TO {_HISTORY} DO INSTEAD NOTHING")
    error = site.add_tables(2).up_fails(OwnWriteRefused)

    assert f"public.{_HISTORY} (rule quiet)" in error.cause
    assert site.ledger() == [(1, False)]


def test_the_history_of_a_file_that_moves_the_ledger(site: Site) -> None:
    """The history keeps what the terminal says, and nothing of how it was found out."""
    site.add_tables(1).up()
    site.add("2_b", "UPDATE schema_migrations SET version = 99;").up_fails(LedgerMoved)

    assert site.ask(f"SELECT error FROM {_HISTORY} WHERE version = 2") == [
        ("the ledger is not in the state that this step starts from",)
    ]


# --- a table that is not a ledger ------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("version bigint, dirty int", "dirty is of type integer"),
        ("version text, dirty boolean", "version is of type text"),
        ("version float8, dirty text", "version is of type double precision, dirty is of type"),
    ],
)
def test_columns_of_other_types(site: Site, columns: str, said: str) -> None:
    """They are no ledger's: reading, running and forcing say so, and nothing runs."""
    site.ask(f"CREATE TABLE schema_migrations ({columns}); INSERT INTO schema_migrations SELECT 1")
    site.add_tables(1).add_tables(2)
    migrator = site.migrator()
    for act in (migrator.status, migrator.up, lambda: migrator.force(1)):
        with pytest.raises(
            LedgerUnreadable, match=f"exists but is not a schema_migrations table: {said}"
        ):
            act()

    assert not site.tables()


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ("version bigint GENERATED ALWAYS AS IDENTITY, dirty boolean", "version"),
        ("version bigint, dirty boolean GENERATED ALWAYS AS (version < 0) STORED", "dirty"),
        ("version bigint, dirty boolean, note text NOT NULL, by text NOT NULL", "note, by"),
    ],
)
def test_columns_that_take_no_row_of_ours(site: Site, columns: str, named: str) -> None:
    """Nothing is run that could not be recorded, and force changes nothing."""
    site.ask(f"CREATE TABLE schema_migrations ({columns})")
    site.add_tables(1)
    for act in (site.migrator().up, lambda: site.migrator().force(1)):
        with pytest.raises(TablesUntrusted, match=f"because of its columns: {named}"):
            act()

    assert not site.tables()


@pytest.mark.parametrize("type_", ["smallint", "integer", "bigint", "numeric"])
def test_columns_that_golang_migrate_writes(site: Site, type_: str) -> None:
    """Every type of whole number is a version's, and a column with a default disturbs nobody."""
    site.ask(
        f"CREATE TABLE schema_migrations (version {type_}, dirty boolean, "
        "at timestamptz NOT NULL DEFAULT now()); INSERT INTO schema_migrations VALUES (1, false)"
    )
    site.add_tables(1).add_tables(2).up()

    assert site.ask("SELECT version, dirty FROM schema_migrations") == [(2, False)]


def test_a_write_that_no_rule_refuses(site: Site) -> None:
    """The way out speaks of a rule only where there is one."""
    site.add_tables(1).up()
    site.ask("ALTER TABLE schema_migrations ALTER version TYPE smallint")
    error = site.add_tables(70_000).up_fails(OwnWriteRefused)

    assert "give the ledger its columns (version bigint not null primary key" in error.hint
    assert "rule" not in error.hint


# --- a ledger in another schema -----------------------------------------------------------------


def _moves_path(site: Site) -> None:
    """Apply a migration that changes the search path of its database."""
    name = quoting.name(site.database.name)
    site.add("1_a", "CREATE TABLE a ();")
    site.add("2_app", f"CREATE SCHEMA app; ALTER DATABASE {name} SET search_path = app;").up()


def test_a_search_path_that_a_migration_changed(site: Site) -> None:
    """No second ledger is begun beside the one whose history is of these files."""
    _moves_path(site)
    with pytest.raises(LedgerElsewhere) as up:
        site.add("3_c", "CREATE TABLE c ();").migrator().up()
    with pytest.raises(LedgerElsewhere) as force:
        site.migrator().force(2)

    assert "`rung status --ledger-table public.schema_migrations`" in up.value.hint
    assert "`--ledger-table app.schema_migrations`" in up.value.hint
    assert "--new-ledger" in force.value.hint
    assert "this database has public.schema_migrations" in site.migrator().status().notes[0]
    assert site.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'app'") == [(0,)]


@pytest.mark.parametrize("named", [True, False])
def test_a_tenant_with_its_own_schema(site: Site, *, named: bool) -> None:
    """A schema that the call names has its own ledger; other files than there are a warning."""
    _moves_path(site)
    if not named:
        (site.folder / "1_a.up.sql").rename(site.folder / "1_other.up.sql")
    (site.folder / "2_app.up.sql").write_text("CREATE TABLE b ();")
    path = " options='-csearch_path=app'" if named else ""
    report = site.migrator(site.database.conninfo + path).up()

    assert [step.version for step in report.steps] == [1, 2]
    told = [one for one in site.heard(Warned) if "this database has public.schema" in one.message]
    assert len(told) == (0 if named else 1)


def test_a_history_that_others_may_write_stops_nobody(site: Site, stranger: str) -> None:
    """What somebody can plant in another schema is a warning: the run goes on."""
    _moves_path(site)
    site.ask(f'GRANT INSERT ON public.{_HISTORY} TO "{stranger}"')
    (site.folder / "2_app.up.sql").write_text("CREATE TABLE b ();")

    assert site.up() == (1, 2)
    assert any("this database has public.schema" in one.message for one in site.heard(Warned))


@pytest.mark.parametrize("path", ["pg_temp", "pg_catalog", "information_schema"])
def test_a_search_path_without_a_schema_of_ours(site: Site, path: str) -> None:
    """A ledger is made neither among the server's tables nor in a temporary schema."""
    site.ask(f"ALTER DATABASE {quoting.name(site.database.name)} SET search_path = {path}")
    error = site.add_tables(1).up_fails(SchemaMissing)

    assert "is temporary or belongs to the server" in error.cause
    assert "--ledger-table" in error.hint


# --- what doctor prints of all this -------------------------------------------------------------


def test_doctor_prints_what_takes_them_away(site: Site, stranger: str) -> None:
    """A rule and another's trigger come with the statements that drop them; these work."""
    site.add_tables(1).up()
    site.ask(f"""CREATE RULE quiet AS ON INSERT TO {_HISTORY} DO INSTEAD NOTHING;
        {_alters(_HISTORY, "BEFORE UPDATE", "RETURN NEW;")}
        ALTER FUNCTION alter_it() OWNER TO "{stranger}";""")
    found = {
        one.kind: one for one in site.migrator().doctor().problems if one.fix or one.description
    }

    assert "rule quiet" in found["trigger or rule"].description
    assert f"DROP RULE quiet ON public.{_HISTORY};" in found["open to others"].fix
    assert f"DROP TRIGGER altering ON public.{_HISTORY};" in found["open to others"].fix
    site.ask(found["open to others"].fix)
    site.add_tables(2).up()
    assert site.ledger() == [(2, False)]


def test_a_file_that_drops_the_key_of_a_published_ledger(site: Site) -> None:
    """The hint's statement is one that helps."""
    site.add_tables(1).up()
    site.ask(f"CREATE PUBLICATION p FOR TABLE {_LEDGER}")
    drops = f"ALTER TABLE {_LEDGER} DROP CONSTRAINT {_LEDGER}_pkey;"
    error = site.add("2_b", drops).up_fails(OwnWriteRefused)
    way = next(part for part in error.hint.split("`") if part.startswith("ALTER"))
    site.ask(way)

    assert "REPLICA IDENTITY FULL" in way
    assert site.up() == (2,)
