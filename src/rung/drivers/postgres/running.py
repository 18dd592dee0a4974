"""
Runs a file's SQL: one message for a whole transaction, a message or two for a unit.

The order inside a transaction of ours: reset (takes no snapshot, so a leading SET
TRANSACTION still works); BEGIN; only SET LOCAL of ours; the file; our rights put back; the
ledger moved by compare-and-set; the history row; COMMIT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.drivers.postgres.message import CLOSING, Message, Piece, copy_blocks, file_pieces, ours
from rung.drivers.postgres.quoting import Sql
from rung.drivers.postgres.records import OUR_PATH, PUT_BACK, RESET, Tables
from rung.drivers.work import Ran, Refusal
from rung.ledger import Outcome
from rung.statements import Control, Mode

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.drivers.postgres.wire import Reply, Wire
    from rung.drivers.work import Attempt, Move, ServerNotice
    from rung.errors import ServerMessage
    from rung.statements import Script, Unit

_BEGIN, _COMMIT, _ROLLBACK = Sql("BEGIN"), Sql("COMMIT"), Sql("ROLLBACK")
_BEGIN_WRITING = Sql("BEGIN READ WRITE")
"""Whatever default_transaction_read_only an earlier unit of the file has set."""
_ASYNC = Sql("SET LOCAL synchronous_commit = off")
_SYNC = Sql("SET LOCAL synchronous_commit TO DEFAULT")
"""As the session had it at connect, whatever the file did."""
_REFUSES_TRANSACTION, _REFUSES_COMMIT = "25001", "2D000"
_CONTROL_WARNINGS = ("25001", "25P01")
CANCELLED = "57014"
_MOVED = ("22012", "23505", "40001", "42P01")
"""1/0 of the compare-and-set; the same key written by another; a newer row; no ledger left."""


class Running:
    """Sends a file's SQL through a wire, with the records that belong to it."""

    def __init__(self, wire: Wire, tables: Tables) -> None:
        self._wire, self._tables = wire, tables

    def whole(
        self,
        script: Script,
        move: Move,
        attempt: Attempt,
        meanwhile: Callable[[], None],
        *,
        last: bool,
    ) -> Ran:
        """A script in one transaction with its move and its history row."""
        before = (*(() if last else (_ASYNC,)), *self._tables.guard(move))
        behind = (_SYNC,) if last else ()
        records = (
            ours("rights", *PUT_BACK, *behind),
            ours("move", *self._tables.move(move)),
            ours("record", self._tables.record(attempt, Outcome.DONE)),
        )
        if script.mode is Mode.OWN_TRANSACTION:
            pieces = (
                ours("reset", *RESET, *before),
                *_within(script, 1, len(script.statements), records),
            )
        else:
            body = file_pieces(script, 1, len(script.statements))
            opening = ours("begin", *RESET, _BEGIN, *before)
            pieces = (opening, *body, CLOSING, *records, ours("commit", _COMMIT))
        blocks = copy_blocks(script, 1, len(script.statements))
        return self._send(Message(pieces, blocks, script), meanwhile)

    def unit(self, script: Script, unit: Unit, attempt_id: str) -> Ran:
        """One unit of a script, with its progress."""
        match unit.transaction:
            case "ours":
                return self._in_our_transaction(script, unit, attempt_id)
            case "own":
                return self._in_its_transaction(script, unit, attempt_id)
            case _:
                return self._alone(script, unit, attempt_id)

    def write(self, *statements: Sql) -> Ran:
        """Statements of ours in one transaction; the file's settings stay for what follows."""
        return self._send(
            Message((ours("move", _BEGIN_WRITING, *PUT_BACK, OUR_PATH, *statements, _COMMIT),))
        )

    def write_afresh(self, *statements: Sql) -> Ran:
        """The same, with the session's settings put back first."""
        return self._send(
            Message((ours("move", *RESET, _BEGIN_WRITING, OUR_PATH, *statements, _COMMIT),))
        )

    def _in_our_transaction(self, script: Script, unit: Unit, attempt_id: str) -> Ran:
        pieces = (
            ours("begin", _BEGIN_WRITING),
            *file_pieces(script, unit.first, unit.last),
            CLOSING,
            ours("record", *PUT_BACK, self._tables.progress(attempt_id, unit.last)),
            ours("commit", _COMMIT),
        )
        return self._send(Message(pieces, copy_blocks(script, unit.first, unit.last), script))

    def _in_its_transaction(self, script: Script, unit: Unit, attempt_id: str) -> Ran:
        record = ours("record", *PUT_BACK, self._tables.progress(attempt_id, unit.last))
        blocks = copy_blocks(script, unit.first, unit.last)
        if script.statements[unit.last - 1].control is Control.COMMIT:
            within = _within(script, unit.first, unit.last, (record,))
            return self._send(Message(within, blocks, script))
        pieces = tuple(file_pieces(script, unit.first, unit.last))
        ran = self._send(Message(pieces, blocks, script))
        return ran if ran.refusal else self._then(ran, attempt_id, unit.last)

    def _alone(self, script: Script, unit: Unit, attempt_id: str) -> Ran:
        noted = self.write(self._tables.in_flight(attempt_id, unit.first))
        if noted.refusal:
            return noted
        ran = self._send(Message(tuple(file_pieces(script, unit.first, unit.last)), (), script))
        return ran if ran.refusal else self._then(ran, attempt_id, unit.last)

    def _then(self, ran: Ran, attempt_id: str, done: int) -> Ran:
        recorded = self.write(self._tables.progress(attempt_id, done))
        return recorded if recorded.refusal else ran

    def _send(self, message: Message, meanwhile: Callable[[], None] | None = None) -> Ran:
        if message.script is None:
            reply = self._wire.settle(message.sql)
        else:
            reply = self._wire.ask(message.sql, message.copy_data, meanwhile)
        if reply.error and self._wire.in_transaction:
            self._wire.ask(_ROLLBACK)
        warnings = [notice.message for notice in reply.notices if _of_control(notice)]
        return Ran(
            refusal=_refusal(message, reply),
            notices=tuple(notice for notice in reply.notices if not _of_control(notice)),
            control_warning=warnings[0] if warnings else "",
        )


