"""`create`: numbers, names and refusals, as golang-migrate has them or better."""

from __future__ import annotations

import stat
from datetime import UTC, timedelta, timezone, tzinfo
from pathlib import Path

import pytest

from rung.errors import VersionTooLarge
from rung.golang_migrate.create_files import (
    DEFAULT_LAYOUT,
    CreateRefused,
    Sequence,
    Timestamp,
    make_pair,
    numbering,
)
from rung.golang_migrate.gostd.time_layouts import Moment

MOMENT = Moment.at(1795581053_167495620, UTC)
TOKYO = timezone(timedelta(hours=9))
LAST = 2**63 - 1


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, with a file in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    return tmp_path


def made(here: Path) -> set[str]:
    """The files below the working directory."""
    return {str(p.relative_to(here)) for p in here.rglob("*") if not p.is_dir()} - {"file"}


def filled(folder: Path, *names: str) -> Path:
    """A folder with empty files."""
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("folder", "name", "extension", "expected"),
    [
        ("", "a", "sql", "000001_a.{}.sql"),
        (".", "a", ".sql", "000001_a.{}.sql"),
        ("sub/deep/", "a b", "sql", "sub/deep/000001_a b.{}.sql"),
        ("s", "", "sql", "s/000001_.{}.sql"),
        ("s", "a", "pg.sql", "s/000001_a.{}.pg.sql"),
        ("s", "a", "..sql", "s/000001_a.{}..sql"),
        ("s", "a", ".", "s/000001_a.{}."),
        ("s", "a\nb", "sql", "s/000001_a\nb.{}.sql"),
        ("s", "a\udcff", "sql", "s/000001_a\udcff.{}.sql"),
        ("s", "a/../b", "sql", "s/b.{}.sql"),
        ("[x]*?", "a", "sql", "[x]*?/000001_a.{}.sql"),
        ("g[", "a", "sql", "g[/000001_a.{}.sql"),
        ("s/../t//./", "a", "sql", "t/000001_a.{}.sql"),
    ],
)
def test_names(here: Path, folder: str, name: str, extension: str, expected: str) -> None:
    """The name is taken as it is, folders are made, and both paths begin at the root."""
    found = make_pair(folder, name, extension, Sequence(6))

    names = [expected.format(half) for half in ("up", "down")]
    assert list(found) == [f"{here}/{name}" for name in names]
    assert made(here) == set(names)


@pytest.mark.parametrize(
    ("layout", "zone", "version"),
    [
        (DEFAULT_LAYOUT, UTC, "20261125043053"),
        ("2006010215", TOKYO, "2026112513"),
        ("unix", TOKYO, "1795581053"),
        ("unixNano", UTC, "1795581053167495620"),
        ("unixnano", UTC, "unixnano"),
        ("abc", UTC, "abc"),
        ("*", UTC, "*"),
        ("20060102150405.000", UTC, "20261125043053.167"),
    ],
)
def test_layouts(layout: str, zone: tzinfo, version: str) -> None:
    """The moment in a layout; what is no part of one stays text."""
    moment = Moment.at(MOMENT.unix_nano, zone)
    up, _ = make_pair("s", "a", "sql", Timestamp(layout, moment))

    assert Path(up).name == f"{version}_a.up.sql"


@pytest.mark.parametrize(
    ("there", "digits", "version"),
    [
        ((), 6, "000001"),
        ((), 1, "1"),
        (("000001_a.up.sql", "000001_a.down.sql"), 6, "000002"),
        (("9_a.up.sql", "10_b.up.sql"), 6, "000011"),
        (("9_a.up.sql", "10_b.up.sql"), 2, "11"),
        (("7_a.up.txt", "8_a.down."), 3, "009"),
        (("3_a.up.sql", "bad.sql", "bad_x.sql", "999_notes.sql", "000004_notes.sql"), 6, "000004"),
        (("-5_negative.sql", "zz_a.up.sql"), 6, "000001"),
        ((f"{LAST - 1}_a.up.sql",), 19, str(LAST)),
        ((), 19, "0000000000000000001"),
    ],
)
def test_the_next_number(here: Path, there: tuple[str, ...], digits: int, version: str) -> None:
    """One more than the greatest version of all valid names; other names do not matter."""
    filled(here / "s", *there)
    up, _ = make_pair("s", "n", "sql", Sequence(digits))

    assert Path(up).name == f"{version}_n.up.sql"


