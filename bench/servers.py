"""
The servers of the benchmark, and queries on them.

Two embedded servers: an ephemeral one, which never waits for the disk, and a persistent one with
fsync, where a commit costs what it costs in production. Autovacuum is off on both, so that only the
measured programs take transaction ids.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.embedded import EmbeddedServer

_FLUSHES = 21

_SHAPE = """
SELECT count(*), coalesce(sum(hashtext(c.relname || a.attname || a.atttypid::text)), 0)
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'schema_migrations%'
    AND a.attnum > 0
"""


@dataclass(frozen=True, slots=True)
class Address:
    """The address of one database."""

    host: str
    port: int
    user: str
    dbname: str

    @property
    def url(self) -> str:
        """Return a URL that libpq and golang-migrate both read."""
        options = urlencode({"host": self.host, "port": self.port, "sslmode": "disable"})
        return f"postgres://{quote(self.user, safe='')}@/{quote(self.dbname, safe='')}?{options}"


@dataclass(frozen=True, slots=True)
class Server:
    """
    A running server.

    Args:
        name: for the report.
        host: its socket folder or its name.
        detail: more facts for the report.
    """

    name: str
    host: str
    port: int
    user: str
    detail: str = ""

    def at(self, dbname: str) -> Address:
        """Return the address of a database."""
        return Address(self.host, self.port, self.user, dbname)

    def connect(self, dbname: str = "postgres") -> psycopg.Connection:
        """Connect with autocommit."""
        return psycopg.connect(self.at(dbname).url, autocommit=True)

    def ask(self, query: str, dbname: str = "postgres") -> tuple[object, ...]:
        """Return the first row of a query."""
        with self.connect(dbname) as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return tuple(row)

    @contextlib.contextmanager
    def fresh_database(self, name: str) -> Iterator[Address]:
        """Create a database for a `with` block, after a checkpoint."""
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            connection.execute("CHECKPOINT")
            try:
                yield self.at(name)
            finally:
                drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
                connection.execute(drop)

    def shape(self, dbname: str) -> tuple[object, ...]:
        """Return a value that is equal for databases with the same columns and indexes."""
        return self.ask(_SHAPE, dbname)

    def next_xid(self) -> int:
        """
        Return the next transaction id, without taking one.

        Two of them differ by the number of writing transactions in between, including rolled back
        ones and writing savepoints.
        """
        query = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"
        return int(str(self.ask(query)[0]))


@contextlib.contextmanager
def throw_away() -> Iterator[Server]:
    """Start an ephemeral server, without fsync."""
    from rung import embedded

    with embedded.start() as running:
        yield _quiet("no fsync", running)


@contextlib.contextmanager
def kept() -> Iterator[Server]:
    """Start a persistent server, with fsync, so that every commit flushes."""
    from rung import embedded

    with tempfile.TemporaryDirectory(prefix="bench") as above:
        # As root the server runs under another account, which has to get in.
        Path(above).chmod(0o755)
        with embedded.start(Path(above) / "data") as running:
            flush = f"{_flush_ms(Path(above)):.1f} ms to flush a page"
            yield replace(_quiet("fsync", running), detail=flush)


def _flush_ms(folder: Path) -> float:
    """Return the median milliseconds to write and flush a page of 8 KiB in a folder."""
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        return 1000 * statistics.median(_flush(file.fileno()) for _ in range(_FLUSHES))


def _flush(descriptor: int) -> float:
    started = time.perf_counter()
    os.pwrite(descriptor, bytes(8192), 0)
    os.fdatasync(descriptor)
    return time.perf_counter() - started


def _quiet(name: str, running: EmbeddedServer) -> Server:
    info = psycopg.conninfo.conninfo_to_dict(running.conninfo("postgres"))
    server = Server(name, str(info["host"]), int(str(info["port"])), str(info["user"]))
    with server.connect() as connection:
        connection.execute("ALTER SYSTEM SET autovacuum = off")
        connection.execute("SELECT pg_reload_conf()")
    return server
