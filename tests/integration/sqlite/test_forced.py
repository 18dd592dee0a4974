"""`force` says what it knows: nobody ran what was forced on a database without a ledger row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rung import Migrator

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("slashes", ["", "/", "//"])
def test_versions_below_a_forced_one_are_forced(tmp_path: Path, slashes: str) -> None:
    """Not "applied by another tool"; and a path with more slashes is the same file."""
    for version in (1, 2, 3):
        (tmp_path / f"{version}_t.up.sql").write_text(f"CREATE TABLE t{version} (i);")
    migrator = Migrator(f"sqlite://{slashes}{tmp_path}/x.db", tmp_path)
    migrator.force(2)

    rows = Migrator(f"sqlite://{tmp_path}/x.db", tmp_path).status().lines
    assert [row.state for row in rows] == ["forced", "forced", "pending"]


def test_the_newest_is_what_up_ends_at(tmp_path: Path) -> None:
    """Who waits for the newest does not wait for a version that has only a down."""
    (tmp_path / "1_a.up.sql").write_text("CREATE TABLE a (i);")
    (tmp_path / "2_b.down.sql").write_text("DROP TABLE a;")
    migrator = Migrator(f"sqlite://{tmp_path}/x.db", tmp_path)
    migrator.up()

    assert migrator.wait("newest", timeout=0).version == 1