@pytest.mark.parametrize(
    ("folder", "name", "number", "said"),
    [
        ("s", "a", Sequence(0), "digits must be positive"),
        ("s", "a", Sequence(-3), "digits must be positive"),
        ("s", "a", Timestamp("", MOMENT), "time format may not be empty"),
        ("file", "a", Sequence(6), "mkdir file: not a directory"),
        ("file/x", "a", Sequence(6), "mkdir file: not a directory"),
        ("file/x/y", "a", Timestamp("x", MOMENT), "mkdir file: not a directory"),
        ("link", "a", Sequence(6), "mkdir link: file exists"),
        (".", "x/y", Sequence(6), "open 000001_x/y.up.sql: no such file or directory"),
        (
            ".",
            "a",
            Timestamp("2006/01", MOMENT),
            "open 2026/11_a.up.sql: no such file or directory",
        ),
        (".", "n" * 300, Timestamp("x", MOMENT), f"open x_{'n' * 300}.up.sql: file name too long"),
        (".", "a", Sequence(300), f"open {'1'.zfill(300)}_a.up.sql: file name too long"),
        ("e", "a", Timestamp("abc", MOMENT), "duplicate migration version: abc"),
        ("e", "a", Timestamp("9", MOMENT), "duplicate migration version: 9"),
        (
            "e",
            "a",
            Sequence(1),
            "next sequence number 10 too large, at most 1 digits are allowed",
        ),
    ],
)
def test_refusals(
    here: Path, folder: str, name: str, number: Sequence | Timestamp, said: str
) -> None:
    """golang-migrate's sentences, and nothing is made."""
    (here / "link").symlink_to("nowhere")
    filled(here / "e", "abc_z.up.sql", "9_nine.sql", "9_nine.up.sql")
    before = made(here)
    with pytest.raises(CreateRefused) as caught:
        make_pair(folder, name, "sql", number)

    assert said == str(caught.value)
    assert made(here) == before


def test_any_number_of_digits(here: Path) -> None:
    """A width that no name can have is refused by the file system, not by the memory."""
    with pytest.raises(CreateRefused, match=r"open 0+1_a\.up\.sql: file name too long"):
        make_pair("", "a", "sql", Sequence(LAST))

    assert made(here) == set()


@pytest.mark.parametrize(
    ("there", "layout"),
    [("2026_notes.sql", "2006"), ("2026_b.up.txt", "2006"), ("0002026_b.down.x", "2006")],
)
def test_a_version_that_is_taken(here: Path, there: str, layout: str) -> None:
    """By a name that begins with it, or by a migration of any extension and any zeros."""
    filled(here / "s", there)

    with pytest.raises(CreateRefused, match="duplicate migration version: 2026"):
        make_pair("s", "a", "sql", Timestamp(layout, MOMENT))


def test_a_foreign_name_takes_nothing(here: Path) -> None:
    """A file of another extension that is no migration is let be."""
    filled(here / "s", "2026_notes.txt", "20261_b.up.sql", "x2026_a.up.sql")

    assert make_pair("s", "a", "sql", Timestamp("2006", MOMENT))


def test_the_last_number(here: Path) -> None:
    """There is none after 2^63-1, and none that is greater may lie there."""
    filled(here / "s", f"{LAST}_a.up.sql")
    with pytest.raises(CreateRefused, match=f"{LAST + 1} too large, the last is {LAST}"):
        make_pair("s", "b", "sql", Sequence(19))

    filled(here / "s", f"{LAST + 1}_a.up.sql")
    with pytest.raises(VersionTooLarge):
        make_pair("s", "b", "sql", Sequence(30))


def test_both_or_none(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the second file is there already, the first is not left behind."""
    monkeypatch.setattr("rung.golang_migrate.create_files._check_unused", lambda *_: None)
    filled(here / "s", "x_a.down.sql")

    with pytest.raises(CreateRefused, match=r"open s/x_a\.down\.sql: file exists"):
        make_pair("s", "a", "sql", Timestamp("x", MOMENT))
    assert made(here) == {"s/x_a.down.sql"}


def test_a_folder_that_cannot_be_read(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its versions are not known, so there is no next one."""

    def refused(_: Path) -> set[int]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("rung.golang_migrate.create_files.taken_versions", refused)

    with pytest.raises(CreateRefused, match="open s: permission denied"):
        make_pair("s", "a", "sql", Sequence(6))


def test_a_working_directory_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not made again."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    with pytest.raises(CreateRefused, match=r"open 000001_a\.up\.sql: no such file or directory"):
        make_pair("", "a", "sql", Sequence(6))


def test_a_mode(here: Path) -> None:
    """The files are no programs, and empty."""
    up, down = (Path(path) for path in make_pair("", "a", "sql", Sequence(6)))

    assert up.read_bytes() == down.read_bytes() == b""
    assert stat.S_IMODE(up.stat().st_mode) & 0o111 == 0


@pytest.mark.parametrize("layout", ["", "unix", "2006"])
def test_a_sequence_has_no_layout(layout: str) -> None:
    """But for the usual one, spelled out."""
    with pytest.raises(CreateRefused) as caught:
        numbering(seq=True, digits=0, layout=layout, moment=MOMENT)

    assert str(caught.value) == "the seq and format options are mutually exclusive"
    assert numbering(seq=True, digits=4, layout=DEFAULT_LAYOUT, moment=MOMENT) == Sequence(4)
    assert numbering(seq=False, digits=0, layout=layout, moment=MOMENT) == Timestamp(layout, MOMENT)
