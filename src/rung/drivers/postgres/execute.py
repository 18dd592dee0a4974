"""
Runs a file's SQL: one message for a whole transaction, a message or two for a unit.

Inside a transaction that a BEGIN opened, a large history row follows its file in a message of its
own, before the COMMIT.

The order inside a transaction of ours: reset (takes no snapshot, so a leading SET
TRANSACTION still works); BEGIN; only SET LOCAL of ours; the file; our rights put back; the
ledger moved by compare-and-set; the history row; COMMIT.
"""

from __future__ import annotations

import random
import re
import time
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from rung.drivers.inspection import ServerContext
from rung.drivers.postgres.concurrent_index import Concurrent
from rung.drivers.postgres.ledger_sql import AT_ONCE, PUT_BACK, RESET, UTF8, LedgerSql, leave_clean
from rung.drivers.postgres.message import CLOSING, Message, Piece, copy_blocks, file_pieces, ours
from rung.drivers.postgres.own_tables import make_closed
from rung.drivers.postgres.quoting import Sql
from rung.drivers.postgres.reply import (
    CLEAN,
    NO_SCHEMA,
    REFUSES_TRANSACTION,
    is_busy,
    outcome_of,
    past_the_pooler,
)
from rung.drivers.transaction import ExecutionResult, LockTimeout, StatementFailure
from rung.ledger import Outcome
from rung.script import Control, Mode, needs_session, statement_by_statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rung.drivers.postgres.blockers import BlockerMonitor, Watch
    from rung.drivers.postgres.lock import Lock
    from rung.drivers.postgres.lock_timeout import LockTimeoutPolicy
    from rung.drivers.postgres.session_settings import SessionSettings
    from rung.drivers.postgres.wire import Reply, Row, Wire
    from rung.drivers.transaction import LedgerTransition, NewAttempt
    from rung.options import RunOptions
    from rung.script import Script, Statement, Unit


_BEGIN, _COMMIT, _ROLLBACK = Sql("BEGIN"), Sql("COMMIT"), Sql("ROLLBACK")
_OUR_PATH_AGAIN = Sql("SET LOCAL search_path TO DEFAULT")
_MAY_NAME_ELSEWHERE = re.compile(r"search_path|\brole\b|authorization", re.IGNORECASE)
_BEGIN_WRITING = Sql("BEGIN READ WRITE")
"""For writes of ours, whatever default_transaction_read_only the file has set."""
_ASYNC = Sql("SET LOCAL synchronous_commit = off")
_SYNC = Sql("SET LOCAL synchronous_commit TO DEFAULT")
"""As the session had it at connect, whatever the file did."""
_NO_LOCK = "55P03"
_TIMED_OUT = "ProcessInterrupts"
"""Where the server ends a wait by lock_timeout, and not at once as for NOWAIT."""
_KEYS_WITHIN = 5.0
"""Seconds: others try the keys for a moment. Half of what `docker stop` leaves us."""
_PAUSE = 0.05


