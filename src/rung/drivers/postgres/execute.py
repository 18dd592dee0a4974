"""
Sends transactions: one message for a part, so one round trip and one commit for a file.

The history's row reads a large file's text from the message itself. Where that cannot be, and a
BEGIN has opened the transaction, the row follows its file in a message of its own, before the
COMMIT. A statement that runs outside any transaction takes three messages: what
announces it, itself, and its records.

`statement_mode=single` in the database's URL has each statement sent by itself, for servers that
refuse several in one message. The message stays what is planned and what is read: the replies are
put together as if it had been sent whole.
"""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from rung.drivers.postgres.concurrent_index import Concurrent
from rung.drivers.postgres.ledger_sql import FORGET
from rung.drivers.postgres.lock import checked, insist
from rung.drivers.postgres.message import (
    Message,
    MessageResult,
    file_pieces,
    is_busy,
    ours,
    outcome_of,
    past_the_pooler,
)
from rung.drivers.postgres.own_tables import make_closed
from rung.drivers.postgres.pieces import TABLES_MADE, MessageBuilder
from rung.drivers.postgres.quoting import Sql, statement
from rung.drivers.postgres.wire import Reply
from rung.drivers.transaction import (
    ExecutionResult,
    LockTimeout,
    PartResult,
    StatementRange,
    Wrap,
)
from rung.errors import sqlstate
from rung.script import needs_session, statement_by_statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rung.drivers.postgres.blockers import BlockerMonitor
    from rung.drivers.postgres.connect import SessionSettings
    from rung.drivers.postgres.ledger_sql import LedgerSql
    from rung.drivers.postgres.lock import SessionLock
    from rung.drivers.postgres.lock_timeout import LockTimeoutPolicy
    from rung.drivers.postgres.message import Piece
    from rung.drivers.postgres.wire import Wire
    from rung.drivers.transaction import HistoryWrite, Observer, Part, Transaction
    from rung.options import RunOptions
    from rung.script import Script


_COMMIT, _ROLLBACK = Sql("COMMIT"), Sql("ROLLBACK")
_TIMED_OUT = "ProcessInterrupts"
"""Where the server ends a wait by lock_timeout, and not at once as for NOWAIT."""
_KEYS_WITHIN = 5.0
"""Seconds: others try the keys for a moment. Half of what `docker stop` leaves us."""
_PAUSE = 0.05


