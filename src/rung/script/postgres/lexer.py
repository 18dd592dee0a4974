"""
Cuts SQL text into tokens as PostgreSQL's own scanner does (14 to 18).

Owns every rule about quotes, comments, dollar quotes and operators. Knows nothing of
statements but that a semicolon outside parentheses ends a reading. Each character is
looked at a bounded number of times, whatever the text.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from typing import TYPE_CHECKING, Final

from rung.errors import UnterminatedToken
from rung.script.model import NUMBER_OF, Token, TokenKind, Tokens
from rung.script.postgres.psql_commands import command_at, end_of_guard
from rung.script.rows import depth_after, read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

# No possessive quantifiers below: Python 3.11.0 to 3.11.4 gets those on groups wrong. Where a
# match could be given up in part, what follows it forbids that: (?!') after a closing quote.
_BLANK = r"[ \t\n\r\f\v]"
# PostgreSQL takes every byte above 127 for a letter, so every such character is one here.
_LETTER = r"[^\x00-\x40\x5b-\x5e\x60\x7b-\x7f]"
_TAG_PART = r"[^\x00-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]"
_WORD_PART = r"[^\x00-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]"
_SIGN = r"(?!--|/\*)[~!@#^&|`?+\-*/%<>=]"
_DIGITS = r"[0-9](?:_?[0-9])*"
_FRACTION = rf"(?:{_DIGITS}(?:\.(?!\.)(?:{_DIGITS})?)?|\.{_DIGITS})"
_RAW = r"'[^']*(?:''[^']*)*'(?!')"
_ESCAPED = r"'[^'\\]*(?:(?:\\[\s\S]|'')[^'\\]*)*'(?!')"
_BITS = r"'[^']*'"
_DIRECTIVE = r"--[ \t]*rung:"

_RULES: Final = {
    "word": rf"(?!(?:[eEbBxXnN]|[uU]&)'|[uU]&\"){_LETTER}{_WORD_PART}*",
    "mark": r"::|:=|\.\.|\.(?![0-9])|[,:\[\]]",
    "number": (
        r"0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+"
        rf"|{_FRACTION}(?:[eE][+-]?{_DIGITS})?"
    ),
    "plain": r"[nN]{plain}|{plain}",
    "name": r'(?:[uU]&)?"[^"]*(?:""[^"]*)*"(?!")',
    "parameter": r"\$[0-9]+",
    "sign": rf"{_SIGN}(?![~!@#^&|`?+\-*/%<>=])",
    "open": r"\(",
    "close": r"\)",
    "semicolon": r";",
    "signs": rf"(?:{_SIGN})+",
    "dollar": rf"\$(?:{_LETTER}{_TAG_PART}*)?\$",
    "escaped": rf"[eE]{_ESCAPED}",
    "raw": rf"[uU]&{_RAW}",
    "bits": rf"[bBxX]{_BITS}",
    "comment": r"/\*",
    "directive": rf"{_DIRECTIVE}[^\n\r]*",
    "unclosed": r"(?:[eEbBxXnN]|[uU]&)?'|(?:[uU]&)?\"",
    "end": r"\Z",
    "other": r"[\s\S]",
}
# A group of the pattern is known by its number, which is the rule's place, from 1.
_GROUP: Final = {rule: number for number, rule in enumerate(_RULES, 1)}
_OPEN: Final = _GROUP["open"]
_CLOSE: Final = _GROUP["close"]
_SEMICOLON: Final = _GROUP["semicolon"]
_KINDS: Final = {
    "word": TokenKind.WORD,
    "number": TokenKind.NUMBER,
    "plain": TokenKind.STRING,
    "name": TokenKind.QUOTED_NAME,
    "parameter": TokenKind.PARAMETER,
}
_OPERATOR: Final = NUMBER_OF[TokenKind.OPERATOR]
_KIND: Final = (
    _OPERATOR,
    *(NUMBER_OF[_KINDS.get(rule, TokenKind.OPERATOR)] for rule in _RULES),
)
_RULE: Final = ("", *_RULES)

# What may be between the parts of a string literal; it has to contain a line end.
_GAP = re.compile(rf"(?:{_BLANK}+|--[^\n\r]*[\n\r])*")
_GOES_ON: Final = {
    "escaped": re.compile(_ESCAPED),
    "raw": re.compile(_RAW),
    "bits": re.compile(_BITS),
}
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_INSERTS = ("INSERT ", "insert ", "Insert ", "INSERT\n", "insert\n")
_AT_ONCE = 4096
_KEEPS_LAST_SIGN = re.compile(r"[~!@#^&|`?%]")


@cache
def _pattern(*, standard_conforming_strings: bool) -> re.Pattern[str]:
    plain = _RAW if standard_conforming_strings else _ESCAPED
    rules = "|".join(f"({rule})" for rule in _RULES.values()).replace("{plain}", plain)
    return re.compile(rf"(?:{_BLANK}+|(?!{_DIRECTIVE})--[^\n\r]*)*(?:{rules})")


class Lexer:
    """
    A reading position in a text; `tokens` and `directives` grow as it moves.

    Args:
        text: SQL; a byte order mark at its start is passed over.
        standard_conforming_strings: the session's setting; off, a backslash in a plain
            '' string is an escape.
        of_file: a command of psql is refused; off, its backslash is a token like any other.
        start, end: the range of the text that is read, between tokens.
    """

    def __init__(
        self,
        text: str,
        *,
        standard_conforming_strings: bool = True,
        of_file: bool = False,
        start: int = 0,
        end: int | None = None,
    ) -> None:
        self.text = text
        self._end = len(text) if end is None else end
        self.passed_over: list[tuple[int, int]] = []
        """The lines that are pg_dump's for psql, which are not sent."""
        self._of_file = of_file
        self.position = 1 if not start and text.startswith("\ufeff") else start
        self.tokens = Tokens()
        self.directives: list[Token] = []
        self.at_end = False
        self.is_paused = False
        """Whether `read` ended inside a statement."""
        self.depth = 0
        """How many parentheses are open there."""
        self._conforms = standard_conforming_strings
        self._match = _pattern(standard_conforming_strings=standard_conforming_strings).match

    def read(self, most: int = sys.maxsize) -> None:  # noqa: C901 - the hot loop, in one piece
        """
        Read up to and with the next semicolon outside parentheses, else to the end.

        Args:
            most: pause at an opening parenthesis, once there are so many tokens.

        Raises:
            UnterminatedToken: a string, quoted name, dollar quote or comment is not closed.
            ClientCommand: a line is psql's.
        """
        match, text, position, depth = self._match, self.text, self.position, self.depth
        last = self._end
        self.is_paused = False
        tokens = self.tokens
        kind, begin, close = tokens.kinds.append, tokens.starts.append, tokens.ends.append
        while True:
            found = match(text, position, last)
            group: int = found.lastindex  # type: ignore[union-attr, assignment]
            start, position = found.span(group)  # type: ignore[union-attr]
            if group < _OPEN:
                kind(_KIND[group])
                begin(start)
                close(position)
                continue
            if group > _SEMICOLON:
                position = self._special(_RULE[group], start, position)
                if self.at_end:
                    break
                continue
            kind(_OPERATOR)
            begin(start)
            close(position)
            if group == _OPEN:
                depth += 1
                if len(tokens.kinds) >= most:
                    self.is_paused = True
                    break
            elif group == _CLOSE:
                depth = max(depth - 1, 0)
            elif not depth:
                break
        self.position, self.depth = position, depth if self.is_paused else 0

    def read_statement(self, *, skips_rows: bool) -> None:
        """
        Read a statement; most tokens of the rows of a large INSERT can be left out.

        Its last token is there in any case, so that its end is known.

        Raises: what `read` raises.
        """
        first = len(self.tokens)
        self.read(first + _AT_ONCE)
        while self.is_paused:
            if skips_rows and self.text.startswith(_INSERTS, self.tokens.starts[first]):
                for found in self.rows():
                    self.depth = depth_after(self.depth, found)
                    last = self.position - len(found[-1])
                    self.tokens.append(Token(TokenKind.OPERATOR, last, self.position))
            self.read(len(self.tokens) + _AT_ONCE)

    def rows(self) -> Iterator[list[str]]:
        """Step over tokens of rows, which are given as they are written."""
        found = [""]
        while found:
            found, self.position = read_rows(
                self.text, self.position, self._end, standard_conforming_strings=self._conforms
            )
            if found:
                yield found

    def _special(self, rule: str, start: int, end: int) -> int:
        """Read what a pattern alone cannot; return the offset after it."""
        if rule == "comment":
            return self._comment_end(start)
        if rule == "unclosed":
            self._refuse("quoted name" if self.text[end - 1] == '"' else "string", start)
        if rule == "directive":
            self.directives.append(Token(TokenKind.DIRECTIVE, start, end))
            return end
        if rule in _GOES_ON:
            return self._string(rule, start, end)
        if rule == "end":
            self.at_end = True
            return end
        if rule == "dollar":
            return self._dollar_quote(start, end)
        return self._operators(start, end)

    def _backslash(self, start: int) -> int:
        """Skip a line of pg_dump's between statements; refuse any other backslash."""
        last = self.tokens[-1] if self.tokens else None
        between = last is None or self.text[last.start] == ";" or last.kind is TokenKind.COPY_DATA
        end = end_of_guard(self.text, start) if between else None
        if end is None:
            raise command_at(self.text, start)
        self.passed_over.append((start, end))
        return end

    def _string(self, rule: str, start: int, end: int) -> int:
        self.tokens.append(Token(TokenKind.STRING, start, end))
        while (more := self._continuation(end)) is not None:
            part = _GOES_ON[rule].match(self.text, more)
            if not part:
                self._refuse("string", more)
            end = part.end()
            self.tokens.append(Token(TokenKind.STRING, more, end))
        return end

    def _continuation(self, end: int) -> int | None:
        """Return where a string literal continues after a line end; None where it does not."""
        gap = _GAP.match(self.text, end)
        if gap is None or not self.text.startswith("'", gap.end()):
            return None
        between = gap.group()
        return gap.end() if "\n" in between or "\r" in between else None

    def _dollar_quote(self, start: int, opened: int) -> int:
        tag = self.text[start:opened]
        closed = self.text.find(tag, opened)
        if closed < 0:
            self._refuse(f"dollar quote {tag}", start)
        end = closed + len(tag)
        self.tokens.append(Token(TokenKind.STRING, start, end))
        return end

    def _comment_end(self, start: int) -> int:
        depth = 0
        for edge in _COMMENT_EDGE.finditer(self.text, start):
            depth += 1 if edge.group() == "/*" else -1
            if not depth:
                return edge.end()
        return self._refuse("comment", start)

    def _operators(self, start: int, end: int) -> int:
        """One operator, without the + and - at its end, so that `a=-1` is an equation."""
        signs = self.text[start:end]
        if self._of_file and signs == "\\":
            return self._backslash(start)
        kept = len(signs if _KEEPS_LAST_SIGN.search(signs) else signs.rstrip("+-"))
        head = start + max(kept, 1)
        self.tokens.append(Token(TokenKind.OPERATOR, start, head))
        for at in range(head, end):
            self.tokens.append(Token(TokenKind.OPERATOR, at, at + 1))
        return end

    def _refuse(self, what: str, start: int) -> NoReturn:
        line = self.text.count("\n", 0, start) + 1
        raise UnterminatedToken(f"the {what} that begins here is never closed", line)


def scan(
    text: str,
    start: int,
    end: int,
    *,
    rows: bool = False,
    standard_conforming_strings: bool = True,
) -> Iterator[Tokens | list[str]]:
    """
    Give the tokens of a range of a script that was read before, some thousand at a time.

    Args:
        text: the script's.
        start, end: the range, between tokens.
        rows: give tokens of rows as they are written, where there are very many; see `rows`.
        standard_conforming_strings: as for the lexer.
    """
    lexer = Lexer(
        text,
        standard_conforming_strings=standard_conforming_strings,
        of_file=True,
        start=start,
        end=end,
    )
    while not lexer.at_end:
        lexer.read(_AT_ONCE)
        if len(lexer.tokens) >= _AT_ONCE:
            yield lexer.tokens
            lexer.tokens = Tokens()
            if rows and lexer.is_paused:
                yield from lexer.rows()
    if len(lexer.tokens):
        yield lexer.tokens


def scan_with_escapes(
    text: str, start: int, end: int, *, rows: bool = False
) -> Iterator[Tokens | list[str]]:
    """Give the same for a session with standard_conforming_strings off."""
    return scan(text, start, end, rows=rows, standard_conforming_strings=False)
