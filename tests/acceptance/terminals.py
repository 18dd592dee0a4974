"""The command on a terminal of its own, for tests that only want to see what it shows."""

from __future__ import annotations

import os
import pty
import subprocess
import sys


def on_terminal(*words: str) -> str:
    """What a terminal shows of a command, run to its end in this process's environment."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "rung", *words]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while new := _read(ours):
            shown += new
        process.wait(30)
    os.close(ours)
    return shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's way of saying that the other side is closed
        return b""
