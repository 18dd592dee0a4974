"""
Turns the steps of a transaction's part into one message. Pure.

What each step is in SQL depends on the lock (a lease is proved in each transaction), on the
triggers and rights of our tables, and on whose session it is: see `LedgerSql`, `SessionLock`.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

from rung.drivers.postgres.ledger_sql import AT_ONCE, PUT_BACK, RESET, UTF8, SentText, leave_clean
from rung.drivers.postgres.message import (
    CLEAN,
    CLOSING,
    LARGE,
    Message,
    Piece,
    copy_blocks,
    cut,
    file_pieces,
    ours,
)
from rung.drivers.postgres.quoting import Sql
from rung.drivers.transaction import AddAttempt, PartStep, Wrap, steps_of
from rung.script.large import holds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.drivers.postgres.connect import SessionSettings
    from rung.drivers.postgres.ledger_sql import LedgerSql
    from rung.drivers.postgres.lock import SessionLock
    from rung.drivers.postgres.lock_timeout import LockTimeoutPolicy
    from rung.drivers.postgres.wire import Wire
    from rung.drivers.transaction import HistoryWrite, Part, StatementRange, Transaction

_BEGIN, _COMMIT = Sql("BEGIN"), Sql("COMMIT")
_BEGIN_WRITING = Sql("BEGIN READ WRITE")
"""For writes of ours, whatever default_transaction_read_only the file has set."""
_ASYNC = Sql("SET LOCAL synchronous_commit = off")
_SYNC = Sql("SET LOCAL synchronous_commit TO DEFAULT")
"""As the session had it at connect, whatever the file did."""
_OUR_PATH_AGAIN = Sql("SET LOCAL search_path TO DEFAULT")
_MAY_NAME_ELSEWHERE = re.compile(r"search_path|\brole\b|authorization", re.IGNORECASE)
TABLES_MADE = "remade"
"""The label of what makes our tables again, after a last down has dropped them."""


class MessageBuilder:
    """
    Makes the messages of one session.

    Args:
        wire: what the messages are for; tells what stands in front of them.
        tables: how ledger and history are written.
        settings: of the session, as they were asked for at connect.
        hold: the lock.
        limits: for how long a file may wait for a lock.
        keeps_session: whether a file finds the session as the one before left it.
        begins_alone: whether a file's own BEGIN stands before statements of ours.
    """

    def __init__(
        self,
        wire: Wire,
        tables: LedgerSql,
        settings: SessionSettings,
        hold: SessionLock,
        limits: LockTimeoutPolicy,
        *,
        keeps_session: bool,
        begins_alone: bool = False,
    ) -> None:
        self._wire, self._begins_alone = wire, begins_alone
        self._tables, self._hold, self._limits = tables, hold, limits
        kept = keeps_session or hold.shares_session
        self._reset = () if kept else (*RESET, *settings.for_session)
        again = (*RESET, UTF8, *settings.for_message) if hold.shares_session else ()
        self._reset_inside = (*self._reset, *again)
        """Inside a transaction, where nothing else goes in front of a message."""
        self._put_back = (*PUT_BACK, *settings.rights_and_time)
        self._our_path = (_OUR_PATH_AGAIN, *settings.where.for_message)
        """For objects of others that hang on our tables; our own statements qualify every name."""
        self._within_file = (*self._put_back, *limits.put_back)
        """The same while the file's locks are held: then ours are not waited for either."""

    def of_part(
        self, transaction: Transaction, number: int, *, makes_tables: bool | None = None
    ) -> Message:
        """
        The message of one part.

        Args:
            transaction: all of it: the first part begins it, the last one commits.
            number: of the part, from 0.
            makes_tables: for a last down that drops ledger and history: make them again after it,
                and their schemas too, if True.
        """
        part, span = transaction.parts[number], transaction.parts[number].statements
        tables, own = self._tables, self._cut(transaction, part)
        made = () if makes_tables is None else tables.make_anew(with_schemas=makes_tables)
        alone, moves_last = self._begins_alone, tables.moves_last and not made
        steps = steps_of(transaction, number, begins_alone=alone, moves_last=moves_last)
        pieces: list[Piece] = []
        for step in steps:
            records = step is PartStep.WRITE_HISTORY and not made
            sent = self._sent_text(part, pieces) if records else None
            pieces += self._of_step(step, transaction, number, own, made, sent)
        if span is None:
            return Message(tuple(pieces), waits_as_file=transaction.cancellable)
        if number == len(transaction.parts) - 1:
            pieces += self.cleaning(span)
        return Message(tuple(pieces), copy_blocks(span.script, span.first, span.last), span.script)

    def of_records(
        self, history: Sequence[HistoryWrite], after: Sequence[Sql] = ()
    ) -> Message | None:
        """
        The message of records that commit by themselves; None where there is nothing to send.

        Args:
            history: what is written.
            after: settings of the session, behind the transaction.
        """
        records = self._history(history)
        if not (records or after):
            return None
        pieces = (
            ours("begin", _BEGIN_WRITING, *self._put_back, *self._our_path),
            *self.proof_of_lock,
            ours("record", *records),
            ours("move", _COMMIT),
        )
        return Message((*(pieces if records else ()), ours("session", *after)))

    def of_flush(self) -> Message:
        """A write that changes nothing, whoever holds the lock: it puts commits on disk."""
        before = (_BEGIN_WRITING, *self._put_back, *self._our_path)
        return Message((ours("move", *before, self._tables.touch(), _COMMIT),))

    def of_replay(self, span: StatementRange, numbers: Sequence[int]) -> Message:
        """Statements that set the session and nothing else, in a message of their own."""
        script = span.script
        pieces = (
            piece for number in numbers for piece in (*file_pieces(script, number, number), CLOSING)
        )
        return Message(tuple(pieces), (), script)

    def of_own_statements(self, *statements: Sql) -> Message:
        """A transaction that is left open, with statements of ours that make our tables."""
        tables = self._tables
        by_table = (
            ours("record" if tables.history in sql and tables.ledger not in sql else "move", sql)
            for sql in statements
        )
        begin = ours("begin", _BEGIN_WRITING, *self._put_back, *self._our_path)
        return Message((begin, *self.proof_of_lock, *by_table))

    @property
    def proof_of_lock(self) -> tuple[Piece, ...]:
        """What proves the lock behind a pooler, in front of all else in a transaction."""
        fence = self._hold.fence
        pieces = ours("keys", *fence.keys), ours("lease", *fence.lease, *fence.settings)
        return tuple(piece for piece in pieces if piece.statements)

    def cleaning(self, span: StatementRange) -> tuple[Piece, ...]:
        """What leaves nothing of the file in a session that is not ours alone."""
        clean = self._clean(span)
        return (ours(CLEAN, *clean),) if clean else ()

    def limits_alone(self, span: StatementRange) -> tuple[tuple[Sql, ...], tuple[Sql, ...]]:
        """The session's limits before and after a statement sent alone; none where it is shared."""
        if self._hold.shares_session:
            return (), ()
        script, number = span.script, span.first
        return self._limits.alone(script, number), self._limits.behind(script, number)

    def _clean(self, span: StatementRange) -> tuple[Sql, ...]:
        shared = self._hold.shares_session
        return leave_clean(span.script, span.first, span.last) if shared else ()

    def _cut(
        self, transaction: Transaction, part: Part
    ) -> tuple[tuple[Piece, ...], tuple[Piece, ...], tuple[Piece, ...]]:
        """The part's own BEGIN where that stands alone, its text, and its COMMIT after records."""
        if part.statements is None:
            return (), (), ()
        script, first, last = part.statements.script, part.statements.first, part.statements.last
        text = tuple(self._limits.within(script, file_pieces(script, first, last)))
        begin: tuple[Piece, ...] = ()
        if transaction.wrap is Wrap.OWN and self._begins_alone:
            head = text[0]
            opening, rest = cut(head, script, head.first) if head.statements > 1 else (head, None)
            begin, text = (opening,), (*((rest,) if rest else ()), *text[1:])
        if transaction.wrap is not Wrap.OWN or transaction.records_follow:
            return begin, text, ()
        end, commit = text[-1], script.statements[last - 1]
        split = commit.start - end.file_start
        before = Piece(end.sql[:split], end.statements - 1, "", end.file_start, end.first)
        return begin, (*text[:-1], before), (Piece(end.sql[split:], 1, "", commit.start, last),)

    def _of_step(  # noqa: C901, PLR0912 - one case for each step, and nothing else
        self,
        step: PartStep,
        transaction: Transaction,
        number: int,
        own: tuple[tuple[Piece, ...], tuple[Piece, ...], tuple[Piece, ...]],
        made: tuple[Sql, ...],
        sent: SentText | None,
    ) -> Iterator[Piece]:
        """
        Give the pieces of one step of a part.

        Args:
            step: of the part.
            transaction: all of it.
            number: of the part, from 0.
            own: its BEGIN, its text and its COMMIT, as `_cut` gives them.
            made: what makes the tables again, where a last down drops them; else empty.
            sent: the file's text in the message, where its record can be read from there.
        """
        part, (begin, body, commit) = transaction.parts[number], own
        span = part.statements
        match step:
            case PartStep.RESET_SESSION:
                yield ours("reset", *(self._reset_inside if number else self._reset))
            case PartStep.REPLAY:
                pass  # sent before, in a message of its own
            case PartStep.OWN_BEGIN:
                yield from begin
            case PartStep.BEGIN:
                yield ours("begin", _BEGIN if span else _BEGIN_WRITING)
            case PartStep.PROVE_LOCK:
                yield from self.proof_of_lock
            case PartStep.LOCK_TIMEOUT if span is not None:
                yield ours("limit", *self._limits.inside(span.script, span.first))
            case PartStep.GUARD_LEDGER:
                yield from self._guard(transaction, part, remade=bool(made))
            case PartStep.STATEMENTS:
                yield from (*body, CLOSING)
            case PartStep.OUR_RIGHTS:
                yield from self._rights(transaction, part, remade=bool(made))
            case PartStep.MOVE_LEDGER if made:
                yield ours(TABLES_MADE, *made)
            case PartStep.MOVE_LEDGER:
                yield ours("move", *(self._tables.move(part.ledger) if part.ledger else ()))
            case PartStep.WRITE_HISTORY:
                yield ours("record", *self._history(part.history, sent, remade=bool(made)))
            case PartStep.COMMIT:
                yield ours("commit" if span else "move", _COMMIT)
            case PartStep.OWN_COMMIT:
                yield from commit

    def _guard(self, transaction: Transaction, part: Part, *, remade: bool) -> Iterator[Piece]:
        asynchronous = () if transaction.durable else (_ASYNC,)
        move, tables = part.ledger, self._tables
        if move is None or move.before is None:
            yield ours("begin", *asynchronous)
        elif remade:
            yield ours("begin", *asynchronous, *tables.lock)
            yield ours("move", *tables.check(move.before), tables.remember)
        else:
            label = "begin" if part.statements else "move"
            yield ours(label, *asynchronous, *tables.guard(move))

    def _rights(self, transaction: Transaction, part: Part, *, remade: bool) -> Iterator[Piece]:
        """
        Our rights and our time for what follows in the transaction.

        Our search path too, where the file may have another: what it deferred to its COMMIT is
        checked before, under its own. Not between the parts of an atomic run, where the next
        file's constraints are still to be deferred.
        """
        durable = (_SYNC,) if transaction.durable else ()
        span = part.statements
        if span is None:
            limit = self._limits.put_back if transaction.cancellable else ()
            yield ours("begin", *self._put_back, *self._our_path, *limit, *durable)
        elif remade:
            yield ours("rights", *self._within_file, *durable)
        elif len(transaction.parts) > 1:
            yield ours("commit", *((AT_ONCE,) if self._tables.defers else ()))
            yield ours("rights", *self._clean(span), *self._within_file, *durable)
        else:
            text = span.script.text  # large perhaps: looking for a word is quicker than the pattern
            named = holds(text, "search_path", "role", "authorization")
            elsewhere = named and _MAY_NAME_ELSEWHERE.search(text)
            yield ours("commit", *((AT_ONCE,) if elsewhere or self._tables.defers else ()))
            path = self._our_path if elsewhere else ()
            yield ours("rights", *self._within_file, *path, *durable)

    def _sent_text(self, part: Part, pieces: Sequence[Piece]) -> SentText | None:
        """
        Find a large file in the message so far, whole and as it is recorded.

        The server gives the text of a message only to the message itself, and counts its
        characters as we do in UTF-8 alone. So there is none where the statements are sent one by
        one, where the file is cut (COPY data, a COMMIT of its own) or its secrets are hidden, and
        where another large text stands in the record, which then goes in a second message.
        """
        script = part.statements.script if part.statements else None
        if script is None or len(script.text) <= LARGE or self._begins_alone:
            return None
        texts = (piece.sql for piece in pieces if not piece.label)
        if next(texts, "") != script.text or any(texts) or not self._wire.keeps_characters:
            return None
        for write in part.history:
            files = (write.attempt.up, write.attempt.down) if isinstance(write, AddAttempt) else ()
            kept = [file.sql for file in files if file and file.sql]
            if any(len(sql) > LARGE and sql != script.text for sql in kept):
                return None
        before = takewhile(lambda piece: piece.label, pieces)
        return SentText.at(
            len(self._wire.opening) + sum(len(one.sql) for one in before), script.text
        )

    def _history(
        self,
        history: Sequence[HistoryWrite],
        sent: SentText | None = None,
        *,
        remade: bool = False,
    ) -> tuple[Sql, ...]:
        """The statements of writes; where the tables are made again, only if one has rows."""
        tables, statements = self._tables, list[Sql]()
        for write in history:
            if remade and isinstance(write, AddAttempt):
                statements += tables.record_anew(write.attempt)
            else:
                statements += tables.write_history(write, sent)
        return tuple(statements)
