"""A site for a test on PostgreSQL, and the real golang-migrate on the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.golang import Golang
from tests.integration.engine.sites import Site
from tests.oracle import golang_migrate, or_skip

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Database


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    """Make an empty database with an empty folder."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    return Site(database, folder)


@pytest.fixture
def golang(site: Site) -> Golang:
    """Give the real golang-migrate on the same database and folder."""
    return Golang(or_skip(golang_migrate()), site)