class ScriptExecutor:
    """Sends a file's SQL through a wire, with the records that belong to it."""

    def __init__(
        self,
        wire: Wire,
        tables: LedgerSql,
        settings: SessionSettings,
        conventions: RunOptions,
        hold: Lock,
        limits: LockTimeoutPolicy,
        watcher: BlockerMonitor,
    ) -> None:
        self._wire, self._tables, self._hold = wire, tables, hold
        self._limits, self._watcher = limits, watcher
        self._settings = settings
        self._time_limit = conventions.time_limit
        kept = conventions.carries_session or hold.shares_session
        self._reset = () if kept else (*RESET, *settings.for_session)
        again = (*RESET, UTF8, *settings.for_message) if hold.shares_session else ()
        self._anew_inside = again
        """In a transaction under way: what goes in front of every other message there."""
        self._put_back = (*PUT_BACK, *settings.rights_and_time)
        self._our_path = (_OUR_PATH_AGAIN, *settings.where.for_message)
        """For what of others hangs on our tables; our own statements qualify every name."""
        self._within_file = (*self._put_back, *limits.put_back)
        """The same while the file's locks are held: then ours are not waited for either."""

    def whole(
        self,
        script: Script,
        move: LedgerTransition,
        attempt: NewAttempt,
        meanwhile: Callable[[], None],
        *,
        last: bool,
    ) -> ExecutionResult:
        """
        A script in one transaction with its move and its history row.

        The last down may drop ledger and history: it is sent again then, and both are made
        anew behind it.
        """
        tables = self._tables
        before, behind = ((), (_SYNC,)) if last else ((_ASYNC,), ())
        records = (
            *self._ours_again(script, *behind),
            *_in_order(tables, ours("move", *tables.move(move)), self._record(attempt)),
        )
        guard = ours("begin", *before, *tables.guard(move))
        ran = self._send(self._enclosed(script, (guard,), records), meanwhile)
        if ran.refusal and ran.refusal.ledger_dropped and _is_last_down(move, attempt):
            rights = ours("rights", *self._within_file, *behind)
            return self._anew(script, move, attempt, (before, rights)) or ran
        return self._alone_or_not(ran, script)

    def _alone_or_not(self, ran: ExecutionResult, script: Script) -> ExecutionResult:
        """Where the session is shared, not every script can go on outside a transaction."""
        refusal = ran.refusal
        if refusal is None or not (refusal.needs_no_transaction and self._hold.shares_session):
            return ran
        loose = ", ".join(self._settings.names)
        if why := loose or needs_session(statement_by_statement(script)):
            refusal = replace(refusal, needs_no_transaction=False, remedy=past_the_pooler(why))
        return replace(ran, refusal=refusal)

    def together(
        self,
        script: Script,
        move: LedgerTransition,
        attempt: NewAttempt,
        *,
        first: bool,
        last: bool,
    ) -> ExecutionResult:
        """
        A script with its move and its history row in a transaction with others.

        Each finds the session's settings as they were at connect, inside the transaction too.
        """
        tables = self._tables
        opening, guard = ((_BEGIN,), tables.guard(move)) if first else (self._anew_inside, ())
        pieces = (
            ours("begin", *self._reset, *opening),
            *self._fence,
            self._limit(script, 1),
            ours("begin", *guard),
            *self._text(script, 1, len(script.statements)),
            CLOSING,
            *((ours("commit", AT_ONCE),) if tables.defers else ()),
            ours("rights", *self._clean(script), *self._within_file, *((_SYNC,) if last else ())),
            *_in_order(tables, ours("move", *tables.move(move)), self._record(attempt)),
            *((ours("commit", _COMMIT),) if last else ()),
        )
        return self._send(Message(pieces, copy_blocks(script, 1, len(script.statements)), script))

    def _record(self, attempt: NewAttempt) -> Piece:
        return ours("record", *self._tables.record(attempt, Outcome.DONE))

    def _anew(
        self,
        script: Script,
        move: LedgerTransition,
        attempt: NewAttempt,
        around: tuple[tuple[Sql, ...], Piece],
    ) -> ExecutionResult | None:
        """
        The same for a last down that drops our tables, which are made anew behind it.

        None where the script's transaction allows no query before it, to compare the ledger.
        """
        tables = self._tables
        opening, rights = around
        check = ours("move", *tables.check(move.before), tables.remember)
        before = (ours("begin", *opening, *tables.lock), check)
        record = ours("record", *tables.record_anew(attempt))
        for with_schemas in (False, True):
            anew = ours("anew", *tables.make_anew(with_schemas=with_schemas))
            whole = self._enclosed(script, before, (rights, anew, record))
            made = whole.pieces.index(anew) + 1
            head = replace(whole, pieces=whole.pieces[:made])
            ran = make_closed(self, tables, head, whole.pieces[made:])
            refused = ran.refusal.server.sqlstate if ran.refusal else ""
            if refused != NO_SCHEMA:
                break
        return None if refused == REFUSES_TRANSACTION else ran

    def _enclosed(
        self, script: Script, before: tuple[Piece, ...], behind: tuple[Piece, ...]
    ) -> Message:
        """A script's transaction with pieces of ours before and behind it."""
        blocks = copy_blocks(script, 1, len(script.statements))
        limit = self._limit(script, 1)
        if script.mode is Mode.OWN_TRANSACTION:
            total = len(script.statements)
            within = _within(self._text(script, 1, total), script, total, behind)
            opening = (ours("reset", *self._reset), *self._fence, limit, *before)
            return Message((*opening, *within, *self._left(script)), blocks, script)
        opening = (ours("begin", *self._reset, _BEGIN), *self._fence, limit, *before)
        body = self._text(script, 1, len(script.statements))
        closing = (CLOSING, *behind, ours("commit", _COMMIT), *self._left(script))
        return Message((*opening, *body, *closing), blocks, script)

    def unit(self, script: Script, unit: Unit, attempt_id: str) -> ExecutionResult:
        """One unit of a script, with its progress."""
        if unit.transaction == "none":
            return self._alone(script, unit, attempt_id)
        return self._in_a_transaction(script, unit, attempt_id)

    def replay(self, script: Script, numbers: Sequence[int]) -> ExecutionResult:
        """Statements that set the session and nothing else, in a message of their own."""
        pieces = (
            piece for number in numbers for piece in (*file_pieces(script, number, number), CLOSING)
        )
        return self._send(Message(tuple(pieces), (), script)) if numbers else ExecutionResult()

    def write(self, *statements: Sql) -> ExecutionResult:
        """Statements of ours in one transaction; the file's settings stay for what follows."""
        return self._write(statements)

    def _write(self, statements: tuple[Sql, ...], behind: tuple[Sql, ...] = ()) -> ExecutionResult:
        """The same, with settings of the session behind it."""
        if not (statements or behind):
            return ExecutionResult()
        before = (_BEGIN_WRITING, *self._put_back, *self._our_path)
        return self._send(self._fenced(before, statements, behind))

    def make(self, *making: Sql) -> ExecutionResult:
        """Make tables of ours in a transaction, closed to others before it commits."""
        before = (_BEGIN_WRITING, *self._put_back, *self._our_path)
        there = ours("move", self._tables.remember)
        pieces = (ours("begin", *before), *self._fence, there, *self._by_table(making))
        return make_closed(self, self._tables, Message(pieces), (ours("move", _COMMIT),))

    def touch(self) -> ExecutionResult:
        """A write that changes nothing, whoever holds the lock: it puts commits on disk."""
        before = (_BEGIN_WRITING, *self._put_back, *self._our_path)
        return self._send(Message((ours("move", *before, self._tables.touch(), _COMMIT),)))

    def write_first(self, moves: Sequence[Sql], records: Sequence[Sql]) -> ExecutionResult:
        """A move and its records before a file's first unit: its session put back, its limit."""
        before = (*self._reset, _BEGIN_WRITING, *self._our_path, *self._limits.put_back)
        moved, recorded = ours("move", *moves), ours("record", *records)
        both = _in_order(self._tables, moved, recorded)
        pieces = (ours("begin", *before), *self._fence, *both, ours("move", _COMMIT))
        return self._send(Message(pieces, waits_as_file=True))

    def _fenced(
        self, before: tuple[Sql, ...], statements: tuple[Sql, ...], behind: tuple[Sql, ...] = ()
    ) -> Message:
        moves = (
            ours("begin", *before),
            *self._fence,
            *self._by_table(statements),
            ours("move", _COMMIT),
        )
        return Message((*(moves if statements else ()), ours("session", *behind)))

    def _by_table(self, statements: Sequence[Sql]) -> Iterator[Piece]:
        """Statements of ours as pieces that say which table each of them writes."""
        history, ledger = self._tables.history, self._tables.ledger
        for sql in statements:
            yield ours("record" if history in sql and ledger not in sql else "move", sql)

    def _text(self, script: Script, first: int, last: int) -> tuple[Piece, ...]:
        """Statements of a script inside a transaction, under the limit to its end."""
        return tuple(self._limits.within(script, file_pieces(script, first, last)))

    def _limit(self, script: Script, first: int) -> Piece:
        return ours("limit", *self._limits.inside(script, first))

    @property
    def _fence(self) -> tuple[Piece, ...]:
        """Behind a pooler what stands for the lock, in front of all else in a transaction."""
        fence = self._hold.fence
        pieces = ours("keys", *fence.keys), ours("lease", *fence.lease, *fence.settings)
        return tuple(piece for piece in pieces if piece.statements)

    def _left(self, script: Script, first: int = 1, last: int | None = None) -> tuple[Piece, ...]:
        """Behind a pooler what leaves nothing of the file in a session that is not ours alone."""
        clean = self._clean(script, first, last)
        return (ours(CLEAN, *clean),) if clean else ()

    def _clean(self, script: Script, first: int = 1, last: int | None = None) -> tuple[Sql, ...]:
        last = len(script.statements) if last is None else last
        return leave_clean(script, first, last) if self._hold.shares_session else ()

    def _in_a_transaction(self, script: Script, unit: Unit, attempt_id: str) -> ExecutionResult:
        """
        With its progress, which goes in before the transaction ends.

        Not where it is rolled back, nor where it lets nobody write: there it follows.
        """
        end = script.statements[unit.last - 1].control
        if end is not Control.ROLLBACK:
            progress = ours("record", *self._tables.progress(attempt_id, unit.last))
            records = (*self._ours_again(script), progress)
            ran = self._send(self._of_unit(script, unit, records), unit=unit)
            if not (ran.refusal and ran.refusal.read_only):
                return ran
        if end is not Control.ROLLBACK and not _begins_read_only(script.statements[unit.first - 1]):
            noted = self._write(self._tables.in_flight(attempt_id, unit.first))
            if noted.refusal:
                return noted
        ran = self._send(self._of_unit(script, unit, ()), unit=unit)
        return ran if ran.refusal else self._then(ran, attempt_id, unit.last)

    def _ours_again(self, script: Script, *behind: Sql) -> tuple[Piece, ...]:
        """
        Our rights and our time for what follows the file in its transaction.

        Our search path too, where the file may have another: what it deferred to its COMMIT is
        checked before, under its own.
        """
        elsewhere = _MAY_NAME_ELSEWHERE.search(script.text)
        checked = (ours("commit", AT_ONCE),) if elsewhere or self._tables.defers else ()
        path = self._our_path if elsewhere else ()
        return *checked, ours("rights", *self._within_file, *path, *behind)

    def _of_unit(self, script: Script, unit: Unit, record: tuple[Piece, ...]) -> Message:
        """A unit's transaction, ours or the file's own, with a record before its COMMIT."""
        opening = (*self._fence, self._limit(script, unit.first))
        text = self._text(script, unit.first, unit.last)
        left = self._left(script, unit.first, unit.last)
        blocks = copy_blocks(script, unit.first, unit.last)
        if unit.transaction == "ours":
            commit = ours("commit", _COMMIT)
            pieces = (ours("begin", _BEGIN), *opening, *text, CLOSING, *record, commit, *left)
        elif record:
            pieces = (*opening, *_within(text, script, unit.last, record), *left)
        else:
            pieces = (*opening, *text, CLOSING, *left)
        return Message(pieces, blocks, script)

    def _alone(self, script: Script, unit: Unit, attempt_id: str) -> ExecutionResult:
        ahead, after = self._around(script, unit.first)
        noted = self._write(self._tables.in_flight(attempt_id, unit.first), ahead)
        if noted.refusal:
            return noted
        message = Message(tuple(file_pieces(script, unit.first, unit.last)), (), script)
        with self._wire.bare():
            ran = self._concurrently(script, unit.first, lambda: self._send(message, unit=unit))
        return ran if ran.refusal else self._then(ran, attempt_id, unit.last, after)

    def _around(self, script: Script, number: int) -> tuple[tuple[Sql, ...], tuple[Sql, ...]]:
        """The session's limit before and after a statement sent alone; not in a shared session."""
        if self._hold.shares_session:
            return (), ()
        return self._limits.alone(script, number), self._limits.behind(script, number)

    def _concurrently(
        self, script: Script, number: int, send: Callable[[], ExecutionResult]
    ) -> ExecutionResult:
        if not script.statements[number - 1].concurrent_build:
            return send()
        return Concurrent(self._wire, script, number).run(send)

    def _then(
        self, ran: ExecutionResult, attempt_id: str, done: int, behind: tuple[Sql, ...] = ()
    ) -> ExecutionResult:
        recorded = self._write(self._tables.progress(attempt_id, done), behind)
        return recorded if recorded.refusal else ran

    def _send(
        self,
        message: Message,
        meanwhile: Callable[[], None] | None = None,
        unit: Unit | None = None,
    ) -> ExecutionResult:
        """Send it, and read the reply."""
        return self.exchange(message, meanwhile, unit)[0]

    def exchange(
        self,
        message: Message,
        meanwhile: Callable[[], None] | None = None,
        unit: Unit | None = None,
    ) -> tuple[ExecutionResult, Reply]:
        """Send it; again for a while where another has a key of the fence for a moment."""
        deadline = time.monotonic() + _KEYS_WITHIN
        while True:
            self._hold.renew()
            reply, wait = self._send_once(message, meanwhile, unit)
            if not is_busy(message, reply) or time.monotonic() > deadline:
                return outcome_of(message, reply, wait), reply
            meanwhile = None
            time.sleep(random.uniform(_PAUSE / 2, _PAUSE * 1.5))  # noqa: S311 - no secret

    def _send_once(
        self, message: Message, meanwhile: Callable[[], None] | None, unit: Unit | None
    ) -> tuple[Reply, LockTimeout | None]:
        """The reply, and where a file was refused a lock, that lock."""
        script, wait = message.script, None
        if script is None and not message.waits_as_file:
            reply = self._wire.settle(message.parts)
        else:
            limit = self._limits.of(script, unit)
            with self._watcher.over(self._wire, limit) as watch:
                within = self._time_limit if script else None
                first, more = message.split()
                reply = self._wire.ask(
                    first, message.copy_data, meanwhile, within, message.is_ours, more=more
                )
            wait = self._lock_wait(script, reply, watch, limit)
            if script and reply.error is None:
                self._limits.ran(script, unit)
        if reply.error and self._wire.in_transaction:
            left = self._left(message.script) if message.script else ()
            self._wire.settle(Message((ours("rollback", _ROLLBACK), *left)).sql)
        return reply, wait

    def _lock_wait(
        self, script: Script | None, reply: Reply, watch: Watch, limit: float
    ) -> LockTimeout | None:
        """The lock that a file was refused; where it has limits of its own, for how long it was."""
        if reply.error is None or reply.error.message.sqlstate != _NO_LOCK:
            return None
        holds = self._limits.holds_for(script)
        ours = holds and reply.error.function == _TIMED_OUT
        waited = limit if holds else max(limit, self._wire.waited)
        return LockTimeout(waited, ours, watch.blockers, watch.queued)


