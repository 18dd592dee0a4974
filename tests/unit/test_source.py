"""Reading a folder or a package of migrations, and what is said of what cannot be read."""

from __future__ import annotations

import os
import socket
import subprocess
import zipfile
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from rung.errors import (
    DuplicateMigration,
    MigrationsBelow,
    NameUnusable,
    SourceNotFound,
    SourceUnreadable,
    TextUnreadable,
    VersionTooLarge,
)
from rung.source import read_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


def fill(folder: Path, names: Iterable[str], content: bytes = b"") -> Path:
    """Files of these names."""
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(content)
    return folder


def text(folder: Path, content: bytes) -> str:
    """The text of a migration with this content."""
    (found,) = read_source(fill(folder, ["1_a.up.sql"], content)).migrations
    assert found.up is not None
    return found.up.text


def _counted(name: str, calls: Counter[str]) -> Callable[..., object]:
    """A function of `os` that counts its calls."""
    real: Callable[..., object] = getattr(os, name)

    def counted(*args: object, **options: object) -> object:
        calls[name] += 1
        return real(*args, **options)

    return counted


def test_each_file_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder is listed once; each of its files is opened once and asked nothing else."""
    fill(tmp_path, [f"{number}_a.{way}.sql" for number in range(9) for way in ("up", "down")])
    calls: Counter[str] = Counter()
    for name in ("scandir", "open", "stat", "lstat", "listdir"):
        monkeypatch.setattr(os, name, _counted(name, calls))

    assert len(read_source(tmp_path).versions) == 9
    assert calls == {"scandir": 1, "open": 18}


def test_pairs_in_order(tmp_path: Path) -> None:
    """Halves are paired by number, and numbers are compared as numbers."""
    fill(tmp_path, ["10_a.up.sql", "9_b.up.sql", "0011_c.up.sql", "9_other.down.sql"])

    found = read_source(tmp_path)

    assert found.versions == (9, 10, 11)
    assert (found.source, found.warnings) == (str(tmp_path), ())
    nine = found.by_version[9]
    assert nine.up
    assert nine.down
    assert (nine.name, nine.up.file, nine.down.title) == ("b", "9_b.up.sql", "other")


def test_a_lone_half(tmp_path: Path) -> None:
    """A version with only a down is a version, named by that."""
    (found,) = read_source(fill(tmp_path, ["2_b.down.sql"])).migrations

    assert (found.version, found.up, found.name) == (2, None, "b")


def test_an_empty_folder(tmp_path: Path) -> None:
    """A folder without migrations can be read; planning says that it is empty."""
    assert read_source(fill(tmp_path, ["foo.sql"])).migrations == ()


def test_near_misses_are_warned_of(tmp_path: Path) -> None:
    """Names that look meant are warnings, and the rest of the folder is read."""
    fill(tmp_path, ["foo.sql", "1.up.sql", "1_a.up", "-1_x.up.sql", "1_a.up.sql"])

    found = read_source(tmp_path)

    assert found.versions == (1,)
    (warning,) = found.warnings
    assert warning == (
        "-1_x.up.sql, 1.up.sql and 1_a.up are ignored: a migration is named VERSION_NAME.up.sql "
        "or VERSION_NAME.down.sql"
    )


@pytest.mark.parametrize(
    "ending", ["~", ".orig", ".rej", ".disabled", ".bak", ".swp", "_bad", ".old", ".tmp", "x"]
)
def test_only_sql_is_read(tmp_path: Path, ending: str) -> None:
    """What an editor or a merge leaves is no migration, and is named; golang-migrate reads it."""
    fill(tmp_path, ["1_a.up.sql", f"2_b.up.sql{ending}", "3_c.down.SQL"])

    found = read_source(tmp_path)

    assert found.versions == (1, 3)
    assert found.warnings == (
        f"2_b.up.sql{ending} is ignored: only names that end in .sql are read",
    )
    assert read_source(tmp_path, any_extension=True).versions == (1, 2, 3)


def test_leftovers_are_one_line(tmp_path: Path) -> None:
    """However many there are, cut with a count."""
    fill(tmp_path, ["1_a.up.sql", *(f"{number}_b.up.sql~" for number in range(10, 20))])

    (warning,) = read_source(tmp_path).warnings

    assert warning.startswith("10_b.up.sql~, 11_b.up.sql~, ")
    assert "and 5 more are ignored: " in warning


def test_folders_are_not_entered(tmp_path: Path) -> None:
    """A directory is no migration, whatever its name; one named like a migration is told."""
    fill(tmp_path, ["1_a.up.sql"])
    fill(tmp_path / "seeds", ["rows.sql"])
    fill(tmp_path / ".hidden", ["2_b.up.sql"])
    fill(tmp_path / "__pycache__", ["2_b.up.sql"])
    (tmp_path / "2_b.up.sql").mkdir()

    found = read_source(tmp_path)

    assert found.versions == (1,)
    assert found.warnings == ("2_b.up.sql is ignored: it is a directory",)


@pytest.mark.parametrize("top", [[], ["1_a.up.sql"]])
@pytest.mark.parametrize("below", ["sub", "2024/01/more", "2_b.up.sql"])
def test_migrations_in_folders_below(tmp_path: Path, top: list[str], below: str) -> None:
    """They would be left out, so they stop the reading; golang-migrate leaves them out."""
    fill(tmp_path, top)
    (tmp_path / below).mkdir(parents=True)
    fill(tmp_path / below, ["2_b.up.sql", "2_b.down.sql"])

    with pytest.raises(MigrationsBelow) as caught:
        read_source(tmp_path)

    assert caught.value.folders == {below: 2}
    assert f"rung up --source {tmp_path}/{below}" in caught.value.hint
    assert read_source(tmp_path, any_extension=True).versions == ((1,) if top else ())


def test_a_mounted_volume(tmp_path: Path) -> None:
    """Kubernetes links each file into a hidden folder, which holds them too."""
    fill(tmp_path / "..2026", ["1_a.up.sql"])
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "1_a.up.sql").symlink_to("..data/1_a.up.sql")

    assert read_source(tmp_path).versions == (1,)


def test_a_link_to_the_folder_itself(tmp_path: Path) -> None:
    """Links are not followed into folders, which would not end."""
    (fill(tmp_path, ["1_a.up.sql"]) / "current").symlink_to(tmp_path)

    assert read_source(tmp_path).versions == (1,)


@pytest.mark.parametrize(
    "files", [("0001_foo.up.sql", "1_foo.up.sql"), ("1_foo.up.sql", "1_foo.up.x.sql")]
)
def test_duplicates(tmp_path: Path, files: tuple[str, str]) -> None:
    """Two files for one half are refused, whatever their zeros or extensions; both are named."""
    with pytest.raises(DuplicateMigration) as caught:
        read_source(fill(tmp_path, files))

    assert (caught.value.version, caught.value.direction) == (1, "up")
    assert caught.value.files == files
    assert caught.value.free in {"2", "02", "0002"}


@pytest.mark.parametrize(
    ("files", "free"),
    [
        (["000003_a.up.sql", "000007_b.up.sql", "3_c.up.sql"], "8"),
        (["000003_a.up.sql", "000003_c.up.sql", "000007_b.down.sql"], "000008"),
        (["20260101120000_a.up.sql", "20260101120000_b.up.sql"], "20260101120001"),
    ],
)
def test_a_duplicate_names_the_next_free_number(
    tmp_path: Path, files: list[str], free: str
) -> None:
    """Written as the number is that is taken."""
    with pytest.raises(DuplicateMigration) as caught:
        read_source(fill(tmp_path, files))

    assert caught.value.free == free
    assert f"the next free number is {free};" in caught.value.hint


@pytest.mark.parametrize(
    ("files", "moved"),
    [
        (
            ("3_a.up.sql", "3_a.down.sql", "3_b.up.sql", "3_b.down.sql"),
            {"4_b.up.sql", "4_b.down.sql"},
        ),
        (("3_a.up.sql", "03_a.up.sql", "03_a.down.sql"), {"4_a.up.sql"}),
        (("3_a.up.sql", "3_a.up.x.sql"), {"4_a.up.x.sql"}),
    ],
)
def test_a_duplicate_is_renamed_by_its_command(
    tmp_path: Path, files: tuple[str, ...], moved: set[str]
) -> None:
    """The command, pasted, gives one migration the number, with both of its halves."""
    fill(tmp_path, files)
    with pytest.raises(DuplicateMigration) as caught:
        read_source(tmp_path)
    subprocess.run(caught.value.rename_command, shell=True, check=True)
    left = {path.name for path in tmp_path.iterdir()}

    assert left - set(files) == moved
    assert read_source(tmp_path).versions == (3, 4)


def test_titles_of_one_version_may_differ(tmp_path: Path) -> None:
    """An up and a down of one version are a pair under any titles."""
    assert read_source(fill(tmp_path, ["1_foo.up.sql", "1_bar.down.sql"])).versions == (1,)


def test_too_large_a_version(tmp_path: Path) -> None:
    """A file above 2^63-1 stops the reading instead of being passed over."""
    with pytest.raises(VersionTooLarge):
        read_source(fill(tmp_path, ["1_a.up.sql", "18446744073709551616_b.up.sql"]))


def test_a_dangling_link(tmp_path: Path) -> None:
    """A link to nowhere is an error that says where it leads, never an empty migration."""
    (tmp_path / "1_a.up.sql").symlink_to("nowhere.sql")

    with pytest.raises(SourceUnreadable, match=r"link to nowhere\.sql, which does not exist"):
        read_source(tmp_path)


def test_a_link_to_a_directory(tmp_path: Path) -> None:
    """A link to a directory is an error as well."""
    (tmp_path / "1_a.up.sql").symlink_to(tmp_path)

    with pytest.raises(SourceUnreadable, match="link to a directory"):
        read_source(tmp_path)


def test_a_link_to_a_file(tmp_path: Path) -> None:
    """A link to a file is that file under the link's name."""
    fill(tmp_path / "elsewhere", ["x.sql"], b"select 1")
    (tmp_path / "1_a.up.sql").symlink_to(tmp_path / "elsewhere" / "x.sql")

    (found,) = read_source(tmp_path).migrations
    assert found.up
    assert (found.up.file, found.up.text) == ("1_a.up.sql", "select 1")


