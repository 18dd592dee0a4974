"""Gates: migrations that stop in the middle until a test lets them go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.engine.sites import wait_for

if TYPE_CHECKING:
    import psycopg
    from tests.integration.engine.sites import Site

_KEY = 7
_QUEUE = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid {} "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)

THROUGH_THE_GATE = f"SELECT pg_advisory_xact_lock({_KEY});"
"""A statement that waits until the gate is open."""


class Gate:
    """
    A lock held by the test, on which migrations wait.

    It is closed from the start, and opened once.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._connection: psycopg.Connection[tuple[object, ...]] = site.database.connect()
        self._connection.execute(f"SELECT pg_advisory_lock({_KEY})")

    def reached(self, many: int = 1) -> bool:
        """Wait until so many migrations stand at the gate; False where they do not come."""
        return wait_for(lambda: self._site.ask(_QUEUE.format(f"= {_KEY}")) == [(many,)], 30)

    def open(self) -> None:
        """Let the migration go on, and all after it."""
        self._connection.close()


def queued(site: Site) -> int:
    """How many wait in the server for a lock of golang-migrate's."""
    return int(site.ask(_QUEUE.format(f"<> {_KEY}"))[0][0])
