"""A site for each test, with a table that an application uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import Site

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Database


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    """Make a database with the table `t`, and a file that adds a column to it."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    made = Site(database, folder)
    made.add("1_t", "CREATE TABLE t (id int PRIMARY KEY, v int);").up()
    return made.add("2_c", "ALTER TABLE t ADD COLUMN c int;")
