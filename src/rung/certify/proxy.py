"""
A proxy for the PostgreSQL protocol that counts messages and can cut connections.

It listens on a unix socket of its own and forwards whole messages to a server's unix socket or TCP
address, with two threads a connection. It refuses encryption, because it has to read; `wire`
defines the figures. It adds a hop, so it counts runs and never times them. A gate sees each message
before it is counted and forwarded. It may sleep, cut the connection there, or freeze all traffic:
this is how faults are injected.
"""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from rung.certify.wire import GSS_REQUEST, SSL_REQUEST, Counts, Framer, Origin, Tally, WireMessage

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_CHUNK = 1 << 18
_JOIN_TIMEOUT = 5.0
"""Seconds that closing waits for a thread, which only has to notice a closed socket."""


class Verdict(Enum):
    """What a gate decides on a message."""

    PASS = "pass"  # noqa: S105 - a word, not a password
    CUT = "cut"
    """Drop this message and the whole connection, on both sides."""
    LAST = "last"
    """Forward this message, then drop the whole connection, on both sides."""
    FREEZE = "freeze"
    """Hold this message and all later ones of every connection until `thaw`."""


class Gate(Protocol):
    """Decides on each message; called in the threads of many connections at once."""

    def __call__(self, connection: int, message: WireMessage, /) -> Verdict:
        """`connection` counts accepted connections from 1."""


@dataclass(frozen=True, slots=True)
class TraceEntry:
    """One line of the trace."""

    connection: int
    origin: Origin
    kind: str
    text: str


def open_gate(_connection: int, _message: WireMessage, /) -> Verdict:
    """Let every message pass."""
    return Verdict.PASS


class CountingProxy:
    """
    Counts the traffic of every client that connects to it instead of to the server.

    Args:
        host: the server's socket folder if it begins with a slash, else its name.
        port: the server's port, and the one to be named to clients.
        gate: decides on each message.

    Use as a context manager; `socket_dir` and `port` are what a client connects to.
    """

    def __init__(self, host: str | Path, port: int, gate: Gate = open_gate) -> None:
        self._host, self.port, self._gate = str(host), port, gate
        self._lock = threading.Lock()
        self._tallies: list[Tally] = []
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._trace: list[TraceEntry] | None = None
        self._closing = self._listening = False
        self._flowing = threading.Event()
        self._flowing.set()
        self.frozen = threading.Event()
        """Set once a gate has frozen the traffic."""

    @property
    def counts(self) -> Counts:
        """Return the sum over all connections so far, closed ones included."""
        with self._lock:
            return sum((tally.counts for tally in self._tallies), Counts())

    @property
    def trace(self) -> tuple[TraceEntry, ...]:
        """Return the messages since `start_trace`, in order."""
        with self._lock:
            return tuple(self._trace or ())

    def start_trace(self) -> None:
        """Record each message from now on; discard an earlier trace."""
        with self._lock:
            self._trace = []

    def listen(self) -> None:
        """Listen; connections wait until the proxy is entered, and no thread runs before."""
        # Short, because a socket's path may have 107 bytes only.
        self._folder = tempfile.TemporaryDirectory(prefix="pgcount")
        self.socket_dir = Path(self._folder.name)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.socket_dir / f".s.PGSQL.{self.port}"))
        self._listener.listen(512)
        self._listening = True

    def __enter__(self) -> Self:
        if not self._listening:
            self.listen()
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing = True
        # Shutting a listening socket down makes `accept` return on Linux only.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as knock:
            knock.connect(self._listener.getsockname())
        self.cut_all()
        self.thaw()
        for thread in tuple(self._threads):
            thread.join(_JOIN_TIMEOUT)
        self._listener.close()
        self._folder.cleanup()

    def cut_all(self) -> None:
        """Break every open connection; new ones are still accepted."""
        with self._lock:
            sockets = tuple(self._sockets)
        for one in sockets:
            _shut(one)

    def thaw(self) -> None:
        """Let held and later messages pass."""
        self._flowing.set()

    def forward_to(self, host: str | Path) -> None:
        """Forward new connections to another host, as after a restart of the server."""
        self._host = str(host)

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        thread.start()
        self._threads = [*(t for t in self._threads if t.is_alive()), thread]

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            if self._closing:
                client.close()
                return
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        """Connect to the server, and forward both directions until either side closes."""
        self._flowing.wait()
        with client, contextlib.suppress(OSError), self._connect() as server:
            with self._lock:
                if self._closing:
                    return
                self._tallies.append(Tally())
                number = len(self._tallies)
                self._sockets |= {client, server}
            back = threading.Thread(
                target=self._pump, args=(number, Origin.SERVER, server, client), daemon=True
            )
            back.start()
            self._pump(number, Origin.CLIENT, client, server)
            back.join()
            with self._lock:
                self._sockets -= {client, server}

    def _connect(self) -> socket.socket:
        if not self._host.startswith("/"):
            return socket.create_connection((self._host, self.port))
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(f"{self._host}/.s.PGSQL.{self.port}")
        except OSError:
            server.close()
            raise
        return server

    def _pump(
        self, number: int, origin: Origin, source: socket.socket, sink: socket.socket
    ) -> None:
        """
        Forward one direction, whole messages at a time.

        A client's close ends its own direction only: the server sees the end of the stream as it
        would without a proxy, and may still send.
        """
        framer = Framer(origin)
        try:
            while data := self._receive(source):
                if not self._forward(number, framer.feed(data), source, sink):
                    break
            else:
                if origin is Origin.CLIENT:
                    sink.shutdown(socket.SHUT_WR)
                    return
        except OSError:
            pass
        _shut(source)
        _shut(sink)

    def _receive(self, source: socket.socket) -> bytes:
        """Receive bytes; while the traffic is frozen nothing arrives, not even an end of stream."""
        data = source.recv(_CHUNK)
        self._flowing.wait()
        return data

    def _forward(
        self, number: int, messages: list[WireMessage], source: socket.socket, sink: socket.socket
    ) -> bool:
        """Count, then forward messages, so that no answer overtakes; False where the gate cut."""
        passing = bytearray()
        for message in messages:
            if message.kind in {SSL_REQUEST, GSS_REQUEST}:
                source.sendall(b"N")
                continue
            verdict = self._gate(number, message)
            if verdict is Verdict.CUT:
                sink.sendall(passing)
                return False
            if verdict is Verdict.FREEZE:
                sink.sendall(passing)
                passing.clear()
                self._hold()
            self._note(number, message)
            passing += message.raw
            if verdict is Verdict.LAST:
                _shut(source)  # first: the answer must not arrive before
                sink.sendall(passing)
                return False
        sink.sendall(passing)
        return True

    def _hold(self) -> None:
        self._flowing.clear()
        self.frozen.set()
        self._flowing.wait()

    def _note(self, number: int, message: WireMessage) -> None:
        with self._lock:
            self._tallies[number - 1].note(message)
            if self._trace is not None:
                self._trace.append(TraceEntry(number, message.origin, message.kind, message.text))


def _shut(one: socket.socket) -> None:
    """Shut down a socket, which wakes its reader; it may be closed already."""
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
