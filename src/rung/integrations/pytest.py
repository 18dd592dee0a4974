"""
pytest fixtures that give each test, or each worker, its own migrated database.

    # conftest.py at the top
    pytest_plugins = ["rung.integrations.pytest"]

    # pyproject.toml
    [tool.pytest.ini_options]
    rung_source = "migrations"

The databases are made on an embedded PostgreSQL, or on the server that `rung_server` names;
`rung.integrations.template_databases` owns what is done there. A test that is imported into a
module runs there: `from rung.integrations.pytest import test_every_migration_can_be_undone`.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import pytest

from rung.errors import RungError
from rung.integrations.reversibility import left_behind
from rung.integrations.template_databases import Copies, TestDatabase
from rung.render.errors import full_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

__all__ = [
    "TestDatabase",
    "empty_database",
    "migrated_database",
    "rung_copies",
    "rung_server",
    "rung_source",
    "test_every_migration_can_be_undone",
    "worker_database",
]

_Made = TypeVar("_Made")

_SERVER = "RUNG_TEST_SERVER"
_PACKAGE = "package:"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what the fixtures are told in pytest's settings."""
    parser.addini("rung_source", "The migrations: a folder, or package:NAME.", default="")
    parser.addini(
        "rung_server",
        "A database of the server on which to create test databases; empty for an embedded one.",
        default="",
    )


@pytest.fixture(scope="session")
def rung_source(pytestconfig: pytest.Config) -> str:
    """Where the migrations are; override it where that is not known before."""
    named = str(pytestconfig.getini("rung_source"))
    if not named:
        raise pytest.UsageError("name the migrations: rung_source in pytest's settings")
    return named if named.startswith(_PACKAGE) else str(pytestconfig.rootpath / named)


@pytest.fixture(scope="session")
def rung_server(pytestconfig: pytest.Config) -> Iterator[str]:
    """How to connect to the server; RUNG_TEST_SERVER goes before the settings."""
    named = os.environ.get(_SERVER) or str(pytestconfig.getini("rung_server"))
    if named:
        yield named
        return
    from rung import embedded

    with _entered(embedded.start) as server:
        yield server.conninfo()


@pytest.fixture(scope="session")
def rung_copies(rung_server: str, rung_source: str) -> Iterator[Copies]:
    """Make databases for as long as this worker runs."""
    with _entered(partial(Copies, rung_server, rung_source)) as copies:
        yield copies


@pytest.fixture
def migrated_database(rung_copies: Copies, rung_source: str) -> Iterator[TestDatabase]:
    """Give a test its own database, every migration applied."""
    with _entered(partial(rung_copies.copy, rung_source)) as database:
        yield database


@pytest.fixture(scope="session")
def worker_database(rung_copies: Copies, rung_source: str) -> Iterator[TestDatabase]:
    """Give all tests of a worker one database, every migration applied."""
    with _entered(partial(rung_copies.copy, rung_source)) as database:
        yield database


@pytest.fixture
def empty_database(rung_copies: Copies) -> Iterator[TestDatabase]:
    """Give a test its own database with nothing in it."""
    with _entered(rung_copies.empty) as database:
        yield database


def test_every_migration_can_be_undone(empty_database: TestDatabase, rung_source: str) -> None:
    """Each down leaves the schema from before its up, and each up works after its down."""
    with _in_its_own_words():
        left = left_behind(empty_database.conninfo, rung_source)

    assert not left, "\n".join(left)


@contextmanager
def _entered(make: Callable[[], AbstractContextManager[_Made]]) -> Iterator[_Made]:
    with ExitStack() as stack:
        with _in_its_own_words():
            made = stack.enter_context(make())
        yield made


@contextmanager
def _in_its_own_words() -> Iterator[None]:
    """An error says all that there is to say; a traceback would show connections in its frames."""
    try:
        yield
    except RungError as error:
        raise pytest.fail.Exception(full_text(error), pytrace=False) from None
