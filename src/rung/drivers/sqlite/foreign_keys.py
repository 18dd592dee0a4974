"""
Looks for rows that violate a foreign key, before and after a file's statements.

A violation is identified by its two tables and the values that refer to nothing, because a table
that is rebuilt numbers its rows again. A violation from before a file is not an error of it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from rung.drivers.sqlite.library import sqlite3
from rung.drivers.sqlite.table_names import in_main, quoted, statement

if TYPE_CHECKING:
    from collections.abc import Iterable

_FEW = 3


class ForeignKeyViolation(NamedTuple):
    """One row that refers to a row that is not there."""

    table: str
    parent: str
    values: tuple[object, ...]
    """What it refers by; empty where its table has no row numbers."""


class Violations(NamedTuple):
    """Every violation in the database, or why they could not be looked for."""

    found: Counter[ForeignKeyViolation]
    error: str = ""

    def since(self, before: Violations | None) -> Counter[ForeignKeyViolation]:
        """Those that were not there before; all of them where that is not known."""
        return self.found - before.found if before is not None else Counter(self.found)


def violations(database: sqlite3.Connection) -> Violations:
    """Every violation of a foreign key in our database."""
    try:
        return Violations(Counter(_each(database)))
    except (sqlite3.Error, sqlite3.Warning) as error:
        return Violations(Counter(), str(error))


def described(found: Counter[ForeignKeyViolation]) -> str:
    """Violations in a line: how many, in which tables, and the values of the first of them."""
    tables: dict[tuple[str, str], list[tuple[object, ...]]] = {}
    for one, times in found.items():
        tables.setdefault((one.table, one.parent), []).extend([one.values] * times)
    return "; ".join(_pair(*pair, values) for pair, values in sorted(tables.items()))


def lost_by_dropping(database: sqlite3.Connection, table: str) -> tuple[str, ...]:
    """
    The tables whose rows a DROP TABLE would delete or change now, with the action.

    Empty where foreign keys are off: then a DROP TABLE deletes nothing else.
    """
    if not table or database.execute("PRAGMA foreign_keys").fetchone() != (1,):
        return ()
    children: dict[tuple[str, int, str], list[str]] = {}
    for child, number, column, action in database.execute(statement("children"), (table,)):
        children.setdefault((child, number, action), []).append(column)
    return tuple(
        f"{child} (ON DELETE {action})"
        for (child, _, action), columns in children.items()
        if _refers(database, child, columns)
    )


def _each(database: sqlite3.Connection) -> Iterable[ForeignKeyViolation]:
    keys: dict[tuple[str, int], str] = {}
    for table, row, parent, key in database.execute("PRAGMA main.foreign_key_check").fetchall():
        if row is None:
            yield ForeignKeyViolation(table.lower(), parent.lower(), ())
            continue
        if (table, key) not in keys:
            listed = database.execute(f"PRAGMA main.foreign_key_list({quoted(table)})").fetchall()
            columns = sorted((one[1], one[3]) for one in listed if one[0] == key)
            keys[table, key] = ", ".join(quoted(column) for _, column in columns)
        question = statement("row_values", columns=keys[table, key], table=in_main(table))
        values = database.execute(question, (row,)).fetchone() or ()
        yield ForeignKeyViolation(table.lower(), parent.lower(), tuple(values))


def _pair(table: str, parent: str, values: list[tuple[object, ...]]) -> str:
    count = f"{len(values)} row{'s' if len(values) != 1 else ''} of {table}"
    shown = [", ".join(map(repr, one)) for one in values if one][:_FEW]
    more = ", …" if shown and len(values) > len(shown) else ""
    by = f": {'; '.join(shown)}{more}" if shown else ""
    return f"{count} refer{'s' if len(values) == 1 else ''} to no row of {parent}{by}"


def _refers(database: sqlite3.Connection, child: str, columns: list[str]) -> bool:
    condition = " AND ".join(f"{quoted(column)} IS NOT NULL" for column in columns)
    question = statement("refers", table=in_main(child), condition=condition)
    return bool(database.execute(question).fetchall())
