"""SQLite as a `Driver`: opens a file, and finds out what became of an attempt."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

from rung.cancellation import CancelToken
from rung.drivers.inspection import Ping
from rung.drivers.sqlite.connect import Opener
from rung.drivers.sqlite.inspection import SqliteReader
from rung.drivers.sqlite.table_names import names_of
from rung.drivers.sqlite.url import translate
from rung.errors import UsageError
from rung.events import ignore
from rung.options import RUNG

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from rung.database import Database
    from rung.drivers.contract import Session
    from rung.drivers.sqlite.session import SqliteSession
    from rung.drivers.sqlite.url import SqliteUrl
    from rung.drivers.transaction import RecoveryInfo
    from rung.events import Listener
    from rung.options import RunOptions


class SqliteDriver:
    """
    One SQLite database, named by a URL.

    Args:
        database: that, and what else was said of it.
        address: where it is, if that is known without its URL.

    Raises:
        UsageError: the URL cannot be read, or asks for what SQLite has not.
    """

    def __init__(self, database: Database, address: SqliteUrl | None = None) -> None:
        _check_no_server(database)
        self._database = database
        address = translate(database.url) if address is None else address
        ledger = database.ledger_table
        named = address.ledger_table if ledger is None else ledger
        self._names = names_of(named, database.history_table)
        self._opener = Opener(address)

    @property
    def label(self) -> str:
        """The database as people may see it: the file's name."""
        return self._opener.shown

    @property
    def warnings(self) -> tuple[str, ...]:
        """What of the URL is left out and might be missed."""
        return self._opener.address.notes

    def ping(self) -> Ping:
        """There is no server to wait for: a file that cannot be opened stays so."""
        return Ping.ANSWERS

    def read(
        self,
        stop: CancelToken | None = None,  # noqa: ARG002 - what is read takes a moment
        within: float | None = None,  # noqa: ARG002 - likewise; _busy_timeout bounds a lock
        listener: Listener = ignore,  # noqa: ARG002 - SQLite does not say which process blocks
    ) -> AbstractContextManager[SqliteReader]:
        """Open for reading; the connection is closed at the end, whatever happens."""
        return closing(SqliteReader(self._opener, self._names))

    def connect(
        self,
        stop: CancelToken,
        options: RunOptions = RUNG,
        listener: Listener = ignore,  # noqa: ARG002 - SQLite does not say which process blocks
    ) -> AbstractContextManager[SqliteSession]:
        """Open; the connection is closed at the end, whatever happens."""
        return closing(self._session(stop, options))

    def sibling(
        self,
        url: str,
        name: str | None = None,
        user: str | None = None,  # noqa: ARG002 - there are none
        settings: Sequence[tuple[str, str]] = (),  # noqa: ARG002 - a file brings none with it
        password: str | None = None,  # noqa: ARG002 - nor has it one
    ) -> SqliteDriver:
        """A scratch file in the folder that is named, with the same names and PRAGMAs."""
        path = os.path.join(url, name or "scratch.db")  # noqa: PTH118 - as SQLite is given it
        address = self._opener.address._replace(name=path, path=path, confined=True)
        return SqliteDriver(self._database, address)

    def recover(self, lost: Session, attempt_id: str) -> RecoveryInfo:  # noqa: ARG002 - no server outlives it
        """Read what an attempt committed."""
        from rung.drivers.transaction import RecoveryInfo

        with closing(self._session(CancelToken())) as session:
            look = session.inspect()
            recorded = look.history is not None
            outcome = session.attempt_outcome(attempt_id) if recorded else None
            return RecoveryInfo(outcome, look.ledger, recorded=recorded)

    def _session(self, stop: CancelToken, options: RunOptions = RUNG) -> SqliteSession:
        from rung.drivers.sqlite.session import SqliteSession

        return SqliteSession(self._opener, self._names, stop, options.time_limit)


def _check_no_server(database: Database) -> None:
    if database.role is not None or database.password is not None:
        what = "role" if database.role is not None else "password"
        raise UsageError(
            f"SQLite has no {what}s, but one is given",
            "leave it out: everyone who may open the file may use the database",
        )
