"""
The service and its schema fit: every column is written and read, and the service's SQL runs.

Held against this are the columns of the first seven versions, and a later one once a statement
of the service names it: a migration may come a release before what uses it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
from tests.chat.endpoint import KEY, endpoint
from tests.chat.serving import chat
from tests.integration.chat import NEWEST

import rung
from chatapp.postgres import SOURCE
from chatapp.postgres.statements import statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Database

_COLUMNS = (
    "SELECT table_name, column_name FROM information_schema.columns "
    "WHERE table_schema = 'public' AND table_name NOT LIKE 'schema_migrations%'"
)
_WRITTEN = re.compile(
    r"^(?:INSERT|UPDATE)\b.*?(?=\bRETURNING\b|\bWHERE\b|\Z)", re.DOTALL | re.MULTILINE
)
_PLACE = re.compile(r"%\((\w+)\)s")
_SEVEN = 7
"""The version that the service was first made for, and whose columns it uses all of."""


@pytest.fixture(scope="module")
def used(chat_database: Database, anybody: object) -> Iterator[Database]:
    """Use every part of the service once."""
    with endpoint() as made:
        given = {"openai_base_url": made.url, "openai_api_key": KEY}
        prices = {"fine": {"prompt": "1", "completion": "2"}}
        with chat(chat_database.conninfo, openai_models=prices, **given) as client:
            ada = client.logged_in("ada-fits")
            path = ada.conversation(title="T", response_format="xml", response_schema="<x/>")
            ada("PATCH", path, response_format="text", response_schema=None)
            path = ada.conversation(id=str(uuid4()), title="T", instructions="Be brief.")
            asked = {"content": "?", "model": "fine", "temperature": 0.1}
            ada("POST", f"{path}/messages", **asked)
            ada("POST", f"{path}/summaries")
            ada("POST", f"{path}/messages", **asked)
            ada.conversation(response_format="json", response_schema="{}")
            yield chat_database


def columns(database: Database) -> list[tuple[str, str]]:
    """Every column of the service's tables."""
    return [(str(table), str(column)) for table, column in database.psql(_COLUMNS)]


@pytest.fixture
def expected(used: Database, database: Database) -> list[tuple[str, str]]:
    """Name the columns that the service has to use, of those that are there."""
    rung.Migrator(database.conninfo, SOURCE).goto(_SEVEN)
    first = columns(database)
    assert len(first) == 34
    return [one for one in columns(used) if one in first or is_named(*one)]


def is_named(table: str, column: str) -> bool:
    """Whether a statement of the service has a table and a column in it."""
    texts = (text.decode() for text in statements().values())
    return any(
        re.search(rf"\b{table}\b", text) and re.search(rf"\b{column}\b", text) for text in texts
    )


def test_every_column_is_written(used: Database, expected: list[tuple[str, str]]) -> None:
    """After a use of every part of the service no column of any table is empty."""
    empty = [
        (table, column)
        for table, column in expected
        if used.psql(f'SELECT count("{column}") FROM "{table}"') == [(0,)]
    ]

    assert empty == []


def test_every_column_is_read(expected: list[tuple[str, str]]) -> None:
    """Each column is in what a statement answers with, or is asked for in its condition."""
    texts = [text.decode() for text in statements().values()]
    unread = [
        (table, column)
        for table, column in expected
        if not any(table in text and is_read(column, text) for text in texts)
    ]

    assert unread == []


def is_read(column: str, text: str) -> bool:
    """Whether a statement does more with a column than to write it."""
    rest = _WRITTEN.sub("", text)
    return re.search(rf"\b{column}\b", _PLACE.sub("", rest)) is not None


def unprepared(database: Database, version: int) -> dict[str, str]:
    """Bring a database to a version; which statements do not work there, and why."""
    rung.Migrator(database.conninfo, SOURCE).goto(version)
    failed = {}
    with database.connect() as connection:
        for name, text in statements().items():
            try:
                connection.execute(b"PREPARE it AS " + numbered(text.decode()).encode())
                connection.execute("DEALLOCATE it")
            except psycopg.Error as error:
                failed[name] = str(error.diag.message_primary)
    return failed


def numbered(text: str) -> str:
    """A statement with its places as PREPARE writes them."""
    names = list(dict.fromkeys(_PLACE.findall(text)))
    return _PLACE.sub(lambda place: f"${names.index(place[1]) + 1}", text)


def test_which_versions_it_works_with(database: Database) -> None:
    """The service's SQL can be prepared at the newest version, and at none before the seventh."""
    rung.Migrator(database.conninfo, SOURCE).up()
    works = [version for version in range(1, NEWEST + 1) if not unprepared(database, version)]

    assert works[0] >= _SEVEN
    assert works == list(range(works[0], NEWEST + 1))


def test_the_package_holds_the_migrations() -> None:
    """`package:chatapp.migrations` is the folder beside the package, file by file."""
    from importlib import resources
    from pathlib import Path

    folder = Path(__file__).parents[2] / "backend" / "migrations"
    found = {one.name for one in resources.files("chatapp.migrations").iterdir()}

    assert found >= {path.name for path in folder.glob("*.sql")}
    assert len(list(folder.glob("*.sql"))) % 2 == 0
