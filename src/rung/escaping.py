r"""
Makes what a terminal would obey visible: `\x1b` for an escape, `\u202e` for a turned line. Pure.

A text of a server, of a file or of the history is data. Shown raw it could overwrite the truth.
"""

from __future__ import annotations

import re
from functools import cache

UNSEEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e"
    "\u2066-\u2069\ud800-\udfff"
)
"""Control and bidirectional characters and lone surrogates; a character class without brackets."""

_IN_LINES = re.compile(f"[{UNSEEN}]")
_IN_ONE_LINE = re.compile(f"[{UNSEEN}\t\n]")
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
_BYTE, _LAST = 0x100, 0xDFFF


def escaped(text: str) -> str:
    """A text whose line ends and tabs are its layout, all else of the kind made visible."""
    return text.translate(_forms()) if _IN_LINES.search(text) else text


def escaped_line(text: str) -> str:
    """A text that stays on one line: line ends and tabs are made visible too."""
    if not _IN_ONE_LINE.search(text):
        return text
    return text.translate(_forms() | {ord(one): _SHORT[one] for one in "\t\n"})


def escaped_json(text: str) -> str:
    r"""The text of a JSON object, with the characters that JSON itself leaves raw as `\\uXXXX`."""
    if not _IN_LINES.search(text):
        return text
    return text.translate({code: f"\\u{code:04x}" for code in _forms()})


@cache
def _forms() -> dict[int, str]:
    """The visible form of each character, by its code: a text is gone over once, in C."""
    unseen = filter(_IN_LINES.match, map(chr, range(_LAST + 1)))
    return {ord(one): _visible(one) for one in unseen}


def _visible(one: str) -> str:
    code = ord(one)
    return _SHORT.get(one) or (f"\\x{code:02x}" if code < _BYTE else f"\\u{code:04x}")
