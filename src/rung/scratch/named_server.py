"""
Scratch for PostgreSQL: databases on the embedded server, or on one that the user names.

Files run there as a role that is no superuser and cannot become one, and that reaches neither
programs nor files of the server: it logs in as itself, so that RESET ROLE and RESET SESSION
AUTHORIZATION lead back to it. It owns the databases, and that is all.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from rung.cancellation import CancelToken
from rung.drivers.inspection import Disconnected
from rung.errors import DatabaseError, ScratchFailed
from rung.scratch.roles import quoted
from rung.script import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from rung.drivers.contract import Driver, Session
    from rung.drivers.inspection import ServerContext


@dataclass(frozen=True, slots=True)
class Account:
    """Whom files run as: a role of the server; None where that is who the URL names."""

    user: str | None = None
    password: str | None = None

    @property
    def owner(self) -> str:
        """The clause that gives it a database."""
        return "" if self.user is None else f" OWNER {quoted(self.user)}"


@dataclass(slots=True)
class Databases:
    """See `rung.scratch.model.Scratch`."""

    driver: Driver
    """Of the database that they are to be like."""
    admin: Session
    """On the same server, in another database."""
    url: str
    account: Account
    around: ServerContext
    where: str
    prepare: tuple[str, ...] = ()
    """What a superuser does in each empty one, where there is one for it."""
    superuser: Account = field(default_factory=Account)
    prefix: str = field(default_factory=lambda: f"rung_scratch_{secrets.token_hex(4)}")
    made: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def new(self) -> str:
        """Make an empty one."""
        made = self.copy("template0")
        if self.prepare:
            with self._there(made, self.superuser).connect(CancelToken()) as session:
                for sql in self.prepare:
                    session.run_unrecorded(read(sql), 1, 1)  # what is not to be had, the files tell
        return made

    def copy(self, name: str) -> str:
        """Make one after another."""
        made = f"{self.prefix}_{next(self._numbers)}"
        self.made.append(made)
        self.ask(f"CREATE DATABASE {made}{self.account.owner} TEMPLATE {name}")
        return made

    def open(self, name: str) -> AbstractContextManager[Session]:
        """Connect to one, for a block."""
        return self._there(name, self.account, self.around.settings).connect(CancelToken())

    def _there(
        self, name: str, account: Account, settings: Sequence[tuple[str, str]] = ()
    ) -> Driver:
        return self.driver.beside(self.url, name, account.user, settings, account.password)

    def remove(self) -> None:
        """Drop all that were made."""
        for name in self.made:
            self.ask(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def ask(self, sql: str) -> None:
        """Have the server do something, which it has to."""
        ran = self.admin.run_unrecorded(read(sql), 1, 1)
        if ran.refusal:
            raise ScratchFailed("; ".join(ran.refusal.server.lines()))


@contextmanager
def named(driver: Driver, around: ServerContext, url: str) -> Iterator[Databases]:
    """
    Scratch databases on a server that the user names, dropped behind the block.

    Where its URL names a role that reaches more than databases, a role of the moment runs the
    files; it belongs to no other, for those may own what is not ours.

    Args:
        driver: of the database that they are to be like.
        around: that database's server.
        url: of any database of the other server, with the right to make more.

    Raises:
        ScratchFailed: it makes none for us.
    """
    with driver.beside(url).connect(CancelToken()) as admin:
        server = admin.surroundings()
        made = Databases(driver, admin, url, Account(), around, f"PostgreSQL {server.major}")
        try:
            if server.leaves_database:
                made.account = _made_account(made)
            yield made
        finally:
            _remove(made, driver, url)


def _made_account(made: Databases) -> Account:
    account = Account(f"{made.prefix}_role", secrets.token_hex(16))
    made.ask(f"CREATE ROLE {account.user} LOGIN PASSWORD '{account.password}'")
    made.ask(f"GRANT {account.user} TO CURRENT_USER")
    return account


def _remove(made: Databases, driver: Driver, url: str) -> None:
    """Drop them and the role; over a new connection where the old one is lost."""
    try:
        _drop(made)
    except (DatabaseError, Disconnected):
        with driver.beside(url).connect(CancelToken()) as again:
            made.admin = again
            _drop(made)


def _drop(made: Databases) -> None:
    made.remove()
    if made.account.user is not None:
        made.ask(f"DROP ROLE IF EXISTS {made.account.user}")
