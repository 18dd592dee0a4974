"""
The two streams of a command: data on stdout, talk on stderr, colours where a person looks.

Talk that nobody hears is no error: a closed stderr must not end a run half way.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.escaping import escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TextIO

_OURS = f"\x1b<{os.urandom(16).hex()}>"
"""Stands before each colour of ours until it is printed: no text of others can hold it."""
_PAINT = re.compile(_OURS + r"(\[(?:[012]|3[1236])m)")
_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


@dataclass(frozen=True, slots=True)
class Style:
    """Paints text with ANSI colours, or leaves it alone."""

    enabled: bool = False

    def paint(self, text: str, colour: str) -> str:
        """Mark a text with a colour, which `safe` makes real; an empty name is no colour."""
        if not self.enabled or not colour or not text:
            return text
        return f"{_OURS}[{_CODES[colour]}m{escaped(text)}{_OURS}[0m"

    def safe(self, text: str) -> str:
        """Escape a text for a terminal, which then obeys only what `paint` put there."""
        if not self.enabled:
            return escaped(text)
        pieces = _PAINT.split(text)
        return "".join(f"\x1b{one}" if at % 2 else escaped(one) for at, one in enumerate(pieces))


@dataclass(frozen=True, slots=True)
class Console:
    """
    Where a command's words go.

    Args:
        out: stdout; None where it is closed.
        err: stderr; None where it is closed.
        out_style, err_style: the colours of each.
        quiet: say nothing but errors and questions.
        verbose: say more.
        json: data are JSON.
        completed: adds this call's options to the commands that a message names.
    """

    out: TextIO | None
    err: TextIO | None
    out_style: Style = Style()
    err_style: Style = Style()
    quiet: bool = False
    verbose: bool = False
    json: bool = False
    completed: Callable[[str], str] = str

    def data(self, text: str) -> None:
        """Print a result on stdout, at once, so that later lines on stderr follow it."""
        if self.out is not None:
            print(self.out_style.safe(text), file=self.out, flush=True)

    def say(self, text: str) -> None:
        """Print on stderr unless quiet."""
        if not self.quiet:
            self.insist(self.completed(text))

    def warn(self, text: str) -> None:
        """Say what needs attention though nothing failed."""
        self.say(f"{self.err_style.paint('warning:', 'yellow')} {text}")

    def detail(self, text: str) -> None:
        """Say a fact in sentences."""
        self.say(f"{self.err_style.paint('detail:', 'bold')} {text}")

    def state(self, text: str) -> None:
        """Say what state the database is in."""
        self.say(f"{self.err_style.paint('database:', 'bold')} {text}")

    def insist(self, text: str, end: str = "\n") -> None:
        """Print on stderr, quiet or not."""
        self._write(self.err_style.safe(text), end)

    def redraw(self, text: str) -> None:
        """Rewrite a line of a terminal, and stay on it."""
        self._write(f"\r\x1b[K{self.err_style.safe(text)}", "")

    def _write(self, text: str, end: str) -> None:
        if self.err is None:
            return
        try:
            print(text, end=end, file=self.err, flush=True)
        except (OSError, ValueError):
            return

    @property
    def watched(self) -> bool:
        """Report whether a person sees stderr as it is written."""
        return is_terminal(self.err)


def is_terminal(stream: TextIO | None) -> bool:
    """Report whether a stream is open and a terminal."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def style_for(stream: TextIO | None, environ: Mapping[str, str], *, wanted: bool = True) -> Style:
    """
    Colours for a stream.

    Args:
        stream: colours are for terminals.
        environ: NO_COLOR (see no-color.org) and TERM=dumb turn them off.
        wanted: False where the command line turned them off.
    """
    plain = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
    return Style(wanted and not plain and is_terminal(stream))
