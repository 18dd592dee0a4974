"""
Reads the rows of a great INSERT in blocks, for a file of data has millions of tokens.

A block is cut by one call of the regular-expression engine instead of one for each token, which
takes a quarter of the time. Only tokens of which this cannot go wrong are read so: commas,
parentheses, plain numbers with a minus or without, plain strings, and the words that stand in for a
value. The first of another kind, a comment or a CR LF ends the run, and the lexer goes on there.
"""

from __future__ import annotations

import re
from functools import cache

_BLOCK = 1 << 16
_FEW = 256
"""A shorter run is not worth its block."""
_BLANKS = " \t\n\f\v"
_BLANK = f"[{_BLANKS}]"
ROW_WORDS = ("NULL", "null", "TRUE", "true", "FALSE", "false", "DEFAULT", "default")
_RAW = r"'[^']*(?:''[^']*)*'(?=[^'])"
_WITHOUT_BACKSLASH = r"'[^'\\]*(?:''[^'\\]*)*'(?=[^'])"
_PARENTHESES = frozenset("()")
_ROUNDS = 8


@cache
def _pattern(*, standard_conforming_strings: bool) -> re.Pattern[str]:
    """Whatever follows the run is one match to the end of the block: its length says where."""
    string = _RAW if standard_conforming_strings else _WITHOUT_BACKSLASH
    words = "|".join(ROW_WORDS)
    end = rf"(?=(?:{_BLANK}|[,)]))"
    return re.compile(
        rf"{_BLANK}*([,()]|[0-9]+(?:\.[0-9]+)?{end}|{string}|-(?=[0-9])|(?:{words}){end}|[\s\S]+)"
    )


def read_rows(
    text: str, position: int, end: int, *, standard_conforming_strings: bool = True
) -> tuple[list[str], int]:
    """
    Read a run of tokens.

    Args:
        text: the SQL.
        position: the end of a token, from where the run begins.
        end: of the range that is read.
        standard_conforming_strings: as for the lexer.

    Returns:
        The tokens as they are written, none where the run is short, and its end in the text.
    """
    behind = min(position + _BLOCK, end)
    block = text[position:behind]
    if "\r" in block:
        return [], position
    find = _pattern(standard_conforming_strings=standard_conforming_strings).findall
    found: list[str] = find(block)
    rest = found.pop() if found else ""
    if len(found) < _FEW:
        return [], position
    return found, position + len(block[: len(block) - len(rest)].rstrip(_BLANKS))


def depth_after(depth: int, tokens: list[str]) -> int:
    """
    Give how many parentheses are open behind a run, where so many are open before it.

    A pair that opens and closes changes nothing, so pairs are taken out a few times; what is left
    is counted one by one, for one that closes without an open one does not count.
    """
    left = "".join(filter(_PARENTHESES.__contains__, tokens))
    for _ in range(_ROUNDS):
        left = left.replace("()", "")
    for one in left:
        depth = depth + 1 if one == "(" else max(depth - 1, 0)
    return depth
