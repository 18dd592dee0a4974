"""
Receive notices of the service's other processes: LISTEN, on a connection of its own.

A notice that is sent while the connection is lost is lost too; it is opened again within seconds.
Behind a pooler in transaction mode no notice is received.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import psycopg
from psycopg import AsyncConnection

if TYPE_CHECKING:
    from collections.abc import Callable

_LOGGER = logging.getLogger("chatapp")
_CHANNEL = "chatapp_stop"
_NAME = "chatapp listening"
"""The application name of the connection in pg_stat_activity."""
_ALIVE_S = 20.0
"""The interval of checks whether the server answers, and their timeout, in seconds."""
_PAUSE_S = 2.0


async def listen(conninfo: str, on_notice: Callable[[str], None], listening: asyncio.Event) -> None:
    """
    Receive notices until cancelled.

    Args:
        conninfo: of the database.
        on_notice: called with the payload of each notice.
        listening: set once notices are received, or cannot be received for now.
    """
    while True:
        try:
            await _hear(conninfo, on_notice, listening)
        except (psycopg.Error, OSError) as error:
            _LOGGER.info("Not hearing from other processes now: %s", type(error).__name__)
        listening.set()
        await asyncio.sleep(_PAUSE_S)


async def _hear(conninfo: str, on_notice: Callable[[str], None], listening: asyncio.Event) -> None:
    connecting = AsyncConnection.connect(conninfo, autocommit=True, application_name=_NAME)
    async with await connecting as connection:
        await connection.execute(f"LISTEN {_CHANNEL}".encode())
        listening.set()
        while True:
            async for notice in connection.notifies(timeout=_ALIVE_S):
                on_notice(notice.payload)
            async with asyncio.timeout(_ALIVE_S):
                await connection.execute(b"SELECT 1")
