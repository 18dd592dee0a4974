"""From an address to what libpq is told, with its environment and its files in sight."""

from __future__ import annotations

import os
import socket
import traceback
from typing import TYPE_CHECKING

import pytest

from rung.database import Database
from rung.drivers import open_driver
from rung.drivers.inspection import Ping
from rung.drivers.postgres.connect import Connector, SessionSettings
from rung.drivers.postgres.url import translate
from rung.errors import ConnectionFailed, DriverMissing, UsageError
from rung.render.errors import full_text

if TYPE_CHECKING:
    from pathlib import Path

ALIVE = (
    "-c client_connection_check_interval=5s "
    "-c idle_session_timeout=0 -c idle_in_transaction_session_timeout=0"
)
SECRET = "tr0ub4dor"


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave nothing of this machine's in libpq's environment but a user's name."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PGUSER", "me")
    monkeypatch.setenv("PGSYSCONFDIR", str(tmp_path))
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))


def connector(database: str, role: str | None = None) -> Connector:
    """What opens connections to a database."""
    return Connector(translate(database), role)


def told(database: str) -> dict[str, str]:
    """What libpq is told of a database, but for the options."""
    return connector(database)._wanted


def options(database: str, role: str | None = None) -> str:
    """The options that are asked for first."""
    return connector(database, role)._ways[0].options


def service(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Write a service file in which one service stands, `chat`."""
    (folder / "services").write_text(f"[chat]\n{text}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(folder / "services"))


def test_every_connection() -> None:
    """Each connection has keepalives, our name, and UTF-8 whatever was asked."""
    found = told("postgres://h/x?client_encoding=LATIN1")

    assert found["client_encoding"] == "UTF8"
    assert (found["keepalives"], found["connect_timeout"]) == ("1", "10")
    assert int(found["tcp_user_timeout"]) > 0
    assert found["fallback_application_name"].startswith("rung ")
    assert options("postgres://h/x") == ALIVE


@pytest.mark.parametrize(
    "database",
    [
        "postgres://h/x?connect_timeout=3&keepalives_idle=7",
        "connect_timeout=3 keepalives_idle=7",
    ],
)
def test_what_is_said_wins_over_ours(database: str) -> None:
    """In a URL and in a keyword string."""
    found = told(database)

    assert (found["connect_timeout"], found["keepalives_idle"]) == ("3", "7")


def test_the_environment_wins_over_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """PGCONNECT_TIMEOUT and PGOPTIONS are in force beside what the URL sets."""
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "4")
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=1s")

    assert told("postgres://h/x")["connect_timeout"] == "4"
    expected = f"{ALIVE} -c lock_timeout=1s -c search_path=s2"
    assert options("postgres://h/x?search_path=s2") == expected
    assert options("postgres://h/x?options=-c%20a.b%3D1") == f"{ALIVE} -c a.b=1"


@pytest.mark.parametrize("named", ["service=chat", "postgres://?service=chat", ""])
def test_a_service_wins_over_ours(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named in either form, or by PGSERVICE alone."""
    said = "host=db\nport=7\ndbname=c\nconnect_timeout=5\noptions=-c a.b=1\nkeepalives_count=9"
    service(tmp_path, monkeypatch, said)
    if not named:
        monkeypatch.setenv("PGSERVICE", "chat")

    found = told(named)
    assert (found["connect_timeout"], found["keepalives_count"]) == ("5", "9")
    assert options(named) == f"{ALIVE} -c a.b=1"
    assert connector(named).shown == "me@db:7/c"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("search_path=a%2Cb%20c", "-c search_path=a,b\\ c"),
        ("search_path=a\\b", "-c search_path=a\\\\b"),
        ("options=-c%20a.b%3D1&search_path=s2", "-c a.b=1 -c search_path=s2"),
        ("statement_timeout=5s&lock_timeout=1s", "-c statement_timeout=5s -c lock_timeout=1s"),
    ],
)
def test_settings_of_the_session(query: str, expected: str) -> None:
    """Settings are added to the options, with blanks and backslashes escaped."""
    assert options(f"postgres://h/x?{query}") == f"{ALIVE} {expected}"


