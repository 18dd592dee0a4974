"""A database with ledger and history, made once a worker, for the tests that begin with them."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest
from tests.servers import EMPTY_TEMPLATE, named_database

from rung.cancellation import CancelToken
from rung.database import Database as DatabaseOptions
from rung.drivers import open_driver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Database

    from rung.embedded import EmbeddedServer

_numbers = count(1)


@pytest.fixture(scope="session")
def prepared_template(server: EmbeddedServer) -> Iterator[str]:
    """Name a database in which only ledger and history were created."""
    with named_database(server, "prepared_template") as database:
        with open_driver(DatabaseOptions(database.conninfo)).connect(CancelToken()) as session:
            session.inspect()
            assert session.try_lock()
            session.prepare_tables()
        yield database.name


@pytest.fixture
def database(server: EmbeddedServer, request: pytest.FixtureRequest) -> Iterator[Database]:
    """Make a database for one test; not an empty one where the test asks for `ready`."""
    is_prepared = "ready" in request.fixturenames
    template = request.getfixturevalue("prepared_template") if is_prepared else EMPTY_TEMPLATE
    with named_database(server, f"contract_{next(_numbers)}", template) as made:
        yield made
