"""A failure's message: SQLite's words, the place, whether it would run alone."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from rung.drivers.sqlite import errors
from rung.drivers.sqlite.library import needs_newer, sqlite3
from rung.script import Dialect, read

if TYPE_CHECKING:
    from rung.drivers.transaction import StatementFailure


def refused(text: str) -> StatementFailure:
    """The failure of the first statement of a file that fails inside a transaction."""
    script = read(text, Dialect.SQLITE)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.execute("CREATE TABLE a (x UNIQUE)")
        database.execute("BEGIN")
        for one in script.statements:
            try:
                database.execute(text[one.start : one.end]).fetchall()
            except sqlite3.Error as error:
                return errors.of_statement(script, one, error, done=one.number - 1)
    raise AssertionError(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("SELECT 1;\nselct 2", "selct"),
        ("SELECT x FROM nowhere", "nowhere"),
        ('SELECT x FROM "No Where"', None),
        ("SELECT a.y FROM a", "y"),
        ("CREATE TABLE [a] (x)", "[a]"),
        ("SELECT nothing(1)", "nothing"),
        ("SELECT 1 FROM WHERE", "WHERE"),
        ("SELECT ^ 1", "^"),
        ("SELECT (1, 2, y) FROM a WHERE y", None),
        ("INSERT INTO a VALUES (1), (1)", None),
        ("SELECT", None),
    ],
)
def test_the_place(text: str, place: str | None) -> None:
    """It is the word that SQLite names, where the statement has it once."""
    expected = None if place is None else text.index(place)

    assert refused(text).offset == expected


def test_the_words() -> None:
    """The statement is counted, and what SQLite says is told to the letter."""
    failure = refused("SELECT 1; INSERT INTO a VALUES (1), (1)")

    assert (failure.statement, failure.statements_done) == (2, 1)
    assert failure.server.lines() == ("UNIQUE constraint failed: a.x",)


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("VACUUM", True),
        ("PRAGMA synchronous = OFF", True),
        ("CREATE TEMP TABLE b (x); PRAGMA temp_store = MEMORY", True),
        ("ATTACH ':memory:' AS b; CREATE TABLE b.c (x); DETACH b", True),
        ("BEGIN; COMMIT", False),
        ("SELECT y FROM a", False),
    ],
)
def test_what_would_run_alone(text: str, *, alone: bool) -> None:
    """A statement that only the transaction stood in the way of can be sent without one."""
    assert refused(text).needs_no_transaction is alone


@pytest.mark.parametrize("code", [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL])
def test_where_the_file_is_not_at_fault(code: int) -> None:
    """The hint is not to fix the file."""
    error = sqlite3.OperationalError("no")
    error.sqlite_errorcode = code

    assert errors.of_ours(error, done=1).remedy
    assert not errors.of_ours(sqlite3.OperationalError("no"), done=1).remedy


@pytest.mark.parametrize(
    ("said", "sql", "what"),
    [
        ("no such function: json_pretty", "SELECT json_pretty(x)", "which has no such json_pretty"),
        ('near "RETURNING": syntax error', "INSERT INTO a VALUES (1) RETURNING x", "RETURNING"),
        ('near "strict": syntax error', "CREATE TABLE b (x INT) strict", "STRICT tables"),
        ('near ">": syntax error', "SELECT x ->> 'a' FROM a", "-> and ->>"),
        ('near "COLUMN": syntax error', "ALTER TABLE a DROP COLUMN x", "DROP COLUMN"),
        ('near "selct": syntax error', "selct 1", ""),
        ("no such table: b", "SELECT x ->> 'a' FROM b", ""),
    ],
)
def test_what_a_newer_library_has(
    said: str, sql: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version here is told, and how to get a newer one; no other error is explained so."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 22, 0))
    found = needs_newer(said, sql)

    assert what in found
    assert bool(found) == bool(what)
    assert not what or f"SQLite here is {sqlite3.sqlite_version}" in found
    assert not what or "`pip install" in found
