"""The database of a `Migrator`, with whom to tell and when to stop; how to connect to it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from rung.conventions import RUNG
from rung.drivers.found import Disconnected
from rung.errors import ConnectionFailed
from rung.events import Warned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.conventions import Conventions
    from rung.drivers.base import Driver, Session
    from rung.drivers.found import Look
    from rung.events import Listener
    from rung.stopping import Stop

READ_WITHIN = 30.0
"""Seconds for a command that only reads; a ledger that is locked for longer is an error."""


class Target(NamedTuple):
    """What every call of a `Migrator` is about."""

    driver: Driver
    listener: Listener
    stop: Stop
    wait_for_lock: float | None
    """Seconds; None waits as long as the other run lives."""
    conventions: Conventions = RUNG

    @contextmanager
    def connected(self) -> Iterator[Session]:
        """A session for the block; a connection lost in it is a `ConnectionFailed`."""
        self.tell_notes()
        with self._session() as session:
            yield session

    def tell_notes(self) -> None:
        """Tell the listener what of the database's URL is left out."""
        for note in self.driver.notes:
            self.listener(Warned(note))

    def look(self, within: float | None = None) -> Look:
        """
        One look, on a connection of its own that cannot write.

        A healthy run of another tool looks dirty from outside; where somebody holds the
        lock of a dirty ledger, the listener is told.

        Args:
            within: seconds; None for as long as a locked table is tried again for, and no
                shorter than a command that only reads.

        Raises:
            TableLocked: ledger or history were locked for longer.
            Stopped: as asked.
        """
        self.tell_notes()
        longest = self.conventions.lock_retry_for
        bound = within or (None if longest is None else max(longest, READ_WITHIN))
        with self._told(), self.driver.read(self.stop, bound) as reader:
            reader.report_to(self.listener)
            look = reader.look()
        tell_obstacles(self.listener, look)
        if look.ledger.dirty:
            self._tell_of_another_run()
        return look

    def _tell_of_another_run(self) -> None:
        with self._session() as session:
            holder = session.holder()
        if holder is not None:
            self.listener(Warned(f"{holder} What looks dirty may be its work, under way."))

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with self._told(), self.driver.connect(self.stop, self.conventions) as session:
            session.report_to(self.listener)
            yield session

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Disconnected as lost:
            raise ConnectionFailed(
                f"The connection to {self.driver.shown} was lost: {lost.reason}",
                "See `rung status` when the server answers again.",
            ) from None


def tell_obstacles(listener: Listener, look: Look) -> None:
    """Warn of what keeps runs from writing our tables: who only reads is told, and answered."""
    for obstacle in look.obstacles:
        listener(Warned(f"{obstacle}; until then no run writes here"))
