"""golang-migrate's database URLs, as databases of Rung's and ways to run files."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from rung.golang_migrate.database_urls import GoDatabaseUrl, parse_database_url
from rung.golang_migrate.faults import GoFault
from rung.golang_migrate.gostd.urls import parse
from rung.golang_migrate.schemes import DATABASES, ErrorStyle
from rung.options import RunOptions

PLAIN = RunOptions(
    carries_session=True,
    passes_empty=True,
    runs_foreign_downs=True,
    takes_tables=True,
    drops_current_schema=True,
)
POSTGRES = PLAIN._replace(lock_retry_for=None, retries_refused_locks=False)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variables that stand above lib/pq's defaults."""
    for name in ("PGSSLMODE", "PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATESTYLE"):
        monkeypatch.delenv(name, raising=False)


def address(url: str) -> GoDatabaseUrl:
    """What a URL comes to."""
    return parse_database_url(parse(url), DATABASES[url.partition(":")[0]])


def query(url: str) -> dict[str, str]:
    """The settings that the driver is given."""
    asked = address(url).database.url.partition("?")[2]
    return {key: values[0] for key, values in parse_qs(asked).items()}


def test_the_session_of_lib_pq() -> None:
    """Its defaults are asked for where the URL says nothing of them."""
    assert query("postgres://u:p%40ss@h:1/chatapp") == {
        "sslmode": "require",
        "DateStyle": "ISO, MDY",
        "extra_float_digits": "2",
    }
    assert address("postgres://u:p%40ss@h:1/chatapp").database.url.startswith(
        "postgresql://u:p%40ss@h:1/chatapp?"
    )


def test_what_the_url_says_stands_above_them() -> None:
    """And a plus in a query is a blank, as Go reads it."""
    asked = query("postgres:///x?sslmode=disable&datestyle=German&host=/tmp&application_name=a+b")

    assert asked == {
        "sslmode": "disable",
        "datestyle": "German",
        "host": "/tmp",
        "application_name": "a b",
        "extra_float_digits": "2",
    }


def test_what_the_environment_says_stands_above_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """lib/pq reads it as libpq does."""
    monkeypatch.setenv("PGSSLMODE", "disable")
    monkeypatch.setenv("PGHOST", "db")
    monkeypatch.setenv("PGDATESTYLE", "SQL")

    assert query("postgres:///x") == {"extra_float_digits": "2"}


def test_no_host_is_localhost() -> None:
    """Where libpq would take a socket."""
    assert query("postgres:///x")["host"] == "localhost"


def test_the_session_of_pgx() -> None:
    """The server's own, and TLS where the server has it."""
    assert query("pgx5://u@h/chatapp") == {}


def test_golang_migrates_own_keys() -> None:
    """They are ways to run files, and do not reach the library."""
    found = address("pgx5://h/x?x-multi-statement=1&x-statement-timeout=200&x-unknown=2&a=b")

    assert found.options == POSTGRES._replace(each_statement=True, time_limit=0.2)
    assert (found.error_style, query("pgx5://h/x?x-multi-statement=1&a=b")) == (
        ErrorStyle.PGX,
        {"a": "b"},
    )


def test_the_ledgers_name_goes_to_the_driver() -> None:
    """As it is written."""
    asked = query('pgx5://h/x?x-migrations-table="s2"."mig"&x-migrations-table-quoted=true')

    assert asked == {"x-migrations-table": '"s2"."mig"', "x-migrations-table-quoted": "true"}


@pytest.mark.parametrize(
    ("url", "table"),
    [
        ("cockroachdb://h/x", None),
        ("yugabytedb://h/x", "migrations"),
        ("ysql://h/x?x-migrations-table=m", None),
    ],
)
def test_the_distributed_ones(url: str, table: str | None) -> None:
    """They are PostgreSQL with a table of their own name."""
    found = address(url)

    assert (found.database.ledger_table, found.error_style) == (table, ErrorStyle.PQ)
    assert found.database.url.startswith("postgresql://h/x?")


def test_sqlite() -> None:
    """The rest of the URL is the file's name, a blank written as golang-migrate writes it."""
    found = address("sqlite3://d/a b.db?x-no-tx-wrap=true&_fk=1&x-migrations-table=m")

    assert found.database.url == "sqlite3://d/a%20b.db?_fk=1"
    assert (found.database.ledger_table, found.error_style) == ("m", ErrorStyle.SQLITE)
    assert found.options == PLAIN._replace(each_statement=True)


def test_its_text_shows_no_url() -> None:
    """A password may be in it."""
    assert "secret" not in repr(address("postgres://u:secret@h/x"))


def test_a_table_as_a_lock_is_refused() -> None:
    """It would be no lock for us, and is not passed over in silence."""
    with pytest.raises(GoFault, match="x-lock-strategy=table is not supported"):
        address("pgx://h/x?x-lock-strategy=table")

    assert address("pgx5://h/x?x-lock-strategy=table").error_style is ErrorStyle.PGX
