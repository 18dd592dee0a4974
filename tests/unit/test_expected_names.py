"""The names that files plainly make and leave; nothing that only might be there."""

from __future__ import annotations

import pytest

from rung.script.created_names import expected_names, used_by
from rung.script.dialect import Dialect
from rung.script.expected_names import MOST_NAMES, Expected
from rung.source import Migration, MigrationFile


def of(*texts: str, dialect: Dialect = Dialect.POSTGRES) -> Expected:
    """What some ups make, in order."""
    return expected_names(
        [
            Migration(version, MigrationFile(f"{version}.up.sql", "t", text))
            for version, text in enumerate(texts, 1)
        ],
        dialect,
    )


def names(*texts: str, dialect: Dialect = Dialect.POSTGRES) -> list[str]:
    """The same, each in words."""
    return [str(name) for name in of(*texts, dialect=dialect).names]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE TABLE Users (id int, roleName text)", ["table users"]),
        ('CREATE UNLOGGED TABLE IF NOT EXISTS "Us""ers" ()', ['table Us"ers']),
        ("CREATE TABLE app . users ()", ["table app.users"]),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", ["view v"]),
        ("CREATE MATERIALIZED VIEW m AS SELECT 1", ["materialized view m"]),
        ("CREATE SEQUENCE s; CREATE TYPE t AS ENUM ('DROP')", ["sequence s", "type t"]),
        ("CREATE DOMAIN d AS text", ["domain d"]),
        ("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON app.t (x)", ["index app.i"]),
        ("CREATE INDEX ON t (x); CREATE INDEX i ON ONLY t (x)", ["index i"]),
        (
            "ALTER TABLE ONLY t ADD COLUMN IF NOT EXISTS a int, ADD CHECK (a > 0), ADD b text",
            ['column "a" of t', 'column "b" of t'],
        ),
        ("CREATE TABLE a (b int REFERENCES c ON DELETE CASCADE)", ["table a"]),
    ],
)
def test_what_a_file_makes(text: str, expected: list[str]) -> None:
    """Each name is as the catalog has it: folded, unquoted, with the schema that is written."""
    assert names(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "DO $$ BEGIN CREATE TABLE t (); END $$",
        "CREATE TEMP TABLE t (x int); ALTER TABLE t ADD COLUMN y int; CREATE INDEX i ON t (x)",
        "CREATE TEMP TABLE t (x int); CREATE VIEW v AS SELECT * FROM t",
        "SELECT 1 AS x INTO TEMP t; ALTER TABLE t ADD COLUMN y int",
        "CREATE TABLE pg_temp.t (x int)",
        "ALTER TABLE IF EXISTS t ADD COLUMN y int",
        "BEGIN; CREATE TABLE t (); ROLLBACK",
        "CREATE TABLE ÄRGER ()",
        'CREATE TABLE U&"d\\0061t" ()',
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA s CREATE TABLE t ()",
        "CREATE TABLE t (x text DEFAULT 'open)",
    ],
)
def test_what_is_not_claimed(text: str) -> None:
    """What may not be there, or under a name that cannot be told, is not expected."""
    assert names(text) == []


@pytest.mark.parametrize(
    ("later", "left"),
    [
        ("DROP TABLE a", ["type e"]),
        ("DROP TABLE IF EXISTS x, public.A", ["type e"]),
        ("ALTER TABLE a DROP c", ["table a", "type e"]),
        ("ALTER TABLE a RENAME COLUMN c TO d", ["table a", "index i", "type e", 'column "d" of a']),
        ("ALTER TABLE a RENAME TO b", ["type e", "table b"]),
        ("ALTER TABLE a SET SCHEMA s", ["type e"]),
        ("DROP INDEX CONCURRENTLY i", ["table a", 'column "c" of a', "type e"]),
        ("ALTER INDEX i RENAME TO j", ["table a", 'column "c" of a', "type e"]),
        (
            "ALTER TABLE a ADD CONSTRAINT k UNIQUE USING INDEX i",
            ["table a", 'column "c" of a', "type e"],
        ),
        ("ALTER TYPE e RENAME TO f", ["table a", 'column "c" of a', "index i", "type f"]),
        ("DROP TYPE e", ["table a", 'column "c" of a', "index i"]),
        ("DROP SCHEMA s", []),
        ("DROP EXTENSION x", []),
        ("DROP OPERATOR CLASS x USING btree CASCADE", []),
        (
            "DO $$ BEGIN ALTER TABLE b DROP CONSTRAINT i; END $$",
            ["table a", 'column "c" of a', "type e"],
        ),
        ("DO $$ BEGIN DROP TABLE public.a; END $$", ["type e"]),
        ("DO $$ BEGIN ALTER TABLE A DROP COLUMN c; END $$", ["type e"]),
        ("DO $$ BEGIN DROP TABLE b CASCADE; END $$", []),
        ("DO $$ BEGIN EXECUTE 'drop table ' || 'a'; END $$", []),
        ("SELECT drop_everything()", []),
        ("CREATE PROCEDURE p() LANGUAGE sql AS 'DROP TABLE a'; CALL p()", []),
        ('DROP TABLE U&"\\0061"', []),
        ("SELECT 'open", []),
        ("DO $$ BEGIN PERFORM 1; END $$", ["table a", 'column "c" of a', "index i", "type e"]),
        ("DELETE FROM a", ["table a", 'column "c" of a', "index i", "type e"]),
    ],
)
def test_what_a_later_file_takes_away(later: str, left: list[str]) -> None:
    """What it drops, renames or moves is not expected any more, nor what may go with it."""
    made = "CREATE TABLE a (); ALTER TABLE a ADD COLUMN c int; CREATE INDEX i ON a (c);"

    assert names(f"{made} CREATE TYPE e AS ENUM ();", later) == left


