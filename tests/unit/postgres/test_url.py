"""From what a user calls a database to libpq's parameters, without a word of its secrets."""

from __future__ import annotations

import traceback

import psycopg
import pytest
from psycopg import conninfo

from rung.drivers.postgres.url import PostgresUrl, translate
from rung.errors import UsageError
from rung.render.errors import full_text

SECRET = "tr0ub4dor"


@pytest.mark.parametrize(
    "scheme",
    ["postgres", "postgresql", "pgx", "pgx5", "postgresql+asyncpg", "postgresql+psycopg"],
)
def test_schemes(scheme: str) -> None:
    """Every scheme that golang-migrate has for PostgreSQL is one, and so are SQLAlchemy's."""
    found = translate(f"{scheme}://ada:p%40ss@db:5433/chat%20app").parameters

    wanted = {"user": "ada", "password": "p@ss", "host": "db", "port": "5433", "dbname": "chat app"}
    assert wanted == found


@pytest.mark.parametrize(
    ("database", "wanted"),
    [
        ("", {}),
        ("postgres://", {}),
        ("postgres:///chatapp?host=/run/pg&user=ada", {"host": "/run/pg", "user": "ada"}),
        ("host=db dbname=chatapp", {"host": "db", "dbname": "chatapp"}),
        ("host=db password='p w'", {"password": "p w"}),
        ("password=a://b@c host=db", {"password": "a://b@c", "host": "db"}),
        ("postgres://a,b:5433/x", {"host": "a,b", "port": ",5433"}),
        ("postgres://[::1]:5433/x", {"host": "::1", "port": "5433"}),
        ("postgres://h/x?ssl=true", {"sslmode": "require"}),
        ("postgres://h/x?ssl=true&sslmode=verify-full", {"sslmode": "verify-full"}),
        ("postgres://h/x?sslmode=disable&connect_timeout=3", {"connect_timeout": "3"}),
        ("postgres://h/x?service=chat&passfile=/p%20f", {"service": "chat", "passfile": "/p f"}),
        ("postgres://h:5432/?user=a@b", {"user": "a@b", "port": "5432"}),
        ("postgres://bob:%4dor@a,b:5433/x?user=a@b", {"user": "a@b", "host": "a,b"}),
        ("postgres://bob@h/my@db", {"user": "bob", "dbname": "my@db"}),
    ],
)
def test_what_libpq_knows(database: str, wanted: dict[str, str]) -> None:
    """It goes to libpq as it is, from a URL, a keyword string or nothing."""
    assert wanted.items() <= translate(database).parameters.items()


@pytest.mark.parametrize("mode", ["disable", "prefer", "require", "verify-full"])
def test_what_asyncpg_calls_ssl(mode: str) -> None:
    """In SQLAlchemy's URL it is sslmode; in any other the error says to use that."""
    assert translate(f"postgresql+asyncpg://h/x?ssl={mode}").parameters["sslmode"] == mode
    with pytest.raises(UsageError) as caught:
        translate(f"postgresql://h/x?ssl={mode}")
    assert f"use sslmode: sslmode={mode}, or" in caught.value.hint


def test_a_value_of_ssl_that_is_no_mode_is_not_shown() -> None:
    """It may be a piece of a password."""
    for scheme in ("postgresql", "postgresql+asyncpg"):
        with pytest.raises(UsageError, match="sslmode=MODE") as caught:
            translate(f"{scheme}://h/x?ssl={SECRET}")
        assert SECRET not in full_text(caught.value)


def test_keys_of_pythons_drivers() -> None:
    """They are left out with a note where the scheme is SQLAlchemy's, and settings elsewhere."""
    query = "prepared_statement_cache_size=0&command_timeout=60&lock_timeout=1s"
    found = translate(f"postgresql+asyncpg://h/x?{query}")

    assert found.settings == {"lock_timeout": "1s"}
    [note] = found.notes
    assert note.startswith("command_timeout and prepared_statement_cache_size in the database's")
    assert "command_timeout" in translate(f"postgresql://h/x?{query}").settings


