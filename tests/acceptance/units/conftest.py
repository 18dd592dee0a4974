"""A site for each test of files that run unit by unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.acceptance.engine.sites import Site

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Database


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    """Make an empty database with an empty folder."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    return Site(database, folder)
