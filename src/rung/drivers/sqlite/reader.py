"""A connection to SQLite that only looks: a `Reader`, and the ground of the `Session`."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from rung.dialect import Dialect
from rung.drivers.found import Look, OtherWriters, Place
from rung.drivers.sqlite.library import sqlite3
from rung.drivers.sqlite.looking import Found
from rung.ledger import LedgerState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.drivers.found import Surroundings
    from rung.drivers.sqlite.names import Names
    from rung.drivers.sqlite.opening import Opener
    from rung.events import Listener
    from rung.expected import ExpectedName
    from rung.ledger import HistoryEntry
    from rung.snapshot import Snapshot

_NOBODY = OtherWriters(closed_after=0)
"""Who may write the file may write all of it: a row in it is as much ours as the file is."""


class SqliteReader:
    """See `rung.drivers.base.Reader`."""

    def __init__(self, opener: Opener, names: Names) -> None:
        self._opener, self._names = opener, names
        self._stands_in = opener.absent
        """Whether the connection is to an empty database in place of a file that is missing."""
        self._connection = opener.to_read()

    def look(self, *, briefly: bool = False) -> Look:
        """Read all that a decision needs, as one transaction sees it, without lock or write."""
        del briefly
        with self._found() as found:
            if found.has_ledger:
                look = Look(
                    self.locate(),
                    found.ledger(),
                    ledger_exists=True,
                    history=found.history(),
                    other_writers=_NOBODY,
                )
                return replace(look, tables=found.tables()) if look.explains_nothing else look
            return Look(
                self.locate(),
                LedgerState(),
                ledger_exists=False,
                history=found.history(),
                tables=found.tables(),
                other_writers=_NOBODY,
            )

    def locate(self) -> Place:
        """Where the ledger is: in this file; asks nobody."""
        return Place(
            self._opener.shown,
            "main",
            self._opener.read_only,
            f"SQLite {sqlite3.sqlite_version}",
            Dialect.SQLITE,
            os.getpid(),
            self._names.ledger,
        )

    def read_history(self) -> tuple[HistoryEntry, ...] | None:
        """The history alone, oldest first; None where there is none."""
        with self._found() as found:
            return found.history()

    def snapshot(self) -> Snapshot:
        """The whole schema but for ledger and history, as one transaction sees it."""
        from rung.drivers.sqlite.snapshot import snapshot

        if self._connection.in_transaction:
            with self._told():
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

    def surroundings(self) -> Surroundings:
        """There is no server to lean on."""
        from rung.drivers.found import Surroundings

        return Surroundings()

    def report_to(self, listener: Listener) -> None:
        """Nothing is told: SQLite does not say whom it waits for."""

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @contextmanager
    def _found(self) -> Iterator[Found]:
        """What one transaction sees; it ends with the block."""
        with self._told():
            database = self._current()
            database.execute("BEGIN")
            try:
                yield Found(database, self._names)
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
    def _told(self) -> Iterator[None]:
        """Tell errors of SQLite as those of the contract."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._opener.failure(error) from None