@pytest.mark.parametrize("any_extension", [False, True])
def test_a_fifo(tmp_path: Path, *, any_extension: bool) -> None:
    """It is not opened, which would wait for a writer for ever."""
    os.mkfifo(fill(tmp_path, ["1_a.up.sql"]) / "2_b.up.sql")

    with pytest.raises(SourceUnreadable, match=r"could not read .* 2_b\.up\.sql: it is a FIFO"):
        read_source(tmp_path, any_extension=any_extension)


@pytest.mark.parametrize(
    ("leads_to", "reason"),
    [("/dev/null", "it is a device"), ("1_a.up.sql", "too many levels of symbolic links")],
)
def test_links_to_no_file(tmp_path: Path, leads_to: str, reason: str) -> None:
    """A device is never read, nor a link that leads to itself."""
    (tmp_path / "1_a.up.sql").symlink_to(leads_to)

    with pytest.raises(SourceUnreadable, match=reason):
        read_source(tmp_path)


def test_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named as what it is."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("1_a.up.sql")
        with pytest.raises(SourceUnreadable, match="it is a socket"):
            read_source(tmp_path)


def test_a_folder_below_that_cannot_be_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows what is in it; lost+found is everywhere."""
    fill(tmp_path, ["1_a.up.sql"])
    (tmp_path / "lost+found").mkdir()
    assert read_source(tmp_path).versions == (1,)
    (tmp_path / "more").mkdir()
    real = os.scandir

    def shut(folder: Path) -> object:
        if folder.name == "more":
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr("os.scandir", shut)
    with pytest.raises(SourceUnreadable, match=r"could not read .* more: permission denied"):
        read_source(tmp_path)


@pytest.mark.parametrize("any_extension", [False, True])
@pytest.mark.parametrize(
    ("name", "shown", "problem"),
    [
        (b"2_pr\xfcfung.up.sql", r"2_pr\xfcfung.up.sql", "is not in UTF-8"),
        (b"2_a\nb.up.sql", r"2_a\nb.up.sql", "contains a control character, U+000A"),
        (b"2_\x1b[2Jb.down.sql", r"2_\x1b[2Jb.down.sql", "contains a control character, U+001B"),
        (
            "2_\u202eb.up.sql".encode(),
            r"2_\u202eb.up.sql",
            "contains an invisible character, U+202E",
        ),
        (b"2_b.up.sql\r", r"2_b.up.sql\r", "contains a control character, U+000D"),
        (b"2_\x7fb.sql", r"2_\x7fb.sql", "contains a control character, U+007F"),
    ],
)
def test_names_that_cannot_be_shown(
    tmp_path: Path, name: bytes, shown: str, problem: str, *, any_extension: bool
) -> None:
    """They could not be kept in the history, or would play with a terminal: refused, escaped."""
    (tmp_path / os.fsdecode(name)).touch()

    with pytest.raises(NameUnusable) as caught:
        read_source(tmp_path, any_extension=any_extension)

    assert (caught.value.file, caught.value.problem) == (shown, problem)
    assert caught.value.cause.isprintable()


@pytest.mark.parametrize("name", ["2_čaj.up.sql", "2_می\u200cروم.up.sql", "2_🙂 x.up.sql"])
def test_names_in_any_script(tmp_path: Path, name: str) -> None:
    """Letters of any language are fine, with the joiners that some need; other files' too."""
    fill(tmp_path, [name, "a\tb.txt", os.fsdecode(b"\xff.md")])

    assert read_source(tmp_path).versions == (2,)


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read is an error with the system's reason."""

    def shut(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    folder = fill(tmp_path, ["1_a.up.sql"])
    monkeypatch.setattr(os, "open", shut)

    with pytest.raises(SourceUnreadable, match=r"read .* 1_a\.up\.sql: permission denied"):
        read_source(folder)


@pytest.mark.parametrize("what", ["missing", "file"])
def test_no_such_folder(tmp_path: Path, what: str) -> None:
    """A folder that is not there, or is a file, is named with the reason."""
    (tmp_path / "file").touch()
    reason = {"missing": "no such file or directory", "file": "not a directory"}[what]

    with pytest.raises(SourceNotFound) as caught:
        read_source(tmp_path / what)

    assert (caught.value.source, caught.value.reason) == (str(tmp_path / what), reason)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"select 1;\n-- caf\xe9\n", "is not UTF-8 on line 2"),
        (b"\xff\xfes\0e\0", "is not UTF-8 on line 1"),
        (b"\n" * 70_000 + b"caf\xe9", "is not UTF-8 on line 70001"),
        (b"select 1;\ncaf\xc3", "is not UTF-8 on line 2"),
        (b"select\n\n '\0'", "contains a NUL byte on line 3"),
    ],
)
def test_no_text(tmp_path: Path, content: bytes, problem: str) -> None:
    """What is not UTF-8, or holds a NUL, is refused with its line."""
    with pytest.raises(TextUnreadable) as caught:
        text(tmp_path, content)

    assert caught.value.reason == problem


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xef\xbb\xbfselect 1", "select 1"),
        (b"\xef\xbb\xbf\xef\xbb\xbfselect 1", "\ufeffselect 1"),
        (b"select 1;\r\nselect 2;\r", "select 1;\r\nselect 2;\r"),
        ("select 'čaj'".encode(), "select 'čaj'"),
        (b"-" * 65_535 + "č".encode() * 40_000, "-" * 65_535 + "č" * 40_000),
        (b"", ""),
    ],
)
def test_text_is_kept(tmp_path: Path, content: bytes, expected: str) -> None:
    """Nothing of a file is changed but for one BOM in front: line ends stay as they are."""
    assert text(tmp_path, content) == expected


