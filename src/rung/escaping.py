r"""
Makes what a terminal would obey visible: `\x1b` for an escape, `\u202e` for a turned line. Pure.

A text of a server, of a file or of the history is data. Shown raw it could overwrite the truth.
"""

from __future__ import annotations

import re

UNSEEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e"
    "\u2066-\u2069\ud800-\udfff"
)
"""Control and bidirectional characters and lone surrogates; a character class without brackets."""

_IN_LINES = re.compile(f"[{UNSEEN}]")
_IN_ONE_LINE = re.compile(f"[{UNSEEN}\t\n]")
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
_BYTE = 0x100


def escaped(text: str) -> str:
    """A text whose line ends and tabs are its layout, all else of the kind made visible."""
    return _IN_LINES.sub(_visible, text)


def escaped_line(text: str) -> str:
    """A text that stays on one line: line ends and tabs are made visible too."""
    return _IN_ONE_LINE.sub(_visible, text)


def escaped_json(text: str) -> str:
    r"""The text of a JSON object, with the characters that JSON itself leaves raw as `\\uXXXX`."""
    return _IN_LINES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _visible(found: re.Match[str]) -> str:
    one = found[0]
    code = ord(one)
    return _SHORT.get(one) or (f"\\x{code:02x}" if code < _BYTE else f"\\u{code:04x}")
