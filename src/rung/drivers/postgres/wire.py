"""
Sends one message to PostgreSQL and collects everything that comes back.

A message is a simple query: any number of statements, one round trip. COPY data is fed
where the server asks for it. Nothing here knows what the statements mean. While it waits it
looks at the `CancelToken`: asked to cancel, it cancels on the server and goes on collecting.

Nothing is kept of it that nobody reads: rows of a file's statements, and notices beyond many.

Protocol: PostgreSQL documentation, "Message Flow", simple query and COPY sub-protocols.
"""

from __future__ import annotations

import contextlib
import math
import select
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import TYPE_CHECKING

import psycopg
from psycopg import pq
from psycopg.pq import DiagnosticField, ExecStatus

from rung.drivers.inspection import Disconnected
from rung.drivers.postgres.message import Notices
from rung.errors import ServerMessage
from rung.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from psycopg.pq.abc import PGconn, PGresult

    from rung.cancellation import CancelToken
    from rung.drivers.postgres.quoting import Sql
    from rung.drivers.transaction import ServerNotice

_LOOK_AT_STOP_MS = 50
_CANCEL_WITHIN = 5
"""Seconds for a request to cancel, which is made beside; and so long is its first moment."""
_CANCEL_AT_ONCE = 0.25
_GIVE_UP_AFTER = 10.0
_GIVE_UP_SOON = 1.5
"""Seconds from a request to cancel to giving the connection up; soon where nothing was written."""
_SETTLES_WITHIN = 1.0
"""Seconds that a message which records how work ended has before it is cancelled as well."""
_COPY_CHUNK = 1 << 18
_LARGE = 1 << 20
"""Bytes of a message from which on the library is to show no line of it with an error."""
_TERSE = 0
_ROWS_AT_ONCE = 50
"""Rows that nobody reads are taken from the library in such parts, and dropped."""

Row = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class ServerError:
    """An error of the server; `position` counts characters of the message from 0."""

    message: ServerMessage
    position: int | None
    function: str = ""
    """Of the server's source, which raised it."""
    inner: tuple[str, int] | None = None
    """SQL inside of the message, such as a function's body, and the position in that, from 0."""


@dataclass(slots=True)
class Reply:
    """What came back: a result for each statement that completed, then maybe an error."""

    results: list[Sequence[PGresult] | None] = field(default_factory=list)
    """The parts of each, or None for a statement whose rows were dropped."""
    error: ServerError | None = None
    kept: Notices = field(default_factory=Notices)
    cancelled: bool = False
    """Whether we asked for it to be cancelled; it may have come to its end all the same."""
    late: bool = False
    """Whether that was because its time was over, and not because of the `CancelToken`."""

    @property
    def notices(self) -> list[ServerNotice]:
        """The notices; of very many the first, with a count of the rest."""
        return self.kept.shown()

    @property
    def done(self) -> int:
        """How many statements completed."""
        return len(self.results)

    def forget(self, statements: int, characters: int) -> None:
        """Leave out what stood in front of a message: so many statements and characters."""
        del self.results[:statements]
        if self.error and self.error.position is not None:
            position = self.error.position - characters
            self.error = replace(self.error, position=position if position >= 0 else None)

    def rows(self, index: int) -> list[Row]:
        """
        The rows of one completed statement, as text.

        Raises:
            LookupError: they were dropped.
        """
        parts = self.results[index]
        if parts is None:
            raise LookupError(index)
        rows: list[Row] = []
        for part in parts:
            value, numbers = part.get_value, range(part.ntuples)
            columns = [_texts([value(row, i) for row in numbers]) for i in range(part.nfields)]
            rows += zip(*columns, strict=True) if columns else [()] * len(numbers)
        return rows


def _texts(values: list[bytes | None]) -> Sequence[str | None]:
    """Decode the values of a column; those without NULL in one text, for none contains a NUL."""
    there = [value for value in values if value is not None]
    if len(there) < len(values) or not values:
        return [None if one is None else one.decode("utf-8", "replace") for one in values]
    return b"\0".join(there).decode("utf-8", "replace").split("\0")


