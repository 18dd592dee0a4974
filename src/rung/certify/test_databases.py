"""
Databases to disturb, on a throw-away server, and what an onlooker finds in them.

The only module of the certification that speaks to a server by itself: it makes databases,
counts rows and sessions. Ledger, history, schema and lock are read through the driver.
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
from rung.certify.observations import Seen
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
"""The statement that counts a table's rows, for each table."""
_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"


class ProxyAddress(NamedTuple):
    """The way to one database, through its server's socket or a proxy's."""

    host: str
    port: int
    dbname: str

    @property
    def conninfo(self) -> str:
        """In libpq's key=value form."""
        return psycopg.conninfo.make_conninfo(
            "", host=self.host, port=self.port, user=USER, dbname=self.dbname
        )

    @property
    def url(self) -> str:
        """As a URL that golang-migrate reads too."""
        options = urlencode({"host": self.host, "port": self.port, "sslmode": "disable"})
        return f"postgres://{USER}@/{quote(self.dbname, safe='')}?{options}"

    def by_way_of(self, host: Path) -> ProxyAddress:
        """The same database through a proxy's socket."""
        return self._replace(host=str(host))


@dataclass(slots=True)
class Lab:
    """
    A server's databases, made for one fault each.

    Args:
        host: the folder of the server's socket.
        port: the number in its name.
        prefix: what the names of its databases begin with; another for each process.
    """

    host: str
    port: int
    prefix: str
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _admin: psycopg.Connection[tuple[Any, ...]] | None = None

    @classmethod
    def of(cls, server: EmbeddedServer, prefix: str) -> Self:
        """A lab on a server of ours."""
        return cls(str(server.socket_dir), server.port, prefix)

    def at(self, name: str) -> ProxyAddress:
        """The address of a database."""
        return ProxyAddress(self.host, self.port, name)

    def make(self, name: str, template: str = "template0") -> ProxyAddress:
        """
        Make a database that stays, as a copy of a template.

        By copying files, where the server asks how (15 and later): that takes half the time.
        """
        how = (
            " STRATEGY file_copy"
            if self._connected.info.server_version >= _FIRST_WITH_STRATEGY
            else ""
        )
        made = sql.SQL(f"CREATE DATABASE {{}} TEMPLATE {{}}{how}")
        self._ask(made.format(sql.Identifier(name), sql.Identifier(template)))
        return self.at(name)

    def remove(self, name: str) -> None:
        """Take a database away, if it is there."""
        dropped = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        self._ask(dropped.format(sql.Identifier(name)))

    @contextmanager
    def fresh(self, template: str = "template0") -> Iterator[ProxyAddress]:
        """Make a database for a block."""
        name = f"{self.prefix}_{next(self._numbers)}"
        try:
            yield self.make(name, template)
        finally:
            self.remove(name)

    def checkpoint(self) -> None:
        """
        Have all written down.

        In a database that was copied page by page (STRATEGY wal_log) since the last checkpoint
        PostgreSQL takes sequences back when it recovers from a crash.
        """
        self._ask(sql.SQL("CHECKPOINT"))

    def await_nobody(self, name: str, seconds: float) -> int:
        """Wait until a database has no session; how many it still has after so long."""
        deadline = time.monotonic() + seconds
        while left := int(self._ask(sql.SQL(_SESSIONS), [name])[0][0]):
            if time.monotonic() > deadline:
                return left
            time.sleep(_POLL)
        return 0

    def moved_to(self, host: Path) -> None:
        """Go on where the server listens now, with a new connection."""
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

    def _ask(self, text: sql.SQL | sql.Composed, values: list[Any] | None = None) -> list[Any]:
        cursor = self._connected.execute(text, values)
        return cursor.fetchall() if cursor.description else []


class Onlooker:
    """A session that looks at a database, again and again; its caches make that cheaper."""

    def __init__(self, address: ProxyAddress, session: Session) -> None:
        self._address, self._session = address, session

    def see(self) -> Seen:
        """What there is now."""
        look = self._session.look()
        schema = self._session.snapshot()
        return Seen(look.ledger, look.history, schema, count_rows(self._address))

    def lock_free(self) -> bool:
        """Whether a run's lock can be taken at once; it is given back."""
        taken = self._session.try_lock()
        if taken:
            self._session.unlock()
        return taken


@contextmanager
def looking_at(address: ProxyAddress) -> Iterator[Onlooker]:
    """Connect an onlooker for a block."""
    with open_driver(Database(address.conninfo)).connect(CancelToken()) as session:
        yield Onlooker(address, session)


def count_rows(address: ProxyAddress) -> dict[str, int]:
    """How many rows each table has, but for the tables of Rung."""
    with psycopg.connect(address.conninfo, autocommit=True) as connection:
        # The name of the history begins with the ledger's, and so does that of the lease.
        assert HISTORY_TABLE.startswith(LEDGER_TABLE)
        counts = [row[0] for row in connection.execute(_COUNTS, [LEDGER_TABLE])]
        if not counts:
            return {}
        return dict(connection.execute(" UNION ALL ".join(counts).encode()).fetchall())
