"""Which places are fit for the server's files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rung.embedded import directories
from rung.embedded.directories import (
    UserIds,
    cache_folder,
    is_enterable,
    is_readable,
    scratch_folder,
)
from rung.embedded.server import quoted
from rung.errors import EmbeddedError

STRANGER = UserIds(54321, 54321)
US = UserIds(os.geteuid(), os.getegid())


def test_a_stranger_reads_only_what_is_open_all_the_way() -> None:
    """
    The system's programs can be read by anybody, a file that is not there by nobody.
    """
    assert is_readable(Path("/bin/sh"), STRANGER)
    assert not is_readable(Path("/bin/no such program"), STRANGER)


def test_a_shut_folder_shuts_what_is_in_it(tmp_path: Path) -> None:
    """
    A readable file in a folder that only its owner enters cannot be reached by others.
    """
    (tmp_path / "file").touch(0o644)
    tmp_path.chmod(0o700)

    assert not is_readable(tmp_path / "file", STRANGER)
    assert not is_enterable(tmp_path, STRANGER)
    assert is_readable(tmp_path / "file", US)


def test_the_group_counts_for_its_members(tmp_path: Path) -> None:
    """
    Permission bits are taken from the first class that fits: owner, group, others.
    """
    tmp_path.chmod(0o705)
    member = UserIds(54321, tmp_path.stat().st_gid)

    assert not directories._allows(tmp_path, member, 1)
    assert directories._allows(tmp_path, STRANGER, 1)


def test_the_cache_follows_the_usual_rule(tmp_path: Path) -> None:
    """
    XDG_CACHE_HOME first, else .cache at home.
    """
    named = {"XDG_CACHE_HOME": str(tmp_path / "x"), "HOME": str(tmp_path / "h")}

    assert tmp_path / "x" / "rung" == cache_folder(US, named)
    assert tmp_path / "h" / ".cache" / "rung" == cache_folder(US, {"HOME": named["HOME"]})


def test_a_cache_that_others_may_write_is_not_trusted(tmp_path: Path) -> None:
    """
    A folder in which others could put programs for us to run is passed over.
    """
    (tmp_path / "rung").mkdir()
    (tmp_path / "rung").chmod(0o777)
    found = cache_folder(US, {"XDG_CACHE_HOME": str(tmp_path), "TMPDIR": str(tmp_path)})

    assert tmp_path / "rung" != found


def test_no_place_for_a_cache_is_an_error_that_names_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """
    Where nothing can be written, each place is named with its reason.
    """
    (tmp_path / "file").touch()
    monkeypatch.setattr(directories, "_cache_candidates", lambda _: [tmp_path / "file" / "rung"])
    with pytest.raises(EmbeddedError, match="file/rung: "):
        cache_folder(US, {})


def test_a_full_memory_folder_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """
    A small shared-memory folder, as containers have it, is not filled with data.
    """
    monkeypatch.setattr(directories, "ROOM_BYTES", 2**62)
    found = scratch_folder(US, {"TMPDIR": "/var/tmp"})
    found.rmdir()

    assert Path("/var/tmp") == found.parent


def test_no_place_to_run_in_is_an_error_that_names_them(tmp_path: Path) -> None:
    """
    A folder that is not there and one with a long path are both named.
    """
    deep = tmp_path / ("long" * 30)
    deep.mkdir()
    with pytest.raises(EmbeddedError, match=r"is not writable(.|\n)*too long for a socket"):
        directories._new_folder((tmp_path / "none", deep), US)


@pytest.mark.parametrize(
    ("value", "written"),
    [("plain", "plain"), ("", "''"), ("it's", r"'it\'s'"), ("a b\\", r"'a b\\'")],
)
def test_conninfo_values_are_quoted(value: str, written: str) -> None:
    """
    A value with space, quote or backslash, or none, is quoted as libpq reads it.
    """
    assert written == quoted(value)
