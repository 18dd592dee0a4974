"""
SIGINT and SIGTERM while a run is under way: first stop, then cancel, then leave.

Where nothing is run, the first one leaves at once; a handler is needed all the same, for
process 1 of a container is spared the signals that it does not handle.

The handlers are there for as long as the block lasts, and only in the main thread, for
Python allows no other.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from rung.cli.exit_codes import ExitCode, StoppedBySignal
from rung.errors import Stopped
from rung.stopping import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_SAID = {
    1: "Stopping after this migration; again to cancel it.",
    2: "Cancelling this migration; again to leave at once.",
    3: "Leaving at once; rung status tells what became of the migration.",
}
_LEAVE = 3
_STDERR = 2


class Signals:
    """Which signals came, and the stop they set."""

    def __init__(self) -> None:
        self.stop = Stop()
        self._times = 0
        self._first = 0

    @property
    def exit_code(self) -> ExitCode:
        """The code of a run that was stopped."""
        return ExitCode.TERMINATED if self._first == signal.SIGTERM else ExitCode.INTERRUPTED

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal; the third leaves through KeyboardInterrupt."""
        del frame
        self._first = self._first or number
        self._times += 1
        # Not print: a handler may interrupt a print, and the stream refuses a second one.
        with suppress(OSError):
            os.write(_STDERR, f"{_clear()}{_SAID[min(self._times, _LEAVE)]}\n".encode())
        self.stop.set()
        if self._times >= _LEAVE:
            raise KeyboardInterrupt


def _clear() -> str:
    """What takes the live line and the terminal's ^C away; empty where no terminal is."""
    return "\r\x1b[K" if os.isatty(_STDERR) else ""


@contextmanager
def listening() -> Iterator[Signals]:
    """Handle SIGINT and SIGTERM for a block."""
    signals = Signals()
    with _handling(signals.receive):
        yield signals


@contextmanager
def leaving() -> Iterator[None]:
    """
    Leave a block on SIGINT or SIGTERM.

    Raises:
        StoppedBySignal: one came.
    """
    with _handling(_leave):
        yield


def _leave(number: int, frame: FrameType | None) -> None:
    del frame
    code = ExitCode.TERMINATED if number == signal.SIGTERM else ExitCode.INTERRUPTED
    raise StoppedBySignal(Stopped((), "Nothing was run here.", ()), code)


@contextmanager
def _handling(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
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
