"""
Count what a PostgreSQL connection costs, from its bytes. No socket, no clock, no thread.

`Framer` splits the bytes of one direction into messages, `Tally` counts the messages of one
connection, and `Counts` is the result, whose fields define the figures. Only clear-text protocol 3
is read: the caller has to refuse encryption first.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from enum import Enum

STARTUP, SSL_REQUEST, GSS_REQUEST, CANCEL = "startup", "ssl request", "gss request", "cancel"
_OPENINGS = {80877103: SSL_REQUEST, 80877104: GSS_REQUEST, 80877102: CANCEL}
_UNSOLICITED = frozenset("NSA")  # notice, parameter status, notification: sent unasked
_WITHOUT_ANSWER = frozenset("dX")  # COPY data, goodbye: nobody waits for an answer
_READING = frozenset({"SELECT", "SHOW", "SET", "RESET", "FETCH", "DISCARD", "LISTEN", "EXPLAIN"})
_ENDINGS = frozenset({"COMMIT", "ROLLBACK", "PREPARE TRANSACTION"})
_TEXT_LIMIT = 60


class Origin(Enum):
    """Who sent a message."""

    CLIENT = "client"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class WireMessage:
    """
    One message of the protocol.

    Args:
        origin: who sent it.
        kind: its type letter, or one of STARTUP, SSL_REQUEST, GSS_REQUEST, CANCEL.
        raw: all of its bytes, type and length included.
    """

    origin: Origin
    kind: str
    raw: bytes

    @property
    def body(self) -> bytes:
        """The bytes after type and length."""
        return self.raw[4:] if len(self.kind) > 1 else self.raw[5:]

    @property
    def text(self) -> str:
        """Return at most 60 characters of the message's content, never a password."""
        shown = _TEXTS.get((self.origin, self.kind))
        return "" if shown is None else " ".join(shown(self.body).split())[:_TEXT_LIMIT]


@dataclass(frozen=True, slots=True)
class Counts:
    """The cost of one or more connections; counts can be added and subtracted."""

    connections: int = 0
    """Startup messages: requested sessions. Cancel requests are not sessions."""
    cancels: int = 0
    round_trips: int = 0
    """
    Waits of the client for the server, after the first ReadyForQuery of a connection: times
    that an answer followed something sent. COPY data asks for nothing, notices answer nothing.
    """
    answers: int = 0
    """
    ReadyForQuery messages except the first of a connection. Equal to `round_trips` for a client
    that sends, waits, sends; higher for a pipelining one; lower where COPY or Flush adds waits.
    """
    commits: int = 0
    """
    Transactions that ended well and may have written: COMMIT tags, and requests outside a
    block that completed a statement other than a reading one (`_READING`).
    """
    implicit_commits: int = 0
    """Those of `commits` that had no COMMIT of their own."""
    looks: int = 0
    """Requests outside a block that only read or set: transactions that cost the server nothing."""
    errors: int = 0
    bytes_sent: int = 0
    """Bytes sent by clients; `bytes_received` by servers. Both include the handshake."""
    bytes_received: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __sub__(self, other: Counts) -> Counts:
        return Counts(*(a - b for a, b in zip(astuple(self), astuple(other), strict=True)))


class Framer:
    """
    Splits the bytes of one side into messages; keeps an incomplete one for later.

    Args:
        origin: the sender. A client's first messages have no type letter.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._opening = origin is Origin.CLIENT
        self._tail = bytearray()

    def feed(self, data: bytes) -> list[WireMessage]:
        """Return the messages completed by `data`, oldest first."""
        self._tail += data
        messages: list[WireMessage] = []
        while (message := self._cut()) is not None:
            messages.append(message)
        return messages

    def _cut(self) -> WireMessage | None:
        start = 0 if self._opening else 1
        if len(self._tail) < start + 4:
            return None
        end = start + int.from_bytes(self._tail[start : start + 4])
        if len(self._tail) < end or (self._opening and end < 2 * 4):
            return None
        raw = bytes(self._tail[:end])
        del self._tail[:end]
        return WireMessage(self._origin, self._kind(raw), raw)

    def _kind(self, raw: bytes) -> str:
        if not self._opening:
            return chr(raw[0])
        kind = _OPENINGS.get(int.from_bytes(raw[4:8]), STARTUP)
        self._opening = kind in {SSL_REQUEST, GSS_REQUEST}
        return kind


class Tally:
    """Counts the messages of one connection, in their order."""

    def __init__(self) -> None:
        self._figures = dict.fromkeys(Counts.__slots__, 0)
        self._is_ready = False
        self._awaits_answer = False
        self._wrote = self._read = False

    @property
    def counts(self) -> Counts:
        """Return the figures so far."""
        return Counts(**self._figures)

    def note(self, message: WireMessage) -> None:
        """Count one message."""
        if message.origin is Origin.CLIENT:
            self._sent(message)
        else:
            self._received(message)

    def _sent(self, message: WireMessage) -> None:
        self._figures["bytes_sent"] += len(message.raw)
        self._figures["connections"] += message.kind == STARTUP
        self._figures["cancels"] += message.kind == CANCEL
        self._awaits_answer = self._awaits_answer or message.kind not in _WITHOUT_ANSWER

    def _received(self, message: WireMessage) -> None:
        self._figures["bytes_received"] += len(message.raw)
        if message.kind not in _UNSOLICITED:
            self._figures["round_trips"] += self._awaits_answer and self._is_ready
            self._awaits_answer = False
        if message.kind == "C":
            self._completed(_tag(message.body))
        elif message.kind == "E":
            self._figures["errors"] += 1
            self._wrote = self._read = False
        elif message.kind == "Z":
            self._ready(message.body)

    def _completed(self, tag: str) -> None:
        """
        Record a statement's end; it is a commit only if the string ends outside a block.

        So BEGIN needs no case: a block ends by COMMIT, which counts for all statements in it, or
        by ROLLBACK, or it is still open at the end of the string, as after `ROLLBACK TO`.
        """
        if tag in _ENDINGS:
            self._figures["commits"] += tag == "COMMIT"
            self._wrote = self._read = False
        elif tag.split(" ", 1)[0] in _READING:
            self._read = True
        else:
            self._wrote = True

    def _ready(self, status: bytes) -> None:
        self._figures["answers"] += self._is_ready
        self._is_ready = True
        if status == b"I":
            self._figures["commits"] += self._wrote
            self._figures["implicit_commits"] += self._wrote
            self._figures["looks"] += self._read and not self._wrote
        self._wrote = self._read = False


def _tag(body: bytes) -> str:
    return body.rstrip(b"\0").decode("utf-8", "replace")


def _parsed(body: bytes) -> str:
    return _tag(body.split(b"\0", 2)[1])


def _complaint(body: bytes) -> str:
    fields = {field[:1]: field[1:] for field in body.split(b"\0") if field}
    return _tag(fields.get(b"C", b"") + b" " + fields.get(b"M", b""))


_TEXTS = {
    (Origin.CLIENT, "Q"): _tag,
    (Origin.CLIENT, "P"): _parsed,
    (Origin.SERVER, "C"): _tag,
    (Origin.SERVER, "E"): _complaint,
    (Origin.SERVER, "N"): _complaint,
    (Origin.SERVER, "Z"): _tag,
}
