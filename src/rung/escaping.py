r"""
Escape characters that a terminal would obey: `\x1b` for ESC, `\u202e` for right-to-left. Pure.

Text of a server, a file or the history is data. Printed raw, it could overwrite other output.
"""

from __future__ import annotations

import re
import unicodedata
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
    """Escape a text of several lines; line ends and tabs stay."""
    return text.translate(_forms()) if _IN_LINES.search(text) else text


def escaped_line(text: str) -> str:
    """Escape a text that must stay on one line: line ends and tabs as well."""
    if not _IN_ONE_LINE.search(text):
        return text
    return text.translate(_forms() | {ord(one): _SHORT[one] for one in "\t\n"})


def escaped_json(text: str) -> str:
    r"""Escape in JSON text, as `\\uXXXX`, the characters that JSON itself leaves raw."""
    if not _IN_LINES.search(text):
        return text
    return text.translate({code: f"\\u{code:04x}" for code in _forms()})


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))


@cache
def _forms() -> dict[int, str]:
    """Map each character's code to its visible form, so that `str.translate` works in C."""
    unseen = filter(_IN_LINES.match, map(chr, range(_LAST + 1)))
    return {ord(one): _visible(one) for one in unseen}


def _visible(one: str) -> str:
    code = ord(one)
    return _SHORT.get(one) or (f"\\x{code:02x}" if code < _BYTE else f"\\u{code:04x}")
