"""
Cuts SQL text into tokens as SQLite's own tokenizer does.

Owns every rule about quotes, comments and names. Knows nothing of statements: a semicolon
is a token like any other. Each character is looked at a bounded number of times.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rung.errors import UnterminatedToken
from rung.script.model import Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Iterator

# A byte order mark is a blank wherever a token could begin. \v is none for SQLite.
_BLANK = "[ \t\n\r\f\ufeff]"
_LETTER = r"[^\x00-\x40\x5b-\x5e\x60\x7b-\x7f]"
_WORD_PART = r"[^\x00-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]"
_DIRECTIVE = r"--[ \t]*rung:"

_RULES: Final = {
    "directive": rf"{_DIRECTIVE}[^\n]*",
    "string": r"[xX]?'[^']*(?:''[^']*)*'(?!')",
    "word": rf"(?![xX]'){_LETTER}{_WORD_PART}*",
    "name": r'"[^"]*(?:""[^"]*)*"(?!")|`[^`]*(?:``[^`]*)*`(?!`)|\[[^\]]*\]',
    # What stands behind a number's digits belongs to it; SQLite refuses it then.
    "number": rf"0[xX]{_WORD_PART}*|(?:[0-9]|\.[0-9])(?:[eE][+-]?[0-9]|{_WORD_PART}|\.)*",
    "parameter": rf"\?[0-9]*|[:@#$]{_WORD_PART}+",
    "unclosed": r"[xX]?'|[\"`\[]",
    "operator": r"->>?|\|\||<<|<=|<>|==|!=|>=|>>|[\s\S]",
}
_KINDS: Final = {
    "directive": TokenKind.DIRECTIVE,
    "string": TokenKind.STRING,
    "word": TokenKind.WORD,
    "name": TokenKind.QUOTED_NAME,
    "number": TokenKind.NUMBER,
    "parameter": TokenKind.PARAMETER,
    "operator": TokenKind.OPERATOR,
}
# A comment that is never closed goes on to the end; one that is only begun there is two signs.
_COMMENT = r"/\*(?!\Z)[\s\S]*?(?:\*/|\Z)"
_GAP = re.compile(rf"(?:{_BLANK}+|(?!{_DIRECTIVE})--[^\n]*|{_COMMENT})*")
_TOKEN = re.compile("|".join(f"(?P<{rule}>{pattern})" for rule, pattern in _RULES.items()))


def tokens_of(text: str) -> Iterator[Token]:
    """
    Give the tokens of a text in order, directives among them.

    Raises:
        UnterminatedToken: a string or a quoted name is not closed.
    """
    at = _behind_gap(text, 0)
    while at < len(text):
        found = _TOKEN.match(text, at)
        assert found
        assert found.lastgroup
        if found.lastgroup == "unclosed":
            what = "string" if found[0].endswith("'") else "quoted name"
            line = text.count("\n", 0, at) + 1
            raise UnterminatedToken(f"the {what} that begins here is never closed", line)
        yield Token(_KINDS[found.lastgroup], at, found.end())
        at = _behind_gap(text, found.end())


def _behind_gap(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    return gap.end() if gap else at
