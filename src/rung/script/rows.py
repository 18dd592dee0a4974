"""
Reads the rows of a large INSERT in blocks, because a file of data has millions of tokens.

One call of the regular-expression engine reads a block, instead of one call for each token: a
quarter of the time. Only tokens that every dialect reads alike are read so: commas, parentheses,
numbers without an exponent, with or without a minus, plain strings, and the keywords that stand for
a value. Any other token, a comment or a CR ends the run, and the lexer continues there.
"""

from __future__ import annotations

import re
from functools import cache

_BLOCK = 1 << 16
_FEW = 256
"""The tokens of the shortest run that is read so."""
_BLANKS = " \t\n\f"
"""Without \\v, which is a blank in PostgreSQL only."""
_BLANK = f"[{_BLANKS}]"
ROW_WORDS = ("NULL", "null", "TRUE", "true", "FALSE", "false", "DEFAULT", "default")
_RAW = r"'[^']*(?:''[^']*)*'(?=[^'])"
_WITHOUT_BACKSLASH = r"'[^'\\]*(?:''[^'\\]*)*'(?=[^'])"
_PARENTHESES = frozenset("()")
_ROUNDS = 8


@cache
def _pattern(*, standard_conforming_strings: bool) -> re.Pattern[str]:
    """The last alternative matches all that follows the run, so that its length shows its place."""
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
        position: the end of a token, where the run begins.
        end: the end of the range that is read.
        standard_conforming_strings: as for the lexer.

    Returns:
        The tokens as they are written, none where the run is short, and its end in the text.
    """
    block = text[position : min(position + _BLOCK, end)]
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
    Return how many parentheses are open after a run.

    A pair that opens and closes changes nothing, so pairs are removed a few times; the rest is
    counted one by one, because a closing parenthesis without an open one does not count.
    """
    left = "".join(filter(_PARENTHESES.__contains__, tokens))
    for _ in range(_ROUNDS):
        left = left.replace("()", "")
    for one in left:
        depth = depth + 1 if one == "(" else max(depth - 1, 0)
    return depth
