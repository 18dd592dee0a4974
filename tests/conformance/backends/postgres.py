"""PostgreSQL as a stage: one database, emptied between scenarios, reached by its socket."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg
from psycopg import sql
from tests.conformance.backends.backend import Rows, ledger_text
from tests.conformance.backends.forwarding import Forwarder
from tests.conformance.scenario import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rung.embedded import EmbeddedServer

DATABASE = "chatapp"
"""Lock ids depend on a database's name, so it has always the same."""
_HERE = Path(__file__).parent
_CATALOG = (_HERE / "catalog.sql").read_text()
_RESET = (_HERE / "reset.sql").read_text()
_ROWS_SHOWN = 20
_LEDGER = (
    "CREATE TABLE public.schema_migrations "
    "(version bigint not null primary key, dirty boolean not null)"
)


class PostgresStage:
    """
    A database on a server.

    Args:
        server: an embedded server.
        scheme: whose driver is asked for in URLs: `postgres` or `pgx5`.
        database: its name; made where it is missing.
    """

    def __init__(self, server: EmbeddedServer, scheme: str, database: str = DATABASE) -> None:
        self.scheme = scheme
        self._server, self._database = server, database
        make_database(server, database)
        self._forwarder = Forwarder(f"{server.socket_dir}/.s.PGSQL.{server.port}")
        self._connection: psycopg.Connection[tuple[Any, ...]] = self._connect()

    def close(self) -> None:
        self._connection.close()
        self._forwarder.close()

    @property
    def major(self) -> int:
        return self._server.major

    @property
    def names(self) -> Mapping[str, str]:
        socket = str(self._server.socket_dir)
        return {
            quote(socket, safe=""): "{socket}",
            socket: "{socket}",
            self._forwarder.address: "{tcp}",
            self._database: DATABASE,
        }

    def url(self, scheme: str, query: str, user: str) -> str:
        socket = quote(str(self._server.socket_dir), safe="")
        more = f"&{query}" if query else ""
        return (
            f"{scheme}://{user or 'postgres'}@/{self._database}"
            f"?host={socket}&port={self._server.port}&sslmode=disable{more}"
        )

    def placeholders(self) -> Mapping[str, str]:
        socket = str(self._server.socket_dir)
        return {
            "socket": socket,
            "socket%": quote(socket, safe=""),
            "port": str(self._server.port),
            "tcp": self._forwarder.address,
        }

    def reset(self) -> None:
        self.run(_RESET)

    def run(self, text: str) -> None:
        self._connection.execute(text.encode())

    def make_ledger(self, rows: Rows) -> None:
        self._connection.execute(_LEDGER)
        for row in rows:
            self._connection.execute("INSERT INTO public.schema_migrations VALUES (%s, %s)", row)

    def state(self) -> State:
        found = self._connection.execute(_CATALOG.encode(), prepare=True).fetchone()
        assert found is not None
        schema, ledgers, tables = found
        rows = ((name, self._rows_of_ledger(name)) for name in ledgers)
        return State(
            ledger=ledger_text(rows, "public.schema_migrations"),
            schema=tuple(schema),
            data=tuple(line for name in tables for line in self._rows_of(name)),
        )

    def _rows_of_ledger(self, shown: str) -> list[tuple[int, bool]]:
        query = f"SELECT version, dirty FROM {shown}"
        return [(row[0], row[1]) for row in self._connection.execute(query.encode())]

    def _rows_of(self, shown: str) -> Iterator[str]:
        query = (
            f"SELECT pg_catalog.to_json(t)::text FROM {shown} AS t ORDER BY 1 LIMIT {_ROWS_SHOWN}"
        )
        for (row,) in self._connection.execute(query.encode()):
            yield f"{shown}: {row}"

    @contextmanager
    def holding(self, text: str) -> Iterator[None]:
        with self._connect() as connection, connection.transaction():
            connection.execute(text.encode())
            yield

    def has_visitor(self) -> bool:
        """Whether a session that is not the test's is connected to the database."""
        query = (
            "SELECT FROM pg_catalog.pg_stat_activity WHERE datname = %s "
            "AND backend_type = 'client backend' AND application_name <> 'conformance'"
        )
        return self._connection.execute(query, (self._database,)).fetchone() is not None

    def is_running(self, text: str) -> bool:
        query = (
            "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = %s "
            "AND state = 'active' AND pid <> pg_catalog.pg_backend_pid() AND query LIKE %s"
        )
        found = self._connection.execute(query, (self._database, f"%{text}%")).fetchone()
        return found is not None and found[0] > 0

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        where = self._server.conninfo(self._database)
        return psycopg.connect(where, autocommit=True, application_name="conformance")


def make_database(server: EmbeddedServer, name: str) -> None:
    """Make a database unless it is there."""
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        asked = connection.execute("SELECT FROM pg_catalog.pg_database WHERE datname = %s", (name,))
        if asked.fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
