"""
What `rung` prints on SIGINT and SIGTERM, and the exit codes they lead to.

If no migration runs, the first signal ends the command. It needs a handler even so, because
process 1 of a container does not get the signals that it does not handle.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rung.cli import process
from rung.cli.exit_codes import ExitCode, StoppedBySignal
from rung.errors import Stopped
from rung.errors.base import UNCHANGED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from rung.cli.process import Signals

_SAID = {
    1: "warning: stopping after this migration; signal again to cancel it",
    2: "warning: cancelling this migration; signal again to exit at once",
    3: "warning: exiting at once; `rung status` shows the outcome of the migration",
}

GRACE = 5.0
"""Seconds between SIGTERM and cancelling the current migration: half of `docker stop`'s wait."""
_ON_SIGTERM = (
    f"warning: stopping after this migration, which is cancelled in {GRACE:.0f} s; signal again to "
    "cancel it now"
)


def make_signals() -> Signals:
    """Make the record of signals for a command that runs migrations; see `listening`."""
    return process.Signals(_said, GRACE)


@contextmanager
def listening(signals: Signals | None = None) -> Iterator[Signals]:
    """Have SIGINT and SIGTERM stop a run for as long as a block lasts."""
    signals = signals or make_signals()
    with process.handling(signals.receive):
        yield signals


def _said(times: int, number: int) -> str:
    return _ON_SIGTERM if (times, number) == (1, signal.SIGTERM) else _SAID[times]


def exit_code_of_signal(number: int) -> ExitCode:
    """Return the exit code of a run that a signal stopped."""
    return ExitCode.TERMINATED if number == signal.SIGTERM else ExitCode.INTERRUPTED


@contextmanager
def leaving(state: str = UNCHANGED) -> Iterator[None]:
    """
    End a block on SIGINT or SIGTERM.

    Args:
        state: the state of the database then.

    Raises:
        StoppedBySignal: a signal arrived.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        del frame
        raise StoppedBySignal(Stopped((), state, ()), exit_code_of_signal(number))

    with process.handling(leave):
        yield
