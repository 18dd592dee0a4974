"""
The pool of connections that requests work on.

Each turn on a connection is a transaction, and has an end: the server ends a statement that
takes too long, and we end a turn on a server that answers nothing at all any more.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from psycopg import AsyncConnection, sql
from psycopg_pool import AsyncConnectionPool

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from chatapp.settings import Settings


class Pool(AsyncConnectionPool[AsyncConnection[Any]]):
    """
    Connections, each tried before it is handed out, so that a restart costs no request.

    Args:
        settings: where the database is, and how long what may take.
    """

    def __init__(self, settings: Settings) -> None:
        self._statement_timeout = settings.statement_timeout_ms
        self._turn = settings.pool_timeout_s + 2 * settings.statement_timeout_ms / 1000
        super().__init__(
            settings.database_url.get_secret_value(),
            open=False,
            min_size=1,
            max_size=settings.pool_size,
            timeout=settings.pool_timeout_s,
            configure=self._limit,
            check=AsyncConnectionPool.check_connection,
            name="chatapp",
        )

    async def _limit(self, connection: AsyncConnection[Any]) -> None:
        limit = sql.SQL("SET statement_timeout = {}").format(self._statement_timeout)
        await connection.execute(limit)
        await connection.commit()

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
        async with asyncio.timeout(self._turn), super().connection(timeout) as connection:
            yield connection


def make_pool(settings: Settings) -> Pool:
    """Make the pool, not yet open."""
    return Pool(settings)
