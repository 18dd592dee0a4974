"""
Reads ledger and history: what a look finds, as values.

Every error is told: nothing that cannot be read is taken for "no version".
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from rung.drivers.history_rows import entry, ledger_state
from rung.drivers.sqlite.library import sqlite3
from rung.drivers.sqlite.opening import code_of
from rung.drivers.sqlite.statements import in_main, statement
from rung.errors import LedgerUnreadable
from rung.ledger import LedgerState

if TYPE_CHECKING:
    from rung.drivers.sqlite.names import Names
    from rung.ledger import HistoryEntry

_SHAPE = (
    "A ledger is (version uint64, dirty bool). Move the other table away, or name another one "
    "with --ledger-table."
)


class Found:
    """
    What stands in one database, as one transaction sees it.

    Args:
        database: a connection in a transaction that has begun.
        names: the tables' names.
    """

    def __init__(self, database: sqlite3.Connection, names: Names) -> None:
        self.database, self._names = database, names

    @property
    def has_ledger(self) -> bool:
        """Whether there is a table, or a view, of the ledger's name."""
        return self._exists(self._names.ledger)

    def ledger(self) -> LedgerState:
        """
        The ledger that is there.

        Raises:
            LedgerUnreadable: another shape, several rows, a version that is no number.
        """
        name = self._names.ledger
        try:
            question = statement("look_ledger", ledger=in_main(name))
            rows = self.database.execute(question).fetchall()
        except sqlite3.Error as error:
            if code_of(error) != sqlite3.SQLITE_ERROR:
                raise
            raise LedgerUnreadable(f"{name} is there and is no ledger: {error}.", _SHAPE) from None
        if len(rows) > 1:
            shown = " and ".join(str(row[0]) for row in rows)
            raise LedgerUnreadable(
                f"The ledger {name} has more than one row: {shown}, perhaps more.",
                "Find out which is true and write it: `rung force V` leaves that one row.",
            )
        return _state(name, rows[0]) if rows else LedgerState()

    def history(self) -> tuple[HistoryEntry, ...] | None:
        """
        Every attempt, oldest first; None where there is no history.

        Raises:
            LedgerUnreadable: a table of its name has another shape.
        """
        name = self._names.history
        if not self._exists(name):
            return None
        try:
            question = statement("look_history", history=in_main(name))
            rows = self.database.execute(question).fetchall()
        except sqlite3.Error as error:
            if code_of(error) != sqlite3.SQLITE_ERROR:
                raise
            raise LedgerUnreadable(
                f"{name} is there and is no history: {error}.",
                "Move the other table away, or name another one with --history-table.",
            ) from None
        return tuple(entry(row, name, datetime.fromisoformat) for row in rows)

    def tables(self) -> tuple[str, ...]:
        """The tables that are not SQLite's own, without ours."""
        rows = self.database.execute(statement("tables")).fetchall()
        ours = {self._names.ledger.lower(), self._names.history.lower()}
        return tuple(name for (name,) in rows if name.lower() not in ours)

    def names(self) -> frozenset[tuple[str, str]]:
        """Every object's name, and with it each of a table's columns; in lower case."""
        rows = self.database.execute(statement("names")).fetchall()
        return frozenset((name.lower(), column.lower()) for name, column in rows)

    def _exists(self, name: str) -> bool:
        return bool(self.database.execute(statement("find_table"), (name,)).fetchall())


def _state(name: str, row: tuple[Any, ...]) -> LedgerState:
    version, version_type, dirty, dirty_type = row
    if (version_type, dirty_type) != ("integer", "integer"):
        raise LedgerUnreadable(
            f"The ledger {name} holds what is no version: ({version!r}, {dirty!r}).",
            "Find out the version the database is at and write it: `rung force V`.",
        )
    return ledger_state(version, bool(dirty), name)
