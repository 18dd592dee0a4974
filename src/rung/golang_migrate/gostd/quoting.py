"""
Quote a text as Go does (`%q`, `strconv.Quote`). Pure.

A word of the command line that is not UTF-8 has its invalid bytes as Python's surrogate escapes;
they are quoted as Go quotes those bytes.
"""

from __future__ import annotations

_NAMED = {
    '"': r"\"",
    "\\": r"\\",
    "\a": r"\a",
    "\b": r"\b",
    "\f": r"\f",
    "\n": r"\n",
    "\r": r"\r",
    "\t": r"\t",
    "\v": r"\v",
}
_FIRST_ESCAPED, _LAST_ESCAPED = 0xDC80, 0xDCFF
_PLANE = 0x10000


def quoted(text: str) -> str:
    """Return a text in double quotes, with unprintable characters escaped."""
    return '"' + "".join(map(_shown, text)) + '"'


def _shown(mark: str) -> str:
    if mark in _NAMED:
        return _NAMED[mark]
    if mark.isprintable():
        return mark
    code = ord(mark)
    if _FIRST_ESCAPED <= code <= _LAST_ESCAPED:
        return f"\\x{code & 0xFF:02x}"
    if code < ord(" ") or mark == "\x7f":
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < _PLANE else f"\\U{code:08x}"
