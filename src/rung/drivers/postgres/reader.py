"""
A connection to PostgreSQL that only looks: a `Reader`, and the ground of the `Session`.

Loads nothing that writes, so that asking for the version stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.drivers.postgres import looking
from rung.drivers.postgres.wire import Wire

if TYPE_CHECKING:
    import psycopg

    from rung.drivers.found import Look, Place
    from rung.stopping import Stop


class PostgresReader:
    """See `rung.drivers.base.Reader`."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]], stop: Stop) -> None:
        self._connection = connection
        self._wire = Wire(connection, stop)
        self._place: Place | None = None

    def look(self) -> Look:
        """Read all that a decision needs, in one round trip, without lock or write."""
        look = looking.answer(self._wire.ask(looking.question()))
        self._place = look.place
        return look

    def locate(self) -> Place:
        """Find where the ledger is, without reading it."""
        if self._place is None:
            self._place = looking.place(self._wire.ask(looking.where_question()))
        return self._place

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
