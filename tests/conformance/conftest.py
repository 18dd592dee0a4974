"""A theatre for each scheme and worker, the recordings, and the real golang-migrate."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from tests.conformance.environments import theatre
from tests.conformance.tools import Process, Tool, ours, real
from tests.oracle import golang_migrate, or_skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conformance.runner import Theatre


@pytest.fixture(scope="session")
def theatres(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Theatre]]:
    """Open theatres by their scheme, each once; SQLite asks for no server."""
    opened: dict[str, Theatre] = {}
    with ExitStack() as stack:

        def open_one(scheme: str) -> Theatre:
            if scheme not in opened:
                server = None if scheme == "sqlite3" else request.getfixturevalue("server")
                opened[scheme] = stack.enter_context(theatre(scheme, server))
            return opened[scheme]

        yield open_one


@pytest.fixture
def our_tool() -> Tool:
    """Give our command."""
    tool = ours()
    if tool is None:
        pytest.skip("there is no rung.golang_migrate")
    return tool


@pytest.fixture
def binary() -> Path:
    """Give golang-migrate's binary, with all drivers that are compared."""
    return or_skip(golang_migrate())


@pytest.fixture
def their_tool(binary: Path) -> Process:
    """Give golang-migrate as a command."""
    return real(binary)
