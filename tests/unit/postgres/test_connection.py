"""From what a user calls a database to libpq's parameters, without a word of its secrets."""

from __future__ import annotations

import traceback

import pytest

from rung.drivers import open_driver
from rung.drivers.postgres.connection import parameters, shown
from rung.errors import DriverMissing, UsageError

ALIVE = "-c client_connection_check_interval=5s"
SECRET = "tr0ub4dor"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "pgx", "pgx5"])
def test_schemes(scheme: str) -> None:
    """Every scheme that golang-migrate has for PostgreSQL is one."""
    found = parameters(f"{scheme}://ada:p%40ss@db:5433/chat%20app")

    wanted = {"user": "ada", "password": "p@ss", "host": "db", "port": "5433", "dbname": "chat app"}
    assert wanted.items() <= found.items()


@pytest.mark.parametrize(
    ("database", "wanted"),
    [
        ("postgres://", {}),
        ("postgres:///chatapp?host=/run/pg&user=ada", {"host": "/run/pg", "user": "ada"}),
        ("host=db dbname=chatapp", {"host": "db", "dbname": "chatapp"}),
        ("host=db password='p w'", {"password": "p w"}),
        ("postgres://a,b:5433/x", {"host": "a,b", "port": ",5433"}),
        ("postgres://[::1]:5433/x", {"host": "::1", "port": "5433"}),
        (
            "postgres://h/x?sslmode=disable&connect_timeout=3",
            {"sslmode": "disable", "connect_timeout": "3"},
        ),
        ("postgres://h/x?keepalives_idle=7", {"keepalives_idle": "7"}),
    ],
)
def test_what_is_given_is_kept(database: str, wanted: dict[str, str]) -> None:
    """What the user says stands, in a URL or a keyword string, over what we would choose."""
    assert wanted.items() <= parameters(database).items()


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", ""),
        ("search_path=s2", "-c search_path=s2 "),
        ("search_path=a%2Cb%20c", "-c search_path=a,b\\ c "),
        ("search_path=a\\b", "-c search_path=a\\\\b "),
        ("options=-c%20a.b%3D1&search_path=s2", "-c a.b=1 -c search_path=s2 "),
        ("statement_timeout=5s&lock_timeout=1s", "-c statement_timeout=5s -c lock_timeout=1s "),
        ("x-statement-timeout=200&x-multi-statement=true&x-lock=1", ""),
    ],
)
def test_settings_of_the_session(query: str, options: str) -> None:
    """Keys that libpq does not know are the session's settings; golang-migrate's own are none."""
    assert parameters(f"postgres://h/x?{query}")["options"] == options + ALIVE


def test_options_of_a_keyword_string() -> None:
    """Options are added to, not replaced."""
    assert parameters("host=h options='-c a.b=1'")["options"] == f"-c a.b=1 {ALIVE}"


def test_every_connection() -> None:
    """Each connection has keepalives, our name, and UTF-8 whatever was asked."""
    found = parameters("postgres://h/x?client_encoding=LATIN1")

    assert found["client_encoding"] == "UTF8"
    assert found["keepalives"] == "1"
    assert int(found["tcp_user_timeout"]) > 0
    assert found["fallback_application_name"].startswith("rung ")


@pytest.mark.parametrize("key", ["x-migrations-table", "x-migrations-table-quoted"])
def test_another_ledger_is_refused(key: str) -> None:
    """A ledger under another name is not supported, and saying so beats using the usual one."""
    with pytest.raises(UsageError, match=key):
        parameters(f"postgres://ada:{SECRET}@h/x?{key}=1")


@pytest.mark.parametrize(
    "database",
    [
        f"postgres://ada:{SECRET}%zz@h/x",
        f"postgres://ada:{SECRET}@[::1/x",
        f"postgres://ada:{SECRET}@h:5432:5433/x%",
        f"host=h password='{SECRET}",
        f"host=h {SECRET}",
        f"{SECRET}",
        f"ada:{SECRET}@h/x",
        f"mysql://ada:{SECRET}@h/x",
        f"{SECRET}://h",
        f"postgres://ada:{SECRET}@h/x?x-migrations-table={SECRET}",
    ],
)
def test_no_secret_in_an_error(database: str) -> None:
    """What cannot be read is refused without repeating any of it, tracebacks included."""
    with pytest.raises((UsageError, DriverMissing)) as caught:
        open_driver(database)

    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in repr(caught.value)


@pytest.mark.parametrize(
    ("database", "expected"),
    [
        (f"postgres://ada:{SECRET}@db:5433/chatapp", "ada@db:5433/chatapp"),
        (f"postgres://db/chatapp?password={SECRET}&sslpassword={SECRET}", "db/chatapp"),
        ("postgres:///chatapp", "local socket/chatapp"),
        (f"hostaddr=::1 dbname=x password={SECRET}", "::1/x"),
        ("postgres://db", "db/"),
    ],
)
def test_what_people_see(database: str, expected: str) -> None:
    """User, host, port and name are shown, and nothing else."""
    assert shown(parameters(database)) == expected


@pytest.mark.parametrize(
    "database",
    [
        f"postgres://ada:{SECRET}/x@h/chatapp",
        f"postgres://ada:{SECRET}?x@h/chatapp",
        f"postgres://ada:1/{SECRET}@h/chatapp",
    ],
)
def test_a_password_cut_by_its_own_characters(database: str) -> None:
    """An unescaped / or ? in a password is refused: the rest would pass for host, port and name."""
    with pytest.raises(UsageError, match="percent-encoded") as caught:
        parameters(database)

    assert SECRET not in str(caught.value)


def test_an_unknown_scheme() -> None:
    """A scheme without a driver is told with those there are."""
    with pytest.raises(DriverMissing, match="postgresql"):
        open_driver("mysql://h/x")


def test_opening_names_and_does_not_connect() -> None:
    """A driver is made without asking any server."""
    assert open_driver("postgres://ada:x@db.invalid/chatapp").shown == "ada@db.invalid/chatapp"
