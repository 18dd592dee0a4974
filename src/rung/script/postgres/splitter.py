"""
Cuts a script's text into statements, as psql would send them.

Owns where a statement ends (BEGIN ATOMIC bodies) and which lines are COPY data. What a
statement does is decided by `transaction_rules` and `session_state`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rung.errors import ScriptError
from rung.script.model import NUMBER_OF, Cut, Statement, Statements, Token, TokenKind, Tokens
from rung.script.postgres.lexer import Lexer
from rung.script.postgres.session_state import SessionWatch
from rung.script.postgres.transaction_rules import (
    builds_concurrently,
    control_of,
    has_rule,
    may_refuse,
    refusal_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_WORDS = 8
_WORD = NUMBER_OF[TokenKind.WORD]
_NOT_LOOKED_AT = Tokens()
"""Replaces the tokens of most statements, whose words are enough: one may have a million."""
# What may follow a COPY … FROM STDIN; on its line: its data begins on the next.
_REST_OF_LINE = re.compile(r"(?:[ \t\r\f\v;]+|--[^\n]*|/\*[^*\n]*(?:\*(?!/)[^*\n]*)*\*/)*")


def cut(text: str) -> Cut:
    """
    Cut a script into its statements.

    COPY data begins on the line after the semicolon of COPY … FROM STDIN and ends at a line
    of backslash-dot, or with the text. Where psql finds more SQL after that
    semicolon, it runs it after the data; such a line is refused here.

    Args:
        text: the SQL, without NUL characters; a byte order mark is passed over.

    Raises:
        UnterminatedToken: a string, quoted name, dollar quote or comment is not closed.
        ClientCommand: a line is psql's.
        ScriptError: SQL after a COPY … FROM STDIN; on its line.
    """
    return _cut(Lexer(text, of_file=True))


def cut_with_escapes(text: str) -> Cut:
    """Cut a script for a session with standard_conforming_strings off."""
    return _cut(Lexer(text, standard_conforming_strings=False, of_file=True))


def _cut(lexer: Lexer) -> Cut:
    statements = Statements(_Reader(lexer).statements())
    return Cut(statements, lexer.directives, lexer.passed_over)


class _Reader:
    """Walks a lexer statement by statement, counting lines on the way."""

    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        self.text = lexer.text
        self.watch = SessionWatch(lexer.text)
        self.counted, self.line = 0, 1
        self.known: dict[tuple[str, ...], tuple[str, ...]] = {}
        """Leading words that were met, each row of them kept once."""

    def statements(self) -> Iterator[Statement]:
        number = 1
        while not self.lexer.at_end:
            statement = self._next(number)
            if statement:
                number += 1
                yield statement

    def _next(self, number: int) -> Statement | None:
        """The next statement; None for an empty one."""
        lexer, first = self.lexer, len(self.lexer.tokens)
        lexer.read_statement(skips_rows=not self.watch.suspects)
        closed = 0 if lexer.at_end else 1
        if len(lexer.tokens) - closed == first:
            return None
        words = self._words(first)
        if words[:1] == ("CREATE",) and _makes_routine(words) and self._opens_body(first):
            self._read_body()
            closed = 0 if lexer.at_end else 1
        last = len(lexer.tokens) - closed
        looked_at = words[:1] == ("COPY",) or self.watch.suspects or has_rule(words)
        tokens = lexer.tokens[first:last] if looked_at else _NOT_LOOKED_AT
        data = self._copy_data(tokens, closed=closed) if words[:1] == ("COPY",) else None
        place = lexer.tokens.starts[first], lexer.tokens.ends[last - 1]
        return self._statement(number, words, place, tokens, data)

    def _statement(
        self,
        number: int,
        words: tuple[str, ...],
        place: tuple[int, int],
        tokens: Tokens,
        copy_data: tuple[int, int] | None,
    ) -> Statement:
        refusal = refusal_of(self.text, tokens, words)
        return Statement(
            number,
            *place,
            self._line_of(place[0]),
            words,
            control_of(words),
            copy_data,
            refusal,
            builds_concurrently(refusal),
            self.watch.touched_by(words, tokens),
            may_refuse(words),
        )

    def _words(self, first: int) -> tuple[str, ...]:
        tokens, words = self.lexer.tokens, []
        for index in range(first, min(first + _MAX_WORDS, len(tokens.kinds))):
            if tokens.kinds[index] != _WORD:
                break
            words.append(self.text[tokens.starts[index] : tokens.ends[index]].upper())
        return self.known.setdefault(found := tuple(words), found)

    def _line_of(self, offset: int) -> int:
        self.line += self.text.count("\n", self.counted, offset)
        self.counted = offset
        return self.line

    def _upper(self, index: int) -> str:
        token = self.lexer.tokens[index]
        return self.text[token.start : token.end].upper()

    def _opens_body(self, first: int) -> bool:
        """Whether BEGIN ATOMIC is outside parentheses; inside, it can be a parameter."""
        depth, before = 0, ""
        for index in range(first, len(self.lexer.tokens)):
            spelled = self._upper(index)
            depth += (spelled == "(") - (spelled == ")")
            if not depth and before == "BEGIN" and spelled == "ATOMIC":
                return not self._ends_body(index + 1)
            before = spelled
        return False

    def _read_body(self) -> None:
        """
        Read on to the END of a BEGIN ATOMIC body and the semicolon after it.

        That END is at a statement's place, after a semicolon: no statement begins
        with END in there, and any other END closes a CASE or names a column.
        """
        ended = False
        while not ended and not self.lexer.at_end:
            begun = len(self.lexer.tokens)
            self.lexer.read()
            ended = self._ends_body(begun)

    def _ends_body(self, index: int) -> bool:
        return index < len(self.lexer.tokens) and self._upper(index) == "END"

    def _copy_data(self, tokens: Tokens, *, closed: int) -> tuple[int, int] | None:
        """Pass over the data of a COPY … FROM STDIN, if it is one; gives its range."""
        if not _copies_in(self.text, tokens):
            return None
        start = self._data_start() if closed else len(self.text)
        end, closed_at = _data_end(self.text, start)
        if closed_at > start:
            self.lexer.tokens.append(Token(TokenKind.COPY_DATA, start, closed_at))
        self.lexer.position = closed_at
        return start, end

    def _data_start(self) -> int:
        rest = _REST_OF_LINE.match(self.text, self.lexer.position)
        end = rest.end() if rest else self.lexer.position
        if end < len(self.text) and self.text[end] != "\n":
            problem = (
                "SQL follows COPY … FROM STDIN; on its line, where only the data can follow; "
                "put it on its own line after the data"
            )
            raise ScriptError(problem, self.text.count("\n", 0, end) + 1)
        return min(end + 1, len(self.text))


def _makes_routine(words: tuple[str, ...]) -> bool:
    rest = words[3:] if words[1:3] == ("OR", "REPLACE") else words[1:]
    return rest[:1] in {("FUNCTION",), ("PROCEDURE",)}


def _copies_in(text: str, tokens: Tokens) -> bool:
    """Whether FROM STDIN is outside parentheses; FROM STDOUT means the same there."""
    depth, before = 0, ""
    for kind, start, end in tokens:
        if kind is TokenKind.WORD and not depth:
            word = text[start:end].upper()
            if before == "FROM":
                return word in {"STDIN", "STDOUT"}
            before = word
        else:
            depth += (text[start] == "(") - (text[start] == ")")
            before = ""
    return False


def _data_end(text: str, start: int) -> tuple[int, int]:
    """The ends of COPY data without and with its line of backslash-dot."""
    if start >= len(text):
        return start, start
    found = text.find("\n\\.", start - 1)
    while found >= 0:
        end = found + 3
        if end == len(text) or text[end] == "\n" or text[end : end + 2] in {"\r", "\r\n"}:
            return found + 1, end
        found = text.find("\n\\.", end)
    return len(text), len(text)