@pytest.mark.parametrize(
    "password", ["p?w", "p#w", "p:w", "p[]&=w", "p%3Fw", "pé", "p+w", "?", "#x", "p'w", '"', "p\\w"]
)
def test_passwords_that_libpq_takes(password: str) -> None:
    """Raw reserved characters are taken wherever libpq takes them, as libpq takes them."""
    url = f"postgresql://bob:{password}@db:5432/chat"

    found = dict(conninfo.conninfo_to_dict(url))
    assert translate(url) == PostgresUrl(found, {}, path="/chat")  # type: ignore[arg-type]


def test_a_space_in_a_password() -> None:
    """Up to version 16 libpq took it; so it is taken whatever libpq there is."""
    assert translate("postgresql://bob:p w@db/chat").parameters["password"] == "p w"


@pytest.mark.parametrize(
    ("url", "said", "shown"),
    [
        ("bob:tr0ub@4dor@db.test:5432/x", "@ of the password", "bob:***%40***@db.test:5432/x"),
        ("bob:tr0ub/4dor@db/chat", "/ of the password", "bob:***%2F***@db/chat"),
        ("bob:tr0ub%zdor@db/chat", "% of the password", "bob:***%25***@db/chat"),
        ("bob:100%@db/chat", "% of the password", "bob:***%25@db/chat"),
        ("bob:tr0/ub@4dor%@db", "% and / and @ of the password", "bob:***%2F***%40***%25@db"),
        ("bob:tr0ub%00dor@db/chat", "password's %00", ""),
        ("bob:tr0ub?4/dor@db/chat", "/ of the password", "bob:***%2F***@db/chat"),
        ("bob:1/4dor@db/chat", "/ of the password", "bob:***%2F***@db/chat"),
        ("bob:tr0ub@4?dor@db/chat?a=b", "@ of the password", "bob:***%40***@db/chat?…"),
        ("bob:1/4?d=or@db/chat", "/ of the password", "bob:***%2F***@db/chat"),
        ("bob@corp:tr0ub4dor@db/chat", "@ of the user name", "bob%40corp:***@db/chat"),
        ("bob:tr0ub4dor", "port", ""),
        ("bob:tr0ub4dor/chat", "port", ""),
        ("db/ch%at", "database name", ""),
        ("bob:tr0ub@d%zb/chat", "host or port", ""),
        ("db/chat?application_name=5%", "value of application_name", ""),
        ("db/chat?tr0ub=5%", "value of a key", ""),
        ("db/chat?tr0 ub=5", "an invalid key", ""),
        ("bob:tr0ub@[::1/chat", "could not parse", ""),
    ],
)  # fmt: skip
def test_what_is_at_fault(url: str, said: str, shown: str) -> None:
    """The error names the part and shows the encoded form, without a piece of the secret."""
    with pytest.raises(UsageError, match=said) as caught:
        translate(f"postgresql://{url}")

    error = caught.value
    assert error.hint.endswith(shown)
    told = "".join(traceback.format_exception(error)) + repr(error)
    assert [piece for piece in ("tr0", "4do", "zdor") if piece in told] == []
    assert (error.__context__, error.__cause__) == (None, None)


@pytest.mark.parametrize(
    "database",
    [
        f"postgres://ada:{SECRET}%zz@h/x",
        f"postgres://ada:{SECRET}@[::1/x",
        f"postgres://ada:{SECRET}@h:5432:5433/x%",
        f"postgres://ada:{SECRET}@h/x?x-migrations-table={SECRET}&x-migrations-table-quoted=1",
        f"postgres://ada:{SECRET}@h/x?{SECRET} a=1",
        f"postgres://ada:{SECRET}\0@h/x",
        f"postgres://ada:{SECRET}\udcff@h/x",
        f"postgres://ada@h/x?password={SECRET}\udcff",
        f"host=h password='{SECRET}",
        f"host=h {SECRET}",
        f"host=h {SECRET}=1",
        f"{SECRET}",
        f"ada:{SECRET}@h/x",
    ],
)
def test_no_secret_in_an_error(database: str) -> None:
    """What cannot be read is refused without repeating any of it, tracebacks included."""
    with pytest.raises(UsageError) as caught:
        translate(database)

    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in repr(caught.value)
    assert (caught.value.__context__, caught.value.__cause__) == (None, None)


def test_an_address_does_not_show_itself() -> None:
    """A debugger's or a traceback's view of it has no secret."""
    assert SECRET not in repr(translate(f"postgres://ada:{SECRET}@h/x"))


