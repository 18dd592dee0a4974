"""PostgreSQL as a `Driver`: connects, and finds out what became of a lost connection's work."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from rung.drivers.found import Disconnected
from rung.drivers.postgres.connection import open_connection, parameters, shown
from rung.drivers.postgres.reader import PostgresReader
from rung.errors import ConnectionFailed, QueryFailed
from rung.stopping import Stop

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rung.drivers.base import Session
    from rung.drivers.postgres.session import PostgresSession
    from rung.drivers.work import Aftermath

_RECONNECT_FOR = 60.0
_PAUSE = 0.25


class PostgresDriver:
    """One PostgreSQL database, named by a URL or a keyword string."""

    def __init__(self, database: str) -> None:
        self._parameters = parameters(database)

    @property
    def shown(self) -> str:
        """The database as people may see it, without secrets."""
        return shown(self._parameters)

    def read(self) -> AbstractContextManager[PostgresReader]:
        """Connect for reading; the connection is closed at the end, whatever happens."""
        return closing(PostgresReader(open_connection(self._parameters), Stop()))

    def connect(self, stop: Stop) -> AbstractContextManager[PostgresSession]:
        """Connect; the connection is closed at the end, whatever happens."""
        from rung.drivers.postgres.session import PostgresSession

        return closing(PostgresSession(open_connection(self._parameters), stop))

    def aftermath(self, attempt_id: str, lost: Session) -> Aftermath:
        """What is found of an attempt, once the lost connection's process has ended."""
        deadline = time.monotonic() + _RECONNECT_FOR
        while time.monotonic() < deadline:
            try:
                with self.connect(Stop()) as session:
                    return _await_end(session, attempt_id, lost.locate().process, deadline)
            except (ConnectionFailed, Disconnected):
                time.sleep(_PAUSE)
        raise ConnectionFailed(f"{self.shown} did not answer again within {_RECONNECT_FOR:.0f} s.")


def _await_end(
    session: PostgresSession, attempt_id: str, process: int | None, deadline: float
) -> Aftermath:
    while process is not None and session.process_alive(process):
        if time.monotonic() > deadline:
            raise QueryFailed("The lost connection's server process still runs.")
        time.sleep(_PAUSE)
    from rung.drivers.work import Aftermath

    look = session.look()
    return Aftermath(session.attempt_outcome(attempt_id), look.ledger)