def test_a_role() -> None:
    """A role is one of the options, and so what RESET goes back to; the argument wins."""
    assert options("postgres://h/x", "my owner") == f"{ALIVE} -c role=my\\ owner"
    assert options("postgres://h/x?role=a", "b") == f"{ALIVE} -c role=b"


def test_ways_to_ask_for_less() -> None:
    """Refused, it is asked for less, until nothing is left in the options."""
    given = "options=-c%20a.b%3D1%20--lock-timeout%3D1s&search_path=s2"
    opening = connector(f"postgres://h/x?{given}")

    assert opening._ways == (
        (f"{ALIVE} -c a.b=1 --lock-timeout=1s -c search_path=s2", True),
        ("-c a.b=1 --lock-timeout=1s -c search_path=s2", True),
        ("", False),
    )
    expected = (("a.b", "1"), ("lock_timeout", "1s"), ("search_path", "s2"))
    assert opening._settings.items == expected


def test_options_that_are_no_settings() -> None:
    """What no SET can stand for is not given up in silence."""
    assert [way.options for way in connector("options='-d 5'")._ways] == [f"{ALIVE} -d 5", "-d 5"]


@pytest.mark.parametrize(
    ("database", "expected"),
    [
        (f"postgres://ada:{SECRET}@db:5433/chatapp", "ada@db:5433/chatapp"),
        (f"postgres://ada@db/chatapp?password={SECRET}&sslpassword={SECRET}", "ada@db/chatapp"),
        ("postgres://ada@db:5432/chatapp", "ada@db:5432/chatapp"),
        ("postgres:///chatapp", "me@local socket/chatapp"),
        ("postgres:///chatapp?host=/run/pg", "me@/run/pg/chatapp"),
        (f"hostaddr=::1 dbname=x password={SECRET}", "me@::1/x"),
        ("postgres://db", "me@db/me"),
        ("postgres://ada@a,b:5433/x", "ada@a,b:5433/x"),
        ("postgres://ada@a:1,b:2/x", "ada@a:1,b:2/x"),
        ("host=a,b port=7 dbname=x", "me@a:7,b:7/x"),
    ],
)
def test_what_people_see(database: str, expected: str) -> None:
    """User, host, port and name are shown, and nothing else."""
    assert connector(database).shown == expected


def test_what_people_see_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What libpq takes from its environment is shown as if it had been said."""
    for name, value in {"PGHOST": "db", "PGPORT": "7", "PGDATABASE": "c"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PGPASSWORD", SECRET)

    assert connector("").shown == "me@db:7/c"
    assert connector("postgres://ada@h/x").shown == "ada@h:7/x"


@pytest.mark.parametrize(
    "database",
    [
        f"host=ada:{SECRET}@h",
        f"dbname=postgresql://ada:{SECRET}@h/x",
        f"host=postgresql://ada:{SECRET}@h/x",
        f"postgres://h/postgresql:%2F%2Fada:{SECRET}%40h",
    ],
)
def test_a_url_where_none_belongs(database: str) -> None:
    """It would be looked for as a host or a name, and shown."""
    with pytest.raises(UsageError, match="part of a URL") as caught:
        connector(database)

    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_url_in_a_variable_of_libpqs(monkeypatch: pytest.MonkeyPatch) -> None:
    """PGDATABASE holds a name; an abstract socket's @ is none of a URL."""
    assert connector("host=@abstract").shown == "me@@abstract/me"
    monkeypatch.setenv("PGDATABASE", f"postgresql://ada:{SECRET}@h/x")

    with pytest.raises(UsageError, match="dbname"):
        connector("")


