"""
Create databases for disturbed runs on a disposable server, and observe their content.

This is the only module of the certification that connects to a server by itself: it creates
databases, and counts rows and sessions. Ledger, history, schema and lock are read by the driver.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql

from rung.cancellation import CancelToken
from rung.certify.observations import ObservedDatabase
from rung.database import Database
from rung.drivers import open_driver
from rung.ledger import HISTORY_TABLE, LEDGER_TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rung.drivers.contract import Session
    from rung.embedded import EmbeddedServer

USER = "postgres"
_POLL = 0.01
_FIRST_WITH_STRATEGY = 150_000
_COUNTS = (
    "SELECT format('SELECT %%L, count(*) FROM %%s', oid::regclass, oid::regclass) FROM pg_class "
    "WHERE relkind = 'r' AND relpersistence <> 't' AND NOT starts_with(relname, %s) "
    "AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'"
)
"""Returns a statement for each table that counts its rows."""
_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"


class ProxyAddress(NamedTuple):
    """The address of one database, on its server's socket or a proxy's."""

    host: str
    port: int
    dbname: str

    @property
    def conninfo(self) -> str:
        """Return the address in libpq's key=value form."""
        return psycopg.conninfo.make_conninfo(
            "", host=self.host, port=self.port, user=USER, dbname=self.dbname
        )

    @property
    def url(self) -> str:
        """Return the address as a URL that golang-migrate reads too."""
        options = urlencode({"host": self.host, "port": self.port, "sslmode": "disable"})
        return f"postgres://{USER}@/{quote(self.dbname, safe='')}?{options}"

    def by_way_of(self, host: Path) -> ProxyAddress:
        """Return the address of the same database on a proxy's socket."""
        return self._replace(host=str(host))


@dataclass(slots=True)
class FaultDatabases:
    """
    The databases of a server, one for each fault.

    Args:
        host: the folder of the server's socket.
        port: the number in the socket's name.
        prefix: of the names of its databases; different for each process.
    """

    host: str
    port: int
    prefix: str
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _admin: psycopg.Connection[tuple[Any, ...]] | None = None

    @classmethod
    def of(cls, server: EmbeddedServer, prefix: str) -> Self:
        """Create it for an embedded server."""
        return cls(str(server.socket_dir), server.port, prefix)

    def at(self, name: str) -> ProxyAddress:
        """Return the address of a database."""
        return ProxyAddress(self.host, self.port, name)

    def make(self, name: str, template: str = "template0") -> ProxyAddress:
        """
        Create a permanent database as a copy of a template.

        It is created by copying files where the server has the option (15 and later), which takes
        half the time.
        """
        how = (
            " STRATEGY file_copy"
            if self._connected.info.server_version >= _FIRST_WITH_STRATEGY
            else ""
        )
        self._execute(
            sql.SQL(f"CREATE DATABASE {{}} TEMPLATE {{}}{how}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return self.at(name)

    def remove(self, name: str) -> None:
        """Drop a database if it exists."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        self._execute(statement.format(sql.Identifier(name)))

    @contextmanager
    def fresh(self, template: str = "template0") -> Iterator[ProxyAddress]:
        """Create a database for a `with` block."""
        name = f"{self.prefix}_{next(self._numbers)}"
        try:
            yield self.make(name, template)
        finally:
            self.remove(name)

    def checkpoint(self) -> None:
        """
        Write a checkpoint.

        In a database that was copied page by page (STRATEGY wal_log) since the last checkpoint,
        PostgreSQL resets sequences when it recovers from a crash.
        """
        self._execute(sql.SQL("CHECKPOINT"))

    def await_no_sessions(self, name: str, seconds: float) -> int:
        """Wait until a database has no session; return how many are left after the timeout."""
        deadline = time.monotonic() + seconds
        while left := int(self._execute(sql.SQL(_SESSIONS), [name])[0][0]):
            if time.monotonic() > deadline:
                return left
            time.sleep(_POLL)
        return 0

    def move_to(self, host: Path) -> None:
        """Use another socket of the server, with a new connection."""
        self.close()
        self.host = str(host)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._admin is not None:
            self._admin.close()
            self._admin = None

    @property
    def _connected(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._admin is None:
            self._admin = psycopg.connect(self.at("postgres").conninfo, autocommit=True)
        return self._admin

    def _execute(self, text: sql.SQL | sql.Composed, values: list[Any] | None = None) -> list[Any]:
        cursor = self._connected.execute(text, values)
        return cursor.fetchall() if cursor.description else []


class DatabaseObserver:
    """A session that observes a database repeatedly, using its caches."""

    def __init__(self, address: ProxyAddress, session: Session) -> None:
        self._address, self._session = address, session

    def observe(self) -> ObservedDatabase:
        """Return the database's content."""
        inspection = self._session.inspect()
        schema = self._session.snapshot()
        return ObservedDatabase(
            inspection.ledger, inspection.history, schema, count_rows(self._address)
        )

    def lock_free(self) -> bool:
        """Report whether a run's lock can be taken at once; it is released again."""
        lock = self._session.try_lock()
        if lock is not None:
            lock.release()
        return lock is not None


@contextmanager
def observing(address: ProxyAddress) -> Iterator[DatabaseObserver]:
    """Connect an observer for a `with` block."""
    with open_driver(Database(address.conninfo)).connect(CancelToken()) as session:
        yield DatabaseObserver(address, session)


def count_rows(address: ProxyAddress) -> dict[str, int]:
    """Return the number of rows of each table except Rung's."""
    with psycopg.connect(address.conninfo, autocommit=True) as connection:
        # The name of the history begins with the ledger's, and so does that of the lease.
        assert HISTORY_TABLE.startswith(LEDGER_TABLE)
        counts = [row[0] for row in connection.execute(_COUNTS, [LEDGER_TABLE])]
        if not counts:
            return {}
        return dict(connection.execute(" UNION ALL ".join(counts).encode()).fetchall())
