"""
What a string literal says, and where in the text each character of that stands. Pure.

For looking into strings that hold SQL themselves. Numbers of bytes above 127 in an escape
are taken one by one, not as UTF-8.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from rung.errors import ScriptError
from rung.script.model import Token, TokenKind
from rung.script.postgres.lexer import Lexer

if TYPE_CHECKING:
    from collections.abc import Sequence

_OPENING = re.compile(r"(?:[eEbBxXnN]|[uU]&)?'|\$[^$]*\$")
_QUOTE = re.compile(r"(?:[eE]|[uU]&)?'|\$(?:[^\W\d]\w*)?\$")
_DOUBLED = re.compile(r"''")
_ESCAPE = re.compile(
    r"''|\\(?:x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|[\s\S])"
)
_UNICODE = re.compile(r"''|\\(?:\\|\+[0-9a-fA-F]{6}|[0-9a-fA-F]{4})")
_LETTERS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_NEWEST = 0x10FFFF


class Literal(NamedTuple):
    """The inside of a literal: its range, what it says, and where the two part."""

    start: int
    end: int
    inner: str
    meanings: tuple[str, ...]
    """All that it may say; more than one where a setting decides about backslashes."""
    steps: Sequence[tuple[int, int]]
    """Offsets in `inner` and in the text from where both run on alike, ascending."""

    def place(self, at: int) -> int:
        """Return the place in the text of the character of `inner` at this offset."""
        inner, outer = self.steps[bisect_right(self.steps, at, key=itemgetter(0)) - 1]
        return outer + at - inner


def literal(text: str, token: Token) -> Literal:
    """Read a literal; one that is never closed ends with the text."""
    opening = _OPENING.match(text, token.start)
    quote = opening.group() if opening else ""
    start = token.start + len(quote)
    closed = text.endswith(quote[-1:], start, token.end) and token.end > start
    width = len(quote) if quote.startswith("$") else 1
    end = max(token.end - width, start) if closed else token.end
    raw = text[start:end]
    if quote.startswith("$"):
        return Literal(start, end, raw, (raw,), [(0, start)])
    escape = _escape_of(quote)
    inner, steps = _unescaped(raw, start, escape)
    others = (_unescaped(raw, start, _ESCAPE)[0],) if "\\" in raw and escape is _DOUBLED else ()
    return Literal(start, end, inner, (inner, *others), steps)


def tokens_of(text: str) -> Sequence[Token]:
    """The tokens of a text that need not be whole SQL; what is never closed is its last."""
    lexer = Lexer(text)
    try:
        while not lexer.at_end:
            lexer.read()
    except ScriptError:
        read = lexer.tokens[-1].end if lexer.tokens else 0
        rest = _QUOTE.search(text, read)
        if rest:
            lexer.tokens.append(Token(TokenKind.STRING, rest.start(), len(text)))
    return lexer.tokens


def _escape_of(quote: str) -> re.Pattern[str]:
    if quote[:1] in {"e", "E"}:
        return _ESCAPE
    return _UNICODE if "&" in quote else _DOUBLED


def _unescaped(raw: str, start: int, escape: re.Pattern[str]) -> tuple[str, list[tuple[int, int]]]:
    parts: list[str] = []
    steps = [(0, start)]
    read = written = 0
    for found in escape.finditer(raw):
        parts += [raw[read : found.start()], _meaning(found.group())]
        written += found.start() - read + 1
        read = found.end()
        steps.append((written, start + read))
    return "".join((*parts, raw[read:])), steps


def _meaning(escape: str) -> str:
    """One character for each escape."""
    body = escape[1:]
    if escape == "''" or body in {"\\", "'"}:
        return body
    if body[0] in "xuU+" and len(body) > 1:
        return _character(int(body[1:], 16))
    if len(body) == 4:  # noqa: PLR2004 - \XXXX of a U&'' literal
        return _character(int(body, 16))
    if body[0] in "01234567":
        return _character(int(body, 8))
    return _LETTERS.get(body, body)


def _character(number: int) -> str:
    return chr(number) if 0 < number <= _NEWEST else "\ufffd"