def _begins_read_only(statement: Statement) -> bool:
    """Whether a transaction that begins so can write nothing, so that it may run twice."""
    return ("READ", "ONLY") in set(pairwise(statement.words))


def _within(
    body: tuple[Piece, ...], script: Script, last: int, records: tuple[Piece, ...]
) -> tuple[Piece, ...]:
    """A transaction of the file's own, with records of ours just before its COMMIT."""
    commit = script.statements[last - 1]
    cut = body[-1]
    split = commit.start - cut.file_start
    return (
        *body[:-1],
        Piece(cut.sql[:split], cut.statements - 1, "", cut.file_start, cut.first),
        CLOSING,
        *records,
        Piece(cut.sql[split:], 1, "", commit.start, last),
    )


def _in_order(tables: LedgerSql, move: Piece, record: Piece) -> tuple[Piece, Piece]:
    """The move and the row of the history; a move that keeps readers waiting comes last."""
    return (record, move) if tables.moves_last else (move, record)


def _is_last_down(move: LedgerTransition, attempt: NewAttempt) -> bool:
    return move.after.row is None and attempt.direction == "down"


_VERSIONS = 10_000
"""server_version_num counts minor versions below that."""


def run_unrecorded(wire: Wire, script: Script, first: int, last: int) -> ExecutionResult:
    """Statements of a script in one message, with nothing of ours around them."""
    pieces = tuple(file_pieces(script, first, last))
    message = Message(pieces, copy_blocks(script, first, last), script)
    reply = wire.ask(message.sql, message.copy_data, keeps=message.is_ours)
    return ExecutionResult(_refusal(message, reply), tuple(reply.notices))


def surroundings(rows: list[Row]) -> ServerContext:
    """What the rows of the statement `surroundings` tell."""

    def named(what: str) -> list[str]:
        return [name or "" for kind, name, _ in rows if kind == what]

    return ServerContext(
        named("user")[0],
        tuple(named("role")),
        tuple((name or "", value or "") for kind, name, value in rows if kind == "setting"),
        int(named("version")[0]) // _VERSIONS,
        memberships=tuple(named("member")),
        makes_roles="make roles" in named("may"),
        leaves_database="leave the database" in named("may"),
        extensions=tuple((name or "", at or "") for kind, name, at in rows if kind == "extension"),
    )


def _refusal(message: Message, reply: Reply) -> StatementFailure | None:
    if reply.error is None:
        return None
    position = reply.error.position
    return StatementFailure(
        reply.error.message,
        message.statement_running(reply.done),
        None if position is None else message.file_offset(position),
        message.file_done(reply.done),
    )
