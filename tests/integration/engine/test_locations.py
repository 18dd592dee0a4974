"""A failure is told with the right file, line and column, and leaves nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing

from rung.errors import MigrationFailed
from rung.escaping import columns
from rung.render.errors import full_text

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site

_PLACES: dict[str, tuple[str | bytes, int, int, str]] = {
    "first line": ("SELEKT 1;\nSELECT 1;", 1, 1, "42601"),
    "middle": ("SELECT 1;\nSELECT * FROM nowhere;\nSELECT 1;", 2, 15, "42P01"),
    "last, no semicolon": ("SELECT 1;\n\n  SELECT x", 3, 10, "42703"),
    "at the end": ("SELECT 1;\nSELECT (1", 2, 0, "42601"),
    "crlf": ("SELECT 1;\r\nSELECT 2;\r\n  SELECT nothing;\r\n", 3, 10, "42703"),
    "bom": ("\ufeffSELECT nothing;", 1, 8, "42703"),
    "bom and crlf": ("\ufeff-- é\r\nSELECT 'é', nothing;", 2, 13, "42703"),
    "non-ascii": ("-- é ü 漢字 🐘\nSELECT 'é🐘漢', nothing;", 2, 15, "42703"),
    "tabs": ("SELECT 1;\n\t\tSELECT\tnothing;", 2, 10, "42703"),
    "after copy data": (
        "CREATE TABLE a (x text);\nCOPY a FROM STDIN;\né\n漢\n\\.\nSELECT 1;\nSELECT nothing;",
        7,
        8,
        "42703",
    ),
    "no position": ("SELECT 1;\n\nSELECT\n1/0;\nSELECT 2;", 3, 0, "22012"),
    "constraint": (
        (
            "CREATE TABLE a (x int PRIMARY KEY);\nINSERT INTO a VALUES (1);\n-- again\n"
            "INSERT INTO a VALUES (1);"
        ),
        4,
        0,
        "23505",
    ),
    "inside a function": (
        (
            "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n"
            "RETURN (SELECT 1 FROM nowhere);\nEND $$;\n\nSELECT f();"
        ),
        6,
        0,
        "42P01",
    ),
    "inside a DO": ("SELECT 1;\nDO $$\nBEGIN\nPERFORM 1/0;\nEND $$;", 2, 0, "22012"),
    "copy data": (
        "CREATE TABLE a (x int);\nSELECT 1;\nCOPY a FROM STDIN;\n1\ntwo\n\\.\nSELECT 1;",
        3,
        0,
        "22P02",
    ),
    "rule with two answers": (
        (
            "CREATE TABLE a (x int);\n"
            "CREATE RULE r AS ON INSERT TO a DO ALSO (SELECT 1; SELECT 2; SELECT 3);\n"
            "INSERT INTO a VALUES (1);\nSELECT 1/0;\nSELECT 2;\nSELECT 3;"
        ),
        4,
        0,
        "22012",
    ),
    "many on one line": ("SELECT 1; SELECT 2; SELECT nothing; SELECT 3;", 1, 28, "42703"),
    "empty statements": (";;\n;\nSELECT 1;;\nSELECT 1/0;;", 4, 0, "22012"),
}


@pytest.mark.parametrize(("text", "line", "column", "state"), _PLACES.values(), ids=_PLACES)
def test_the_place_of_an_error(
    site: Site, text: str | bytes, line: int, column: int, state: str
) -> None:
    """The error names the line, the column where the server gives one, and nothing is kept."""
    error = site.add("1_a", text).up_fails(MigrationFailed)

    assert error.server.sqlstate == state
    assert (error.place.file, error.place.line) == ("1_a.up.sql", line)
    assert column in (0, error.place.column)
    assert (error.dirty, site.ledger(), site.tables()) == (False, [], set())
    assert site.history() == [(1, "up", "failed")]


@pytest.mark.parametrize("text", [_PLACES["non-ascii"][0], _PLACES["crlf"][0], _PLACES["tabs"][0]])
def test_the_excerpt_is_the_line(site: Site, text: str) -> None:
    """The line of SQL is shown without its line end, with a caret under the word."""
    error = site.add("1_a", text).up_fails(MigrationFailed)
    excerpt, caret = error.place.lines()[1:]

    assert excerpt == f"  {error.place.line} | " + text.splitlines()[error.place.line - 1]
    start = next(k for k in range(len(excerpt)) if columns(excerpt[:k]) == caret.index("^"))
    assert excerpt[start:].startswith("nothing")


@pytest.mark.parametrize("own", [False, True])
def test_a_deferred_constraint_fails_at_commit(site: Site, *, own: bool) -> None:
    """What fails at COMMIT says so, ours or the file's, and is rolled back whole."""
    text = (
        "CREATE TABLE a (x int UNIQUE DEFERRABLE INITIALLY DEFERRED);\n"
        "INSERT INTO a VALUES (1), (1);\n"
    )
    site.add("1_a", f"BEGIN;\n{text}COMMIT;" if own else text)
    error = site.up_fails(MigrationFailed)

    assert (error.at_commit, error.dirty) == (True, False)
    assert "failed at COMMIT" in str(error)
    assert (site.tables(), site.ledger()) == (set(), [])


