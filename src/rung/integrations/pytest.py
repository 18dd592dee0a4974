"""
pytest fixtures for a migrated database per test, or per worker.

    # conftest.py at the top
    pytest_plugins = ["rung.integrations.pytest"]

    # pyproject.toml
    [tool.pytest.ini_options]
    rung_source = "migrations"

The databases are created on an embedded PostgreSQL, or on the server that `rung_server` names, by
`rung.integrations.template_databases`. The test of this module runs where it is imported:
`from rung.integrations.pytest import test_every_migration_can_be_undone`.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import pytest

from rung.errors import RungError
from rung.integrations.reversibility import undo_differences
from rung.integrations.template_databases import TemplateDatabases, TestDatabase
from rung.render.errors import full_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

__all__ = [
    "TestDatabase",
    "empty_database",
    "migrated_database",
    "rung_server",
    "rung_source",
    "rung_template_databases",
    "test_every_migration_can_be_undone",
    "worker_database",
]

_Resource = TypeVar("_Resource")

_SERVER = "RUNG_TEST_SERVER"
_PACKAGE = "package:"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the fixtures' settings to pytest's."""
    parser.addini("rung_source", "The migrations: a folder, or package:NAME.", default="")
    parser.addini(
        "rung_server",
        "A database of the server on which to create test databases; empty for an embedded one.",
        default="",
    )


@pytest.fixture(scope="session")
def rung_source(pytestconfig: pytest.Config) -> str:
    """Return the source of the migrations; override it where it is computed."""
    setting = str(pytestconfig.getini("rung_source"))
    if not setting:
        raise pytest.UsageError("name the migrations: rung_source in pytest's settings")
    return setting if setting.startswith(_PACKAGE) else str(pytestconfig.rootpath / setting)


@pytest.fixture(scope="session")
def rung_server(pytestconfig: pytest.Config) -> Iterator[str]:
    """Return the server's connection string; RUNG_TEST_SERVER overrides the settings."""
    setting = os.environ.get(_SERVER) or str(pytestconfig.getini("rung_server"))
    if setting:
        yield setting
        return
    from rung import embedded

    with _enter(embedded.start) as server:
        yield server.conninfo()


@pytest.fixture(scope="session")
def rung_template_databases(rung_server: str, rung_source: str) -> Iterator[TemplateDatabases]:
    """Create databases while this worker runs."""
    with _enter(partial(TemplateDatabases, rung_server, rung_source)) as copies:
        yield copies


@pytest.fixture
def migrated_database(
    rung_template_databases: TemplateDatabases, rung_source: str
) -> Iterator[TestDatabase]:
    """Return a database for one test, with every migration applied."""
    with _enter(partial(rung_template_databases.copy, rung_source)) as database:
        yield database


@pytest.fixture(scope="session")
def worker_database(
    rung_template_databases: TemplateDatabases, rung_source: str
) -> Iterator[TestDatabase]:
    """Return a database for all tests of a worker, with every migration applied."""
    with _enter(partial(rung_template_databases.copy, rung_source)) as database:
        yield database


@pytest.fixture
def empty_database(rung_template_databases: TemplateDatabases) -> Iterator[TestDatabase]:
    """Return an empty database for one test."""
    with _enter(rung_template_databases.empty) as database:
        yield database


def test_every_migration_can_be_undone(empty_database: TestDatabase, rung_source: str) -> None:
    """Each down leaves the schema from before its up, and each up works after its down."""
    with _failing_without_traceback():
        differences = undo_differences(empty_database.conninfo, rung_source)

    assert not differences, "\n".join(differences)


@contextmanager
def _enter(make: Callable[[], AbstractContextManager[_Resource]]) -> Iterator[_Resource]:
    with ExitStack() as stack:
        with _failing_without_traceback():
            resource = stack.enter_context(make())
        yield resource


@contextmanager
def _failing_without_traceback() -> Iterator[None]:
    """Report an error by its text only: a traceback would show connections in its frames."""
    try:
        yield
    except RungError as error:
        raise pytest.fail.Exception(full_text(error), pytrace=False) from None
