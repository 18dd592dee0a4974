"""The proxy between a client and a server played here, on real sockets."""

from __future__ import annotations

import itertools
import socket
import tempfile
import threading
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rung.certify.proxy import CountingProxy, Verdict, open_gate
from rung.certify.wire import Framer, Origin, WireMessage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.certify.proxy import Gate

PORT = 5432
STARTUP = b"\0\0\0\x0d\0\3\0\0user\0"
SSL_REQUEST = b"\0\0\0\x08\x04\xd2\x16\x2f"
READY = b"Z\0\0\0\5I"
QUERY = b"Q\0\0\0\x0dselect 1\0"
DONE = b"C\0\0\0\x0dSELECT 1\0"
GOODBYE = b"X\0\0\0\4"


def answer(client: socket.socket) -> None:
    """Be a server that greets, and answers each query alike, as long as somebody listens."""
    framer = Framer(Origin.CLIENT)
    with client, suppress(ConnectionError):
        while data := client.recv(4096):
            for message in framer.feed(data):
                if message.kind == "X":
                    return
                client.sendall(READY if message.kind == "startup" else DONE + READY)


@contextmanager
def server() -> Iterator[Path]:
    """A folder with a server's socket in it."""
    with (
        tempfile.TemporaryDirectory(prefix="pgfake") as folder,
        socket.socket(socket.AF_UNIX) as listener,
    ):
        listener.bind(f"{folder}/.s.PGSQL.{PORT}")
        listener.listen()
        threads = []

        def accept() -> None:
            while True:
                client, _ = listener.accept()
                if not client.recv(1, socket.MSG_PEEK):
                    client.close()
                    return
                threads.append(threading.Thread(target=answer, args=(client,), daemon=True))
                threads[-1].start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield Path(folder)
        finally:
            with closing(socket.socket(socket.AF_UNIX)) as knock:
                knock.connect(f"{folder}/.s.PGSQL.{PORT}")
            for thread in (accepting, *threads):
                thread.join(10)


@contextmanager
def proxied(gate: Gate = open_gate) -> Iterator[CountingProxy]:
    """A proxy before such a server."""
    with server() as folder, CountingProxy(folder, PORT, gate) as proxy:
        yield proxy