def test_the_error_says_all_that_the_server_said(site: Site) -> None:
    """Message, SQLSTATE, detail, hint, context, place, state and next step are in the text."""
    raises = "RAISE 'no' USING DETAIL = 'the detail', HINT = 'the hint', ERRCODE = 'P0042';"
    site.add_tables(1).add("2_b", f"SELECT 1;\nDO $$ BEGIN\n{raises}\nEND $$;")
    error = site.up_fails(MigrationFailed)

    assert error.applied == (1,)
    for words in (
        "migration 2 (b) failed: no (SQLSTATE P0042)",
        "detail: the detail",
        "hint: the hint",
        "detail: PL/pgSQL function inline_code_block line 2 at RAISE",
        "2_b.up.sql:2",
        "database: clean at version 1; the failed migration was rolled back",
        "hint: fix 2_b.up.sql and run `rung up` again; no force is needed",
    ):
        assert words in full_text(error)


def test_the_run_goes_on_from_a_failure(site: Site) -> None:
    """After the file is fixed the same command succeeds, and the history keeps the failure."""
    site.add_tables(1, 3).add("2_b", "SELECT 1/0;").up_fails(MigrationFailed)

    assert site.add("2_b", "SELECT 1;").up() == (2, 3)
    assert site.history() == [
        (1, "up", "done"),
        (2, "up", "failed"),
        (2, "up", "done"),
        (3, "up", "done"),
    ]


def test_a_failing_down_leaves_its_version(site: Site) -> None:
    """A down that fails leaves the database clean at the version it was at."""
    site.add_tables(1).add("2_b", "CREATE TABLE b ();", "DROP TABLE b;\nDROP TABLE c;").up()

    error = failing(MigrationFailed, site.migrator().down)
    assert (error.direction, error.place.line) == ("down", 2)
    assert (site.ledger(), site.tables()) == ([(2, False)], {"t1", "b"})


def test_a_failed_attempt_is_told_in_the_history(site: Site) -> None:
    """The row of a failed attempt holds the statement, the words and both halves' SQL."""
    site.add("1_a", "SELECT 1;\nSELECT nothing;", "SELECT 3;").up_fails(MigrationFailed)
    rows = site.ask("SELECT error, up_sql, down_sql, tool FROM schema_migrations_history")

    ((error, up, down, tool),) = rows
    assert error.startswith('statement 2: column "nothing" does not exist (SQLSTATE 42703)')
    assert (up, down, tool) == ("SELECT 1;\nSELECT nothing;", "SELECT 3;", "rung")
