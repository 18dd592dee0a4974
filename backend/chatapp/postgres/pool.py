"""
The pool of connections for requests.

Each use of a connection is limited: the server cancels a statement that takes too long, and the
pool ends the use of a server that does not answer any more.
"""

from __future__ import annotations

import asyncio
import select
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from psycopg import AsyncConnection, sql
from psycopg_pool import AsyncConnectionPool

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from chatapp.settings import Settings

_IDLE_S = 10.0


class Pool(AsyncConnectionPool[AsyncConnection[Any]]):
    """
    A pool that checks each connection before use, so that a restart of the server fails no request.

    A recently used connection is checked without a statement: a server that ended the session has
    sent a message, so its socket is readable. This does not detect a server that vanished without a
    message; a connection that idled longer is therefore checked by a statement.

    Args:
        settings: have the database and the timeouts.
    """

    def __init__(self, settings: Settings) -> None:
        self._statement_timeout = settings.statement_timeout_ms
        self._turn = settings.pool_timeout_s + 2 * settings.statement_timeout_ms / 1000
        self._used: WeakKeyDictionary[AsyncConnection[Any], float] = WeakKeyDictionary()
        super().__init__(
            settings.database_url.get_secret_value(),
            open=False,
            min_size=1,
            max_size=settings.pool_size,
            timeout=settings.pool_timeout_s,
            kwargs={"autocommit": True},
            configure=self._limit,
            check=self._try,
            name="chatapp",
        )

    async def _limit(self, connection: AsyncConnection[Any]) -> None:
        limit = sql.SQL("SET statement_timeout = {}").format(self._statement_timeout)
        await connection.execute(limit)

    async def _try(self, connection: AsyncConnection[Any]) -> None:
        idled = time.monotonic() - self._used.get(connection, 0.0)
        if idled > _IDLE_S or _has_something_to_read(connection):
            await self.check_connection(connection)

    @asynccontextmanager
    async def connection(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - as the pool has it
    ) -> AsyncGenerator[AsyncConnection[Any], None]:
        """
        Return a connection for a `with` block, which is a transaction.

        Args:
            timeout: seconds to wait for a free one; None for the setting.

        Raises:
            PoolTimeout: none was free in time.
            TimeoutError: the server does not answer.
        """
        async with self.alone(timeout) as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def alone(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - as the pool has it
    ) -> AsyncGenerator[AsyncConnection[Any], None]:
        """
        Return a connection for a `with` block whose statements are transactions of their own.

        It is for reading: at READ COMMITTED a transaction around the statements would see the same,
        as each statement has a snapshot of its own, and it would cost two statements more. And it
        is for a pipeline, which the server commits at its end.
        """
        async with asyncio.timeout(self._turn), super().connection(timeout) as connection:
            yield connection
            self._used[connection] = time.monotonic()


def _has_something_to_read(connection: AsyncConnection[Any]) -> bool:
    """Report whether the server has sent a message or closed the connection."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def make_pool(settings: Settings) -> Pool:
    """Create the pool, not opened yet."""
    return Pool(settings)
