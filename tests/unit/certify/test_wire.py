"""The counting of a conversation, on bytes written here."""

from __future__ import annotations

import pytest

from rung.certify.wire import (
    CANCEL,
    GSS_REQUEST,
    SSL_REQUEST,
    STARTUP,
    Counts,
    Framer,
    Origin,
    Tally,
    WireMessage,
)

READY = b"Z\0\0\0\5I"
IN_BLOCK = b"Z\0\0\0\5T"
STARTUP_PACKET = b"\0\0\0\x0d\0\3\0\0user\0"


def packet(kind: str, body: bytes = b"") -> bytes:
    """A message as it is on the wire."""
    return kind.encode() + (len(body) + 4).to_bytes(4) + body


def query(text: str) -> bytes:
    """A simple query."""
    return packet("Q", text.encode() + b"\0")


def done(*tags: str) -> bytes:
    """The answers to as many statements."""
    return b"".join(packet("C", tag.encode() + b"\0") for tag in tags)


def opening(code: int) -> bytes:
    """A first message without a type: length and code."""
    return (8).to_bytes(4) + code.to_bytes(4)


def talk(*turns: bytes) -> Counts:
    """The counts of a session in which client and server take turns, the client first."""
    framers = (Framer(Origin.CLIENT), Framer(Origin.SERVER))
    tally = Tally()
    for number, data in enumerate((STARTUP_PACKET, packet("R", b"\0\0\0\0") + READY, *turns)):
        for message in framers[number % 2].feed(data):
            tally.note(message)
    return tally.counts


def trips_and_commits(counts: Counts) -> tuple[int, int, int, int]:
    """What most tests look at: round trips, commits, implicit ones, looks."""
    return counts.round_trips, counts.commits, counts.implicit_commits, counts.looks


def test_connecting_costs_a_session_and_no_round_trip() -> None:
    """A handshake counts as one connection and as nothing else."""
    counts = talk()

    assert (counts.connections, counts.round_trips, counts.answers) == (1, 0, 0)


def test_a_query_is_one_round_trip() -> None:
    """One query string of three statements is one wait and one answer."""
    counts = talk(query("a; b; c"), done("SELECT 1", "SELECT 1", "SELECT 1") + READY)

    assert (counts.round_trips, counts.answers) == (1, 1)


def test_a_slow_answer_is_one_round_trip() -> None:
    """An answer that comes in pieces, notices first, is one wait."""
    tally, framer = Tally(), Framer(Origin.SERVER)
    for message in framer.feed(READY):
        tally.note(message)
    tally.note(WireMessage(Origin.CLIENT, "Q", query("a")))
    for piece in (packet("N", b"\0"), done("SELECT 1"), READY):
        for message in framer.feed(piece):
            tally.note(message)

    assert tally.counts.round_trips == 1


def test_a_pipeline_is_one_wait_of_several_answers() -> None:
    """Three Syncs sent at once are waited for once and answered three times."""
    step = packet("B", b"\0\0") + packet("E", b"\0") + packet("S")

    counts = talk(step * 3, (done("INSERT 0 1") + READY) * 3)

    assert (counts.round_trips, counts.answers) == (1, 3)


def test_preparing_and_executing_apart_are_two_round_trips() -> None:
    """A client that waits for the description before it binds waits twice."""
    counts = talk(
        packet("P", b"\0a\0\0\0") + packet("S"),
        packet("1") + READY,
        packet("B", b"\0\0") + packet("E", b"\0") + packet("S"),
        done("SELECT 1") + READY,
    )

    assert (counts.round_trips, counts.answers) == (2, 2)


def test_copy_data_asks_for_nothing() -> None:
    """COPY FROM STDIN is two waits: for leave to send, and for the end."""
    counts = talk(
        query("copy a from stdin"),
        packet("G", b"\0\0\0"),
        packet("d", b"1\n") * 50 + packet("c"),
        done("COPY 50") + READY,
    )

    assert (counts.round_trips, counts.answers) == (2, 1)


def test_a_refusal_amid_copy_data_was_not_waited_for() -> None:
    """A server that stops a COPY early interrupts a client that was still sending."""
    counts = talk(
        query("copy a from stdin"),
        packet("G", b"\0\0\0"),
        packet("d", b"1\n") * 50,
        packet("E", b"C22P02\0\0") + READY,
    )

    assert (counts.round_trips, counts.answers) == (1, 1)


def test_a_notification_answers_nothing() -> None:
    """What the server sends unasked, while the answer is still to come, ends no wait."""
    counts = talk(query("wait"), packet("A") + packet("S") + packet("N"))

    assert counts.round_trips == 0


