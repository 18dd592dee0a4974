"""For how long a file's statements may stand in a lock's queue."""

from __future__ import annotations

import pytest

from rung.drivers.postgres.connect import SessionSettings
from rung.drivers.postgres.lock_timeout import LockTimeoutPolicy
from rung.drivers.postgres.message import Message, file_pieces
from rung.drivers.transaction import StatementRange
from rung.options import RUNG, RunOptions
from rung.script import read

OURS = ("SET LOCAL lock_timeout = 200",)
OF_URL = SessionSettings((("lock_timeout", "3s"),))


def limits(
    options: RunOptions = RUNG, settings: SessionSettings | None = None
) -> LockTimeoutPolicy:
    """The limits of a session."""
    return LockTimeoutPolicy(options, settings or SessionSettings())


def test_ours() -> None:
    """It goes into each transaction, and back in front of our own writes in it."""
    found = limits()

    assert (found.inside(read("select 1"), 1), found.put_back) == (OURS, OURS)


def test_the_urls_prevails() -> None:
    """Over a default of ours; how long it is, is known all the same."""
    found = limits(settings=OF_URL)

    assert (found.inside(read("select 1"), 1), found.ours, found.seconds) == ((), False, 3.0)


def test_ours_prevails_where_it_was_asked_for() -> None:
    """Over the URL's; 0 is no limit, and said as such."""
    asked = RUNG._replace(lock_timeout=0.0, insists_on_lock_timeout=True)

    assert limits(asked, OF_URL).inside(read("select 1"), 1) == ("SET LOCAL lock_timeout = 0",)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("set lock_timeout = '5s'; vacuum; select 1", ()),
        ("select set_config('lock_timeout', '5s', false); vacuum; select 1", ()),
        ("set local lock_timeout = '5s'; vacuum; select 1", OURS),
        ("create function f() returns int set lock_timeout = 0 return 1; vacuum; select 1", OURS),
        ("alter role ada set lock_timeout = '5s'; vacuum; select 1", OURS),
        ("select 1; vacuum; set lock_timeout = '5s'", OURS),
    ],
)
def test_a_files_own_prevails_behind_it(sql: str, expected: tuple[str, ...]) -> None:
    """For the units after the one that set it."""
    assert limits().inside(read(sql), 3) == expected


@pytest.mark.parametrize(
    ("sql", "parts"),
    [
        ("select 1;\nreset all; -- so\nselect 2", ["select 1;\nreset all; -- so\n", "select 2"]),
        ("reset all", ["reset all"]),
        (
            "set lock_timeout = 0; reset all; vacuum",
            ["set lock_timeout = 0; reset all; ", "vacuum"],
        ),
    ],
)
def test_it_is_set_anew_where_a_file_resets_all(sql: str, parts: list[str]) -> None:
    """In the same transaction, unless the file has a limit of its own; the text stays as it is."""
    pieces = tuple(limits().within(read(sql), file_pieces(read(sql), 1, len(read(sql).statements))))
    message = Message(pieces, (), read(sql))

    assert [one.sql for one in pieces if not one.label] == parts
    assert message.statement_running(sum(one.statements for one in pieces) - 1) == len(
        read(sql).statements
    )


def test_a_limit_is_never_none_by_rounding() -> None:
    """The server counts milliseconds, and takes 0 for no limit."""
    found = limits(RUNG._replace(lock_timeout=0.0001))

    assert found.put_back == ("SET LOCAL lock_timeout = 1",)


def test_a_concurrent_statement_has_none() -> None:
    """Whatever the URL says; what follows has the session's again."""
    script = read("create index concurrently i on t (a); vacuum")
    found = limits(settings=OF_URL)

    assert found.alone(script, 1) == ("SET lock_timeout = 0", "SET statement_timeout = 0")
    assert found.behind(script, 1) == (
        "SET lock_timeout TO DEFAULT",
        "SET lock_timeout = '3s'",
        "SET statement_timeout TO DEFAULT",
    )
    assert found.of(StatementRange(script, 1, 1), alone=True) == 0.0


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("set statement_timeout = '1h'", SessionSettings()),
        ("set local statement_timeout = '1h'", SessionSettings((("Statement_Timeout", "5s"),))),
        ("select 1", SessionSettings((("statement_timeout", "5s"),))),
    ],
)
def test_a_limit_that_somebody_asked_for_holds_for_it(text: str, settings: SessionSettings) -> None:
    """A statement_timeout of the file or of the URL is no role's; only that is lifted."""
    script = read(f"{text}; create index concurrently i on t (a)")
    found = limits(settings=settings)

    assert found.alone(script, 2) == ("SET lock_timeout = 0",)
    assert found.behind(script, 2) == ("SET lock_timeout TO DEFAULT",)


def test_another_statement_alone_has_ours() -> None:
    """For the session, for there is no transaction to put it into."""
    script = read("vacuum t; reindex database d")

    assert limits().alone(script, 1) == ("SET lock_timeout = 200",)


def test_a_files_own_is_carried_where_its_session_is() -> None:
    """By golang-migrate's convention it holds for the files that follow."""
    carried, fresh = limits(RUNG._replace(carries_session=True)), limits()
    for found in (carried, fresh):
        found.ran(StatementRange.whole(read("set lock_timeout = '5s'")))

    assert (carried.inside(read("select 1"), 1), fresh.inside(read("select 1"), 1)) == ((), OURS)
    assert not carried.holds_for(read("select 1"))


@pytest.mark.parametrize(
    ("value", "seconds"), [("200", 0.2), ("1min", 60.0), ("500 ms", 0.5), ("0", 0.0), ("x", 0.0)]
)
def test_a_value_of_the_servers(value: str, seconds: float) -> None:
    """A bare number is of milliseconds."""
    assert limits(settings=SessionSettings((("Lock_Timeout", value),))).seconds == seconds
