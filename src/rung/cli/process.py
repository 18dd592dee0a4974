"""
What both commands do as a process: signals that stop a run, and streams that may be closed.

SIGINT and SIGTERM first stop a run, then cancel it, then leave. The handlers are there for
as long as a block lasts, and only in the main thread, for Python allows no other. What is
said of a signal is the command's to say. The library below installs no handler.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn, TextIO

from rung.cancellation import CancelToken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

LEAVE = 3
"""The signal that leaves at once, whatever a dead network keeps the run waiting for."""
_STDERR = 2
_OBJECTS = 50_000
"""How many objects are allocated between two garbage collections."""


class Signals:
    """
    Which signals came, and the stop they set.

    Args:
        said: the line for a signal, by how many came (1, 2, and 3 for every later one) and
            by its number.
        grace: seconds after which a SIGTERM that came first cancels by itself; None for never.
    """

    def __init__(self, said: Callable[[int, int], str], grace: float | None = None) -> None:
        self.stop = CancelToken()
        self._grace = grace
        self.first = 0
        """The number of the first signal; 0 for none."""
        self._said = said
        self._times = 0

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal; the third leaves through KeyboardInterrupt."""
        del frame
        graced = number == signal.SIGTERM and not self.first
        self.first = self.first or number
        self._times += 1
        # Not print: a handler may interrupt a print, and the stream refuses a second one.
        with suppress(OSError):
            line = self._said(min(self._times, LEAVE), number)
            os.write(_STDERR, f"{_clear()}{line}\n".encode())
        if graced and self._grace is not None:
            self.stop.set_with_grace(self._grace)
        else:
            self.stop.set()
        if self._times >= LEAVE:
            raise KeyboardInterrupt


@contextmanager
def listening(said: Callable[[int, int], str], grace: float | None = None) -> Iterator[Signals]:
    """Handle SIGINT and SIGTERM for a block; see `Signals`."""
    signals = Signals(said, grace)
    with handling(signals.receive):
        yield signals


@contextmanager
def handling(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Have a function handle SIGINT and SIGTERM for a block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def run(main: Callable[[], int]) -> NoReturn:
    """Run a command on this process's words and leave with its exit code."""
    # The values of 10,000 files and history rows live until the end and contain no cycle. Python's
    # default, 700, traverses them again and again: a tenth of the CPU of a run with nothing to do.
    gc.set_threshold(_OBJECTS)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    code = main()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            abandon(stream)
    sys.exit(code)


def abandon(stream: TextIO) -> None:
    """Nobody reads a stream any more: let Python's own flush at the end go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _clear() -> str:
    """What takes the live line and the terminal's ^C away; empty where no terminal is."""
    return "\r\x1b[K" if os.isatty(_STDERR) else ""
