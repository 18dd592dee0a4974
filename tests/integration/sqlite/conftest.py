"""A site for each test on SQLite, and the real golang-migrate for those that ask for it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.integration.sqlite.golang import Golang
from tests.integration.sqlite.sites import Site
from tests.oracle import golang_migrate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Name a file that is not there yet, with an empty folder of migrations."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    made = Site(tmp_path / "chat.db", folder)
    yield made
    made.end()


@pytest.fixture
def golang(site: Site) -> Golang:
    """Give the real golang-migrate on the same file and folder."""
    binary = golang_migrate()
    if binary is None or not _knows_sqlite(binary):
        absent = "no golang-migrate with sqlite3: name one in RUNG_TEST_GOLANG_MIGRATE"
        if os.environ.get("RUNG_TEST_REQUIRE_ORACLE") == "1":
            pytest.fail(absent)
        pytest.skip(absent)
    return Golang(binary, site)


def _knows_sqlite(binary: Path) -> bool:
    answer = subprocess.run([binary, "-help"], capture_output=True, text=True, check=False)
    return "sqlite3" in answer.stderr
