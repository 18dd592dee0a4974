"""
Watches over a statement while SQLite runs it, and interrupts it where that is asked for.

SQLite itself calls the watch, in the thread that runs the statement, so that signals are
heard too. A limit of time would be one more reason in `_must_end`.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from rung.stopping import Stop

_EVERY = 2000
"""Instructions of SQLite's machine between two looks: some tens of microseconds."""


class Watch:
    """
    What may end a file's statements early.

    Args:
        stop: asked for at each look.
    """

    def __init__(self, stop: Stop) -> None:
        self._stop = stop

    @contextmanager
    def over(self, database: sqlite3.Connection) -> Iterator[None]:
        """Watch for the block; statements of ours outside it are never interrupted."""
        database.set_progress_handler(self._must_end, _EVERY)
        try:
            yield
        finally:
            database.set_progress_handler(None, 0)

    def _must_end(self) -> bool:
        return self._stop.cancelling
