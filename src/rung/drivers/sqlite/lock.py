"""
The lock of a run: flock on a file beside the database, so that it ends with its process.

Never on the database itself: to close that file would drop the locks that SQLite holds on it
for the whole process. The file says who holds the lock, and is gone when nobody does.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shlex
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from rung.drivers.inspection import LockHolder
from rung.errors import QueryFailed, RightsMissing

_SUFFIX = "-rung-lock"
_CAREFULLY = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_SIGNED = re.compile(rb"(?:\d+\n[^\n]*\n[^\n]*\n)?")
"""Who holds it in three lines, or nothing yet."""
_LINES = 3
_LONGEST = 1000


class RunLock:
    """
    One session's hold on a database, or none.

    Args:
        database: the database's own path, whatever links lead to it; None takes no lock, for
            a database in memory that nobody else can see.
    """

    def __init__(self, database: Path | None) -> None:
        self._path = None if database is None else Path(f"{database}{_SUFFIX}")
        self._held: int | None = None

    def take(self) -> bool:
        """
        Try once.

        Raises:
            RightsMissing: the lock's file cannot be made.
        """
        if self._path is None or self._held is not None:
            return True
        while True:
            opened = self._open(self._path)
            if not _try(opened, fcntl.LOCK_EX):
                os.close(opened)
                return False
            if _is_file(opened, self._path):
                break
            os.close(opened)  # who held it before has removed the file since we opened it
        self._held = opened
        _sign(opened)
        return True

    def heartbeat(self) -> None:
        """Nothing: the lock is the file's, and ours as long as this process lives."""

    def release(self) -> None:
        """Give it back; quiet where it is not held."""
        if self._held is None or self._path is None:
            return
        with suppress(OSError):
            if _is_file(self._held, self._path):
                self._path.unlink()
        os.close(self._held)
        self._held = None

    def holder(self) -> LockHolder | None:
        """Who else holds it; None where nobody does."""
        if self._path is None or self._held is not None:
            return None
        try:
            opened = os.open(self._path, os.O_RDONLY | _CAREFULLY)
        except OSError:
            return None
        try:
            if _not_ours(opened):
                return None
            if _try(opened, fcntl.LOCK_SH):
                return None
            return _read(os.pread(opened, _LONGEST, 0).decode(errors="replace"))
        finally:
            os.close(opened)

    def _open(self, path: Path) -> int:
        """The file, made where it is missing; one of another user is locked without a word."""
        try:
            opened = _opened(path)
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.EMLINK}:
                raise _refused(path, "is a symbolic link, which is not followed") from None
            raise RightsMissing(
                f"could not create the lock file {path}: {error.strerror}",
                (
                    "give Rung the right to create files in that folder: SQLite keeps its "
                    "journal there too"
                ),
            ) from None
        if why := _not_ours(opened):
            os.close(opened)
            raise _refused(path, why)
        return opened


def _opened(path: Path) -> int:
    """Open it, following no link and waiting for nobody, as a FIFO would have us do."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | _CAREFULLY, 0o644)
    except OSError as error:
        if error.errno not in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise
        with suppress(OSError):
            return os.open(path, os.O_RDONLY | _CAREFULLY)
        raise


def _not_ours(opened: int) -> str:
    """Why an open file cannot be a lock file of ours; empty where it can."""
    found = os.fstat(opened)
    if not stat.S_ISREG(found.st_mode):
        return "is not a regular file"
    if found.st_nlink > 1:
        return "has a second name (a hard link)"
    if not _SIGNED.fullmatch(os.pread(opened, _LONGEST, 0)):
        return "is not a lock file of rung"
    return ""


def _refused(path: Path, why: str) -> RightsMissing:
    return RightsMissing(
        f"the lock file {path} {why}",
        f"if no other run is in progress, rename it: `mv {shlex.quote(str(path))} "
        f"{shlex.quote(f'{path}.old')}`",
    )


def _try(opened: int, how: int) -> bool:
    try:
        fcntl.flock(opened, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise QueryFailed(
            f"could not lock the lock file: {error.strerror}",
            "keep the database on a file system that has flock; SQLite itself needs locks too",
        ) from None
    return True


def _is_file(opened: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(opened), path.lstat())
    except OSError:
        return False


def _sign(opened: int) -> None:
    """Say who we are; what cannot be written is not said."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    with suppress(OSError):
        os.ftruncate(opened, 0)
        os.pwrite(opened, f"{os.getpid()}\n{user_name()}\n{now}\n".encode(), 0)


def _read(text: str) -> LockHolder:
    pid, user, since = (*text.split("\n"), "", "", "")[:_LINES]
    number = int(pid) if pid.isdecimal() else 0
    return LockHolder(number, user, "", "", since, ending=f"kill {number}" if number else "")


def user_name() -> str:
    """The user that this process runs as; the number where it has no name."""
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