@contextmanager
def session(proxy: CountingProxy) -> Iterator[socket.socket]:
    """A client that has been greeted."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(f"{proxy.socket_dir}/.s.PGSQL.{proxy.port}")
        client.sendall(STARTUP)
        receive(client, len(READY))
        yield client


def receive(client: socket.socket, count: int) -> bytes:
    """As many bytes, or those that came before the end of the stream."""
    data = b""
    while len(data) < count and (more := client.recv(count - len(data))):
        data += more
    return data


def test_bytes_pass_unchanged_and_are_counted() -> None:
    """A query goes through as it is, and is one round trip."""
    with proxied() as proxy, session(proxy) as client:
        client.sendall(QUERY)

        assert receive(client, len(DONE + READY)) == DONE + READY
        assert proxy.counts.round_trips == 1
        assert len(STARTUP + QUERY) == proxy.counts.bytes_sent


def test_a_message_may_come_in_pieces() -> None:
    """Half a message waits for its other half."""
    with proxied() as proxy, session(proxy) as client:
        client.sendall(QUERY[:7])
        client.sendall(QUERY[7:])

        assert receive(client, len(DONE + READY)) == DONE + READY


def test_encryption_is_refused_by_the_proxy() -> None:
    """The server never sees the request, and the client goes on in clear text."""
    with proxied() as proxy, socket.socket(socket.AF_UNIX) as client:
        client.connect(f"{proxy.socket_dir}/.s.PGSQL.{proxy.port}")
        client.sendall(SSL_REQUEST)

        assert receive(client, 1) == b"N"

        client.sendall(STARTUP)

        assert receive(client, len(READY)) == READY
        assert proxy.counts.connections == 1


def test_many_connections_at_once_are_all_counted() -> None:
    """Thirty sessions of one query each are thirty of both."""
    with proxied() as proxy, ExitStack() as stack:
        clients = [stack.enter_context(session(proxy)) for _ in range(30)]
        for client in clients:
            client.sendall(QUERY)
        for client in clients:
            receive(client, len(DONE + READY))
        counts = proxy.counts

    assert (counts.connections, counts.round_trips) == (30, 30)


def test_the_trace_tells_what_passed() -> None:
    """From its start on, each message with its sender and its text."""
    with proxied() as proxy, session(proxy) as client:
        proxy.start_trace()
        client.sendall(QUERY)
        receive(client, len(DONE + READY))

        seen = [(one.origin.value, one.kind, one.text) for one in proxy.trace]

    expected = [("client", "Q", "select 1"), ("server", "C", "SELECT 1"), ("server", "Z", "I")]
    assert expected == seen


@pytest.mark.parametrize(("place", "arrived"), [(3, b""), (4, b""), (5, DONE)])
def test_a_gate_cuts_at_its_message(place: int, arrived: bytes) -> None:
    """
    What came before the message arrives, the message does not, and the session is over.

    The first two are the greeting, then come the query, its tag and its end.
    """
    numbers = itertools.count(1)

    def gate(_: int, _message: WireMessage, /) -> Verdict:
        return Verdict.CUT if next(numbers) == place else Verdict.PASS

    with proxied(gate) as proxy, session(proxy) as client:
        client.sendall(QUERY)

        assert arrived == receive(client, 100)


def test_a_gate_knows_which_connection_it_is() -> None:
    """One session can be cut while another lives."""

    def gate(connection: int, message: WireMessage, /) -> Verdict:
        return Verdict.CUT if connection == 1 and message.kind == "Q" else Verdict.PASS

    with proxied(gate) as proxy, session(proxy) as first, session(proxy) as second:
        first.sendall(QUERY)
        second.sendall(QUERY)

        assert receive(first, 1) == b""
        assert receive(second, len(DONE)) == DONE


def test_all_can_be_cut_from_outside() -> None:
    """Open sessions end, and a new one is taken."""
    with proxied() as proxy, session(proxy) as first:
        proxy.cut_all()

        assert receive(first, 1) == b""

        with session(proxy) as second:
            second.sendall(QUERY)

            assert receive(second, len(DONE)) == DONE


def test_no_server_is_a_closed_connection() -> None:
    """A client of a proxy without a server is turned away, not left waiting."""
    with tempfile.TemporaryDirectory() as empty, CountingProxy(empty, PORT) as proxy:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(f"{proxy.socket_dir}/.s.PGSQL.{PORT}")

            assert receive(client, 1) == b""

        assert proxy.counts.connections == 0


def test_closing_leaves_nothing_behind() -> None:
    """Sessions still open are ended, threads and the socket's folder are gone."""
    before = threading.active_count()
    with server() as folder, ExitStack() as stack:
        proxy = stack.enter_context(CountingProxy(folder, PORT))
        with session(proxy) as client:
            stack.close()

            assert receive(client, 1) == b""

    assert before == threading.active_count()
    assert not proxy.socket_dir.exists()


def test_a_gate_lets_a_last_message_through() -> None:
    """The server gets the query and answers it, and the client hears no more."""

    def gate(_: int, message: WireMessage, /) -> Verdict:
        return Verdict.LAST if message.kind == "Q" else Verdict.PASS

    with proxied(gate) as proxy, session(proxy) as client:
        client.sendall(QUERY)

        assert receive(client, 1) == b""
        assert proxy.counts.bytes_sent == len(STARTUP + QUERY)


def test_a_frozen_message_waits_for_the_thaw() -> None:
    """Nothing passes while all is frozen, and nothing is lost when it passes again."""

    def gate(_: int, message: WireMessage, /) -> Verdict:
        return Verdict.FREEZE if message.kind == "Q" else Verdict.PASS

    with proxied(gate) as proxy, session(proxy) as client:
        client.sendall(QUERY)

        assert proxy.frozen.wait(10)
        assert proxy.counts.bytes_sent == len(STARTUP)

        proxy.thaw()

        assert receive(client, len(DONE + READY)) == DONE + READY


def test_a_frozen_proxy_closes_all_the_same() -> None:
    """Its end breaks what it holds."""

    def gate(_: int, message: WireMessage, /) -> Verdict:
        return Verdict.FREEZE if message.kind == "Q" else Verdict.PASS

    with ExitStack() as stack:
        proxy = stack.enter_context(proxied(gate))
        client = stack.enter_context(session(proxy))
        client.sendall(QUERY)
        assert proxy.frozen.wait(10)
        proxy.__exit__(None, None, None)

        assert receive(client, 1) == b""
