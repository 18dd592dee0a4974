"""
Request the end of a run from another thread, a signal handler or an event loop.

Setting the token is a plain increment without a lock, so a signal handler may do it at any time.
The token itself neither waits nor cancels; the executor and the wire read it.
"""

from __future__ import annotations

import math
import time


class CancelToken:
    """
    A request to end a run.

    Set once, the run ends after the current migration. Set twice, or once a grace period is over,
    the current migration is cancelled on the server and rolled back.
    """

    __slots__ = ("_cancel_at", "_times")

    def __init__(self) -> None:
        self._times = 0
        self._cancel_at = math.inf

    def set(self) -> None:
        """Request the end of the run; the second call cancels the current migration."""
        self._times += 1

    def set_with_grace(self, seconds: float) -> None:
        """Request the end of the run, and cancel the current migration after so many seconds."""
        self._cancel_at = min(self._cancel_at, time.monotonic() + seconds)
        self._times += 1

    @property
    def requested(self) -> bool:
        """Whether the run is to end after the current migration."""
        return self._times >= 1

    @property
    def cancelling(self) -> bool:
        """Whether the current migration is to be cancelled now."""
        if self._times >= 2:  # noqa: PLR2004 - the second request, as the class says
            return True
        return time.monotonic() >= self._cancel_at
