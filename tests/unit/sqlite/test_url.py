"""From a URL to a file: what golang-migrate's libraries understand, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rung.database import Database
from rung.drivers import open_driver
from rung.drivers.sqlite.table_names import SqliteNames, names_of
from rung.drivers.sqlite.url import SqliteUrl, translate
from rung.errors import UsageError
from rung.render.errors import full_text

if TYPE_CHECKING:
    from pathlib import Path


def path(url: str) -> str | None:
    """The file that a URL names."""
    return translate(url).path


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite://chat.db", "chat.db"),
        ("sqlite3:///srv/chat.db", "/srv/chat.db"),
        ("sqlite://./a b.db", "./a b.db"),
        ("sqlite://a%20b.db", "a%20b.db"),
        ("sqlite://a#b.db?_fk=1", "a#b.db"),
        ("sqlite3://file:/d/a%20b.db?cache=private", "/d/a b.db"),
        ("sqlite3://file:///d/a.db", "/d/a.db"),
        ("sqlite3://file://localhost/d/a.db", "/d/a.db"),
        ("sqlite3://file:a.db#b", "a.db"),
        ("sqlite://:memory:", None),
        ("sqlite+aiosqlite:///chat.db?timeout=5", "chat.db"),
        ("sqlite+pysqlite:////srv/chat.db", "/srv/chat.db"),
        ("sqlite+aiosqlite:///a/b.db", "a/b.db"),
        ("sqlite+aiosqlite:///file:a%20b.db?mode=ro&uri=true", "a b.db"),
        ("sqlite+aiosqlite://", None),
        ("sqlite+aiosqlite:///:memory:", None),
        ("sqlite://file::memory:?cache=shared", None),
        ("sqlite://file:x?mode=memory", None),
    ],
)
def test_paths(url: str, expected: str | None) -> None:
    """A plain name stands for itself; a `file:` URI is decoded; memory is not a file."""
    assert path(url) == expected


@pytest.mark.parametrize(
    ("url", "mode", "expected"),
    [
        ("sqlite:///d/a b%.db?_fk=1", "rw", "file:/d/a%20b%25.db?mode=rw"),
        ("sqlite://file:/d/a.db", "rwc", "file:/d/a.db?mode=rwc"),
        ("sqlite://file:/d/a.db?cache=shared&_fk=1", "rw", "file:/d/a.db?cache=shared&mode=rw"),
        ("sqlite://file:/d/a.db?mode=ro", "rwc", "file:/d/a.db?mode=ro"),
        ("sqlite://:memory:", "rwc", "file::memory:"),
    ],
)
def test_uris(url: str, mode: str, expected: str) -> None:
    """SQLite is given a URI that means the same file, with a mode unless it has one."""
    assert translate(url).uri(mode) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("_fk=1&_journal=WAL", (("foreign_keys", "1"), ("journal_mode", "WAL"))),
        ("_foreign_keys=on&_sync=OFF", (("foreign_keys", "on"), ("synchronous", "OFF"))),
        ("_pragma=foreign_keys(1)&_pragma=threads=-2", (("foreign_keys", "1"), ("threads", "-2"))),
        ("_cache_size=-2&_rt=true&_loc=a", (("cache_size", "-2"), ("recursive_triggers", "true"))),
        ("x-no-tx-wrap=true&x-other=1&_fk=", ()),
    ],
)
def test_pragmas(query: str, expected: tuple[tuple[str, str], ...]) -> None:
    """The keys of both Go libraries become pragmas, in order."""
    address = translate(f"sqlite://a.db?{query}")

    assert (address.pragmas, address.notes) == (expected, ())


@pytest.mark.parametrize("key", ["_busy_timeout=20", "_timeout=20", "_pragma=busy_timeout(20)"])
def test_patience(key: str) -> None:
    """How long SQLite waits is 5 s, or what is asked for."""
    assert translate("sqlite://a.db").busy_ms == 5000
    assert translate(f"sqlite://a.db?{key}").busy_ms == 20


@pytest.mark.parametrize(
    ("value", "begin"),
    [("immediate", "IMMEDIATE"), ("deferred", "IMMEDIATE"), ("Exclusive", "EXCLUSIVE")],
)
def test_how_transactions_begin(value: str, begin: str) -> None:
    """A run writes, so it never begins without the lock that it needs."""
    assert translate(f"sqlite://a.db?_txlock={value}").begin == begin


@pytest.mark.parametrize(
    ("query", "writable"),
    [("mode=ro", False), ("immutable=1", False), ("_query_only=1", False), ("mode=rw", True)],
)
def test_what_takes_no_writes(query: str, *, writable: bool) -> None:
    """A URI can say that nothing is to be written."""
    assert translate(f"sqlite://file:a.db?{query}").writable is writable


def test_what_is_left_out_is_told() -> None:
    """Keys that nothing knows, and SQLite's own where they are not heard, are named."""
    (note,) = translate("sqlite://a.db?mode=ro&_auth&x-y=1").notes

    assert "_auth, mode" in note
    assert translate("sqlite://file:a.db?mode=ro").notes == ()


