"""
The pool of connections that requests work on.

Each turn on a connection has an end: the server ends a statement that takes too long, and we
end a turn on a server that answers nothing at all any more.
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
    Connections, each tried before it is handed out, so that a restart costs no request.

    One that was used a moment ago is tried without a statement: a server that has ended a session
    has said so, and its socket has something to read. Only a server that went without a word is
    not noticed so, and for that a connection that idled longer is asked.

    Args:
        settings: where the database is, and how long what may take.
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
        A connection for a block, which is a transaction.

        Args:
            timeout: seconds to wait for one that is free; None for the setting's.

        Raises:
            PoolTimeout: none was free in time.
            TimeoutError: the server has gone quiet.
        """
        async with self.alone(timeout) as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def alone(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - as the pool has it
    ) -> AsyncGenerator[AsyncConnection[Any], None]:
        """
        A connection for a block whose statements are each a transaction by themselves.

        For reading: in PostgreSQL's usual isolation a transaction around them would see no more,
        for each statement sees what was committed before it, and it would cost two statements. And
        for a pipeline, which the server commits at its end.
        """
        async with asyncio.timeout(self._turn), super().connection(timeout) as connection:
            yield connection
            self._used[connection] = time.monotonic()


def _has_something_to_read(connection: AsyncConnection[Any]) -> bool:
    """Whether the server has sent something unasked, or hung up."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def make_pool(settings: Settings) -> Pool:
    """Make the pool, not yet open."""
    return Pool(settings)