def test_no_secret_in_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever secrets there are, and wherever they come from, a reason has none of them."""
    service(tmp_path, monkeypatch, f"host={tmp_path}/service0\npassword=service0")
    (tmp_path / "pass").write_text("*:*:*:*:passfile0\n")
    (tmp_path / "pass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pass"))
    reasons = [
        _reason(f"host={tmp_path}/word00000 password=word00000"),
        _reason(f"host={tmp_path}/ssl000000 sslpassword=ssl000000"),
        _reason("service=chat"),
        _reason(f"host={tmp_path}/passfile0"),
        _reason(f"host={tmp_path}/token00000", lambda: "token00000"),
    ]

    assert [reason.count("***") > 0 for reason in reasons] == [True] * 5
    found = " ".join(reason.partition(": ")[2] for reason in reasons)
    assert not [
        s for s in ("word00000", "ssl000000", "service0", "passfile0", "token00000") if s in found
    ]


def _reason(database: str, password: object = None) -> str:
    opening = Connector(translate(database), None, password)  # type: ignore[arg-type]
    with pytest.raises(ConnectionFailed) as caught:
        opening.open()
    assert (caught.value.__context__, caught.value.__cause__) == (None, None)
    return caught.value.cause


def test_a_token_for_each_connection(tmp_path: Path) -> None:
    """The hook is asked before every connection, and never at the start."""
    tokens = iter(["one", "two", "three"])
    opening = Connector(translate(f"host={tmp_path}"), None, lambda: next(tokens))

    for _ in range(2):
        with pytest.raises(ConnectionFailed):
            opening.open()

    assert next(tokens) == "three"


def test_nobody_there(tmp_path: Path) -> None:
    """No server, one that says nothing, and parameters that make no sense."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        pings = [
            connector(f"host={tmp_path}").ping(),
            connector(f"host=127.0.0.1 port={port} sslmode=disable").ping(),
            connector("host=127.0.0.1 sslmode=nonsense").ping(),
        ]

    assert pings == [Ping.NOT_YET, Ping.NOT_YET, Ping.HOPELESS]


def test_an_unknown_scheme() -> None:
    """A scheme without a driver is told with those there are."""
    with pytest.raises(DriverMissing, match="postgresql") as caught:
        open_driver(Database(f"mysql://ada:{SECRET}@h/x"))

    assert SECRET not in full_text(caught.value)


def test_opening_names_and_does_not_connect() -> None:
    """A driver is made without asking any server, and has the notes of its URL."""
    driver = open_driver(Database("postgres://ada:x@db.invalid/chatapp?pool_max_conns=3"))

    assert driver.label == "ada@db.invalid/chatapp"
    assert "pool_max_conns" in driver.warnings[0]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("search_path", 'a, "B ""c", D', "\"search_path\" = E'a', E'B \"c', E'd'"),
        ("search_path", "", "\"search_path\" = E''"),
        ("DateStyle", "ISO, DMY", "\"DateStyle\" = E'ISO, DMY'"),
        ("a.b", "it's", "\"a\".\"b\" = E'it''s'"),
    ],
)
def test_settings_as_statements(name: str, value: str, expected: str) -> None:
    """A list of names is many literals, all else is one."""
    settings = SessionSettings(((name, value),))

    assert settings.for_session == (f"SET {expected}",)
    assert settings.for_message == (f"SET LOCAL {expected}",)


def test_where() -> None:
    """What decides which tables are read goes before a message even where it was taken."""
    settings = SessionSettings((("Search_Path", "a"), ("role", "r"), ("statement_timeout", "5s")))

    assert settings.where.names == {"search_path", "role"}


def test_rights_and_time() -> None:
    """Inside a transaction only what concerns our rights and our time is put back."""
    settings = SessionSettings((("search_path", "a"), ("role", "r"), ("statement_timeout", "5s")))

    found = settings.rights_and_time
    assert found == ("SET LOCAL \"role\" = E'r'", "SET LOCAL \"statement_timeout\" = E'5s'")
