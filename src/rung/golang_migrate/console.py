"""
Write the command's lines to stderr, in golang-migrate's two styles.

Nothing is written to stdout. With `-verbose` each line begins with the local time, in the format of
Go's logger.
"""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TextIO

from rung.render.terminal import Style


class GoConsole:
    """
    The output of one invocation.

    Args:
        verbose: begins each line with the time, and writes details.
        stream: for the lines; stderr by default.
    """

    def __init__(self, *, verbose: bool = False, stream: TextIO | None = None) -> None:
        self.verbose = verbose
        self._stream = stream or sys.stderr

    def plain(self, text: str) -> None:
        """Write a text without a prefix: usage texts and errors of flags."""
        self._stream.write(f"{Style().safe(text)}\n")
        self._stream.flush()

    def line(self, text: str) -> None:
        """Write a line, with the time if verbose."""
        self.plain(f"{self.prefix}{text}")

    def detail(self, text: str) -> None:
        """Write a line with `-verbose` only."""
        if self.verbose:
            self.line(text)

    @property
    def prefix(self) -> str:
        """Return the current prefix of a line."""
        return f"{datetime.now().astimezone():%Y/%m/%d %H:%M:%S} " if self.verbose else ""
