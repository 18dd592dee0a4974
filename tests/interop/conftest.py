"""A site for each test, and the four tools on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import Site
from tests.interop.embedding import embedding
from tests.interop.gates import Gate
from tests.interop.tools import Run, Tool, tool
from tests.oracle import golang_migrate, or_skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.servers import Database

    Make = Callable[[str], Tool]

_BINARIES = {"real": golang_migrate, "embedded": embedding}


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    """Make an empty database with an empty folder."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    return Site(database, folder)


@pytest.fixture
def runs() -> Iterator[list[Run]]:
    """Keep the processes of one test, and stop those that are left."""
    started: list[Run] = []
    yield started
    for run in started:
        run.stop()


@pytest.fixture
def make(site: Site, runs: list[Run]) -> Make:
    """Give the function that makes a tool by its name; the test is skipped where it cannot."""

    def made(name: str) -> Tool:
        find = _BINARIES.get(name)
        return tool(name, site, runs, or_skip(find()) if find else None)

    return made


@pytest.fixture
def ours(make: Make) -> Tool:
    """Give `migrate` of ours."""
    return make("ours")


@pytest.fixture
def real(make: Make) -> Tool:
    """Give golang-migrate's command."""
    return make("real")


@pytest.fixture(params=["real", "embedded"])
def theirs(request: pytest.FixtureRequest, make: Make) -> Tool:
    """Give golang-migrate, once as a command and once embedded."""
    return make(request.param)


@pytest.fixture
def gate(site: Site) -> Iterator[Gate]:
    """Close a gate, and open it at the end at the latest."""
    made = Gate(site)
    yield made
    made.open()
