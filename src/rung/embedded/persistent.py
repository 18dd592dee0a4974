"""
Start servers with persistent data in a folder that the user names, shared by all its users.

The folder holds `data`, the locks, the state of a running server and its log. Data of another
major version, and folders that something else created, are refused.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from rung.embedded import run_as, supervisor, template
from rung.embedded.binaries import find
from rung.embedded.directories import is_enterable, locked, socket_folder
from rung.embedded.launcher import DataDirectory, run
from rung.embedded.pg_tools import readable_programs
from rung.embedded.server import PORT, EmbeddedServer, UsageLock
from rung.errors import BinariesNotFound, EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.embedded.launcher import ServerRequest
    from rung.embedded.run_as import Identity

START = "start.lock"
DATA = "data"


def join_or_open(
    home: Path, request: ServerRequest, warn: Callable[[Identity], None]
) -> EmbeddedServer:
    """Connect to the running server of this folder, or start it."""
    is_new = _prepare_home(home)
    use = _lock_usage(home)
    try:
        with locked(home / START):
            if running := _running_server(home, use):
                _check_major(home, running.major, request.major)
                return running
            identity = _identity_for(home, is_new=is_new)
            warn(identity)
            return _start_persistent(home, identity, request, use)
    except BaseException:
        use.end()
        raise


def _lock_usage(home: Path) -> UsageLock:
    try:
        return UsageLock.of(home)
    except PermissionError as error:
        raise EmbeddedError(
            f"the folder {home} belongs to another user's server: {error.strerror}",
            [str(error.filename)],
            "run as that user, or name another folder",
        ) from error


def _prepare_home(home: Path) -> bool:
    """
    Create the folder, or check that it is empty or Rung's.

    Returns:
        True where the folder was created.

    Raises:
        EmbeddedError: something else created it.
    """
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        home.mkdir()
    except FileExistsError:
        _check_own(home)
        return False
    except OSError as error:
        raise EmbeddedError(
            f"could not create the folder {home}: {error.strerror}",
            remedy="name a folder that you may write: embedded:DIR",
        ) from error
    return True


def _check_own(home: Path) -> None:
    """Check that an existing folder is empty or was created by Rung."""
    if not home.is_dir() or not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        raise EmbeddedError(
            f"{home} is not a folder that you may read and write",
            remedy="name another: embedded:DIR",
        )
    names = {path.name for path in home.iterdir()}
    if names and supervisor.USERS not in names:
        shown = ", ".join(sorted(names)[:5])
        data = "PG_VERSION" in names
        raise EmbeddedError(
            f"the folder {home} was not created by Rung",
            [f"It contains {shown}."],
            (
                f"move its content to {home / DATA} and create an empty file "
                f"{home / supervisor.USERS}"
            )
            if data
            else "name an empty folder, or a new one",
        )


def _running_server(home: Path, use: UsageLock) -> EmbeddedServer | None:
    """Return the running server of this folder; None where its supervisor has ended."""
    probe = supervisor.open_lock(str(home), supervisor.SUPERVISOR)
    try:
        if supervisor.try_lock(probe):
            return None
    finally:
        os.close(probe)
    lines = supervisor.read_lines(str(home / supervisor.STATE))
    if len(lines) != supervisor.STATE_LINES:
        return None
    pid, supervisor_pid, socket_dir, version = lines
    return EmbeddedServer(
        home=home,
        data_dir=home / DATA,
        socket_dir=Path(socket_dir),
        port=PORT,
        version=version,
        is_persistent=True,
        pid=int(pid),
        supervisor_pid=int(supervisor_pid),
        _use=use,
    )


def _identity_for(home: Path, *, is_new: bool) -> Identity:
    """Choose the account for a persistent folder: its data's owner, or one that can reach it."""
    data = home / DATA
    identity = run_as.owner_of(data) if data.exists() else run_as.choose()
    if identity.kind == "account" and is_new:
        home.chmod(0o711)
    if identity.kind != "account" or is_enterable(home, identity.reader):
        return identity
    if data.exists():
        raise EmbeddedError(
            (
                f"the data in {home} belong to the account {identity.name}, which cannot enter "
                "the folder"
            ),
            remedy="move the folder to where that account may enter, or name a new one",
        )
    return run_as.namespace(f"the account {identity.name} cannot enter {home}")


def _check_major(home: Path, have: int, wanted: int | None) -> None:
    if wanted not in {None, have}:
        raise EmbeddedError(
            f"the folder {home} was created by PostgreSQL {have}; {wanted} cannot use it",
            remedy="ask for that version, or name another folder",
        )


def _start_persistent(
    home: Path, identity: Identity, request: ServerRequest, use: UsageLock
) -> EmbeddedServer:
    data = home / DATA
    major = _major_of(data) if data.exists() else request.major
    if data.exists() and major is not None:
        _check_major(home, major, request.major)
    try:
        binaries = find(major, environ=request.environ, say=request.say, reader=identity.reader)
    except BinariesNotFound as error:
        raise _missing_major(home, data, major, error) from error
    programs = readable_programs(binaries, identity, request.environ, request.say)
    if not data.exists():
        request.say(f"creating a PostgreSQL {binaries.version} data folder in {home}")
        template.create_persistent_data(programs, data, binaries.major)
    sockets = socket_folder(identity.reader, request.environ)
    directory = DataDirectory(home, data, sockets / "s", sockets, signal.SIGINT)
    return run(directory, programs, binaries.version, request.settings, use, _nothing)


def _nothing() -> None:
    """Prepare nothing."""


def _major_of(data: Path) -> int:
    try:
        return int((data / "PG_VERSION").read_text().strip())
    except (OSError, ValueError) as error:
        raise EmbeddedError(
            f"{data} is not a complete data folder: {error}",
            remedy="remove it to start over, or name another folder",
        ) from error


def _missing_major(
    home: Path, data: Path, major: int | None, error: BinariesNotFound
) -> BinariesNotFound:
    if not data.exists():
        return error
    return BinariesNotFound(
        (
            f"the folder {home} was created by PostgreSQL {major}, and no binaries of {major} "
            "are installed"
        ),
        error.detail.splitlines(),
        f"install PostgreSQL {major}, or name its folder: RUNG_PG_BIN=DIR. Another version "
        "cannot read these data; to start over, name another folder",
    )
