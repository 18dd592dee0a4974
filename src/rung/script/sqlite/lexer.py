"""
Cuts SQL text into tokens as SQLite's own tokenizer does.

Owns every rule about quotes, comments and names. Knows nothing of statements: a semicolon
is a token like any other. Each character is looked at a bounded number of times.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Final

from rung.errors import UnterminatedToken
from rung.script.model import NUMBER_OF, Token, TokenKind, Tokens
from rung.script.rows import read_rows

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
    # Letters after a number's digits belong to it; SQLite refuses it then.
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
_RULE: Final = ("", *_RULES)
_DIRECTIVES: Final = _RULE.index("directive")
_UNCLOSED: Final = _RULE.index("unclosed")
_KIND: Final = tuple(NUMBER_OF[_KINDS.get(rule, TokenKind.OPERATOR)] for rule in _RULE)
# A comment that is never closed ends with the text; `/*` at the very end is two operators.
_COMMENT = r"/\*(?!\Z)[\s\S]*?(?:\*/|\Z)"
_TOKEN = re.compile(
    rf"(?:{_BLANK}+|(?!{_DIRECTIVE})--[^\n]*|{_COMMENT})*"
    rf"(?:{'|'.join(f'({pattern})' for pattern in _RULES.values())}|\Z)"
)
_AT_ONCE = 4096
_FIRST = 10
"""The tokens at the beginning of a statement by which its kind is recognized."""


class SqliteLexer:
    """
    A reading position in a text; `tokens` and `directives` grow as it moves.

    Args:
        text: the SQL.
        start, end: the range that is read, between tokens.
    """

    def __init__(self, text: str, start: int = 0, end: int | None = None) -> None:
        self.text, self.position = text, start
        self._end = len(text) if end is None else end
        self.tokens = Tokens()
        self.directives: list[Token] = []
        self.at_end = False

    def read_all(self) -> None:
        """
        Read to the end; leave out most tokens of rows, where there are very many.

        The first tokens of each statement are there, which show its kind, and so is the last token
        of a run of rows, so that the end of each statement is known.

        Raises:
            UnterminatedToken: a string or a quoted name is not closed.
        """
        self.read(_AT_ONCE)
        while not self.at_end:
            begins = ";" in (self.text[start] for start in self.tokens.starts[-_FIRST:])
            for run in () if begins else self.rows():
                self.tokens.append(
                    Token(TokenKind.OPERATOR, self.position - len(run[-1]), self.position)
                )
            self.read(len(self.tokens) + _AT_ONCE)

    def rows(self) -> Iterator[list[str]]:
        """Step over tokens of rows; yield them as they are written."""
        run = [""]
        while run:
            run, self.position = read_rows(self.text, self.position, self._end)
            if run:
                yield run

    def read(self, most: int = sys.maxsize) -> None:
        """
        Read to the end, or until so many tokens are read.

        Raises:
            UnterminatedToken: a string or a quoted name is not closed.
        """
        match, text, position, last = _TOKEN.match, self.text, self.position, self._end
        kinds, starts, ends = self.tokens.kinds, self.tokens.starts, self.tokens.ends
        kind, begin, close = kinds.append, starts.append, ends.append
        while len(kinds) < most:
            found = match(text, position, last)
            group = found.lastindex  # type: ignore[union-attr]
            if group is None:
                self.at_end = True
                break
            start, position = found.span(group)  # type: ignore[union-attr]
            if group == _UNCLOSED:
                what = "string" if text[position - 1] == "'" else "quoted name"
                line = text.count("\n", 0, start) + 1
                raise UnterminatedToken(f"the {what} that begins here is never closed", line)
            if group == _DIRECTIVES:
                self.directives.append(Token(TokenKind.DIRECTIVE, start, position))
                continue
            kind(_KIND[group])
            begin(start)
            close(position)
        self.position = position


def tokens_of(text: str) -> Tokens:
    """
    Give the tokens of a text in order, directives among them.

    Raises:
        UnterminatedToken: a string or a quoted name is not closed.
    """
    lexer = SqliteLexer(text)
    lexer.read()
    return lexer.tokens.merged(lexer.directives)


def scan(text: str, start: int, end: int, *, rows: bool = False) -> Iterator[Tokens | list[str]]:
    """
    Yield the tokens of a range of a script that was read before, some thousand at a time.

    Args:
        text: the script's.
        start, end: the range, between tokens.
        rows: give tokens of rows as they are written, where there are very many; see `rows`.
    """
    lexer = SqliteLexer(text, start, end)
    while not lexer.at_end:
        lexer.tokens = Tokens()
        lexer.read(_AT_ONCE)
        if len(lexer.tokens):
            yield lexer.tokens
        if rows and not lexer.at_end:
            yield from lexer.rows()
