"""A connection to SQLite that only looks: a `Reader`, and the ground of the `Session`."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rung.drivers.history_rows import entries, ledger_state
from rung.drivers.inspection import History, Inspection, Location, OtherWriters
from rung.drivers.sqlite.connect import code_of
from rung.drivers.sqlite.library import sqlite3
from rung.drivers.sqlite.table_names import in_main, statement
from rung.errors import LedgerUnreadable
from rung.ledger import LedgerState
from rung.script.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.drivers.inspection import ServerContext
    from rung.drivers.sqlite.connect import Opener
    from rung.drivers.sqlite.table_names import SqliteNames
    from rung.ledger import Attempt
    from rung.script.expected_names import ExpectedName
    from rung.snapshot import Snapshot


_NOBODY = OtherWriters(closed_after=0)
"""Who may write the file may write all of it: a row in it is as much ours as the file is."""


class SqliteReader:
    """See `rung.drivers.contract.Reader`."""

    def __init__(self, opener: Opener, names: SqliteNames) -> None:
        self._opener, self._names = opener, names
        self._stands_in = opener.absent
        """Whether the connection is to an empty database in place of a file that is missing."""
        self._connection = opener.to_read()

    def inspect(self, *, briefly: bool = False, history: History = History.ALL) -> Inspection:
        """Read all that a decision needs, as one transaction sees it, without lock or write."""
        del briefly
        with self._found() as found:
            if found.has_ledger:
                look = Inspection(
                    self.locate(),
                    found.ledger(),
                    ledger_exists=True,
                    history=found.history(history),
                    other_writers=_NOBODY,
                )
                asks = history is not History.NONE and look.explains_nothing
                return replace(look, tables=found.tables()) if asks else look
            return Inspection(
                self.locate(),
                LedgerState(),
                ledger_exists=False,
                history=found.history(history),
                tables=found.tables(),
                other_writers=_NOBODY,
            )

    def locate(self) -> Location:
        """Where the ledger is: in this file; asks nobody."""
        return Location(
            self._opener.shown,
            "main",
            self._opener.read_only,
            f"SQLite {sqlite3.sqlite_version}",
            Dialect.SQLITE,
            os.getpid(),
            self._names.ledger,
        )

    def read_history(self) -> tuple[Attempt, ...] | None:
        """The history alone, oldest first; None where there is none."""
        with self._found() as found:
            return found.history(History.ALL)

    def stamp(self) -> None:
        """Return None: to read the schema of a file is as cheap as any stamp of it."""

    def snapshot(self) -> Snapshot:
        """The whole schema but for ledger and history, as one transaction sees it."""
        from rung.drivers.sqlite.catalog import snapshot

        if self._connection.in_transaction:
            with self._contract_errors():
                return snapshot(self._connection, self._names)
        with self._found() as found:
            return snapshot(found.database, self._names)

    def absent(
        self,
        names: Sequence[ExpectedName],
        *,
        anywhere: bool,  # noqa: ARG002 - there is one schema
    ) -> tuple[ExpectedName, ...]:
        """Those of some names that the database does not have, whatever their letter case."""
        if not names:
            return ()
        with self._found() as found:
            there = found.names()
        return tuple(one for one in names if (one.name.lower(), one.column.lower()) not in there)

    def server_context(self) -> ServerContext:
        """There is no server to lean on."""
        from rung.drivers.inspection import ServerContext

        return ServerContext()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @contextmanager
    def _found(self) -> Iterator[SqliteTables]:
        """Read in one transaction, which ends with the block."""
        with self._contract_errors():
            database = self._current()
            database.execute("BEGIN")
            try:
                yield SqliteTables(database, self._names)
            finally:
                if database.in_transaction:
                    database.execute("ROLLBACK")

    def _current(self) -> sqlite3.Connection:
        """The connection; to the file itself, once somebody has made it."""
        if self._stands_in and not self._opener.absent:
            self._connection.close()
            self._connection = self._opener.to_read()
            self._stands_in = False
        return self._connection

    @contextmanager
    def _contract_errors(self) -> Iterator[None]:
        """Raise errors of SQLite as those of the contract."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._opener.failure(error) from None


_SHAPE = (
    "a ledger has the columns (version uint64, dirty bool); rename the other table, or name "
    "another ledger with --ledger-table"
)


class SqliteTables:
    """
    The tables of one database, as one transaction sees them.

    Args:
        database: a connection in a transaction that has begun.
        names: the tables' names.
    """

    def __init__(self, database: sqlite3.Connection, names: SqliteNames) -> None:
        self.database, self._names = database, names

    @property
    def has_ledger(self) -> bool:
        """Whether there is a table, or a view, of the ledger's name."""
        return self._exists(self._names.ledger)

    def ledger(self) -> LedgerState:
        """
        The ledger that is there.

        Raises:
            LedgerUnreadable: another shape, several rows, a version that is not a number.
        """
        name = self._names.ledger
        try:
            question = statement("look_ledger", ledger=in_main(name))
            rows = self.database.execute(question).fetchall()
        except sqlite3.Error as error:
            if code_of(error) != sqlite3.SQLITE_ERROR:
                raise
            raise LedgerUnreadable(
                f"{name} exists but is not a schema_migrations table: {error}", _SHAPE
            ) from None
        if len(rows) > 1:
            shown = " and ".join(str(row[0]) for row in rows)
            raise LedgerUnreadable(
                f"the ledger {name} has more than one row: {shown}, perhaps more",
                "find which is true and record it: `rung force V` leaves that one row",
            )
        return _state(name, rows[0]) if rows else LedgerState()

    def history(self, read: History) -> tuple[Attempt, ...] | None:
        """
        Read so much of the history, oldest first; None where there is none, or none is read.

        Raises:
            LedgerUnreadable: a table of its name has another shape.
        """
        name = self._names.history
        if read is History.NONE or not self._exists(name):
            return None
        asked = "look_history" if read is History.ALL else "look_current_history"
        try:
            question = statement(asked, history=in_main(name))
            rows = self.database.execute(question).fetchall()
        except sqlite3.Error as error:
            if code_of(error) != sqlite3.SQLITE_ERROR:
                raise
            raise LedgerUnreadable(
                f"{name} exists but is not a history table: {error}",
                "rename the other table, or name another history with --history-table",
            ) from None
        return entries(rows, name, datetime.fromisoformat)

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
        shown = ", ".join("NULL" if value is None else str(value) for value in (version, dirty))
        raise LedgerUnreadable(
            f"the ledger {name} has an invalid version: ({shown})",
            "find the version the database is at and record it: `rung force V`",
        )
    return ledger_state(version, bool(dirty), name)
