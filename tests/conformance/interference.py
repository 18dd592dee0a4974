"""What happens beside a command: a session that holds a lock for a while, a signal in time."""

from __future__ import annotations

import os
import selectors
import signal
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

    from tests.conformance.backends.backend import Stage
    from tests.conformance.scenario import Meanwhile

_PATIENCE = 20.0
_PAUSE = 0.02
_SLACK = 3.0
"""How many times as long a lock is held as is said: a busy machine is slow to start a process."""


@dataclass(frozen=True, slots=True)
class Beside:
    """
    Carries out what a step says happens meanwhile.

    Args:
        meanwhile: what happens.
        stage: where.
    """

    meanwhile: Meanwhile
    stage: Stage

    def begin(self, stack: ExitStack) -> None:
        """Do what comes before the command; what has to end later is put on the stack."""
        if not self.meanwhile.at_prompt:
            self._hold(stack)

    def accompany(self, process: subprocess.Popen[bytes], stack: ExitStack) -> bytes:
        """
        Do beside a running command what is to be done; what it wrote until then.

        What has to end later is put on the stack.

        Raises:
            TimeoutError: the time for it did not come.
        """
        assert process.stderr is not None
        said = b""
        if self.meanwhile.at_prompt:
            said = _until_it_asks(process.stderr)
            self._hold(stack)
        if self.meanwhile.signal:
            self._await_statement(process)
            process.send_signal(signal.Signals[f"SIG{self.meanwhile.signal}"])
        return said

    def _hold(self, stack: ExitStack) -> None:
        """
        Let another session take what is to be held, and let go of it in time.

        The time begins when the command is connected: a busy machine may take longer to start it
        than the lock is held.
        """
        if not self.meanwhile.hold:
            return
        holder = ExitStack()
        holder.enter_context(self.stage.holding(self.meanwhile.hold))

        def release() -> None:
            with holder:
                end = time.monotonic() + _PATIENCE
                while not self.stage.has_visitor() and time.monotonic() < end:
                    time.sleep(_PAUSE)
                time.sleep(self.meanwhile.seconds * _SLACK)

        thread = threading.Thread(target=release)
        thread.start()
        stack.callback(thread.join)

    def _await_statement(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + _PATIENCE
        while not self.stage.is_running(self.meanwhile.once):
            if time.monotonic() > end:
                process.kill()
                raise TimeoutError(f"no statement with {self.meanwhile.once} was seen")
            time.sleep(_PAUSE)


def _until_it_asks(stream: IO[bytes]) -> bytes:
    said = b""
    end = time.monotonic() + _PATIENCE
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while b"[y/N]" not in said:
            if not selector.select(end - time.monotonic()):
                raise TimeoutError(f"it did not ask; it wrote {said!r}")
            if not (read := os.read(stream.fileno(), 4096)):
                break
            said += read
    return said
