"""
What the command says: lines on stderr, in golang-migrate's two styles.

Nothing ever goes to stdout. With `-verbose` each line begins with the local time, as Go's
logger writes it.
"""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TextIO

from rung.escaping import escaped


class GoConsole:
    """
    The lines of one call.

    Args:
        verbose: with the time before each line, and the lines that only then are said.
        stream: where they go; stderr.
    """

    def __init__(self, *, verbose: bool = False, stream: TextIO | None = None) -> None:
        self.verbose = verbose
        self._stream = stream or sys.stderr

    def plain(self, text: str) -> None:
        """A text as it is, whatever the style: usages and flags that are refused."""
        self._stream.write(f"{escaped(text)}\n")
        self._stream.flush()

    def line(self, text: str) -> None:
        """A line in the style that was asked for."""
        self.plain(f"{self.prefix}{text}")

    def detail(self, text: str) -> None:
        """A line that is said with `-verbose` only."""
        if self.verbose:
            self.line(text)

    @property
    def prefix(self) -> str:
        """What stands before a line now."""
        return f"{datetime.now().astimezone():%Y/%m/%d %H:%M:%S} " if self.verbose else ""
