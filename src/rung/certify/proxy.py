"""
A proxy for the PostgreSQL protocol that counts what passes, and can cut it.

It listens on a unix socket of its own and forwards whole messages to a server's unix socket
or TCP address, two threads to a connection. Encryption is refused, so that it can read; what
the figures mean is said in `wire`. It adds a hop, so it counts runs and never times them.
A gate sees each message before it is counted and forwarded, may sleep, and may cut the
connection there, or hold all that passes: that is where faults are put in.
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
_PATIENCE = 5.0
"""Seconds that closing waits for a thread; each has only to notice a closed socket."""


class Verdict(Enum):
    """What a gate says about a message."""

    PASS = "pass"  # noqa: S105 - a word, not a password
    CUT = "cut"
    """Drop this message and the whole connection, on both sides."""
    LAST = "last"
    """Pass this message on, then drop the whole connection, on both sides."""
    FREEZE = "freeze"
    """Hold this message, and all of every connection behind it, until `thaw`."""


class Gate(Protocol):
    """Decides on each message; called in the threads of many connections at once."""

    def __call__(self, connection: int, message: WireMessage, /) -> Verdict:
        """`connection` counts accepted connections from 1."""


@dataclass(frozen=True, slots=True)
class Passed:
    """One line of the trace."""

    connection: int
    origin: Origin
    kind: str
    text: str


def open_gate(_connection: int, _message: WireMessage, /) -> Verdict:
    """Let everything pass."""
    return Verdict.PASS


class CountingProxy:
    """
    Counts the traffic of every client that connects to it instead of to the server.

    Args:
        host: the server's socket folder if it begins with a slash, else its name.
        port: the server's port, and the one to be named to clients.
        gate: asked about each message.

    Use as a context manager; `socket_dir` and `port` are what a client connects to.
    """

    def __init__(self, host: str | Path, port: int, gate: Gate = open_gate) -> None:
        self._host, self.port, self._gate = str(host), port, gate
        self._lock = threading.Lock()
        self._tallies: list[Tally] = []
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._trace: list[Passed] | None = None
        self._closing = self._listening = False
        self._flowing = threading.Event()
        self._flowing.set()
        self.frozen = threading.Event()
        """Set once a gate has frozen all that passes."""

    @property
    def counts(self) -> Counts:
        """The sum over all connections so far, closed ones included."""
        with self._lock:
            return sum((tally.counts for tally in self._tallies), Counts())

    @property
    def trace(self) -> tuple[Passed, ...]:
        """What has passed since `start_trace`, in the order in which it was seen."""
        with self._lock:
            return tuple(self._trace or ())

    def start_trace(self) -> None:
        """Write each message down from now on, forgetting an earlier trace."""
        with self._lock:
            self._trace = []

    def listen(self) -> None:
        """Take connections, which wait until the proxy is entered: no thread runs before."""
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
        self._wake_listener()
        self.cut_all()
        self.thaw()
        for thread in tuple(self._threads):
            thread.join(_PATIENCE)
        self._listener.close()
        self._folder.cleanup()

    def _wake_listener(self) -> None:
        """Have `accept` return; to shut a listening socket does so on Linux only."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as knock:
            knock.connect(self._listener.getsockname())

    def cut_all(self) -> None:
        """Break every connection that is open now; new ones are still taken."""
        with self._lock:
            sockets = tuple(self._sockets)
        for one in sockets:
            _shut(one)

    def thaw(self) -> None:
        """Let everything pass again that was held, and what comes."""
        self._flowing.set()

    def lead_to(self, host: str | Path) -> None:
        """Connect those who come from now on to another host, as of a server started again."""
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
        """Connect to the server and carry both directions until either side is gone."""
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
        Carry one direction, whole messages at a time.

        A client that goes takes only its own direction with it: the server shall see the end
        of the stream as it would without a proxy, and may still have something to say.
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
        """What comes next; while all is frozen nothing is heard, the end of a stream neither."""
        data = source.recv(_CHUNK)
        self._flowing.wait()
        return data

    def _forward(
        self, number: int, messages: list[WireMessage], source: socket.socket, sink: socket.socket
    ) -> bool:
        """Pass messages on; False where the gate cut. Counted first, so no answer overtakes."""
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
                _shut(source)  # first, so that the answer is not faster
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
                self._trace.append(Passed(number, message.origin, message.kind, message.text))


def _shut(one: socket.socket) -> None:
    """Wake whoever reads from a socket; it may be closed already."""
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
