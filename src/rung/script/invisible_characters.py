"""
Finds characters that are not seen, or look like others, where SQL has no use for them. Pure.

PostgreSQL takes every character beyond ASCII for a letter, a no-break space too, so what its
error shows looks right. What stands in quotes is data and is never named.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from rung.script.model import TokenKind
from rung.script.positions import place_of

if TYPE_CHECKING:
    from rung.script.model import Script

_DATA = frozenset(
    {TokenKind.STRING, TokenKind.QUOTED_NAME, TokenKind.COPY_DATA, TokenKind.DIRECTIVE}
)
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_NOT_SEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
_MARK = "\ufeff"
_FILLERS = "\u034f\u115f\u1160\u2800\u3164\uffa0"
_LOOK_ALIKE = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\uff07", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\uff02", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d", "-"),
    **dict.fromkeys("\u037e\u061b\uff1b", ";"),
    **dict.fromkeys("\u060c\u3001\uff0c", ","),
    "\uff08": "(",
    "\uff09": ")",
    "\uff1d": "=",
    "\uff0a": "*",
    "\u2024": ".",
    "\uff0e": ".",
}


def strange_character(script: Script, statement: int | None = None) -> str:
    """
    Name the first such character of a script, or of one of its statements, with its place.

    Args:
        script: the file.
        statement: the number of a statement; None for all of them.
    """
    if script.text.isascii():
        return ""
    # The reader passes a byte order mark over; one that is left of a file is its second, and sent.
    if script.text.startswith(_MARK) and statement in (None, 1):
        return f"line 1 has {_named(_MARK)} outside quotes, at column 1"
    chosen = script.statements if statement is None else script.statements[statement - 1 :][:1]
    for one in chosen:
        for kind, start, end in script.tokens_of(one):
            if kind in _DATA:
                continue
            for found in _BEYOND_ASCII.finditer(script.text, start, end):
                if what := _named(found.group()):
                    line, column, _ = place_of(script.text, found.start())
                    return f"line {line} has {what} outside quotes, at column {column}"
    return ""


def _named(character: str) -> str:
    unseen = unicodedata.category(character) in _NOT_SEEN or character in _FILLERS
    like = _LOOK_ALIKE.get(character)
    if not unseen and like is None:
        return ""
    name = unicodedata.name(character, "a control character")
    known = f"U+{ord(character):04X} ({name})"
    return f"the invisible character {known}" if unseen else f"{known}, which is not {like},"
