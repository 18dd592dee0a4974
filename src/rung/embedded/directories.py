"""
Choose folders for the embedded server's files: caches, scratch folders, locks.

Every folder returned was created here. No permission of anything else is changed; a place that an
account cannot reach is skipped.
"""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rung.embedded.supervisor import PREFIX
from rung.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SOCKET_PATH_BYTES = 107
"""The kernel's limit for the path of a socket."""
SOCKET_NAME = ".s.PGSQL.5432.lock"
"""The longest file name in the server's socket folder."""
ROOM_BYTES = 512 * 1024 * 1024
"""A file system in memory with less free space than this is not used."""

_READ, _ENTER = 4, 1


@dataclass(frozen=True, slots=True)
class UserIds:
    """The user and group id of a user who must be able to read a file."""

    uid: int
    gid: int


def is_file(path: Path) -> bool:
    """Report whether a file exists and can be reached; False below an unreadable folder."""
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises for a shut folder


def is_enterable(folder: Path, reader: UserIds) -> bool:
    """Report whether the permission bits let a user pass through this folder."""
    try:
        real = folder.resolve(strict=True)
        return all(_allows(directory, reader, _ENTER) for directory in (real, *real.parents))
    except OSError:
        return False


def is_readable(path: Path, reader: UserIds) -> bool:
    """
    Report whether the permission bits let a user read this file or folder.

    Access lists are ignored: the caller makes a copy then.
    """
    try:
        real = path.resolve(strict=True)
        wanted = _READ | _ENTER if real.is_dir() else _READ
        parents = all(_allows(parent, reader, _ENTER) for parent in real.parents)
        return parents and _allows(real, reader, wanted)
    except OSError:
        return False


def _allows(path: Path, reader: UserIds, wanted: int) -> bool:
    facts = path.stat()
    if reader.uid == 0:
        return True
    shift = 0
    if facts.st_uid == reader.uid:
        shift = 6
    elif facts.st_gid == reader.gid:
        shift = 3
    return (facts.st_mode >> shift) & wanted == wanted


def cache_folder(reader: UserIds, environ: Mapping[str, str]) -> Path:
    """
    Return the folder for unpacked binaries and templates; create it if necessary.

    Args:
        reader: must be able to read it.
        environ: read for XDG_CACHE_HOME and HOME.

    Raises:
        EmbeddedError: no folder is writable by this process and readable by `reader`.
    """
    tried: list[str] = []
    for folder in _cache_candidates(environ):
        if problem := _make_private(folder, reader):
            tried.append(f"{folder}: {problem}")
        else:
            return folder
    raise EmbeddedError(
        "no folder is suitable for PostgreSQL's files",
        tried,
        "set XDG_CACHE_HOME to a writable folder",
    )


def _cache_candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    if base := environ.get("XDG_CACHE_HOME"):
        yield Path(base, "rung").absolute()
    elif home := environ.get("HOME"):
        yield Path(home, ".cache", "rung").absolute()
    if os.geteuid() == 0:
        yield Path("/var/cache/rung")
    yield from (directory / f"rung-cache-{os.geteuid()}" for directory in _temporary(environ))


def _make_private(folder: Path, reader: UserIds) -> str:
    """Create a folder that only this user can write; return what is wrong with it, if anything."""
    others = reader.uid != os.geteuid()
    try:
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            _mkdir(folder, 0o755 if others else 0o700)
        facts = folder.lstat()
    except OSError as error:
        return error.strerror or str(error)
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid():
        return "it belongs to another user"
    if facts.st_mode & 0o022:
        return "other users may write it"
    if not os.access(folder, os.W_OK | os.X_OK):
        return "it is not writable"
    return "" if is_enterable(folder, reader) else "the server's account cannot enter it"


def _mkdir(folder: Path, mode: int) -> None:
    """Create one folder with exactly this mode, unless another process created it."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return
    folder.chmod(mode)


def scratch_folder(reader: UserIds, environ: Mapping[str, str]) -> Path:
    """
    Create a folder for one server: with a short path, in memory where there is space.

    Raises:
        EmbeddedError: no place is writable, reachable and short enough.
    """
    return _new_folder((Path("/dev/shm"), *_temporary(environ)), reader)  # noqa: S108


def socket_folder(reader: UserIds, environ: Mapping[str, str]) -> Path:
    """
    Create a folder for the socket of a server whose data are elsewhere.

    Raises:
        EmbeddedError: as `scratch_folder`.
    """
    return _new_folder(tuple(_temporary(environ)), reader)


def _new_folder(parents: tuple[Path, ...], reader: UserIds) -> Path:
    tried: list[str] = []
    for parent in parents:
        if problem := _why_unfit(parent, reader):
            tried.append(f"{parent}: {problem}")
            continue
        folder = parent / f"{PREFIX}{os.urandom(4).hex()}"
        folder.mkdir(mode=0o700)
        if reader.uid != os.geteuid():
            folder.chmod(0o711)
        return folder
    raise EmbeddedError(
        "no folder is suitable to run PostgreSQL in",
        tried,
        "set TMPDIR to a writable folder with a short path",
    )


def _why_unfit(parent: Path, reader: UserIds) -> str:
    if not (parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)):
        return "it is not writable"
    if not is_enterable(parent, reader):
        return "the server's account cannot enter it"
    if len(os.fsencode(parent / "rung-12345678" / "s" / SOCKET_NAME)) > SOCKET_PATH_BYTES:
        return f"its path is too long for a socket ({SOCKET_PATH_BYTES} bytes)"
    room = os.statvfs(parent)
    if parent == Path("/dev/shm") and room.f_bavail * room.f_frsize < ROOM_BYTES:  # noqa: S108
        return "it is almost full"
    return ""


def _temporary(environ: Mapping[str, str]) -> Iterator[Path]:
    if named := environ.get("TMPDIR"):
        yield Path(named).absolute()
    yield from (Path("/tmp"), Path("/var/tmp"))  # noqa: S108


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the exclusive lock on a file for a `with` block; the file is never deleted."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
