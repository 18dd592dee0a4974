"""A running embedded server: its address, and the lock that keeps it running."""

from __future__ import annotations

import fcntl
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from rung.embedded.supervisor import USERS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

USER = "postgres"
DATABASE = "postgres"
PORT = 5432
_PLAIN = re.compile(r"[^\s'\\]+\Z")


@dataclass(slots=True)
class UsageLock:
    """A shared lock on a server's users file; the server runs while any is held."""

    descriptor: int

    @classmethod
    def of(cls, home: Path) -> UsageLock:
        """
        Take the lock; wait for a supervisor that is stopping a server there.

        Programs that this process starts do not inherit it. A child of `fork` without exec shares
        it, and counts as a user until it ends.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(home / USERS, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(descriptor)

    def end(self) -> None:
        """Release the lock; a second call does nothing."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


@dataclass(slots=True)
class EmbeddedServer:
    """
    An embedded PostgreSQL, reached by a socket; as a context manager it is closed at the end.

    Attributes:
        home: the folder of its locks and log.
        data_dir: its data folder.
        socket_dir: the folder of its socket.
        port: the port number in the socket's name; there is no TCP.
        version: the server's version, such as 18.6.
        is_persistent: True where the data stay after the last user.
        pid: the server's first process.
        supervisor_pid: the process that stops it after the last user.
    """

    home: Path
    data_dir: Path
    socket_dir: Path
    port: int
    version: str
    is_persistent: bool
    pid: int
    supervisor_pid: int
    _use: UsageLock = field(repr=False)

    @property
    def major(self) -> int:
        """Return the server's major version."""
        digits = re.match(r"\d+", self.version)
        return int(digits[0]) if digits else 0

    def conninfo(self, dbname: str = DATABASE) -> str:
        """Return the connection string in libpq's key=value form."""
        facts = {
            "host": str(self.socket_dir),
            "port": str(self.port),
            "user": USER,
            "dbname": dbname,
        }
        return " ".join(f"{key}={quoted(value)}" for key, value in facts.items())

    def url(self, dbname: str = DATABASE) -> str:
        """Return the connection string as a postgresql:// URL."""
        from urllib.parse import quote

        socket = quote(str(self.socket_dir), safe="")
        return f"postgresql://{USER}@/{quote(dbname, safe='')}?host={socket}&port={self.port}"

    def write_hba(self, rules: Sequence[str]) -> None:
        """
        Write the lines of pg_hba.conf, which say who may connect.

        They take effect when the server reloads its configuration.
        """
        (self.data_dir / "pg_hba.conf").write_text("".join(f"{rule}\n" for rule in rules))

    def close(self) -> None:
        """
        Release the server; the supervisor stops it when nobody else uses it.

        Returns at once; a second call does nothing.
        """
        self._use.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def quoted(value: str) -> str:
    """Quote a value for libpq's key=value form."""
    if _PLAIN.match(value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