@pytest.mark.parametrize(
    "url",
    [
        *("sqlite://", "sqlite://file:", "sqlite://?_fk=1", "sqlite://a\0b"),
        *("sqlite://a?_txlock=never", "sqlite://a?_pragma=x", "sqlite://a?_timeout=soon"),
        *("sqlite+aiosqlite://chat.db", "sqlite+aiosqlite:///ada:pw@x"),
        *("sqlite://a?_fk=1;drop", "sqlite://file://host/a.db", "sqlite://a?_pragma=x(1);y"),
    ],
)
def test_what_is_refused(url: str) -> None:
    """A URL without a file, or with a value that cannot be, is refused before it is opened."""
    with pytest.raises(UsageError):
        translate(url)


@pytest.mark.parametrize(
    "database",
    [Database("sqlite://a", role="ada"), Database("sqlite3://a", password=lambda: "s3cret")],
)
def test_no_server_no_role(database: Database) -> None:
    """A role or a password makes no sense, and is not passed over."""
    with pytest.raises(UsageError, match="SQLite has no"):
        open_driver(database)


def test_the_table_of_the_url() -> None:
    """x-migrations-table names the ledger."""
    assert translate("sqlite://a?x-migrations-table=my-mig").ledger_table == "my-mig"
    assert translate("sqlite://a?x-migrations-table=").ledger_table is None
    assert isinstance(translate("sqlite://a"), SqliteUrl)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((None, None), SqliteNames("schema_migrations", "schema_migrations_history")),
        (("my-mig", None), SqliteNames("my-mig", "my-mig_history")),
        (('"a.b""c"', "kept"), SqliteNames('a.b"c', "kept")),
    ],
)
def test_names(given: tuple[str | None, str | None], expected: SqliteNames) -> None:
    """Names are taken literally; the history is named after the ledger."""
    assert names_of(*given) == expected


@pytest.mark.parametrize(
    ("ledger", "history"),
    [("", None), ("a.b", None), ('"a', None), ("a", "A"), ("sqlite_a", None), ("a", "main.b")],
)
def test_no_names(ledger: str, history: str | None) -> None:
    """What SQLite could not have for two tables is refused."""
    with pytest.raises(UsageError):
        names_of(ledger, history)


@pytest.mark.parametrize("name", ["ada:secret@/d", "ada:secret@h/d", ":secret@"])
def test_what_begins_like_a_password(name: str) -> None:
    """It is not a file's name, and the error does not show it."""
    with pytest.raises(UsageError) as caught:
        translate(f"sqlite://{name}")

    assert "secret" not in full_text(caught.value)
    assert translate("sqlite://./ada:b@c").path == "./ada:b@c"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder that has a folder `kept-here`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kept-here").mkdir()
    return tmp_path


@pytest.mark.parametrize("name", ["no-such-file.db", "kept-here/chat.db"])
@pytest.mark.parametrize("scheme", ["sqlite", "sqlite3"])
def test_a_path_that_sqlalchemy_reads_otherwise(here: Path, scheme: str, name: str) -> None:
    """A file that is not there and may be meant as relative is refused; each spelling works."""
    with pytest.raises(UsageError) as caught:
        open_driver(Database(f"{scheme}:///{name}?_fk=1"))
    relative, full = f"{scheme}://{name}", f"{scheme}:////{name}"

    ways = f"write {relative} for the file in the current folder, or {full} for /{name}"
    assert ways in caught.value.hint
    assert [open_driver(Database(url)).label for url in (relative, full)] == [name, f"//{name}"]


def test_a_path_that_golang_migrate_reads(here: Path) -> None:
    """A full path in a folder that is there, or is nowhere, is taken; so is any of `migrate`."""
    (here / "there.db").touch()
    paths = [str(here / "there.db"), str(here / "new.db"), "/nowhere/at/all.db"]
    drivers = [open_driver(Database(f"sqlite://{path}")) for path in paths]

    assert [driver.label for driver in drivers] == paths
    golang = open_driver(Database("sqlite:///no-such-file.db"), as_golang_migrate=True)
    assert golang.label == "/no-such-file.db"


@pytest.mark.parametrize("url", ["sqlite:a.db", "sqlite::memory:", "SQLite3:a.db", "file:a.db?x=1"])
def test_how_sqlite_itself_names_it(url: str) -> None:
    """It is told as that, with the form of a URL."""
    with pytest.raises(UsageError) as refused:
        open_driver(Database(url))

    assert "sqlite://PATH" in refused.value.hint