def _of_control(notice: ServerNotice) -> bool:
    """BEGIN inside a transaction, or COMMIT outside: not what was read in the file."""
    return notice.severity == "WARNING" and notice.sqlstate in _CONTROL_WARNINGS


def _within(script: Script, first: int, last: int, records: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """A transaction of the file's own, with records of ours just before its COMMIT."""
    commit = script.statements[last - 1]
    body = tuple(file_pieces(script, first, last))
    cut = body[-1]
    split = commit.start - cut.file_start
    return (
        *body[:-1],
        Piece(cut.sql[:split], cut.statements - 1, "", cut.file_start, cut.first),
        CLOSING,
        *records,
        Piece(cut.sql[split:], 1, "", commit.start, last),
    )


def _refusal(message: Message, reply: Reply) -> Refusal | None:
    if reply.error is None:
        return None
    error = reply.error
    offset = None if error.position is None else message.file_offset(error.position)
    running = message.running(reply.done)
    statement = message.statement_running(reply.done)
    state = error.message.sqlstate
    return Refusal(
        server=error.message,
        statement=statement,
        offset=offset,
        statements_done=message.file_done(reply.done),
        at_commit=running.label == "commit" or _is_own_commit(message, running),
        needs_no_transaction=_works_alone(message.words(statement), error.message),
        ledger_moved=running.label == "move" and state in _MOVED,
        cancelled=state == CANCELLED,
    )


def _works_alone(words: tuple[str, ...], error: ServerMessage) -> bool:
    """
    Whether the server refused a statement for our transaction only.

    SET TRANSACTION behind a query, VACUUM inside a function (the error has a context then)
    and COMMIT inside a function are refused without one too.
    """
    if error.sqlstate == _REFUSES_TRANSACTION:
        return bool(words) and words[0] != "SET" and not error.context
    return error.sqlstate == _REFUSES_COMMIT and words[:1] in {("CALL",), ("DO",)}


def _is_own_commit(message: Message, running: Piece) -> bool:
    """True for the last piece where records of ours stand before it: the file's own COMMIT."""
    return (
        running is message.pieces[-1]
        and not running.label
        and any(piece.label == "record" for piece in message.pieces)
    )
