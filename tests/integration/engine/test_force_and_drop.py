"""Recording a version by hand, and removing everything that is ours to remove."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing

from rung.database import Database
from rung.errors import MigrationFailed, MissingMigrationFile, QueryFailed
from rung.events import Warned

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site

_TABLE = (
    "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);"
)
_STATES = {
    "no table": "",
    "empty": _TABLE,
    "a row": _TABLE + "INSERT INTO schema_migrations VALUES (2, false)",
    "dirty": _TABLE + "INSERT INTO schema_migrations VALUES (2, true)",
    "-1 clean": _TABLE + "INSERT INTO schema_migrations VALUES (-1, false)",
    "-1 dirty": _TABLE + "INSERT INTO schema_migrations VALUES (-1, true)",
    "two rows": _TABLE + "INSERT INTO schema_migrations VALUES (1, false), (2, true)",
}


@pytest.mark.parametrize("sql", _STATES.values(), ids=_STATES)
@pytest.mark.parametrize(("version", "rows"), [(1, [(1, False)]), (None, [])])
def test_force_from_any_state(
    site: Site, sql: str, version: int | None, rows: list[tuple[int, bool]]
) -> None:
    """Whatever the ledger holds, force leaves exactly that one row, clean, and says so."""
    if sql:
        site.ask(sql)
    site.add_tables(1, 2).migrator().force(version)

    assert site.ledger() == rows
    assert site.history() == [(version, "force", "done")]
    assert site.tables() == set()


def test_force_needs_a_file(site: Site) -> None:
    """A version without a file is refused unless it is meant."""
    migrator = site.add_tables(1).migrator()
    error = failing(MissingMigrationFile, lambda: migrator.force(9))
    assert (error.version, error.versions) == (9, (1,))

    migrator.force(9, allow_missing_file=True)
    assert site.ledger() == [(9, False)]


def test_force_mends_a_dirty_database(site: Site) -> None:
    """After force the run goes on from that version."""
    site.add("1_a", "CREATE TABLE a ();\nVACUUM;\nSELECT 1/0;").add_tables(2)
    site.up_fails(MigrationFailed)
    site.migrator().force(1)

    assert site.up() == (2,)
    assert [outcome for *_, outcome in site.history()] == ["failed", "done", "done"]


def test_force_after_a_down_that_stopped(site: Site) -> None:
    """A part of the version is gone: a warning says so, and status until a run applies it."""
    site.add("1_a", "CREATE TABLE a ();", "DROP TABLE a;\nVACUUM;\nSELECT 1/0;").up()
    failing(MigrationFailed, site.migrator().down)
    site.migrator().force(1)

    (warned,) = [one.message for one in site.heard(Warned) if "the last down" in one.message]
    assert warned.startswith("the last down of version 1 failed; it counts as applied now")
    assert [line.state for line in site.migrator().status().lines] == ["forced"]


def test_down_all_the_way_and_up_again(site: Site) -> None:
    """Down and up as often as wanted: schema, ledger and history follow."""
    site.add_tables(1, 2, 3).up()
    assert [step.version for step in site.migrator().down(2).steps] == [3, 2]
    assert site.ledger() == [(1, False)]
    assert site.migrator().down(None).version is None
    assert (site.ledger(), site.tables()) == ([], set())
    assert [step.version for step in site.migrator().goto(2).steps] == [1, 2]

    kept = [version for version, _, _ in site.history()]
    assert kept == [1, 2, 3, 3, 2, 1, 1, 2]
    assert {outcome for _, _, outcome in site.history()} == {"done"}


def test_texts_are_kept_once(site: Site) -> None:
    """The SQL of a half is in the history once for each checksum it had."""
    site.add_tables(1).up()
    site.migrator().down()
    site.add("1_t1", "CREATE TABLE t1 (x int, y int);").up()
    texts = site.ask("SELECT up_sql, down_sql FROM schema_migrations_history ORDER BY id")

    assert texts == [
        ("CREATE TABLE t1 (x int);", "DROP TABLE t1;"),
        (None, None),
        ("CREATE TABLE t1 (x int, y int);", None),
    ]


_ALL_KINDS = """
    CREATE TABLE a (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, b_id int);
    CREATE TABLE b (id serial PRIMARY KEY, a_id int REFERENCES a);
    ALTER TABLE a ADD FOREIGN KEY (b_id) REFERENCES b;
    CREATE TABLE "Odd name; --" (x int);
    CREATE TABLE parts (x int) PARTITION BY RANGE (x);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (9);
    CREATE TABLE heir () INHERITS (a);
    CREATE SEQUENCE free; CREATE VIEW v AS SELECT * FROM a;
    CREATE MATERIALIZED VIEW m AS SELECT 1 AS x;
    CREATE TYPE colour AS ENUM ('red'); CREATE TYPE pair AS (x int, y colour);
    CREATE TYPE span AS RANGE (subtype = int); CREATE DOMAIN small AS int CHECK (VALUE < 9);
    CREATE FUNCTION f(colour) RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION f(colour, int) RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION g(elsewhere.kind) RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1';
    CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int);
    CREATE FUNCTION one_more(int) RETURNS int LANGUAGE sql AS 'SELECT $1 + 1';
    CREATE AGGREGATE number_of(*) (SFUNC = one_more, STYPE = int, INITCOND = '0');
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER touch BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE STATISTICS s ON id, b_id FROM a; CREATE COLLATION plain FROM "C";
    CREATE VIEW on_v AS SELECT * FROM v; CREATE MATERIALIZED VIEW on_m AS SELECT * FROM on_v;
    CREATE TABLE "sub" PARTITION OF parts FOR VALUES FROM (9) TO (99) PARTITION BY LIST (x);
    CREATE TABLE sub_1 PARTITION OF "sub" FOR VALUES IN (10); CREATE SEQUENCE owned OWNED BY a.id;
    CREATE FUNCTION same(colour, colour) RETURNS bool LANGUAGE sql AS 'SELECT true';
    CREATE OPERATOR === (LEFTARG = colour, RIGHTARG = colour, FUNCTION = same);
    CREATE OPERATOR !!! (RIGHTARG = int, FUNCTION = one_more);
    CREATE OPERATOR CLASS "By colour" FOR TYPE colour USING hash AS OPERATOR 1 ===;
    CREATE OPERATOR FAMILY alone USING btree;
    CREATE TEXT SEARCH DICTIONARY words (TEMPLATE = pg_catalog.simple);
    CREATE TEXT SEARCH CONFIGURATION "Search; --" (COPY = pg_catalog.simple);
    ALTER TEXT SEARCH CONFIGURATION "Search; --" ALTER MAPPING FOR word WITH words;
    CREATE TEXT SEARCH PARSER parse (START = prsd_start, GETTOKEN = prsd_nexttoken,
        END = prsd_end, LEXTYPES = prsd_lextype);
    CREATE TEXT SEARCH TEMPLATE like_simple (LEXIZE = dsimple_lexize);
    CREATE CONVERSION turn FOR 'LATIN1' TO 'UTF8' FROM pg_catalog.iso8859_1_to_utf8;
    CREATE STATISTICS far ON x, y FROM elsewhere.t; CREATE TYPE shell;
    CREATE DOMAIN "of domain" AS small; CREATE TYPE "Odd, type" AS ENUM ('x');
    CREATE FUNCTION "F, (x"("Odd, type", VARIADIC int[]) RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE PROCEDURE out_of(OUT int) LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION rows_of() RETURNS TABLE (x int) LANGUAGE sql AS 'SELECT 1';
