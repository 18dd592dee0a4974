"""
What `drop` lists and removes: the tables and views of a database, with all that hangs on them.

Indexes and triggers go with their tables, the tables in which a virtual table keeps what it
holds go with it, and the rows of sqlite_sequence with the tables that they count for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rung.drivers.sqlite.library import sqlite3
from rung.drivers.sqlite.table_names import in_main, quoted, statement
from rung.script import Dialect, TokenKind, read
from rung.script.data_loss import CHANGES_BY, MOST_ROWS, ROWS_OF, VALUES_IN, DataLoss
from rung.script.identifiers import parts_of, unquoted
from rung.snapshot import SchemaObject, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.drivers.sqlite.table_names import SqliteNames
    from rung.script import Script, Token


_PLAIN = re.compile(r"[A-Za-z_]\w*\Z")
_WITH_TABLE_LIST = (3, 37)


def objects(database: sqlite3.Connection) -> tuple[DataLoss, ...]:
    """Every table with its rows and every view, tables first; without what goes with them."""
    shadows = _shadows(database)
    found = database.execute(statement("objects")).fetchall()
    return tuple(
        counted(database, DataLoss(_kind(kind, virtual), _shown(name)), in_main(name))
        for kind, name, virtual in found
        if name not in shadows
    )


def drop(database: sqlite3.Connection) -> None:
    """
    Drop everything, in a transaction that the caller began with foreign keys off.

    Virtual tables go first: what is left of them is no table of its own any more.
    """
    for wanted in ("virtual table", "table", "view"):
        for kind, name, virtual in database.execute(statement("objects")).fetchall():
            if _kind(kind, virtual) == wanted:
                database.execute(f"DROP {kind} IF EXISTS {in_main(name)}")


def counted(database: sqlite3.Connection, loss: DataLoss, table: str) -> DataLoss:
    """
    A loss with its rows, counted up to `MOST_ROWS`.

    Args:
        database: the connection.
        loss: of a table, or of a column, whose values are counted then.
        table: its name as SQL.
    """
    if loss.unknown_reason or loss.kind in ("view", CHANGES_BY):
        return loss
    condition = f"WHERE {loss.column} IS NOT NULL" if loss.column else ""
    places = {"table": table, "condition": condition, "bound": str(MOST_ROWS + 1)}
    try:
        row = database.execute(statement("first_rows", **places)).fetchone()
    except (sqlite3.Error, sqlite3.Warning) as error:
        return loss.uncounted(str(error))
    return loss.counted(int(row[0]))


def with_referencing(
    database: sqlite3.Connection, loss: DataLoss, *, enforced: bool
) -> Iterator[DataLoss]:
    """
    A counted loss, followed by the tables whose rows are deleted with it by foreign keys.

    Args:
        database: the connection.
        loss: of a table that is dropped, which deletes its rows first, or of rows.
        enforced: whether a run has foreign keys on; nothing goes along where they are off.
    """
    yield counted(database, loss, loss.table)
    name = parts_of(loss.table)
    if not enforced or loss.kind not in ("table", ROWS_OF) or not name:
        return
    last = (unquoted(name[-1]),)
    for table, goes in database.execute(statement("referencing"), last).fetchall():
        along = DataLoss(ROWS_OF if goes else VALUES_IN, _shown(table))
        yield along.uncounted("by their foreign key")


def _shown(name: str) -> str:
    return name if _PLAIN.match(name) else quoted(name)


def _kind(kind: str, virtual: int | None) -> str:
    return "virtual table" if virtual else str(kind)


def _shadows(database: sqlite3.Connection) -> set[str]:
    """Older libraries cannot tell; there the shadows are listed beside their table."""
    if sqlite3.sqlite_version_info < _WITH_TABLE_LIST:
        return set()
    return {name for (name,) in database.execute(statement("shadows"))}


_CONSTRAINTS = frozenset({"constraint", "primary", "unique", "check", "foreign"})
_CASELESS = frozenset({TokenKind.WORD, TokenKind.NUMBER})


def snapshot(database: sqlite3.Connection, names: SqliteNames) -> Snapshot:
    """
    The whole schema.

    Args:
        database: a connection in a transaction that has begun.
        names: ledger and history, which are left out.
    """
    left_out = (names.ledger, names.history, f"{names.ledger}_lease")
    shown = ", ".join("'" + name.lower().replace("'", "''") + "'" for name in left_out)
    rows = database.execute(statement("schema", left_out=shown)).fetchall()
    return Snapshot.of((entry for row in rows for entry in _entries(*row)), "SQLite 3")


def _entries(kind: str, name: str, table: str, sql: str | None) -> Iterator[SchemaObject]:
    words = _words(read(sql or "", Dialect.SQLITE))
    identity, parent = f"{kind} {name}", None if kind in ("table", "view") else f"table {table}"
    if kind != "table" or "(" not in words or words[1:2] == ["virtual"]:
        on = f" on {table}" if kind == "trigger" else ""
        yield SchemaObject(identity + on, " ".join(words), parent)
        return
    inside, around = _apart(words)
    yield SchemaObject(identity, " ".join(around))
    columns = [part[0] for part in inside if part[0] not in _CONSTRAINTS]
    yield SchemaObject(f"column order of {identity}", ", ".join(columns), identity)
    for part in inside:
        is_column = part[0] not in _CONSTRAINTS
        what = f"column {name}.{part[0]}" if is_column else f"constraint on {name}"
        yield SchemaObject(what, " ".join(part), identity)


def _words(script: Script) -> list[str]:
    tokens = (token for token in script.tokens if token.kind is not TokenKind.DIRECTIVE)
    return [_word(script.text, token) for token in tokens]


def _word(text: str, token: Token) -> str:
    part = text[token.start : token.end]
    if token.kind is TokenKind.QUOTED_NAME and part[1:-1].isidentifier():
        return part[1:-1].lower()
    return part.lower() if token.kind in _CASELESS else part


def _apart(words: Sequence[str]) -> tuple[list[list[str]], list[str]]:
    """The columns and constraints of a table's SQL, and what follows them."""
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
