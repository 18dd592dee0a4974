"""
Hearing from the service's other processes: LISTEN, on a connection that is for nothing else.

A notice that is sent while the connection is away is lost; it is opened again within seconds.
Behind a pooler that hands out a connection for each transaction nothing is heard.
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
"""By which the connection is found in pg_stat_activity."""
_ALIVE_S = 20.0
"""How often the server is asked whether it is still there, and how long it has to say so."""
_PAUSE_S = 2.0


async def listen(conninfo: str, heard: Callable[[str], None], tried: asyncio.Event) -> None:
    """
    Hear every notice, until it is cancelled.

    Args:
        conninfo: where the database is.
        heard: called with what each notice says.
        tried: set once notices are heard, or cannot be for now.
    """
    while True:
        try:
            await _hear(conninfo, heard, tried)
        except (psycopg.Error, OSError) as error:
            _LOGGER.info("Not hearing from other processes now: %s", type(error).__name__)
        tried.set()
        await asyncio.sleep(_PAUSE_S)


async def _hear(conninfo: str, heard: Callable[[str], None], tried: asyncio.Event) -> None:
    connecting = AsyncConnection.connect(conninfo, autocommit=True, application_name=_NAME)
    async with await connecting as connection:
        await connection.execute(f"LISTEN {_CHANNEL}".encode())
        tried.set()
        while True:
            async for notice in connection.notifies(timeout=_ALIVE_S):
                heard(notice.payload)
            async with asyncio.timeout(_ALIVE_S):
                await connection.execute(b"SELECT 1")
