"""
What `drop` lists and removes: the tables and views of a database, with all that hangs on them.

Indexes and triggers go with their tables, the tables in which a virtual table keeps what it
holds go with it, and the rows of sqlite_sequence with the tables that they count for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rung.drivers.sqlite.library import sqlite3
from rung.drivers.sqlite.statements import in_main, quoted, statement
from rung.losses import CHANGES_BY, MOST_ROWS, ROWS_OF, VALUES_IN, Loss
from rung.statements.identifiers import parts_of, unquoted

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN = re.compile(r"[A-Za-z_]\w*\Z")
_WITH_TABLE_LIST = (3, 37)


def objects(database: sqlite3.Connection) -> tuple[Loss, ...]:
    """Every table with its rows and every view, tables first; without what goes with them."""
    shadows = _shadows(database)
    found = database.execute(statement("objects")).fetchall()
    return tuple(
        counted(database, Loss(_kind(kind, virtual), _shown(name)), in_main(name))
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


def counted(database: sqlite3.Connection, loss: Loss, table: str) -> Loss:
    """
    A loss with its rows, counted up to `MOST_ROWS`.

    Args:
        database: the connection.
        loss: of a table, or of a column, whose values are counted then.
        table: its name as SQL.
    """
    if loss.unknown or loss.kind in ("view", CHANGES_BY):
        return loss
    condition = f"WHERE {loss.column} IS NOT NULL" if loss.column else ""
    places = {"table": table, "condition": condition, "bound": str(MOST_ROWS + 1)}
    try:
        row = database.execute(statement("first_rows", **places)).fetchone()
    except (sqlite3.Error, sqlite3.Warning) as error:
        return loss.uncounted(str(error))
    return loss.counted(int(row[0]))


def with_referencing(database: sqlite3.Connection, loss: Loss, *, enforced: bool) -> Iterator[Loss]:
    """
    A loss counted, and behind it the tables whose rows go along by their foreign keys.

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
        along = Loss(ROWS_OF if goes else VALUES_IN, _shown(table))
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
