"""
Create disposable databases for a `with` block, and remove them after it in any case.

Owns how they are created, copied and removed. What is proved on them is decided elsewhere.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rung.errors import UsageError
from rung.scratch.embedded_server import on_embedded_server
from rung.scratch.model import Scratch
from rung.scratch.named_server import on_named_server
from rung.scratch.sqlite_files import on_files
from rung.script.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rung.drivers.contract import Driver, Session
    from rung.drivers.inspection import ServerContext

__all__ = ["Scratch", "scratch_like", "scratch_of"]


@contextmanager
def scratch_of(
    driver: Driver, session: Session, url: str | None, say: Callable[[str], None]
) -> Iterator[Scratch]:
    """
    Yield scratch databases that resemble a target database.

    Args:
        driver: of the target; names of ledger and history are taken from it.
        session: on the target; only facts about its server are read.
        url: of the server for the databases; None for the embedded server, or for SQLite a folder.
        say: receives a sentence about what takes long or differs from the target.

    Raises:
        EmbeddedError: there is no embedded server, and none was named.
        ScratchFailed: the named server does not allow creating databases.
        UsageError: the URL cannot be read, or names a server where none is needed.
    """
    is_file = session.locate().dialect is Dialect.SQLITE
    context = None if is_file else session.server_context()
    with scratch_like(driver, context, url, say, say) as databases:
        yield databases


@contextmanager
def scratch_like(
    driver: Driver,
    context: ServerContext | None,
    url: str | None,
    say: Callable[[str], None],
    note: Callable[[str], None],
) -> Iterator[Scratch]:
    """
    Yield scratch databases that resemble a server of which these facts are known.

    Args:
        driver: of the target; it need not be reachable.
        context: facts about the target's server; None for SQLite, which has none.
        url: of the server for the databases; None for the embedded server, or for SQLite a folder.
        say: receives a sentence about what takes long.
        note: receives one about what differs from the target, and about what is left.

    Raises:
        EmbeddedError, ScratchFailed, UsageError: as for `scratch_of`.
    """
    if context is None:
        if url is not None:
            raise UsageError("SQLite needs no scratch server", "leave --scratch out")
        with on_files(driver) as files:
            yield files
        return
    if url is None:
        server = on_embedded_server(driver, context, say, note)
    else:
        server = on_named_server(driver, context, url, note)
    with server as databases:
        yield databases
