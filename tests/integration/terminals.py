"""The command on a terminal of its own, for tests that only want to see what it shows."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def on_terminal(*words: str) -> str:
    """What a terminal shows of a command, run to its end in this process's environment."""
    return _shown([sys.executable, "-m", "rung", *words])[1]


def shell_on_terminal(
    line: str, folder: Path, environment: Mapping[str, str], typed: bytes
) -> tuple[int, str]:
    """How a line for a shell ends, and what its terminal shows; `typed` waits for who reads it."""
    code, shown = _shown(["bash", "-c", line], typed, folder, environment)
    return code, shown.replace("\r\n", "\n")


def _shown(
    command: list[str],
    typed: bytes = b"",
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    ours, theirs = pty.openpty()
    os.write(ours, typed)
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment
    ) as process:
        os.close(theirs)
        shown = b""
        while new := _read(ours):
            shown += new
        process.wait(30)
    os.close(ours)
    return process.returncode, shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's way of saying that the other side is closed
        return b""
