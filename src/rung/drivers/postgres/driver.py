"""PostgreSQL as a `Driver`: connects, and finds out what became of a lost connection's work."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from rung.cancellation import CancelToken
from rung.drivers.inspection import Disconnected
from rung.drivers.postgres.connect import Connector
from rung.drivers.postgres.reader import PostgresReader
from rung.drivers.postgres.tables import names_of
from rung.drivers.postgres.url import translate
from rung.errors import ConnectionFailed, QueryFailed
from rung.events import ignore
from rung.options import RUNG

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from rung.database import Database
    from rung.drivers.contract import Session
    from rung.drivers.inspection import Ping
    from rung.drivers.postgres.session import PostgresSession
    from rung.drivers.postgres.tables import TableNames
    from rung.drivers.postgres.url import PostgresUrl
    from rung.drivers.transaction import RecoveryInfo
    from rung.events import Listener
    from rung.options import RunOptions

_RECONNECT_FOR = 60.0
_PAUSE = 0.25
_WHO = ("role", "session_authorization")
"""Settings that say whose rights a session has, which another server's roles decide."""


class PostgresDriver:
    """
    One PostgreSQL database, named by a URL or a keyword string.

    Args:
        database: that, and what else was said of it.
        address: where it is, if that is known without its URL.
    """

    def __init__(self, database: Database, address: PostgresUrl | None = None) -> None:
        self._database = database
        self._address = translate(database.url) if address is None else address
        self._connector = Connector(self._address, database.role, database.password)
        ledger = database.ledger_table
        self._names = names_of(
            self._address.ledger_table if ledger is None else ledger, database.history_table
        )

    @property
    def label(self) -> str:
        """The database as people may see it, without secrets."""
        return self._connector.shown

    @property
    def warnings(self) -> tuple[str, ...]:
        """What of the URL is left out and might be missed."""
        return self._address.notes

    def ping(self) -> Ping:
        """Whether the server takes connections."""
        return self._connector.ping()

    def read(
        self,
        stop: CancelToken | None = None,
        within: float | None = None,
        listener: Listener = ignore,
    ) -> AbstractContextManager[PostgresReader]:
        """Connect for reading; the connection is closed at the end, whatever happens."""
        writers = self._database.ledger_writers
        reader = PostgresReader(
            self._connector, stop or CancelToken(), self._names, writers, within, listener
        )
        return closing(reader)

    def connect(
        self, stop: CancelToken, options: RunOptions = RUNG, listener: Listener = ignore
    ) -> AbstractContextManager[PostgresSession]:
        """Connect; the connection is closed at the end, whatever happens."""
        return closing(self._session(stop, self._names, options, listener))

    def sibling(
        self,
        url: str,
        name: str | None = None,
        user: str | None = None,
        settings: Sequence[tuple[str, str]] = (),
        password: str | None = None,
    ) -> PostgresDriver:
        """Another database, maybe on another server, with the same names and settings."""
        there, here = translate(url), self._address
        options = here.parameters.get("options")
        told = {"dbname": name, "user": user, "password": password, "options": options}
        parameters = there.parameters | {key: text for key, text in told.items() if text}
        mine = {key: text for key, text in here.settings.items() if key.lower() not in _WHO}
        address = there._replace(
            parameters=parameters,
            settings=dict(settings) | there.settings | mine,
            ledger_table=here.ledger_table,
            path=f"/{name or ''}",
            single_statements=here.single_statements,
        )
        database = self._database._replace(role=None, password=None, ledger_writers=())
        return PostgresDriver(database, address)

    def recover(self, lost: Session, attempt_id: str) -> RecoveryInfo:
        """Read what an attempt committed, once the backend of the lost connection has ended."""
        deadline = time.monotonic() + _RECONNECT_FOR
        while time.monotonic() < deadline:
            try:
                names = self._names.at(lost.locate().schema)
                with closing(self._session(CancelToken(), names)) as session:
                    return _await_end(session, attempt_id, lost, deadline)
            except (ConnectionFailed, Disconnected):
                time.sleep(_PAUSE)
        raise ConnectionFailed(
            f"{self.label} did not answer within {_RECONNECT_FOR:.0f} s after the connection "
            "was lost"
        )

    def _session(
        self,
        stop: CancelToken,
        names: TableNames,
        options: RunOptions = RUNG,
        listener: Listener = ignore,
    ) -> PostgresSession:
        from rung.drivers.postgres.session import PostgresSession

        session = PostgresSession(
            self._connector,
            stop,
            names,
            options,
            self._address.path,
            self._database.ledger_writers,
            listener,
        )
        session.single_statements = self._address.single_statements
        return session


def _await_end(
    session: PostgresSession, attempt_id: str, lost: Session, deadline: float
) -> RecoveryInfo:
    from rung.drivers.postgres.session import PostgresSession

    assert isinstance(lost, PostgresSession)
    while not session.outlive(lost):
        if time.monotonic() > deadline:
            raise QueryFailed("the lost connection's statement is still running on the server")
        time.sleep(_PAUSE)
    from rung.drivers.transaction import RecoveryInfo

    look = session.inspect()
    recorded = session.records_history
    outcome = session.attempt_outcome(attempt_id) if recorded else None
    return RecoveryInfo(outcome, look.ledger, recorded=recorded)
