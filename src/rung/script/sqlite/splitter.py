"""
Cuts a script's text into statements, as SQLite's own shell and `sqlite3_complete` do.

Owns where a statement ends: at a semicolon, but for CREATE TRIGGER at the END after one.
What a statement does is decided by `statement_rules`.
"""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING

from rung.errors import ClientCommand, UnterminatedToken
from rung.script.directives import NO_TRANSACTION, directive_text
from rung.script.model import (
    Control,
    Cut,
    Statement,
    Statements,
    Token,
    TokenKind,
    Tokens,
)
from rung.script.positions import place_of
from rung.script.sqlite.lexer import SqliteLexer
from rung.script.sqlite.statement_rules import (
    control_of,
    is_of_session,
    refusal_of,
    touches_session,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MAX_WORDS = 8
_FEW = 1000
"""So many tokens are quicker as values of their own."""
_TEMPORARY = frozenset({"TEMP", "TEMPORARY"})
_COMMAND = re.compile(r"\.[A-Za-z]+|\\\S*")
_PASTE = "put the SQL of that file into this one, or into its own migration"
_WAYS = {
    ".read": _PASTE,
    ".import": "write INSERT statements",
    ".open": "remove the line: a migration runs in one database",
    ".restore": "remove the line: a migration runs in one database",
    ".system": "remove the line: a migration cannot run programs",
    ".shell": "remove the line: a migration cannot run programs",
}


def cut(text: str) -> Cut:
    """
    Cut a script into its statements.

    Args:
        text: the SQL, without NUL characters; a byte order mark is passed over.

    Raises:
        UnterminatedToken: a string or a quoted name is not closed.
        ClientCommand: a line is a command of SQLite's shell.
    """
    lexer = SqliteLexer(text)
    tokens = lexer.tokens
    try:
        lexer.read_all()
    except UnterminatedToken:  # a command of the shell may hold a quote that nothing closes
        for piece in _pieces(text, tokens):
            _check_command(text, piece)
        raise
    heard = any(directive_text(text, one) == NO_TRANSACTION for one in lexer.directives)
    pieces = array("I")
    for piece in _pieces(text, tokens):
        _check_command(text, piece)
        heard = heard or control_of(text, piece) is not None
        pieces.extend((tokens.at(piece.starts[0]), len(piece)))
    return Cut(Statements(_statements(text, tokens, pieces, heard)), lexer.directives)


def _check_command(text: str, piece: Tokens) -> None:
    """Refuse a statement that begins as no statement can: with a dot, or psql's backslash."""
    start = piece.starts[0]
    found = _COMMAND.match(text, start) if text[start] in ".\\" else None
    if found:
        line, column, _ = place_of(text, start)
        name = found.group()
        whose = "SQLite's shell (sqlite3)" if name[0] == "." else "psql"
        problem = f"`{name}` is a command of {whose}, which no database executes"
        way = _WAYS.get(name, "remove the line")
        raise ClientCommand(problem, line, column=column, way=way)


def _statements(
    text: str,
    tokens: Tokens,
    pieces: Sequence[int],
    heard: bool,  # noqa: FBT001 - handed on
) -> Iterator[Statement]:
    """The statements; `pieces` are the index of each one's first token and their count."""
    counted, line, inside = 0, 1, False
    for number, (at, count) in enumerate(zip(pieces[::2], pieces[1::2], strict=True), 1):
        part = tokens[at : at + count]
        piece = list(part) if count < _FEW else part
        start = piece[0].start
        line += text.count("\n", counted, start)
        counted = start
        control = control_of(text, piece)
        inside = inside if control is None else control is Control.BEGIN
        yield Statement(
            number,
            start,
            piece[-1].end,
            line,
            _words(text, piece),
            control,
            needs_no_transaction=refusal_of(text, piece, heard=heard and not inside),
            touches_session=touches_session(text, piece),
            session_only=is_of_session(text, piece),
        )


def _words(text: str, tokens: Sequence[Token]) -> tuple[str, ...]:
    words = []
    for kind, start, end in tokens[:_MAX_WORDS]:
        if kind is not TokenKind.WORD:
            break
        words.append(text[start:end].upper())
    return tuple(words)


def _pieces(text: str, tokens: Tokens) -> Iterator[Tokens]:
    """The tokens of each statement, without its closing semicolon; empty ones left out."""
    first = 0
    for at, start in enumerate(tokens.starts):
        if text[start] == ";" and not _is_within_trigger(text, tokens, first, at):
            if at > first:
                yield tokens[first:at]
            first = at + 1
    if first < len(tokens):
        yield tokens[first:]


def _is_within_trigger(text: str, tokens: Tokens, first: int, at: int) -> bool:
    """Whether a semicolon ends a statement of a trigger only; `first` is the index of CREATE."""
    begin = tokens[first : min(first + 8, at)]
    return _makes_trigger(text, begin) and not _ended(text, tokens[max(first, at - 2) : at])


def _makes_trigger(text: str, piece: Sequence[Token]) -> bool:
    """CREATE TRIGGER, perhaps TEMP, perhaps to be explained."""
    words = [_upper(text, token) for token in piece[:8]]
    if words[:1] == ["EXPLAIN"]:
        words = words[words.index("CREATE") :] if "CREATE" in words else []
    if words[:1] != ["CREATE"]:
        return False
    rest = [word for word in words[1:] if word not in _TEMPORARY]
    return rest[:1] == ["TRIGGER"]


def _ended(text: str, piece: Sequence[Token]) -> bool:
    """END after a semicolon: no statement of a trigger begins so, and CASE ends elsewhere."""
    return [_upper(text, token) for token in piece[-2:]] == [";", "END"]


def _upper(text: str, token: Token) -> str:
    return text[token.start : token.end].upper()