@pytest.mark.parametrize("init", [["__init__.py"], []])
def test_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, init: list[str]) -> None:
    """The files of an importable package are a source, with or without an `__init__`."""
    package = f"plain{len(init)}"
    fill(tmp_path / package, [*init, "1_a.up.sql", "1_a.down.sql"])
    monkeypatch.syspath_prepend(tmp_path)

    found = read_source(f"package:{package}")

    assert (found.versions, found.source, found.warnings) == ((1,), f"package:{package}", ())


def test_a_package_inside_a_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is imported from a zip is read from there, below another one too."""
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("zipped/__init__.py", "")
        archive.writestr("zipped/migrations/__init__.py", "")
        archive.writestr("zipped/migrations/2_b.up.sql", "select 2")
        archive.writestr("zipped/migrations/3_c.up.sql/x", "a directory")
    monkeypatch.syspath_prepend(tmp_path / "app.zip")

    found = read_source("package:zipped.migrations")

    assert [m.up.text for m in found.migrations if m.up] == ["select 2"]
    assert found.warnings == ("3_c.up.sql is ignored: it is a directory",)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("package:rung_no_such", "no module named rung_no_such"),
        ("package:", "mpty module name"),
        ("package:.relative", "package"),
    ],
)
def test_no_such_package(source: str, reason: str) -> None:
    """A package that cannot be imported is an error that names what is missing."""
    with pytest.raises(SourceNotFound, match=reason) as caught:
        read_source(source)

    assert caught.value.source == source
