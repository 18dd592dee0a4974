"""Pairs of schemas that differ in one attribute, and snapshots of them without leaving a trace."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg

from rung.cancellation import CancelToken
from rung.drivers.postgres.snapshot import read_snapshot
from rung.drivers.postgres.tables import names_of
from rung.drivers.postgres.wire import Wire

if TYPE_CHECKING:
    from tests.servers import Database

    from rung.snapshot import Snapshot

    Connection = psycopg.Connection[tuple[Any, ...]]

SAME = "same"
"""The group of pairs whose schemas were made in two ways, and differ in nothing."""
_ROLES = """
CREATE ROLE truth_a SUPERUSER; CREATE ROLE truth_b;
CREATE TABLESPACE truth_ts LOCATION '';
"""


class Pair(NamedTuple):
    """Two schemas: SQL of what both have, and of either."""

    group: str
    name: str
    setup: str
    one: str
    other: str
    since: int = 0
    """The oldest major version that has the attribute."""

    @property
    def key(self) -> str:
        """Return a name for lists of exceptions and for messages."""
        return f"{self.group}: {self.name}"


def pairs() -> list[Pair]:
    """Return all pairs, in the order of the file."""
    groups = tomllib.loads(Path(__file__).with_name("schema_pairs.toml").read_text("utf-8"))
    return [Pair(group, name, *row) for group, rows in groups.items() for name, row in rows.items()]


def prepare(database: Database) -> None:
    """Create the roles and the tablespace that the pairs name."""
    with database.connect() as connection:
        connection.execute("SET allow_in_place_tablespaces = true")
        for statement in _ROLES.split(";"):
            if statement.strip():
                connection.execute(statement.encode())


def snapshot_after(connection: Connection, sql: str) -> Snapshot:
    """
    Return the snapshot of a schema, and leave the database as it was.

    Args:
        connection: to an empty database.
        sql: statements that run in a transaction which is rolled back.
    """
    connection.execute("BEGIN")
    try:
        if sql.strip():
            connection.execute(sql.encode())
        return _read(connection)
    finally:
        connection.execute("ROLLBACK")


def snapshot_of(connection: Connection, sql: str) -> Snapshot:
    """Run statements that cannot all run in one transaction, and return the snapshot."""
    for piece in re.split(r";?@", sql):
        if not piece.strip(" ;"):
            continue
        try:
            connection.execute(piece.encode())
        except psycopg.Error:
            if "concurrently" not in piece:  # an index that stays invalid
                raise
    return _read(connection)


def _read(connection: Connection) -> Snapshot:
    reply, snapshot = read_snapshot(Wire(connection, CancelToken(), ()), names_of())
    assert snapshot is not None, reply.error
    return snapshot
