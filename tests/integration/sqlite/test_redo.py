"""`redo` on a real file: what it reverts, and what it never reverts by a repeated call."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from rung import Migrator
from rung.errors import MigrationFailed, RedoUnfinished

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make two migrations, of which the first holds rows, and apply them."""
    (tmp_path / "1_a.up.sql").write_text("CREATE TABLE a (i); INSERT INTO a VALUES (1);")
    (tmp_path / "1_a.down.sql").write_text("DROP TABLE a;")
    (tmp_path / "2_b.up.sql").write_text("CREATE TABLE b (i);")
    (tmp_path / "2_b.down.sql").write_text("DROP TABLE b;")
    migrator(tmp_path).up()
    return tmp_path


def migrator(folder: Path) -> Migrator:
    """The library on the folder and a database file in it."""
    return Migrator(f"sqlite://{folder}/x.db", folder)


def columns(folder: Path, table: str) -> list[str]:
    """The names of a table's columns."""
    with sqlite3.connect(folder / "x.db") as connection:
        return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def test_the_edited_file_is_applied(folder: Path) -> None:
    """The down that belongs to what ran, then the file as it is now."""
    (folder / "2_b.up.sql").write_text("CREATE TABLE b (j);")
    report = migrator(folder).redo()

    assert [(step.version, step.direction) for step in report.steps] == [(2, "down"), (2, "up")]
    assert columns(folder, "b") == ["j"]


def test_a_redo_that_failed_is_not_repeated_on_the_one_before(folder: Path) -> None:
    """Its error names `rung up`; another redo is refused, and the rows before it stay."""
    (folder / "2_b.up.sql").write_text("CREATE TABL b (j);")
    with pytest.raises(MigrationFailed) as failed:
        migrator(folder).redo()
    with pytest.raises(RedoUnfinished) as refused:
        migrator(folder).redo()

    assert "`rung up`" in failed.value.hint
    assert "`rung up`" in refused.value.hint
    assert columns(folder, "a") == ["i"]

    (folder / "2_b.up.sql").write_text("CREATE TABLE b (k);")
    migrator(folder).up()
    migrator(folder).redo()
    assert columns(folder, "b") == ["k"]
