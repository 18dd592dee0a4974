"""Scratch databases for PostgreSQL on an embedded server, which is removed with them."""

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
from rung.scratch.named_server import Account, ScratchDatabases
from rung.script import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rung.drivers.contract import Driver, Session
    from rung.drivers.inspection import ServerContext
    from rung.embedded import EmbeddedServer

_TIMEOUT = 10.0  # seconds
_PAUSE = 0.02  # seconds
_SETTINGS = {"temp_file_limit": "4GB", "max_locks_per_transaction": "1024"}
"""
What a query sorts on disk is no part of its database; only superusers may change the first.

One transaction may create thousands of tables, each with a lock.
"""
_WRONG_PASSWORD = "not the password"  # noqa: S105 - no secret


@contextmanager
def on_embedded_server(
    driver: Driver,
    context: ServerContext,
    say: Callable[[str], None],
    note: Callable[[str], None],
) -> Iterator[ScratchDatabases]:
    """
    Yield scratch databases on an embedded server, of the target's major version if installed.

    Args:
        driver: of the target database.
        context: facts about the target's server.
        say: receives a sentence about what takes long.
        note: receives one about another version.

    Raises:
        EmbeddedError: there is no embedded server.
        ScratchFailed: the server does not apply its rules for superusers.
    """
    with _server(context.major, say, note) as server:
        name, password = f"rung_scratch_{secrets.token_hex(8)}", secrets.token_hex(16)
        with driver.sibling(server.url()).connect(CancelToken()) as first:
            _execute(first, roles.administrator(name, password))
        with driver.sibling(server.url(), None, name, (), password).connect(CancelToken()) as admin:
            for sql in roles.server_statements(context, server.major, USER):
                _execute(admin, sql)
            _exclude_superusers(driver, server, admin, name)
            databases = ScratchDatabases(
                driver,
                admin,
                server.url(),
                Account(context.user),
                context,
                f"PostgreSQL {server.version}",
                prepare=tuple(roles.database_statements(context, server.major)),
                superuser=Account(name, password),
                role_statements=tuple(roles.role_statements(context)),
            )
            databases.create_roles()
            yield databases


def _exclude_superusers(driver: Driver, server: EmbeddedServer, admin: Session, name: str) -> None:
    """
    Require a password of superusers, and wait until the server applies that.

    The reload is a signal to the postmaster: only a rejected login shows that it has happened.
    """
    server.write_hba(roles.hba_rules(name))
    _execute(admin, "SELECT pg_catalog.pg_reload_conf()")
    deadline = time.monotonic() + _TIMEOUT
    while time.monotonic() < deadline:
        try:
            with driver.sibling(server.url(), None, name, (), _WRONG_PASSWORD).connect(
                CancelToken()
            ):
                time.sleep(_PAUSE)
        except ConnectionFailed:
            return
    raise ScratchFailed("the embedded server does not use its authentication rules")


def _execute(session: Session, sql: str) -> None:
    result = session.run_unrecorded(read(sql), 1, 1)
    if result.failure:
        raise ScratchFailed("; ".join(result.failure.server.lines()))


def _server(
    major: int | None, say: Callable[[str], None], note: Callable[[str], None]
) -> EmbeddedServer:
    try:
        find(major)
    except BinariesNotFound:
        server = start(say=say, settings=_SETTINGS)
        note(
            f"no binaries of PostgreSQL {major} were found; PostgreSQL {server.version} is used "
            "instead, which may write some objects differently"
        )
        return server
    return start(major=major, say=say, settings=_SETTINGS)