@pytest.mark.parametrize(
    ("query", "settings"),
    [
        ("", {}),
        ("search_path=s2", {"search_path": "s2"}),
        ("search_path=a%2Cb%20c", {"search_path": "a,b c"}),
        ("statement_timeout=5s&TimeZone=UTC", {"statement_timeout": "5s", "TimeZone": "UTC"}),
        ("role=owner&a.b=1", {"role": "owner", "a.b": "1"}),
        ("x-statement-timeout=200&x-multi-statement=true&x-lock=1&pool_max_conns=2", {}),
    ],
)
def test_settings_of_the_session(query: str, settings: dict[str, str]) -> None:
    """Keys that nobody else knows are the session's settings."""
    assert translate(f"postgres://h/x?{query}").settings == settings


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("pool_max_conns=3", ["pool_max_conns", "left out"]),
        ("binary_parameters=yes&prefer_simple_protocol=1", ["binary_parameters and prefer_simple"]),
        ("default_query_exec_mode=exec&statement_cache_capacity=0", ["default_query_exec_mode"]),
        ("sslinline=true", ["sslinline", "file names"]),
        ("x-statement-timeout=200", ["x-statement-timeout", "statement_timeout"]),
        ("x-lock-strategy=table", ["x-lock-strategy", "do not run both"]),
        ("x-statement-timeout=0&x-lock-strategy=advisory&x-multi-statement=1&x-other=2", []),
        ("sslmode=require&search_path=s2", []),
    ],
)
def test_notes(query: str, words: list[str]) -> None:
    """What is left out and might be missed is said."""
    said = " ".join(translate(f"postgres://h/x?{query}").notes)

    assert bool(said) == bool(words)
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize(
    ("query", "table"),
    [
        ("x-migrations-table=mig", "mig"),
        ("x-migrations-table=s2.mig", '"s2.mig"'),
        ("x-migrations-table=My%20Mig", '"My Mig"'),
        ('x-migrations-table=a"b', '"a""b"'),
        ('x-migrations-table-quoted=1&x-migrations-table="s2"."mig"', "s2.mig"),
        ('x-migrations-table-quoted=true&x-migrations-table="a.b"."c d"', '"a.b"."c d"'),
        ('x-migrations-table-quoted=T&x-migrations-table="mig"', "mig"),
        ('x-migrations-table-quoted=0&x-migrations-table="mig"', '"""mig"""'),
        ("x-migrations-table-quoted=1", None),
        ("x-migrations-table=", None),
        ("", None),
    ],
)
def test_the_ledger_that_golang_migrate_would_use(query: str, table: str | None) -> None:
    """Unquoted it is one name, dots and all; quoted it is one name or two."""
    assert translate(f"postgres://h/x?{query}").ledger_table == table


@pytest.mark.parametrize(
    "query",
    [
        "x-migrations-table-quoted=yes&x-migrations-table=m",
        "x-migrations-table-quoted=1&x-migrations-table=m",
        'x-migrations-table-quoted=1&x-migrations-table="a"."b"."c"',
        'x-migrations-table-quoted=1&x-migrations-table="',
    ],
)
def test_a_ledger_that_golang_migrate_refuses(query: str) -> None:
    """It is refused here too, with the key's name."""
    with pytest.raises(UsageError, match="x-migrations-table"):
        translate(f"postgres://h/x?{query}")


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:p%zz@h/d", "postgresql://u:p%00@h/d", "postgresql://u:p@[::1/d"],
)
def test_what_we_refuse_libpq_refuses(url: str) -> None:
    """The judge of these tests is libpq's own parser."""
    with pytest.raises(psycopg.ProgrammingError):
        conninfo.conninfo_to_dict(url)
    with pytest.raises(UsageError):
        translate(url)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("postgres://h/chat%20app?sslmode=disable", "/chat app"),
        ("postgres://h/", "/"),
        ("postgres://h", ""),
        ("postgres:///chatapp?host=/tmp", "/chatapp"),
        ("host=h dbname=chatapp", ""),
    ],
)
def test_the_path_that_golang_migrate_locks_by(url: str, path: str) -> None:
    """It is decoded, with its slash, and empty where there is none."""
    assert translate(url).path == path
