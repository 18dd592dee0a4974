"""The service for tests: one for each worker, on a database of its own."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest
from tests.chat.serving import chat
from tests.servers import Database

from chatapp.postgres import SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.chat.serving import Client

    from rung.embedded import EmbeddedServer
    from rung.integrations.pytest import TestDatabase

_people = count(1)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> None:
    """Load schemathesis' plugin for the one file that needs it; it takes a second to import."""
    plugins = parent.config.pluginmanager
    if file_path.name == "test_description.py" and not plugins.has_plugin("schemathesis"):
        plugins.import_plugin("schemathesis.pytest.plugin")


@pytest.fixture(scope="session")
def rung_source() -> str:
    """Say where the migrations of the service are."""
    return SOURCE


@pytest.fixture(scope="session")
def rung_server(server: EmbeddedServer) -> str:
    """Make test databases on the worker's own server."""
    return server.conninfo("postgres")


@pytest.fixture(scope="session")
def chat_database(worker_database: TestDatabase, server: EmbeddedServer) -> Database:
    """Name the database of the worker's service: a copy, migrated already."""
    return Database(worker_database.name, server)


@pytest.fixture(scope="session")
def anybody(chat_database: Database) -> Iterator[Client]:
    """Serve, for the whole session; a client that is not logged in."""
    with chat(chat_database.conninfo) as client:
        yield client


@pytest.fixture
def ada(anybody: Client) -> Client:
    """Register somebody for this test alone, and log in."""
    return anybody.logged_in(f"ada-{next(_people)}")


@pytest.fixture
def bob(anybody: Client) -> Client:
    """Register somebody else."""
    return anybody.logged_in(f"bob-{next(_people)}")
