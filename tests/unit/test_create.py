"""The making of a new pair of files."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from rung.errors import SourceNotFound, UsageError, VersionTooLarge
from rung.script import Dialect, directives, read
from rung.source import MAX_VERSION, create_pair, read_source

if TYPE_CHECKING:
    from pathlib import Path

MOMENT = datetime(2026, 3, 4, 5, 6, 59)  # noqa: DTZ001 - numbered by the caller's own clock


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(entry.name for entry in folder.iterdir())


def test_the_first_pair(tmp_path: Path) -> None:
    """The folder is made, and the number has six digits."""
    up, down = create_pair(tmp_path / "deep" / "migrations", "initial_schema")

    assert (up.name, down.name) == (
        "000001_initial_schema.up.sql",
        "000001_initial_schema.down.sql",
    )
    assert read_source(up.parent).versions == (1,)


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("name", ["add_users", "a rung: empty b", "čaj"])
def test_the_template_counts_as_empty(tmp_path: Path, name: str, dialect: Dialect) -> None:
    """It says what goes there, and declares nothing itself, whatever the name."""
    for path in create_pair(tmp_path, name):
        script = read(path.read_text("utf-8"), dialect)
        assert (len(script.statements), directives(script)) == (0, ())
        assert "-- rung: empty REASON" in script.text
        assert max(map(len, script.text.splitlines())) <= 99 + len(name)


def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither file is left, whole or in part."""
    monkeypatch.setattr("rung.source.create._DOWN", "\ud800")
    with pytest.raises(UnicodeEncodeError):
        create_pair(tmp_path, "a")

    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("there", "number"),
    [
        (["9_a.up.sql", "10_b.up.sql"], "000011"),
        (["000003_a.down.txt"], "000004"),
        (["000002_a.up.sql", "0000007_b.up.pgsql", "zz.sql", "9_c.sql"], "000008"),
        (["0_a.up.sql"], "000001"),
        (["999999_a.up.sql"], "1000000"),
        (["20260101120000_a.up.sql"], "20260101120001"),
    ],
)
def test_the_next_number(tmp_path: Path, there: list[str], number: str) -> None:
    """The number follows the numeric maximum of all valid names, whatever their extension."""
    for name in there:
        (tmp_path / name).touch()

    up, _ = create_pair(tmp_path, "x")

    assert up.name == f"{number}_x.up.sql"


def test_a_timestamp_and_the_one_after(tmp_path: Path) -> None:
    """Two pairs made in one second get two numbers."""
    first, _ = create_pair(tmp_path, "a", timestamp=MOMENT)
    second, _ = create_pair(tmp_path, "b", timestamp=MOMENT)

    assert first.name == "20260304050659_a.up.sql"
    assert second.name == "20260304050660_b.up.sql"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("add user  roles", "add_user_roles"),
        (" x\n", "x"),
        ("a.up.b", "a.up.b"),
        ("čaj", "čaj"),
    ],
)
def test_titles(tmp_path: Path, name: str, title: str) -> None:
    """White space becomes an underscore; the title reads back as it was made."""
    create_pair(tmp_path, name)

    (made,) = read_source(tmp_path).migrations
    assert made.up
    assert made.down
    assert (made.up.title, made.down.title) == (title, title)


@pytest.mark.parametrize("name", ["", "  ", "a/b", "../a", "a\0b", "a\x1bb", "pr\udcfcfung"])
def test_names_that_are_refused(tmp_path: Path, name: str) -> None:
    """An empty name and one that leads elsewhere are refused, and nothing is made."""
    with pytest.raises(UsageError):
        create_pair(tmp_path / "folder", name)

    assert names(tmp_path) == []


def test_no_number_left(tmp_path: Path) -> None:
    """After the greatest number of all there is none."""
    (tmp_path / f"{MAX_VERSION}_a.up.sql").touch()

    with pytest.raises(VersionTooLarge):
        create_pair(tmp_path, "b")


@pytest.mark.parametrize("there", ["up", "down"])
def test_never_overwrites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: str) -> None:
    """A file that appears meanwhile is kept as it is, and no half is left beside it."""
    monkeypatch.setattr("rung.source.create._next_version", lambda *_: "000001")
    other = tmp_path / f"000001_a.{there}.sql"
    other.write_text("theirs")

    with pytest.raises(SourceNotFound, match="file exists"):
        create_pair(tmp_path, "a")

    assert (names(tmp_path), other.read_text()) == ([other.name], "theirs")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file in the folder's place is an error with the reason."""
    (tmp_path / "file").touch()

    with pytest.raises(SourceNotFound, match="file exists"):
        create_pair(tmp_path / "file", "a")