@pytest.mark.parametrize(
    ("later", "left"),
    [
        ("DROP VIEW x CASCADE", "aefh0"),
        ("DROP FUNCTION x(numeric(1, 2)), s.G CASCADE", "ae0"),
        ("DROP TYPE e CASCADE", "a0"),
        ("DROP TABLE a CASCADE", "e0"),
        ("ALTER TABLE a DROP COLUMN f CASCADE", "ae0"),
        ("ALTER TABLE a ADD FOREIGN KEY (f) REFERENCES b ON DELETE CASCADE", "aefhvwm0"),
        ("TRUNCATE a CASCADE", "aefhvwm0"),
    ],
)
def test_what_a_cascade_takes_along(later: str, left: str) -> None:
    """Every view, and what names what goes, directly or through what goes with it."""
    made = (
        "CREATE TABLE a (); CREATE TYPE e AS ENUM (); CREATE DOMAIN d AS e;"
        "ALTER TABLE a ADD f d DEFAULT g(1); CREATE INDEX h ON a (g(f));"
        "CREATE VIEW v AS SELECT; CREATE MATERIALIZED VIEW w AS SELECT; CREATE INDEX m ON w (x);"
        "CREATE TABLE zero (c text);"
    )
    shown = {"zero": "0"}
    found = of(made, later).names

    assert sorted(shown.get(n.name, n.column or n.name) for n in found if n.name != "d") == sorted(
        left
    )


def test_a_function_that_drops() -> None:
    """What calls it, directly or through another function, may drop anything; other code not."""
    made = "CREATE TABLE a (); CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'DROP TABLE a';"
    calls = "CREATE FUNCTION g() RETURNS void LANGUAGE sql AS 'SELECT f()';"

    assert names(made, calls, "SELECT h(); WITH x AS (SELECT 1) SELECT * FROM x") == ["table a"]
    for call in ("SELECT g()", "INSERT INTO b SELECT G()", "DO $$ BEGIN PERFORM s.g(); END $$"):
        assert names(made, calls, call) == []


def test_partitions_go_with_their_table() -> None:
    """They need no CASCADE, and neither does what was attached."""
    made = "CREATE TABLE p (x int) PARTITION BY LIST (x); CREATE TABLE a PARTITION OF p DEFAULT;"
    attached = "CREATE TABLE b (x int); ALTER TABLE p ATTACH PARTITION b FOR VALUES IN (1);"

    assert names(made + attached) == ["table p", "table a", "table b"]
    assert names(made + attached, "DROP TABLE p") == []


def test_a_table_that_is_built_again_in_sqlite() -> None:
    """Its recipe ends with a rename: the table is there, what hung on the old one may not be."""
    made = "CREATE TABLE Main.T (x); CREATE INDEX i ON t (x); CREATE VIEW v AS SELECT 1;"
    made += "ALTER TABLE t ADD y;"
    again = "CREATE TABLE new_t (x); DROP TABLE t; ALTER TABLE new_t RENAME TO [t];"

    assert names(made, dialect=Dialect.SQLITE)[:2] == ["table T", "index i"]
    assert names(made, again, dialect=Dialect.SQLITE) == ["view v", "table t"]


@pytest.mark.parametrize("text", ["SET search_path TO app", "set  local role x", "SET SCHEMA 'x'"])
def test_where_a_name_may_be(text: str) -> None:
    """Where a file changes what a name means, it may be in any schema."""
    assert of(f"{text}; CREATE TABLE t ()").anywhere
    assert not of("CREATE TABLE t ()").anywhere


def test_what_was_not_read_is_told() -> None:
    """Code and files that cannot be read are named; so is how many names are left out."""
    many = "".join(f"CREATE TABLE t{n} ();" for n in range(MOST_NAMES + 2))
    found = of("DO $$ BEGIN END $$", "SELECT 'open", many)

    assert [str(one) for one in found.not_read] == [
        "code called by DO in 1.up.sql",
        "statements that cannot be read in 2.up.sql",
    ]
    assert (len(found.names), found.left_out) == (MOST_NAMES, 2)


@pytest.mark.parametrize(
    ("statement", "used"),
    [
        ("SELECT id FROM a -- b", ["table a"]),
        ('SELECT "C" FROM public.A WHERE x = %(c)s', ["table a", 'column "c" of a']),
        ("SELECT c FROM x WHERE y = 'a'", []),
        ("UPDATE b SET x = 1", ["table b"]),
    ],
)
def test_which_names_a_statement_uses(statement: str, used: list[str]) -> None:
    """By the words in it; comments and strings are none, and a column needs its table."""
    made = of("CREATE TABLE a (); ALTER TABLE a ADD c int; CREATE TABLE b ();").names

    assert [str(name) for name in used_by(made, [statement])] == used
