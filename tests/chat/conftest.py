"""The service for tests: one for each worker, on a database of its own."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest
from tests.chat.serving import chat
from tests.servers import named_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chat.serving import Client
    from tests.servers import Database

    from rung.embedded import EmbeddedServer

_people = count(1)


@pytest.fixture(scope="session")
def chat_database(server: EmbeddedServer) -> Iterator[Database]:
    """Make the database of the worker's service."""
    with named_database(server, "chat_service") as made:
        yield made


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
