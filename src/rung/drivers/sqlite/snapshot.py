"""
The schema of a SQLite database as a `Snapshot`, read off the SQL that SQLite keeps of it.

A table's SQL is taken apart at the commas between its columns and constraints, for ALTER
TABLE adds to its end. Blanks, comments, letter case and quotes that a name needs not have
are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.drivers.sqlite.statements import statement
from rung.snapshot import Snapshot
from rung.statements import Dialect, TokenKind, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.drivers.sqlite.library import sqlite3
    from rung.drivers.sqlite.names import Names
    from rung.statements import Script, Token

_CONSTRAINTS = frozenset({"constraint", "primary", "unique", "check", "foreign"})
_CASELESS = frozenset({TokenKind.WORD, TokenKind.NUMBER})


def snapshot(database: sqlite3.Connection, names: Names) -> Snapshot:
    """
    The whole schema.

    Args:
        database: a connection in a transaction that has begun.
        names: ledger and history, which are left out.
    """
    left_out = (names.ledger, names.history, f"{names.ledger}_lease")
    shown = ", ".join("'" + name.lower().replace("'", "''") + "'" for name in left_out)
    rows = database.execute(statement("schema", left_out=shown)).fetchall()
    return Snapshot.of(entry for row in rows for entry in _entries(*row))


def _entries(kind: str, name: str, table: str, sql: str | None) -> Iterator[tuple[str, str]]:
    words = _words(read(sql or "", Dialect.SQLITE))
    if kind != "table" or "(" not in words or words[1:2] == ["virtual"]:
        on = f" on {table}" if kind == "trigger" else ""
        yield f"{kind} {name}{on}", " ".join(words)
        return
    inside, around = _apart(words)
    yield f"table {name}", " ".join(around)
    for part in inside:
        what = f"column {name}.{part[0]}"
        if part[0] in _CONSTRAINTS:
            what = f"constraint on {name}"
        yield what, " ".join(part)


def _words(script: Script) -> list[str]:
    tokens = (token for token in script.tokens if token.kind is not TokenKind.DIRECTIVE)
    return [_word(script.text, token) for token in tokens]


def _word(text: str, token: Token) -> str:
    part = text[token.start : token.end]
    if token.kind is TokenKind.QUOTED_NAME and part[1:-1].isidentifier():
        return part[1:-1].lower()
    return part.lower() if token.kind in _CASELESS else part


def _apart(words: Sequence[str]) -> tuple[list[list[str]], list[str]]:
    """The columns and constraints of a table's SQL, and what follows behind them."""
    parts: list[list[str]] = [[]]
    depth = 0
    first = list(words).index("(")
    for at, word in enumerate(words[first:], first):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth == 0:
            return [part for part in parts if part], list(words[at + 1 :])
        if depth == 1 and word == ",":
            parts.append([])
        elif at > first:
            parts[-1].append(word)
    return [part for part in parts if part], []
