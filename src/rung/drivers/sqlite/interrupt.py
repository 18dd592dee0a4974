"""
Interrupts a statement on request or after a time limit.

SQLite calls the watch in the thread that runs the statement, so that Python handles signals
meanwhile.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.cancellation import CancelToken
    from rung.drivers.sqlite.library import sqlite3

_EVERY = 2000
"""SQLite's instructions between two calls: some tens of microseconds."""


class InterruptWatch:
    """
    What may end a file's statements early.

    Args:
        stop: asked for at each look.
        time_limit: seconds for a block; None for no limit.
    """

    def __init__(self, stop: CancelToken, time_limit: float | None = None) -> None:
        self._stop, self._time_limit = stop, time_limit
        self._began = 0.0

    @contextmanager
    def over(self, database: sqlite3.Connection) -> Iterator[None]:
        """Watch for the block; statements of ours outside it are never interrupted."""
        self._began = time.monotonic()
        database.set_progress_handler(self._must_end, _EVERY)
        try:
            yield
        finally:
            database.set_progress_handler(None, 0)

    def _must_end(self) -> bool:
        late = self._time_limit is not None and time.monotonic() - self._began > self._time_limit
        return late or self._stop.cancelling
