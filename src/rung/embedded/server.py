"""A running embedded server as its user holds it: where it is, and the lock that keeps it up."""

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
class Use:
    """A shared lock on a server's users file; while any is held the server stays."""

    descriptor: int

    @classmethod
    def of(cls, home: Path) -> Use:
        """
        Take the lock, waiting for a supervisor that is stopping a server there right now.

        It is not passed on to programs that this process starts; a child made by `fork`
        alone shares it, and counts as a user until it ends.
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
        """Let go of the lock; a second time does nothing."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


@dataclass(slots=True)
class EmbeddedServer:
    """
    A PostgreSQL of our own, reached by a socket; a context manager that lets go of it.

    Attributes:
        home: the folder of its locks and log.
        data_dir: its data folder.
        socket_dir: the folder of its socket.
        port: the port number in the socket's name; there is no TCP.
        version: the server's version, such as 18.6.
        kept: True where the data stay after the last user.
        pid: the server's first process.
        supervisor_pid: the process that stops it after the last user.
    """

    home: Path
    data_dir: Path
    socket_dir: Path
    port: int
    version: str
    kept: bool
    pid: int
    supervisor_pid: int
    _use: Use = field(repr=False)

    @property
    def major(self) -> int:
        """The server's major version."""
        digits = re.match(r"\d+", self.version)
        return int(digits[0]) if digits else 0

    def conninfo(self, dbname: str = DATABASE) -> str:
        """Say how to connect, in libpq's key=value form."""
        facts = {
            "host": str(self.socket_dir),
            "port": str(self.port),
            "user": USER,
            "dbname": dbname,
        }
        return " ".join(f"{key}={quoted(value)}" for key, value in facts.items())

    def url(self, dbname: str = DATABASE) -> str:
        """Say how to connect, as a postgresql:// URL."""
        from urllib.parse import quote

        socket = quote(str(self.socket_dir), safe="")
        return f"postgresql://{USER}@/{quote(dbname, safe='')}?host={socket}&port={self.port}"

    def let_in(self, rules: Sequence[str]) -> None:
        """
        Say who may connect from now on, in lines of pg_hba.conf.

        In force once somebody has the server reload its configuration.
        """
        (self.data_dir / "pg_hba.conf").write_text("".join(f"{rule}\n" for rule in rules))

    def close(self) -> None:
        """
        Let go of the server; the supervisor stops it when nobody else uses it.

        Returns at once; a second time does nothing.
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
    """Write a value as libpq reads it in a key=value string."""
    if _PLAIN.match(value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
