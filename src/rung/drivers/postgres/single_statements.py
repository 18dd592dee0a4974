"""
Sends a message's statements one by one, for servers that refuse several in one message.

The message stays what is planned and what is read: the replies are put together as if it had been
sent whole, so that counts, positions and failures mean the same. It takes a round trip for each
statement. Chosen by `statement_mode=single` in the database's URL.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from rung.drivers.postgres.execute import PostgresSender
from rung.drivers.postgres.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rung.drivers.postgres.message import Message, Piece
    from rung.script import Script


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