"""
_LEFT = """
    SELECT 'relation', relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'function', proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT 'type', typname FROM pg_type WHERE typnamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'collation', collname FROM pg_collation WHERE collnamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'operator', oprname FROM pg_operator WHERE oprnamespace = 'public'::regnamespace
    UNION ALL SELECT 'class', opcname FROM pg_opclass WHERE opcnamespace = 'public'::regnamespace
    UNION ALL SELECT 'family', opfname FROM pg_opfamily WHERE opfnamespace = 'public'::regnamespace
    UNION ALL SELECT 'config', cfgname FROM pg_ts_config WHERE cfgnamespace = 'public'::regnamespace
    UNION ALL SELECT 'dict', dictname FROM pg_ts_dict WHERE dictnamespace = 'public'::regnamespace
    UNION ALL SELECT 'parser', prsname FROM pg_ts_parser WHERE prsnamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'template', tmplname FROM pg_ts_template WHERE tmplnamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'conversion', conname FROM pg_conversion WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'statistics', stxname FROM pg_statistic_ext WHERE stxnamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'any', 'class ' || d.classid::regclass || d.objid FROM pg_depend d
     WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = 'public'::regnamespace
       AND d.deptype = 'n'
"""


def test_drop_removes_all_kinds(site: Site) -> None:
    """Tables that refer to each other, views, types, functions, aggregates: all are gone."""
    site.ask("CREATE SCHEMA elsewhere; CREATE TYPE elsewhere.kind AS ENUM ('x')")
    site.ask("CREATE TABLE elsewhere.t (x int, y int)")
    site.ask(f"ALTER DATABASE {site.database.name} SET search_path = public, elsewhere")
    site.add("1_a", _ALL_KINDS).up()
    gone = site.migrator().drop()

    assert site.ask(_LEFT) == []
    assert {"table", "view", "type", "function", "sequence"} <= {loss.kind for loss in gone}
    assert site.ask("SELECT count(*) FROM pg_type WHERE typname IN ('kind', 't')") == [(2,)]
    assert site.up() == (1,)


def test_drop_keeps_what_an_extension_owns(site: Site) -> None:
    """An extension stays whole, with its types and functions."""
    available = site.ask("SELECT count(*) FROM pg_available_extensions WHERE name = 'hstore'")
    if available == [(0,)]:
        pytest.skip("this server has no hstore")
    site.add("1_a", "CREATE EXTENSION hstore; CREATE TABLE a (x hstore);").up()
    before = site.ask("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
    gone = site.migrator().drop()

    assert site.tables() == set()
    assert all("hstore" not in loss.table for loss in gone)
    assert site.ask("SELECT extname FROM pg_extension WHERE extname = 'hstore'") == [("hstore",)]
    after = site.ask("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
    assert before == after != [(0,)]


def test_drop_shows_what_goes_before_it_goes(site: Site) -> None:
    """`everything` lists the same as `drop` removes, with estimates, and touches nothing."""
    site.add("1_a", "CREATE TABLE a AS SELECT generate_series(1, 1000) AS x;\nANALYZE a;").up()
    shown = site.migrator().everything()

    assert site.tables() == {"a"}
    assert ("public.a", 1000) in [(loss.table, loss.rows) for loss in shown]
    assert site.migrator().drop() == shown


def test_drop_takes_the_ledger_and_its_schema_alone(site: Site) -> None:
    """Other schemas stay, but for a history of ours there."""
    site.ask("CREATE SCHEMA ops; CREATE SCHEMA log; CREATE TABLE log.kept ()")
    place = Database(site.database.conninfo, ledger_table="ops.v", history_table="log.h")
    migrator = site.add("1_a", "CREATE TABLE a (); CREATE TABLE ops.b ();").migrator(place)
    migrator.up()

    assert {loss.table for loss in migrator.drop()} == {"ops.v", "ops.b", "log.h"}
    left = "SELECT relnamespace::regnamespace::text || '.' || relname FROM pg_class WHERE relkind"
    assert ("log.kept",) in site.ask(f"{left} = 'r'")
    assert site.tables() == {"a"}
    assert not {("ops.v",), ("ops.b",), ("log.h",)} & set(site.ask(f"{left} = 'r'"))


def test_a_drop_that_is_refused_removes_nothing(site: Site) -> None:
    """One table of another role keeps all of them, and it is named."""
    site.add_tables(1, 2).up()
    name = f"app_{site.database.name}"
    site.ask(f"CREATE ROLE {name} LOGIN; GRANT USAGE, CREATE ON SCHEMA public TO {name}")
    for table in ("t1", "schema_migrations", "schema_migrations_history"):
        site.ask(f"ALTER TABLE {table} OWNER TO {name}")
    place = site.database.conninfo.replace("user=postgres", f"user={name}")
    error = failing(QueryFailed, site.migrator(place).drop)

    assert error.cause == "the server rejects the drop: must be owner of table t2 (SQLSTATE 42501)"
    assert "nothing was dropped" in error.hint
    assert (site.tables(), site.ledger()) == ({"t1", "t2"}, [(2, False)])
    site.ask(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_drop_of_an_empty_schema(site: Site) -> None:
    """Where nothing is, nothing goes."""
    assert site.migrator().drop() == ()


def test_force_to_a_version_with_only_a_down(site: Site) -> None:
    """It has nothing that could count as applied; told to, force says no command that fails."""
    site.add_tables(1).add("6_gone", down="SELECT 1;").up()
    with pytest.raises(MissingMigrationFile, match="has a down file and no up file"):
        site.migrator().force(6)
    site.migrator().force(6, allow_missing_file=True)

    said = site.heard(Warned)[-1].message
    assert "no up file" in said
    assert "mark-applied" not in said
