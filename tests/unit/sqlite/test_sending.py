"""A file's statements as they are sent, judged by SQLite's own way to run the whole file."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.drivers.sqlite.execute import sent
from rung.script import Dialect, read

if TYPE_CHECKING:
    from collections.abc import Callable

GAPS = ["", " ", "\n", "\r\n", "\t", "\f", " -- a; 'b\n", "/* a; */", "/* ' /* ; */", "\n\ufeff"]
STATEMENTS = [
    "INSERT INTO a VALUES ('it''s; so')",
    'INSERT INTO a VALUES ("x""; y")',
    "INSERT INTO a VALUES (x'0F'), (0xE+1), (.5e-1), (1.), (NULL)",
    "INSERT INTO a SELECT '{\"k\": 7}'->>'k' WHERE 1<=2",
    'CREATE TABLE [b;] (`c;` int, "d""" text CHECK ("d""" <> \';\')) -- z\n',
    "INSERT INTO [b;] VALUES (1, '/* -- ;')",
    "UPDATE a SET x = CASE WHEN x IS NULL THEN 'end;' ELSE x END",
    "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; DELETE FROM a; END",
    "CREATE TEMP TRIGGER u AFTER DELETE ON a BEGIN SELECT 1 /* ; END; */ ; END",
    "CREATE VIEW v(y) AS SELECT x FROM a -- rung: z\n",
    "SAVEPOINT s",
    "SELECT nothing",
]


@given(
    st.lists(
        st.tuples(st.sampled_from(STATEMENTS), st.sampled_from(GAPS), st.sampled_from(GAPS)),
        max_size=6,
    ),
    st.sampled_from(["", ";", ";;\n", "; -- c"]),
)
@settings(max_examples=200, deadline=None)
def test_one_by_one_is_as_the_whole(parts: list[tuple[str, str, str]], behind: str) -> None:
    """Up to the first error they leave what SQLite's own reading leaves, to the letter."""
    text = ";".join(f"{before}{sql}{gap}" for sql, before, gap in parts) + behind
    script = read(text, Dialect.SQLITE)

    assert len(script.statements) == len(parts)
    assert _left_by(lambda database: _one_by_one(database, text)) == _left_by(
        lambda database: database.executescript(text)
    )


@pytest.mark.parametrize("text", ["SELECT 1", "SELECT 1 -- a", "SELECT 1 /* b", "SELECT 1\n;\n"])
def test_a_statement_goes_on_to_its_semicolon(text: str) -> None:
    """What stands before the semicolon, or behind the last statement, is sent with it."""
    script = read(f"{text}", Dialect.SQLITE)

    assert sent(script, script.statements[0]) == text.rstrip("\n")


def _one_by_one(database: sqlite3.Connection, text: str) -> None:
    script = read(text, Dialect.SQLITE)
    for one in script.statements:
        database.execute(sent(script, one)).fetchall()


def _left_by(run: Callable[[sqlite3.Connection], object]) -> list[str]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.execute("CREATE TABLE a (x)")
        with suppress(sqlite3.Error):
            run(database)
        return list(database.iterdump())
