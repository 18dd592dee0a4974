"""
Scratch for PostgreSQL: databases on the embedded server, or on one that the user names.

Roles belong to a whole server. On the embedded one those that the other server has are made,
without the right to log in, and we work as the role of the same name, so that what files grant
and own comes out alike. On a server of the user's none is made by us.
"""

from __future__ import annotations

import secrets
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from rung.drivers.found import Disconnected
from rung.embedded import find, start
from rung.errors import BinariesNotFound, DatabaseError, ScratchFailed
from rung.statements import read
from rung.stopping import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from rung.drivers.base import Driver, Session
    from rung.drivers.found import Surroundings
    from rung.embedded import EmbeddedServer

_NO_DATABASE = "3D000"


@dataclass(slots=True)
class Databases:
    """See `rung.scratch.model.Scratch`."""

    driver: Driver
    """Of the database that they are to be like."""
    admin: Session
    """On the same server, in another database."""
    url: str
    user: str | None
    around: Surroundings
    where: str
    prefix: str = field(default_factory=lambda: f"rung_scratch_{secrets.token_hex(4)}")
    made: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def new(self) -> str:
        """Make an empty one."""
        return self.copy("template0")

    def copy(self, name: str) -> str:
        """Make one after another."""
        made = f"{self.prefix}_{next(self._numbers)}"
        self.made.append(made)
        self._ask(f"CREATE DATABASE {made} TEMPLATE {name}")
        return made

    def open(self, name: str) -> AbstractContextManager[Session]:
        """Connect to one, for a block."""
        settings = self.around.settings
        return self.driver.beside(self.url, name, self.user, settings).connect(Stop())

    def remove(self) -> None:
        """Drop all that were made."""
        for name in self.made:
            self._ask(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _ask(self, sql: str) -> None:
        ran = self.admin.try_out(read(sql), 1, 1)
        if ran.refusal:
            raise ScratchFailed("; ".join(ran.refusal.server.lines()))


@contextmanager
def embedded(
    driver: Driver, around: Surroundings, say: Callable[[str], None]
) -> Iterator[Databases]:
    """
    Scratch databases on a server of our own, of the same major version where there is one.

    Args:
        driver: of the database that they are to be like.
        around: that database's server.
        say: told what takes long, and of another version.

    Raises:
        EmbeddedError: there is none.
    """
    with _server(around.major, say) as server, ExitStack() as stack:
        url = server.url()
        admin = stack.enter_context(driver.beside(url).connect(Stop()))
        for sql in _roles(around):
            admin.try_out(read(sql), 1, 1)  # one that is there already is as good
        made = Databases(driver, admin, url, around.user, around, f"PostgreSQL {server.version}")
        yield made  # the server goes with all that is on it


@contextmanager
def named(driver: Driver, around: Surroundings, url: str) -> Iterator[Databases]:
    """
    Scratch databases on a server that the user names, dropped behind the block.

    Args:
        driver: of the database that they are to be like.
        around: that database's server.
        url: of any database of the other server, with the right to make more.

    Raises:
        ScratchFailed: it makes none for us.
    """
    with driver.beside(url).connect(Stop()) as admin:
        server = admin.surroundings()
        made = Databases(driver, admin, url, None, around, f"PostgreSQL {server.major}")
        try:
            yield made
        finally:
            _remove(made, driver, url)


def _remove(made: Databases, driver: Driver, url: str) -> None:
    """Drop them; over a new connection where the old one is lost."""
    try:
        made.remove()
    except (DatabaseError, Disconnected):
        with driver.beside(url).connect(Stop()) as again:
            made.admin = again
            made.remove()


def _server(major: int | None, say: Callable[[str], None]) -> EmbeddedServer:
    try:
        find(major)
    except BinariesNotFound:
        server = start(say=say)
        say(
            f"there are no binaries of PostgreSQL {major}; PostgreSQL {server.version} stands in "
            "for it, which may write some objects otherwise"
        )
        return server
    return start(major=major, say=say)


def _roles(around: Surroundings) -> Iterator[str]:
    for role in around.roles:
        quoted = '"' + role.replace('"', '""') + '"'
        rights = "LOGIN SUPERUSER" if role == around.user else "NOLOGIN"
        yield f"CREATE ROLE {quoted} {rights}"
