"""
Has the server parse a file to its end before any of it runs; and runs statements unrecorded.

The file's statements are the body of a CREATE FUNCTION … BEGIN ATOMIC, which is parsed as a
prepared statement and neither bound nor executed: so the server reads them by its own grammar,
looks nothing up, takes no lock and writes no line into its log. Only BEGIN and END are no
statements in there, and are sent as START TRANSACTION and COMMIT, which mean the same.

A failure proves that the file cannot be parsed; no failure proves nothing else. What the server
says of text of ours (that it knows no BEGIN ATOMIC), or without a place, is no failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rung.drivers.postgres.message import CLOSING, Message, Piece, copy_blocks, file_pieces, ours
from rung.drivers.postgres.quoting import Sql
from rung.drivers.transaction import (
    ExecutionResult,
    PartResult,
    StatementFailure,
)
from rung.errors import sqlstate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.drivers.postgres.wire import Reply, Wire
    from rung.script import Script, Statement


_OPENING = "CREATE FUNCTION pg_temp.rung_syntax() RETURNS void LANGUAGE sql BEGIN ATOMIC\n"
_KNOWS_BODIES = 140000
"""The first version of the server that has BEGIN ATOMIC."""
_NOISE = frozenset({"WORK", "TRANSACTION"})
_INSTEAD: Final = {"BEGIN": "START TRANSACTION", "END": "COMMIT"}


def check_syntax(wire: Wire, script: Script) -> ExecutionResult:
    """
    Parse a script; the failure names the place where it cannot be read.

    Args:
        wire: idle, with no transaction open.
        script: all of it; COPY data is left out.
    """
    if wire.server_version < _KNOWS_BODIES or not script.statements:
        return ExecutionResult()
    message = _message(script)
    error = wire.parse(message.parts).error
    if error is None or error.message.sqlstate != sqlstate.SYNTAX_ERROR or error.position is None:
        return ExecutionResult()
    offset = message.file_offset(error.position)
    if offset is None:
        return ExecutionResult()
    number = next((s.number for s in reversed(script.statements) if s.start <= offset), 1)
    return ExecutionResult(failure=StatementFailure(error.message, number, offset))


def _message(script: Script) -> Message:
    legacy = [one for one in script.statements if one.words[:1] and one.words[0] in _INSTEAD]
    body = (
        part
        for piece in file_pieces(script, 1, len(script.statements))
        for part in _as_body(script, piece, legacy)
    )
    return Message((Piece(_OPENING, 0, "opening"), *body, CLOSING, ours("end", Sql("END"))))


def _as_body(script: Script, piece: Piece, legacy: Sequence[Statement]) -> Iterator[Piece]:
    """A piece of the file, with what stands for BEGIN and END of its `legacy` statements."""
    start, end = piece.file_start, piece.file_start + len(piece.sql)
    for one in legacy:
        if start <= one.start < end:
            yield Piece(script.text[start : one.start], 0, "", start)
            yield Piece(_INSTEAD[one.words[0]], 0, "instead")
            start = _behind_words(script, one)
    yield Piece(script.text[start:end], 0, "", start)


def _behind_words(script: Script, statement: Statement) -> int:
    """Where a BEGIN with its noise word, or an END without it, ends."""
    first, *rest = script.tokens_of(statement)[:2]
    noisy = statement.words[0] == "BEGIN" and bool(_NOISE & set(statement.words[1:2]))
    return rest[0].end if noisy else first.end


def run_unrecorded(wire: Wire, script: Script, first: int, last: int) -> ExecutionResult:
    """Statements of a script in one message, with nothing of ours around them."""
    pieces = tuple(file_pieces(script, first, last))
    message = Message(pieces, copy_blocks(script, first, last), script)
    reply = wire.ask(message.sql, message.copy_data, keeps=message.is_ours)
    return ExecutionResult((PartResult(tuple(reply.notices)),), _failure(message, reply))


def _failure(message: Message, reply: Reply) -> StatementFailure | None:
    if reply.error is None:
        return None
    position = reply.error.position
    return StatementFailure(
        reply.error.message,
        message.statement_running(reply.done),
        None if position is None else message.file_offset(position),
        message.file_done(reply.done),
    )
