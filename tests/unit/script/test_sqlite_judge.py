"""SQLite itself judges our reading: where statements end, and what is a transaction."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rung.errors import ClientCommand, ScriptError, UnbalancedTransaction
from rung.script import Dialect, read
from rung.script.sqlite.lexer import tokens_of
from rung.script.sqlite.splitter import cut

# Pieces that make and break every rule when strung together at random.
PIECES = [
    *("CREATE", "TEMP", "TEMPORARY", "TRIGGER", "EXPLAIN", "END", "BEGIN", "CASE", "SELECT", "a"),
    *(";", "'", '"', "`", "[", "]", "--", "-", "/*", "*/", "/", "*", "\n", "\r", " ", "\v", "\f"),
    *("x'", "1", ".", "e", "+", "(", ")", ":a", "?", "$", "@", "#", "é", "\ufeff", "\\", "''"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
@settings(max_examples=600)
def test_statements_end_where_sqlite_ends_them(text: str) -> None:
    """Each piece is complete with its semicolon, and the rest behind the last is not."""
    try:
        pieces = cut(text).statements
    except ClientCommand:
        return
    except ScriptError:
        assert not sqlite3.complete_statement(text)
        return
    assume(pieces)
    assume("/*" not in text[pieces[-1].end :])
    # A byte order mark is white space to SQLite's tokenizer, and a word to this function.
    assume("\ufeff" not in text[pieces[-1].end :])
    closed = [token.start for token in tokens_of(text) if text[token.start] == ";"]

    assert all(sqlite3.complete_statement(text[one.start : one.end] + ";") for one in pieces[:-1])
    assert sqlite3.complete_statement(text) == any(at >= pieces[-1].end for at in closed)


@given(st.lists(st.sampled_from(["BEGIN", "COMMIT", "END", "ROLLBACK"]), max_size=5))
def test_blocks_are_those_that_sqlite_runs(statements: list[str]) -> None:
    """What is refused for its BEGIN and COMMIT is what SQLite would refuse, or leave open."""
    text = ";".join(statements)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        try:
            for sql in statements:
                database.execute(sql)
            runs = not database.in_transaction
        except sqlite3.OperationalError:
            runs = False
    try:
        read(text, Dialect.SQLITE)
        accepted = True
    except UnbalancedTransaction:
        accepted = False

    assert accepted == runs
