"""
Go's way to quote a text (`%q`, `strconv.Quote`). Pure.

A word of the command line that is no UTF-8 holds its odd bytes as Python's surrogate
escapes; they are shown as Go shows those bytes.
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
    """A text in double quotes, with what cannot be printed as an escape."""
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
