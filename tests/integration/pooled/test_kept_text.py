"""What the history keeps of a large file is its text, wherever the server has it from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from rung.drivers.postgres.ledger_sql import SentText

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site
    from tests.integration.pooled.conftest import Behind

_CREATE = "CREATE TABLE t (n int, s text);\n"
_ROWS = "".join(
    f"INSERT INTO t VALUES ({number}, 'ä€𝄞\\''{'x€' * 10_000}');\n" for number in range(60)
)
_COPY = "COPY t FROM STDIN;\n1\tä€\n\\.\n"
_WHOLE = f"-- ä\n{_CREATE}{_ROWS}-- 𝄞 no line end"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Give the places in messages where texts were read by the server."""
    places: list[int] = []
    at = SentText.at

    def noted(start: int, text: str) -> SentText:
        places.append(start)
        return at(start, text)

    monkeypatch.setattr(SentText, "at", noted)
    return places


def _kept(site: Site) -> object:
    return site.ask("SELECT up_sql FROM schema_migrations_history WHERE outcome = 'done'")[0][0]


@pytest.mark.parametrize(
    ("text", "query", "reads"),
    [
        (_WHOLE, "", True),
        (f"RESET ALL;\n{_CREATE}{_ROWS}", "", False),
        (f"{_CREATE}{_COPY}{_ROWS}", "", False),
        (f"BEGIN;\n{_CREATE}{_ROWS}COMMIT;\n", "", False),
        (f"{_CREATE}{_ROWS}CREATE ROLE {{role}} PASSWORD 'secret';\n", "", False),
        (f"SET search_path = public;\nSET client_encoding = 'UTF8';\n{_CREATE}{_ROWS}", "", True),
        (_WHOLE, "statement_mode=single", False),
        (_WHOLE, "role=postgres&lock_timeout=9s&work_mem=8MB", True),
    ],
    ids=["plain", "reset", "copy", "own", "secret", "settings", "single", "parameters"],
)
def test_directly(site: Site, read: list[int], text: str, query: str, *, reads: bool) -> None:
    """It is read from the file's own message only where that holds all of it as it is kept."""
    site.add("1_t", text.replace("CREATE ROLE {role}", "ALTER ROLE CURRENT_USER"))
    url = site.database.url
    site.migrator(f"{url}{'&' if '?' in url else '?'}{query}" if query else url).up()

    assert bool(read) == reads
    if "PASSWORD" not in text:
        assert _kept(site) == text


@pytest.mark.parametrize("query", ["", "search_path=public&work_mem=8MB"])
def test_behind_a_pooler(behind: Behind, read: list[int], query: str) -> None:
    """There settings of ours stand in front of each message, in the same string."""
    behind.site.add("1_t", _WHOLE)
    behind.migrator(query).up()

    assert len(read) == 1
    assert _kept(behind.site) == _WHOLE


def test_two_files_in_one_transaction(site: Site, read: list[int]) -> None:
    """The second one's message stands in a transaction that is open, with nothing in front."""
    site.add("1_t", _WHOLE)
    site.add("2_t", _ROWS)
    site.migrator().up(atomic=True)

    kept = site.ask("SELECT up_sql FROM schema_migrations_history ORDER BY version")
    assert (kept, len(read)) == ([(_WHOLE,), (_ROWS,)], 2)


def test_two_large_texts(site: Site, read: list[int]) -> None:
    """With another large text the record goes in a second message, and has both in it."""
    site.add("1_t", _WHOLE, _ROWS)
    site.migrator().up()

    kept = site.ask("SELECT up_sql, down_sql FROM schema_migrations_history")
    assert (kept, read) == ([(_WHOLE, _ROWS)], [])


def test_a_server_that_counts_bytes(site: Site, read: list[int]) -> None:
    """Where the database is not in UTF-8 the text is sent once more."""
    latin = f"{site.database.name}_latin"
    site.ask(f"CREATE DATABASE {latin} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    text = _WHOLE.replace("€", "ö").replace("𝄞", "ß")
    site.add("1_t", text)
    site.migrator(site.database.server.conninfo(latin)).up()

    with psycopg.connect(site.database.server.conninfo(latin)) as connection:
        (kept,) = connection.execute("SELECT up_sql FROM schema_migrations_history").fetchall()
    assert (kept, read) == ((text,), [])
