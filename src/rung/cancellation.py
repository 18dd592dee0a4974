"""
How a run is asked to stop, from another thread, a signal handler or an event loop.

Setting is a plain increment: no lock is taken, so a signal handler may do it at any time.
Nothing here waits or cancels; the runner and the wire look at it.
"""

from __future__ import annotations

import math
import time


class CancelToken:
    """
    A request to end a run.

    Set once, the run ends after the current migration. Set twice, the current migration is
    cancelled on the server and rolled back; likewise where a grace given with it is over.
    """

    __slots__ = ("_cancel_at", "_times")

    def __init__(self) -> None:
        self._times = 0
        self._cancel_at = math.inf

    def set(self) -> None:
        """Ask once more."""
        self._times += 1

    def set_with_grace(self, seconds: float) -> None:
        """Ask once more, and for a cancellation in so many seconds where none is asked before."""
        self._cancel_at = min(self._cancel_at, time.monotonic() + seconds)
        self._times += 1

    @property
    def requested(self) -> bool:
        """True once the run was asked to end after the current migration."""
        return self._times >= 1

    @property
    def cancelling(self) -> bool:
        """True once the current migration was asked to be cancelled."""
        if self._times >= 2:  # noqa: PLR2004 - the second request, as the class says
            return True
        return time.monotonic() >= self._cancel_at