class PostgresSender:
    """Sends transactions through a wire, a part as one message."""

    begins_alone = False
    """Whether a file's own BEGIN is sent before statements of ours."""

    def __init__(
        self,
        wire: Wire,
        tables: LedgerSql,
        settings: SessionSettings,
        options: RunOptions,
        hold: SessionLock,
        limits: LockTimeoutPolicy,
        watcher: BlockerMonitor,
    ) -> None:
        self._wire, self._tables, self._hold = wire, tables, hold
        self._limits, self._watcher = limits, watcher
        self._settings = settings
        self._time_limit = options.time_limit
        self._build = MessageBuilder(
            wire,
            tables,
            settings,
            hold,
            limits,
            keeps_session=options.carries_session,
            begins_alone=self.begins_alone,
        )

    def commit(self, transaction: Transaction, observer: Observer) -> ExecutionResult:
        """Send a transaction, all or nothing; see `rung.drivers.contract.Session.commit`."""
        if not transaction.parts:
            sent = self.send(self._build.of_flush())
            result = PartResult(sent.notices, sent.transaction_control)
            return ExecutionResult((result,), sent.failure)
        try:
            if transaction.wrap is Wrap.NONE or transaction.records_follow:
                return self._send_before_records(transaction, observer)
            return self._send_parts(transaction, observer)
        except BaseException:
            self._roll_back()
            raise

    def _send_parts(self, transaction: Transaction, observer: Observer) -> ExecutionResult:
        """One message a part; the first begins the transaction, the last one commits it."""
        results: list[PartResult] = []
        for number, part in enumerate(transaction.parts):
            if not observer.before_part(number):
                self._roll_back()
                return ExecutionResult(tuple(results), stopped=True)
            sent = self._replay(part)
            if sent.failure is None:
                sent = self._send_part(transaction, number, observer)
            leaked: tuple[str, ...] = ()
            if sent.failure or sent.transaction_control:
                self._roll_back()
            elif part.statements and number < len(transaction.parts) - 1:
                leaked = self._reset_between(part.statements.script)
            result = PartResult(sent.notices, sent.transaction_control, leaked)
            results.append(result)
            if sent.failure:
                failure = replace(sent.failure, part=number)
                return ExecutionResult(tuple(results), failure)
            if sent.transaction_control:
                break
            observer.after_part(number, result)
        return ExecutionResult(tuple(results))

    def _send_part(
        self, transaction: Transaction, number: int, observer: Observer
    ) -> MessageResult:
        part = transaction.parts[number]
        if not (part.statements or part.ledger or (part.history and self._tables.records)):
            return MessageResult()  # there is no history to write
        message = self._build.of_part(transaction, number)
        sent = self.send(message, observer.sent, part.statements, opens=number == 0)
        failure, alone = sent.failure, len(transaction.parts) == 1
        if failure and failure.ledger_dropped and transaction.may_drop_ledger and alone:
            return self._send_making_tables(transaction) or sent
        if failure is None or part.statements is None or not self._hold.shares_session:
            return sent
        if not (failure.needs_no_transaction and part.starts_file):
            return sent
        # Where the session is shared, not every script can run outside a transaction.
        loose = ", ".join(self._settings.names)
        if why := loose or needs_session(statement_by_statement(part.statements.script)):
            failure = replace(failure, needs_no_transaction=False, remedy=past_the_pooler(why))
        return replace(sent, failure=failure)

    def _send_making_tables(self, transaction: Transaction) -> MessageResult | None:
        """
        The same for a last down that drops our tables, which are made again after it.

        None where the script's transaction allows no query before it, to compare the ledger.
        """
        for with_schemas in (False, True):
            whole = self._build.of_part(transaction, 0, makes_tables=with_schemas)
            made = 1 + max(
                number for number, one in enumerate(whole.pieces) if one.label == TABLES_MADE
            )
            head = replace(whole, pieces=whole.pieces[:made])
            sent = make_closed(self, self._tables, head, whole.pieces[made:])
            rejected = sent.failure.server.sqlstate if sent.failure else ""
            if rejected != sqlstate.INVALID_SCHEMA_NAME:
                break
        return None if rejected == sqlstate.ACTIVE_SQL_TRANSACTION else sent

    def _send_before_records(self, transaction: Transaction, observer: Observer) -> ExecutionResult:
        """Statements whose records cannot commit with them: these follow in a message."""
        (part,) = transaction.parts
        assert part.statements is not None
        if not observer.before_part(0):
            return ExecutionResult(stopped=True)
        span, alone = part.statements, transaction.wrap is Wrap.NONE
        before, after = self._build.limits_alone(span) if alone else ((), ())
        sent = self._replay(part)
        if sent.failure is None:
            sent = self._write(transaction.announce, before)
        if sent.failure is None and alone:
            text = tuple(file_pieces(span.script, span.first, span.last))
            message = Message(text, (), span.script)
            with self._wire.bare():
                sent = self._concurrently(
                    span, lambda: self.send(message, observer.sent, span, alone=True)
                )
        elif sent.failure is None:
            sent = self.send(self._build.of_part(transaction, 0), observer.sent, span)
        if sent.failure is None:
            recorded = self._write(part.history, after)
            sent = replace(sent, failure=recorded.failure)
        result = PartResult(sent.notices, sent.transaction_control)
        if sent.failure is None and not sent.transaction_control:
            observer.after_part(0, result)
        return ExecutionResult((result,), sent.failure)

    def _concurrently(
        self, span: StatementRange, send: Callable[[], MessageResult]
    ) -> MessageResult:
        if not span.script.statements[span.first - 1].concurrent_build:
            return send()
        return Concurrent(self._wire, span.script, span.first).run(send)

    def _replay(self, part: Part) -> MessageResult:
        if not (part.replays and part.statements):
            return MessageResult()
        whole = StatementRange.whole(part.statements.script)
        return self.send(self._build.of_replay(part.statements, part.replays), None, whole)

    def _reset_between(self, script: Script) -> tuple[str, ...]:
        """Reset the session inside the transaction; behind a pooler the message has done it."""
        if not script.touches_session or self._hold.shares_session:
            return ()
        return put_back(self._wire, self._settings)

    def _roll_back(self) -> None:
        if self._wire.is_open and self._wire.in_transaction:
            self._wire.settle(_ROLLBACK)

    def _write(self, history: tuple[HistoryWrite, ...], after: tuple[Sql, ...]) -> MessageResult:
        """Records in a transaction of their own; the file's settings stay for what follows."""
        message = self._build.of_records(history, after)
        return MessageResult() if message is None else self.send(message)

    def write(self, *statements: Sql) -> MessageResult:
        """Statements of ours in one transaction, which cannot be cancelled for a while."""
        if not statements:
            return MessageResult()
        opened = self._build.of_own_statements(*statements)
        return self.send(replace(opened, pieces=(*opened.pieces, ours("move", _COMMIT))))

    def make(self, *making: Sql) -> MessageResult:
        """Make tables of ours in a transaction, closed to others before it commits."""
        opened = self._build.of_own_statements(self._tables.remember, *making)
        return make_closed(self, self._tables, opened, (ours("move", _COMMIT),))

    def send(
        self,
        message: Message,
        sent: Callable[[], None] | None = None,
        span: StatementRange | None = None,
        *,
        alone: bool = False,
        opens: bool = True,
    ) -> MessageResult:
        """
        Send a message; again for a while where another has a key of the lock for a moment.

        Args:
            message: what is sent.
            sent: called once, while the server works.
            span: which statements of a file it holds; None for ours.
            alone: whether that is one statement outside any transaction.
            opens: whether a transaction begins with it, so that it may be sent again.
        """
        deadline = time.monotonic() + _KEYS_WITHIN
        while True:
            self._hold.heartbeat()
            reply, wait = self._send_once(message, sent, span, alone=alone)
            busy = opens and is_busy(message, reply)
            if not busy or time.monotonic() > deadline:
                return outcome_of(message, reply, wait)
            sent = None
            time.sleep(random.uniform(_PAUSE / 2, _PAUSE * 1.5))  # noqa: S311 - no secret

    def _send_once(
        self,
        message: Message,
        sent: Callable[[], None] | None,
        span: StatementRange | None,
        *,
        alone: bool,
    ) -> tuple[Reply, LockTimeout | None]:
        """The reply, and where a file met a lock, that lock."""
        script, wait = message.script, None
        if script is None and not message.waits_as_file:
            reply = self._settle(message)
        else:
            limit = self._limits.of(span, alone=alone)
            with self._watcher.over(self._wire, limit) as watch:
                within = self._time_limit if script else None
                reply = self._ask(message, sent, within)
            if reply.error and reply.error.message.sqlstate == sqlstate.LOCK_NOT_AVAILABLE:
                # Where the file has limits of its own, it says for how long it waited.
                holds = self._limits.holds_for(script)
                is_ours = holds and reply.error.function == _TIMED_OUT
                waited = limit if holds else max(limit, self._wire.waited)
                wait = LockTimeout(waited, is_ours, watch.blockers, watch.queued)
            if span and reply.error is None:
                self._limits.ran(span)
        if reply.error and self._wire.in_transaction:
            left = self._build.cleaning(StatementRange.whole(script)) if script else ()
            self._wire.settle(Message((ours("rollback", _ROLLBACK), *left)).sql)
        return reply, wait

    def _ask(
        self, message: Message, sent: Callable[[], None] | None, within: float | None
    ) -> Reply:
        """Send a message of a file, or one that waits as a file does."""
        first, more = message.split()
        return self._wire.ask(first, message.copy_data, sent, within, message.is_ours, more=more)

    def _settle(self, message: Message) -> Reply:
        """Send a message of ours that records how work ended."""
        return self._wire.settle(message.parts)


