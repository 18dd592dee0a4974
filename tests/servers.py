"""
Fixtures that give tests a real PostgreSQL: one server per worker, a new database per test.

`RUNG_TEST_PG_MAJOR` chooses the major version, `RUNG_PG_BIN` the binaries. Where there are
none, tests that need a server are skipped with the reason; with RUNG_TEST_REQUIRE_SERVER=1
they fail instead, so that nothing is passed over where everything is meant to run.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from rung.embedded import EmbeddedServer, start
from rung.errors import BinariesNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST_WITH_STRATEGY = 15
_SETTINGS = {"max_prepared_transactions": "10"}
EMPTY_TEMPLATE = "test_template"
"""An empty database that had a connection: its copies have a relation cache from the start."""
_numbers = count(1)
_connections: dict[str, psycopg.Connection[tuple[Any, ...]]] = {}
"""To each server of a worker, kept: a new one would cost as much as to copy the database."""


@dataclass(frozen=True, slots=True)
class Database:
    """A database of one test, on the worker's server."""

    name: str
    server: EmbeddedServer

    @property
    def conninfo(self) -> str:
        return self.server.conninfo(self.name)

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    @property
    def major(self) -> int:
        return self.server.major

    def connect(self, **parameters: Any) -> psycopg.Connection[tuple[Any, ...]]:  # noqa: ANN401
        """Connect with autocommit; the caller closes, best by `with`."""
        return psycopg.connect(self.conninfo, autocommit=True, **parameters)

    def psql(self, text: str) -> list[tuple[Any, ...]]:
        """Run SQL text in a connection of its own; rows of its last result, if it has any."""
        with self.connect() as connection:
            cursor = connection.execute(text.encode())
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """Keep one throw-away server for this worker."""
    yield from throwaway_server()


def throwaway_server() -> Iterator[EmbeddedServer]:
    """Run a server of the version that is asked for; where there is none, skip or fail."""
    wanted = os.environ.get("RUNG_TEST_PG_MAJOR")
    try:
        started = start(major=int(wanted) if wanted else None, settings=_SETTINGS)
    except BinariesNotFound as error:
        if os.environ.get("RUNG_TEST_REQUIRE_SERVER") == "1":
            raise
        pytest.skip(f"no PostgreSQL to test on: {error}")
    with started, psycopg.connect(started.conninfo(), autocommit=True) as connection:
        _connections[started.conninfo()] = connection
        _administer(started, "CREATE DATABASE {} TEMPLATE template0", EMPTY_TEMPLATE)
        psycopg.connect(started.conninfo(EMPTY_TEMPLATE)).close()
        yield started
        del _connections[started.conninfo()]


@pytest.fixture
def database(server: EmbeddedServer) -> Iterator[Database]:
    """Make an empty database for one test."""
    yield from _fresh(server)


@pytest.fixture
def twin_database(server: EmbeddedServer) -> Iterator[Database]:
    """Make a second empty database, on the same server as `database`."""
    yield from _fresh(server)


def _fresh(server: EmbeddedServer) -> Iterator[Database]:
    with named_database(server, f"test_{next(_numbers)}") as made:
        yield made


@contextmanager
def named_database(
    server: EmbeddedServer, name: str, template: str = EMPTY_TEMPLATE
) -> Iterator[Database]:
    """Make a database of this name for a block: an empty one, or a copy of another."""
    strategy = " STRATEGY file_copy" if server.major >= _FIRST_WITH_STRATEGY else ""
    _administer(server, f"CREATE DATABASE {{}} TEMPLATE {template}{strategy}", name)
    try:
        yield Database(name, server)
    finally:
        _administer(server, "DROP DATABASE {} WITH (FORCE)", name)


def _administer(server: EmbeddedServer, text: str, name: str) -> None:
    statement = sql.SQL(text).format(sql.Identifier(name))
    with suppress(
        KeyError, psycopg.OperationalError
    ):  # a test may have ended the server's sessions
        _connections[server.conninfo()].execute(statement)
        return
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(statement)