class Wire:
    """The low-level side of one connection."""

    def __init__(
        self,
        connection: psycopg.Connection[tuple[object, ...]],
        stop: CancelToken,
        prelude: tuple[Sql, ...] = (),
    ) -> None:
        self.prelude = prelude
        """Goes in front of every message outside a transaction, and shows in no reply."""
        self._connection = connection
        self._pgconn = connection.pgconn
        self._pgconn.nonblocking = 1
        self._pgconn.notice_handler = self._on_notice
        self._stop = stop
        self.while_waiting: list[Callable[[float], None]] = []
        """
        Called about twenty times a second while a reply is awaited, with the seconds waited.

        They must be quick, and must not use this wire: for looks by a second connection.
        """
        self._asked = 0.0
        self._settles = False
        """Whether the message under way records how work ended."""
        self._reads = False
        """Whether it loses no work: the first request of a `CancelToken` cancels it."""
        self._cancelled = self._late = False
        self._give_up = math.inf
        self.bound: float | None = None
        """Seconds for a message that records how work ended; None for no limit."""
        self._deadline: float | None = None
        self._notices = Notices()
        self._poll = select.poll()
        self._poll.register(self._pgconn.socket, select.POLLIN)

    @property
    def in_transaction(self) -> bool:
        """True where a transaction block was left open, failed or not."""
        return self._pgconn.transaction_status != pq.TransactionStatus.IDLE

    @property
    def is_open(self) -> bool:
        """False where the connection is lost or closed."""
        return self._pgconn.status == pq.ConnStatus.OK

    @property
    def waited(self) -> float:
        """Seconds since the last message was sent."""
        return time.monotonic() - self._asked

    @property
    def opening(self) -> str:
        """What the next message begins with, in front of its own text."""
        return "" if self.in_transaction else "".join(f"{one};\n" for one in self.prelude)

    @property
    def keeps_characters(self) -> bool:
        """Whether the server counts the characters of a message as we do: it has it in UTF-8."""
        encodings = (b"server_encoding", b"client_encoding")
        return all(self._pgconn.parameter_status(name) == b"UTF8" for name in encodings)

    def ask(
        self,
        sql: str | Sequence[str],
        copy_data: Sequence[str] = (),
        meanwhile: Callable[[], None] | None = None,
        within: float | None = None,
        keeps: Callable[[int], bool] | None = None,
        *,
        more: Sequence[str] = (),
        runs: bool = True,
    ) -> Reply:
        """
        Send a message and wait for its end.

        Args:
            sql: the statements, in one text or in several that follow each other.
            copy_data: the data for each COPY … FROM STDIN in them, in order.
            meanwhile: called once the message is out and before its reply is awaited.
            within: seconds after which it is cancelled on the server; None for no limit.
            keeps: whether the rows of the statement behind so many are kept; the others are
                dropped while they arrive. None keeps all.
            more: what follows in a second message, where the first came to its end; the reply is
                of both as of one.
            runs: False for one statement that is parsed only.

        Raises:
            Disconnected: the connection was lost before the end.
        """
        reply = Reply()
        before, opening = () if self.in_transaction else self.prelude, self.opening
        self._notices = reply.kept
        self._cancelled = self._late = False
        self._give_up = math.inf
        self._asked = time.monotonic()
        self._deadline = None if within is None else self._asked + within
        try:
            parts = (sql,) if isinstance(sql, str) else sql
            self._send((opening, *parts), keeps, runs=runs)
            if meanwhile is not None:
                self._flush()
                meanwhile()
            self._collect(reply, list(copy_data), keeps, len(before))
            reply.forget(len(before), len(opening))
            if more and reply.error is None:
                self._send(more, keeps)
                self._collect(reply, [], keeps, 0)
                reply.forget(0, -sum(map(len, parts)))
        except psycopg.OperationalError as error:
            if self._give_up < math.inf:
                self._connection.close()
            raise Disconnected(_reason(error)) from None
        except BaseException:
            self._abandon()
            raise
        reply.cancelled, reply.late = self._cancelled, self._late
        if self._pgconn.status != pq.ConnStatus.OK:
            raise Disconnected(reply.error.message.message if reply.error else "closed")
        return reply

    @property
    def server_version(self) -> int:
        """As 150004 for 15.4."""
        return self._pgconn.server_version

    def parse(self, sql: str | Sequence[str]) -> Reply:
        """
        Have one statement parsed, and never run: a prepared statement without a name.

        Raises:
            Disconnected: the connection was lost before the end.
        """
        with self.bare():
            return self.ask(sql, runs=False)

    @contextlib.contextmanager
    def bare(self) -> Iterator[None]:
        """Send what follows with nothing in front, for statements that bear no company."""
        kept, self.prelude = self.prelude, ()
        try:
            yield
        finally:
            self.prelude = kept

    def settle(self, sql: str | Sequence[str]) -> Reply:
        """
        The same for a message that records how work ended: a `CancelToken` leaves it some time.

        Raises:
            Disconnected: the connection was lost before the end.
        """
        self._settles = True
        try:
            return self.ask(sql, within=self.bound)
        finally:
            self._settles = False

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Let the first request of a `CancelToken` cancel what the block asks; no work is lost."""
        before, self._reads = self._reads, True
        try:
            yield
        finally:
            self._reads = before

    def _send(
        self,
        parts: Sequence[str],
        keeps: Callable[[int], bool] | None,
        *,
        runs: bool = True,
    ) -> None:
        """Hand a message over to the library, which has copied it when this returns."""
        message = _encoded(parts)
        if len(message) > _LARGE:
            _show_no_cursor(self._pgconn)
        if runs:
            self._pgconn.send_query(message)
        else:
            self._pgconn.send_prepare(b"", message)
        if keeps is None:
            return
        try:
            self._pgconn.set_chunked_rows_mode(_ROWS_AT_ONCE)
        except psycopg.NotSupportedError:  # a library older than 17
            self._pgconn.set_single_row_mode()

    def _collect(
        self,
        reply: Reply,
        copy_data: list[str],
        keeps: Callable[[int], bool] | None,
        before: int,
    ) -> None:
        parts: list[PGresult] = []
        tagged = False
        while (result := self._next_result()) is not None:
            match result.status:
                case ExecStatus.COPY_IN:
                    self._feed(copy_data.pop(0) if copy_data else None)
                case ExecStatus.COPY_OUT:
                    self._drain()
                case ExecStatus.FATAL_ERROR:
                    reply.error = _error(result)
                case ExecStatus.SINGLE_TUPLE | ExecStatus.TUPLES_CHUNK:
                    tagged |= bool(result.command_status)  # libpq gives it to the last chunk
                    if keeps is None or keeps(reply.done - before):
                        parts.append(result)
                case _ if result.command_status or tagged:
                    tagged = False
                    kept = keeps is None or keeps(reply.done - before)
                    reply.results.append((*parts, result) if kept else None)
                    parts.clear()
                case _:
                    pass  # an empty message, or the rows of a rule's query before the last

    def _next_result(self) -> PGresult | None:
        self._flush()
        while self._pgconn.is_busy():
            self._wait(select.POLLIN)
            self._pgconn.consume_input()
        return self._pgconn.get_result()

    def _flush(self) -> None:
        while self._pgconn.flush():
            if self._wait(select.POLLIN | select.POLLOUT) & select.POLLIN:
                self._pgconn.consume_input()

    def _wait(self, wanted: int) -> int:
        self._poll.modify(self._pgconn.socket, wanted)
        while True:
            # Milliseconds to the deadline; without one, to the next look at the `CancelToken`.
            left = _LOOK_AT_STOP_MS
            if self._deadline is not None:
                left = math.ceil((self._deadline - time.monotonic()) * 1000)
            if not self._cancelled and (self._is_stopped() or left <= 0):
                self._cancelled, self._late = True, left <= 0
                soon = _GIVE_UP_SOON if self._reads else _GIVE_UP_AFTER
                self._give_up = time.monotonic() + soon
                self.cancel()
            if time.monotonic() > self._give_up:
                raise psycopg.OperationalError(
                    "the server does not answer, not even to a cancel request"
                )
            pause = _LOOK_AT_STOP_MS if self._cancelled else min(_LOOK_AT_STOP_MS, left)
            if ready := self._poll.poll(pause):
                return ready[0][1]
            for call in self.while_waiting:
                call(self.waited)

    @property
    def is_asked_to_stop(self) -> bool:
        """Whether a `CancelToken` was set, be it to end or to cancel."""
        return self._stop.requested

    def _is_stopped(self) -> bool:
        if self._settles and not self._reads and self.waited < _SETTLES_WITHIN:
            return False
        return self._stop.cancelling or (self._reads and self._stop.requested)

    def cancel(self) -> None:
        """
        Ask the server to cancel what it is doing; the reply still comes.

        A server that is stopped takes the request and never answers it: it is waited for beside.
        """

        def ask() -> None:
            with contextlib.suppress(psycopg.Error):  # refused, and the work goes on
                self._connection.cancel_safe(timeout=_CANCEL_WITHIN)

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(_CANCEL_AT_ONCE)

    def _feed(self, data: str | None) -> None:
        if data is None:
            self._pgconn.put_copy_end(b"the file has no data for this COPY")
            return
        for chunk in _chunks(data):
            while not self._pgconn.put_copy_data(chunk):
                self._flush()
            self._flush()
        while not self._pgconn.put_copy_end():
            self._flush()

    def _drain(self) -> None:
        while True:
            size, _ = self._pgconn.get_copy_data(1)
            if size < 0:
                return
            if size == 0:
                self._wait(select.POLLIN)
                self._pgconn.consume_input()

    def _abandon(self) -> None:
        """After Ctrl-C: cancel on the server and close, so that nothing runs on unseen."""
        try:
            self.cancel()
        finally:
            self._connection.close()

    def _on_notice(self, result: PGresult) -> None:
        severity = _field(result, DiagnosticField.SEVERITY_NONLOCALIZED)
        state = _field(result, DiagnosticField.SQLSTATE)
        self._notices.add(severity, state, _field(result, DiagnosticField.MESSAGE_PRIMARY))


def _encoded(parts: Sequence[str]) -> bytes:
    """A message as it is sent, made in a buffer of its size: a file may be large."""
    size = sum(len(chunk) for part in parts for chunk in _chunks(part))
    whole = BytesIO(bytes(size))
    for part in parts:
        whole.writelines(_chunks(part))
    return whole.getvalue()


def _chunks(text: str) -> Iterator[bytes]:
    for start in range(0, len(text), _COPY_CHUNK):
        yield text[start : start + _COPY_CHUNK].encode()


def _show_no_cursor(connection: PGconn) -> None:
    """
    Have libpq format an error without the line of the statement and the cursor below it.

    It does so for every error as it arrives, read or not, in nine bytes for each of the statement
    up to that line's end. psycopg has no function for it. The library that it is linked with is
    found through it, and where that fails only the memory is not saved.
    """
    import ctypes

    module = sys.modules[type(connection).__module__]
    with contextlib.suppress(AttributeError, OSError):
        found = module.impl.pq if hasattr(module, "impl") else ctypes.CDLL(module.__file__)
        set_verbosity = found["PQsetErrorVerbosity"]
        set_verbosity.argtypes = [ctypes.c_void_p, ctypes.c_int]
        set_verbosity(connection.pgconn_ptr, _TERSE)  # type: ignore[attr-defined]


def _reason(error: psycopg.Error) -> str:
    """The first line of the library's words, without the name of its function that failed."""
    first = (str(error).strip().splitlines() or ["closed"])[0]
    return first.split(" failed: ", 1)[-1].rstrip(".")


def _error(result: PGresult) -> ServerError:
    position = _field(result, DiagnosticField.STATEMENT_POSITION)
    said = _field(result, DiagnosticField.MESSAGE_PRIMARY)
    said = said or result.error_message.decode("utf-8", "replace")
    message = ServerMessage(
        redacted(said),
        _field(result, DiagnosticField.SQLSTATE),
        redacted(_field(result, DiagnosticField.MESSAGE_DETAIL)),
        _field(result, DiagnosticField.MESSAGE_HINT),
        _field(result, DiagnosticField.CONTEXT),
    )
    function = _field(result, DiagnosticField.SOURCE_FUNCTION)
    query = _field(result, DiagnosticField.INTERNAL_QUERY)
    within = _field(result, DiagnosticField.INTERNAL_POSITION)
    inner = (query, int(within) - 1) if query and within else None
    return ServerError(message, int(position) - 1 if position else None, function, inner)


def _field(result: PGresult, which: DiagnosticField) -> str:
    return (result.error_field(which) or b"").decode("utf-8", "replace")
