"""The folders that are measured on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.folders import small_migrations, ups

if TYPE_CHECKING:
    from pathlib import Path


def contents(folder: Path) -> dict[str, bytes]:
    """Every file's bytes."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_number_gives_the_same_bytes(tmp_path: Path) -> None:
    """Figures of two days are of the same work."""
    first, second = (small_migrations(tmp_path / name, 9) for name in ("a", "b"))

    assert contents(first) == contents(second)


def test_every_migration_has_both_halves(tmp_path: Path) -> None:
    """As many downs as ups, of the same versions and names."""
    names = contents(small_migrations(tmp_path / "a", 9))
    stems = {name.removesuffix(".up.sql") for name in names if name.endswith(".up.sql")}

    assert {f"{stem}.{half}.sql" for stem in stems for half in ("up", "down")} == set(names)


def test_ups_come_in_the_order_of_their_versions(tmp_path: Path) -> None:
    """By number, not by text."""
    for name in ("10_b.up.sql", "9_a.up.sql", "9_a.down.sql"):
        (tmp_path / name).touch()

    assert [path.name for path in ups(tmp_path)] == ["9_a.up.sql", "10_b.up.sql"]