class SingleStatement(NamedTuple):
    """One statement of a message."""

    sql: str
    start: int
    """Where it begins in the message, in characters."""
    is_ours: bool
    copy_data: tuple[str, ...] = ()


class SingleStatementSender(PostgresSender):
    """Sends transactions statement by statement inside one BEGIN … COMMIT."""

    begins_alone = True

    def _ask(
        self, message: Message, sent: Callable[[], None] | None, within: float | None
    ) -> Reply:
        """Send a file's message; `sent` is called while its first statement runs."""
        deadline = None if within is None else time.monotonic() + within

        def ask(one: SingleStatement) -> Reply:
            nonlocal sent
            meanwhile, sent = (sent, None) if not one.is_ours or one.copy_data else (None, sent)
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            return self._wire.ask(one.sql, one.copy_data, meanwhile, left, lambda _: one.is_ours)

        reply = _one_by_one(message, ask)
        if sent is not None:
            sent()  # a file without statements
        return reply

    def _settle(self, message: Message) -> Reply:
        return _one_by_one(message, lambda one: self._wire.settle(one.sql))


def _one_by_one(message: Message, ask: Callable[[SingleStatement], Reply]) -> Reply:
    """Send each statement until one fails; the reply is that to the whole message."""
    whole = Reply()
    for one in statements_of(message):
        reply = ask(one)
        for notice in reply.notices:
            whole.kept.add(notice.severity, notice.sqlstate, notice.message)
        whole.cancelled, whole.late = reply.cancelled, reply.late
        if reply.error is not None:
            reply.forget(0, -one.start)
            whole.error = reply.error
            break
        whole.results.append(reply.results[-1] if reply.results else None)
    return whole


