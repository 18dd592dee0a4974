"""
Runs a file's SQL: one message for a whole transaction, a message or two for a unit.

The order inside a transaction of ours: reset (takes no snapshot, so a leading SET
TRANSACTION still works); BEGIN; only SET LOCAL of ours; the file; our rights put back; the
ledger moved by compare-and-set; the history row; COMMIT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.drivers.postgres.concurrent import Concurrent
from rung.drivers.postgres.message import CLOSING, Message, Piece, copy_blocks, file_pieces, ours
from rung.drivers.postgres.quoting import Sql
from rung.drivers.postgres.records import OUR_PATH, PUT_BACK, RESET, Tables
from rung.drivers.work import Ran, Refusal
from rung.ledger import Outcome
from rung.statements import Control, Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rung.conventions import Conventions
    from rung.drivers.postgres.settings import Settings
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
_NEW_VALUE = "55P04"
"""An enum's value is used in the transaction that added it."""
_CONTROL_WARNINGS = ("25001", "25P01")
CANCELLED = "57014"
_MOVED = ("22012", "23505", "40001")
"""1/0 of the compare-and-set; the same key written by another; a newer row."""
_NO_TABLE, _NO_SCHEMA = "42P01", "3F000"


class Running:
    """Sends a file's SQL through a wire, with the records that belong to it."""

    def __init__(
        self, wire: Wire, tables: Tables, settings: Settings, conventions: Conventions
    ) -> None:
        self._wire, self._tables = wire, tables
        self._time_limit = conventions.time_limit
        self._reset = () if conventions.carries_session else (*RESET, *settings.for_session)
        self._put_back = (*PUT_BACK, *settings.rights_and_time)

    def whole(
        self,
        script: Script,
        move: Move,
        attempt: Attempt,
        meanwhile: Callable[[], None],
        *,
        last: bool,
    ) -> Ran:
        """
        A script in one transaction with its move and its history row.

        The last down may drop ledger and history: it is sent again then, and both are made
        anew behind it.
        """
        tables = self._tables
        before, behind = ((), (_SYNC,)) if last else ((_ASYNC,), ())
        records = (
            ours("rights", *self._put_back, *behind),
            ours("move", *tables.move(move)),
            ours("record", *tables.record(attempt, Outcome.DONE)),
        )
        guard = ours("begin", *before, *tables.guard(move))
        ran = self._send(self._enclosed(script, (guard,), records), meanwhile)
        if ran.refusal and ran.refusal.ledger_dropped and _is_last_down(move, attempt):
            rights = ours("rights", *self._put_back, *behind)
            return self._anew(script, move, attempt, (before, rights)) or ran
        return ran

    def _anew(
        self,
        script: Script,
        move: Move,
        attempt: Attempt,
        around: tuple[tuple[Sql, ...], Piece],
    ) -> Ran | None:
        """
        The same for a last down that drops our tables, which are made anew behind it.

        None where the script's transaction allows no query before it, to compare the ledger.
        """
        tables = self._tables
        opening, rights = around
        before = (ours("begin", *opening, *tables.lock), ours("move", *tables.check(move.before)))
        record = ours("record", *tables.record_anew(attempt))
        for with_schemas in (False, True):
            anew = ours("anew", *tables.make_anew(with_schemas=with_schemas))
            ran = self._send(self._enclosed(script, before, (rights, anew, record)))
            refused = ran.refusal.server.sqlstate if ran.refusal else ""
            if refused != _NO_SCHEMA:
                break
        return None if refused == _REFUSES_TRANSACTION else ran

    def _enclosed(
        self, script: Script, before: tuple[Piece, ...], behind: tuple[Piece, ...]
    ) -> Message:
        """A script's transaction with pieces of ours before and behind it."""
        blocks = copy_blocks(script, 1, len(script.statements))
        if script.mode is Mode.OWN_TRANSACTION:
            within = _within(script, 1, len(script.statements), behind)
            return Message((ours("reset", *self._reset), *before, *within), blocks, script)
        opening = ours("begin", *self._reset, _BEGIN)
        body = file_pieces(script, 1, len(script.statements))
        closing = (CLOSING, *behind, ours("commit", _COMMIT))
        return Message((opening, *before, *body, *closing), blocks, script)

    def unit(self, script: Script, unit: Unit, attempt_id: str) -> Ran:
        """One unit of a script, with its progress."""
        match unit.transaction:
            case "ours":
                return self._in_our_transaction(script, unit, attempt_id)
            case "own":
                return self._in_its_transaction(script, unit, attempt_id)
            case _:
                return self._alone(script, unit, attempt_id)

    def replay(self, script: Script, numbers: Sequence[int]) -> Ran:
        """Statements that set the session and nothing else, in a message of their own."""
        pieces = (
            piece for number in numbers for piece in (*file_pieces(script, number, number), CLOSING)
        )
        return self._send(Message(tuple(pieces), (), script)) if numbers else Ran()

    def write(self, *statements: Sql) -> Ran:
        """Statements of ours in one transaction; the file's settings stay for what follows."""
        if not statements:
            return Ran()
        before = (_BEGIN_WRITING, *self._put_back, OUR_PATH)
        return self._send(Message((ours("move", *before, *statements, _COMMIT),)))

    def write_afresh(self, *statements: Sql) -> Ran:
        """The same, with the session's settings put back first."""
        return self._send(
            Message((ours("move", *self._reset, _BEGIN_WRITING, OUR_PATH, *statements, _COMMIT),))
        )

    def _in_our_transaction(self, script: Script, unit: Unit, attempt_id: str) -> Ran:
        pieces = (
            ours("begin", _BEGIN_WRITING),
            *file_pieces(script, unit.first, unit.last),
            CLOSING,
            ours("record", *self._put_back, *self._tables.progress(attempt_id, unit.last)),
            ours("commit", _COMMIT),
        )
        return self._send(Message(pieces, copy_blocks(script, unit.first, unit.last), script))

    def _in_its_transaction(self, script: Script, unit: Unit, attempt_id: str) -> Ran:
        record = ours("record", *self._put_back, *self._tables.progress(attempt_id, unit.last))
        blocks = copy_blocks(script, unit.first, unit.last)
        if script.statements[unit.last - 1].control is Control.COMMIT:
            within = _within(script, unit.first, unit.last, (record,))
            return self._send(Message(within, blocks, script))
        pieces = tuple(file_pieces(script, unit.first, unit.last))
        ran = self._send(Message(pieces, blocks, script))
        return ran if ran.refusal else self._then(ran, attempt_id, unit.last)

    def _alone(self, script: Script, unit: Unit, attempt_id: str) -> Ran:
        noted = self.write(*self._tables.in_flight(attempt_id, unit.first))
        if noted.refusal:
            return noted
        message = Message(tuple(file_pieces(script, unit.first, unit.last)), (), script)
        ran = self._concurrently(script, unit.first, lambda: self._send(message))
        return ran if ran.refusal else self._then(ran, attempt_id, unit.last)

    def _concurrently(self, script: Script, number: int, send: Callable[[], Ran]) -> Ran:
        if not script.statements[number - 1].concurrent_build:
            return send()
        return Concurrent(self._wire, script, number).run(send)

    def _then(self, ran: Ran, attempt_id: str, done: int) -> Ran:
        recorded = self.write(*self._tables.progress(attempt_id, done))
        return recorded if recorded.refusal else ran

    def _send(self, message: Message, meanwhile: Callable[[], None] | None = None) -> Ran:
        if message.script is None:
            reply = self._wire.settle(message.sql)
        else:
            within = self._time_limit
            reply = self._wire.ask(message.sql, message.copy_data, meanwhile, within)
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
        needs_commit_before=state == _NEW_VALUE,
        ledger_moved=running.label == "move" and state in _MOVED,
        ledger_dropped=_is_dropped(running.label, state),
        cancelled=state == CANCELLED,
    )


def _is_dropped(label: str, state: str) -> bool:
    """Whether a statement of ours found its table gone, or could not be given it again."""
    return label == "anew" or (label in {"move", "record"} and state in {_NO_TABLE, _NO_SCHEMA})


def _is_last_down(move: Move, attempt: Attempt) -> bool:
    return move.after.row is None and attempt.direction == "down"


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
