"""Scratch for PostgreSQL on a server of our own, which goes with all that is on it."""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rung.cancellation import CancelToken
from rung.embedded import find, start
from rung.embedded.server import USER
from rung.errors import BinariesNotFound, ConnectionFailed, ScratchFailed
from rung.scratch import roles
from rung.scratch.named_server import Account, Databases
from rung.script import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rung.drivers.contract import Driver, Session
    from rung.drivers.inspection import ServerContext
    from rung.embedded import EmbeddedServer

_WITHIN = 10.0
_PAUSE = 0.02
_WRONG = "not the password"


@contextmanager
def embedded(
    driver: Driver, around: ServerContext, say: Callable[[str], None]
) -> Iterator[Databases]:
    """
    Scratch databases on a server of our own, of the same major version where there is one.

    Args:
        driver: of the database that they are to be like.
        around: that database's server.
        say: told what takes long, and of another version.

    Raises:
        EmbeddedError: there is none.
        ScratchFailed: it cannot be closed to its superusers.
    """
    with _server(around.major, say) as server:
        name, password = f"rung_scratch_{secrets.token_hex(8)}", secrets.token_hex(16)
        with driver.beside(server.url()).connect(CancelToken()) as first:
            _insist(first, roles.administrator(name, password))
        with driver.beside(server.url(), None, name, (), password).connect(CancelToken()) as admin:
            for sql in roles.role_statements(around, server.major, USER):
                admin.run_unrecorded(read(sql), 1, 1)  # what is refused, the files will tell
            _shut(driver, server, admin, name)
            yield Databases(
                driver,
                admin,
                server.url(),
                Account(around.user),
                around,
                f"PostgreSQL {server.version}",
                tuple(roles.database_statements(around, server.major)),
                Account(name, password),
            )  # the server goes with all that is on it


def _shut(driver: Driver, server: EmbeddedServer, admin: Session, name: str) -> None:
    """Close the server to its superusers, and wait until that is so: it is told by a signal."""
    server.let_in(roles.let_in(name))
    _insist(admin, "SELECT pg_catalog.pg_reload_conf()")
    deadline = time.monotonic() + _WITHIN
    while time.monotonic() < deadline:
        try:
            with driver.beside(server.url(), None, name, (), _WRONG).connect(CancelToken()):
                time.sleep(_PAUSE)
        except ConnectionFailed:
            return
    raise ScratchFailed("the embedded server does not take its rules of who may connect")


def _insist(session: Session, sql: str) -> None:
    ran = session.run_unrecorded(read(sql), 1, 1)
    if ran.refusal:
        raise ScratchFailed("; ".join(ran.refusal.server.lines()))


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
