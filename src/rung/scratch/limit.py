"""
End what uses more time or disk than it may, from outside.

A file may set `statement_timeout = 0` or catch the cancellation of its query, so its session is
terminated, by a connection of another role.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.drivers.inspection import Disconnected
from rung.errors import RungError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_EVERY = 0.5
"""Seconds between two looks at what is used."""


@dataclass(slots=True)
class BlockLimit:
    """See `rung.scratch.model.Limit`."""

    reason: str = ""


@contextmanager
def watched(
    seconds: float, megabytes: int, uses: Callable[[int], bool], end: Callable[[], None]
) -> Iterator[BlockLimit]:
    """
    Watch a block from a thread of its own.

    Args:
        seconds: that the block may take.
        megabytes: that the database may have on disk.
        uses: reports whether the database has more than so many megabytes; called in the thread.
        end: ends what runs in the block; called in the thread, again until the block has ended.
    """
    limit, over = BlockLimit(), threading.Event()
    began = time.monotonic()

    def watch() -> None:
        while not over.wait(min(_EVERY, seconds)):
            try:
                if time.monotonic() - began > seconds:
                    limit.reason = f"ran for longer than {seconds:g} s"
                elif uses(megabytes):
                    limit.reason = f"took more than {megabytes} MB of disk"
                if limit.reason:
                    end()
            except (RungError, Disconnected, OSError):
                continue  # the server is busy or gone: the block finds that out by itself

    thread = threading.Thread(target=watch, name="rung-scratch-limit", daemon=True)
    thread.start()
    try:
        yield limit
    finally:
        over.set()
        thread.join()
