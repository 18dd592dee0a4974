"""
What `drop` lists and removes: the tables and views of a database, with all that hangs on them.

Indexes and triggers go with their tables, the tables in which a virtual table keeps what it
holds go with it, and the rows of sqlite_sequence with the tables that they count for.
"""

from __future__ import annotations

import re
import sqlite3

from rung.drivers.sqlite.statements import in_main, quoted, statement
from rung.losses import Loss

_PLAIN = re.compile(r"[A-Za-z_]\w*\Z")
_MANY = 100_000
_WITH_TABLE_LIST = (3, 37)


def objects(database: sqlite3.Connection) -> tuple[Loss, ...]:
    """Every table with its rows and every view, tables first; without what goes with them."""
    shadows = _shadows(database)
    found = database.execute(statement("objects")).fetchall()
    return tuple(
        Loss(_kind(kind, virtual), _shown(name), rows=_rows_of(database, kind, in_main(name)))
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


def estimated_rows(database: sqlite3.Connection, table: str) -> int | None:
    """
    How many rows a table has: counted up to a hundred thousand, else by its highest row.

    Args:
        database: the connection.
        table: its name as SQL.
    """
    try:
        question = statement("first_rows", table=table, bound=str(_MANY))
        counted = int(database.execute(question).fetchone()[0])
        if counted < _MANY:
            return counted
        highest = database.execute(statement("highest_row", table=table)).fetchone()[0]
    except (sqlite3.Error, sqlite3.Warning):
        return None
    return highest if isinstance(highest, int) else counted


def _shown(name: str) -> str:
    return name if _PLAIN.match(name) else quoted(name)


def _rows_of(database: sqlite3.Connection, kind: str, table: str) -> int | None:
    return estimated_rows(database, table) if kind == "table" else None


def _kind(kind: str, virtual: int | None) -> str:
    return "virtual table" if virtual else str(kind)


def _shadows(database: sqlite3.Connection) -> set[str]:
    """Older libraries cannot tell; there the shadows are listed beside their table."""
    if sqlite3.sqlite_version_info < _WITH_TABLE_LIST:
        return set()
    return {name for (name,) in database.execute(statement("shadows"))}