@pytest.mark.parametrize(
    ("tags", "status", "expected"),
    [
        (("BEGIN", "CREATE TABLE", "INSERT 0 1", "COMMIT"), READY, (1, 1, 0, 0)),
        (("CREATE TABLE", "INSERT 0 1"), READY, (1, 1, 1, 0)),
        (("CREATE TABLE", "BEGIN", "COMMIT"), READY, (1, 1, 0, 0)),
        (("BEGIN", "COMMIT", "UPDATE 1"), READY, (1, 2, 1, 0)),
        (("SELECT 1", "SHOW", "SET"), READY, (1, 0, 0, 1)),
        (("SELECT 1", "DELETE 1"), READY, (1, 1, 1, 0)),
        (("BEGIN", "CREATE TABLE"), IN_BLOCK, (1, 0, 0, 0)),
        (("BEGIN", "SAVEPOINT", "ROLLBACK", "INSERT 0 1"), IN_BLOCK, (1, 0, 0, 0)),
        (("CREATE TABLE", "ROLLBACK"), READY, (1, 0, 0, 0)),
        (("BEGIN", "INSERT 0 1", "PREPARE TRANSACTION"), READY, (1, 0, 0, 0)),
    ],
)
def test_commits_follow_the_tags(
    tags: tuple[str, ...], status: bytes, expected: tuple[int, int, int, int]
) -> None:
    """A string's commits are its COMMITs, and one more where it wrote outside a block."""
    assert expected == trips_and_commits(talk(query("…"), done(*tags) + status))


def test_an_error_takes_the_implicit_commit_with_it() -> None:
    """What a failed string had completed is rolled back with it."""
    counts = talk(query("…"), done("CREATE TABLE") + packet("E", b"C22012\0\0") + READY)

    assert (counts.commits, counts.errors) == (0, 1)


def test_a_block_lasts_over_several_strings() -> None:
    """Statements between BEGIN and COMMIT have no commit of their own."""
    counts = talk(
        query("begin"),
        done("BEGIN") + IN_BLOCK,
        query("create …"),
        done("CREATE TABLE") + IN_BLOCK,
        query("commit"),
        done("COMMIT") + READY,
    )

    assert trips_and_commits(counts) == (3, 1, 0, 0)


def test_a_commit_of_a_failed_block_is_none() -> None:
    """The server answers ROLLBACK to it, and that is what counts."""
    counts = talk(query("commit"), done("ROLLBACK") + READY)

    assert counts.commits == 0


def test_messages_are_cut_wherever_the_bytes_were() -> None:
    """Bytes that come one at a time make the same messages as all at once."""
    data = STARTUP_PACKET + query("select 1") + packet("X")
    slowly = Framer(Origin.CLIENT)

    one_by_one = [m for byte in data for m in slowly.feed(bytes([byte]))]

    assert Framer(Origin.CLIENT).feed(data) == one_by_one
    assert [m.kind for m in one_by_one] == [STARTUP, "Q", "X"]


@pytest.mark.parametrize(
    ("code", "kind"), [(80877103, SSL_REQUEST), (80877104, GSS_REQUEST), (80877102, CANCEL)]
)
def test_the_messages_before_a_session_are_told_apart(code: int, kind: str) -> None:
    """Encryption requests and cancel requests are no startup."""
    assert [kind] == [m.kind for m in Framer(Origin.CLIENT).feed(opening(code))]


def test_a_startup_may_follow_a_refused_encryption() -> None:
    """After an encryption request the next message still has no type."""
    messages = Framer(Origin.CLIENT).feed(opening(80877103) + opening(80877104) + STARTUP_PACKET)

    assert [m.kind for m in messages] == [SSL_REQUEST, GSS_REQUEST, STARTUP]


def test_a_cancel_request_is_no_session() -> None:
    """It is counted apart."""
    tally = Tally()
    for message in Framer(Origin.CLIENT).feed(opening(80877102)):
        tally.note(message)

    assert (tally.counts.connections, tally.counts.cancels) == (0, 1)


@pytest.mark.parametrize(
    ("origin", "data", "text"),
    [
        (Origin.CLIENT, query("select\n  " + "1 + " * 40), "select " + "1 + " * 13 + "1"),
        (Origin.CLIENT, packet("P", b"name\0select $1\0\0\0"), "select $1"),
        (Origin.CLIENT, packet("p", b"secret\0"), ""),
        (Origin.SERVER, done("INSERT 0 1"), "INSERT 0 1"),
        (Origin.SERVER, packet("E", b"SERROR\0C42P01\0Mno such table\0\0"), "42P01 no such table"),
        (Origin.SERVER, READY, "I"),
    ],
)
def test_a_message_says_what_it_is_about(origin: Origin, data: bytes, text: str) -> None:
    """Sixty characters of a query, a tag or an error; of a password nothing."""
    assert text == WireMessage(origin, chr(data[0]), data).text


def test_counts_add_up_and_subtract() -> None:
    """A later total less an earlier one is what happened between."""
    first, second = Counts(connections=1, round_trips=2), Counts(round_trips=5, bytes_sent=9)

    assert second == (first + second) - first
