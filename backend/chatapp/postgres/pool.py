"""The pool of connections that requests work on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import AsyncConnection, sql
from psycopg_pool import AsyncConnectionPool

if TYPE_CHECKING:
    from chatapp.settings import Settings

Pool = AsyncConnectionPool[AsyncConnection[Any]]


def make_pool(settings: Settings) -> Pool:
    """
    Make the pool, not yet open.

    A connection is tried before it is handed out, so that a restart of the server costs no
    request; each block on one is a transaction.
    """
    limit = sql.SQL("SET statement_timeout = {}").format(settings.statement_timeout_ms)

    async def configure(connection: AsyncConnection[Any]) -> None:
        await connection.execute(limit)
        await connection.commit()

    return AsyncConnectionPool(
        settings.database_url.get_secret_value(),
        open=False,
        min_size=1,
        max_size=settings.pool_size,
        timeout=settings.pool_timeout_s,
        configure=configure,
        check=AsyncConnectionPool.check_connection,
        name="chatapp",
    )
