"""
One run at a time: taking the lock, waiting for it, saying who holds it, giving it back.

Owns the policy. A lock is taken by trying with growing, jittered pauses, never by waiting in
the server. Waiting is bounded by the other run, not by the clock, unless a bound was given;
and it ends early where a look shows that the other run left nothing to do.
"""

from __future__ import annotations

import contextlib
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.drivers.found import Disconnected
from rung.errors import LockNotAcquired, Stopped
from rung.events import LockWaiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rung.drivers.base import Session
    from rung.events import Listener
    from rung.stopping import Stop

_FIRST_PAUSE = 0.025
_SHORTEST_PAUSE = 0.001
_LONGEST_PAUSE = 1.0
_SAY_EVERY = 5.0


@dataclass(frozen=True, slots=True)
class Patience:
    """
    How a run waits.

    `bound` is in seconds: None waits as long as the holder lives, 0 does not wait. The clock,
    the sleep and the jitter are arguments for the tests' sake.
    """

    bound: float | None = None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random


@contextlib.contextmanager
def held(
    session: Session,
    patience: Patience,
    listener: Listener,
    stop: Stop,
    nothing_left: Callable[[], bool],
) -> Iterator[bool]:
    """
    Hold the lock for a block; yields False, without it, where nothing is left to do.

    Raises:
        LockNotAcquired: the bound was reached.
        Stopped: the run was asked to stop while it waited.
    """
    won = wait_until(session.try_lock, session, patience, listener, stop, nothing_left)
    try:
        yield won
    finally:
        if won:
            with contextlib.suppress(Disconnected):
                session.unlock()


def wait_until(
    attempt: Callable[[], bool],
    session: Session,
    patience: Patience,
    listener: Listener,
    stop: Stop,
    nothing_left: Callable[[], bool],
) -> bool:
    """Try until it works (True) or nothing is left to do (False)."""
    began = patience.clock()
    said = -_SAY_EVERY
    pause = _FIRST_PAUSE
    while not attempt():
        waited = patience.clock() - began
        if nothing_left():
            return False
        if stop.requested:
            raise Stopped((), "Nothing was run here; another run holds the lock.", ())
        if patience.bound is not None and waited >= patience.bound:
            raise LockNotAcquired(waited, _holder(session))
        if waited - said >= _SAY_EVERY:
            said = waited
            listener(LockWaiting(waited, _holder(session)))
        patience.sleep(_cut(pause * (0.5 + patience.jitter()), waited, patience.bound))
        pause = min(pause * 2, _LONGEST_PAUSE)
    return True


def _cut(pause: float, waited: float, bound: float | None) -> float:
    return pause if bound is None else max(_SHORTEST_PAUSE, min(pause, bound - waited))


def _holder(session: Session) -> str:
    holder = session.holder()
    return "" if holder is None else str(holder)