def statements_of(message: Message) -> Iterator[SingleStatement]:
    """Cut a message into its statements; what stands between two belongs to the first."""
    copies, start = iter(message.copy_data), 0
    for piece in message.pieces:
        if piece.label:
            at = start
            for sql in piece.own:
                yield SingleStatement(sql, at, is_ours=True)
                at += len(sql) + len(";\n")
        elif message.script is not None and piece.statements:
            for begin, end, copies_in in _cuts(piece, message.script):
                data = (next(copies),) if copies_in else ()
                sql = piece.sql[begin:end]
                yield SingleStatement(sql, start + begin, is_ours=False, copy_data=data)
        start += len(piece.sql)


def _cuts(piece: Piece, script: Script) -> Iterator[tuple[int, int, bool]]:
    """Where each statement of a file's piece begins and ends in it, and whether it is a COPY."""
    statements = script.statements[piece.first - 1 : piece.first - 1 + piece.statements]
    begins = [0, *(one.start - piece.file_start for one in statements[1:])]
    ends = [*begins[1:], len(piece.sql)]
    for one, begin, end in zip(statements, begins, ends, strict=True):
        yield begin, end, one.copy_data is not None


_WHO = ("role", "session_authorization")
"""What `who_we_are` asks for, in its order."""


def put_back(wire: Wire, settings: SessionSettings) -> tuple[str, ...]:
    """
    Put the session back; name what had been changed.

    Args:
        wire: idle, on a session that is ours alone.
        settings: those that we have set ourselves.
    """
    question, forget = statement("changed_settings"), (*FORGET, *settings.for_session)
    sql = ours("", question, *forget, statement("who_we_are")).sql
    reply = wire.ask(Sql(sql))
    if reply.error and reply.error.message.sqlstate == sqlstate.QUERY_CANCELED:
        insist(wire, Sql(ours("", *forget).sql))
        return ("statement_timeout",)
    checked(reply)
    names, *before = reply.rows(0)[0]
    after = reply.rows(reply.done - 1)[0]
    changed = set(names.split(", ") if names else ()) - settings.names
    changed |= {name for name, was, now in zip(_WHO, before, after, strict=True) if was != now}
    return tuple(sorted(changed))
