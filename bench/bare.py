"""
The least that FastAPI and psycopg need for what two routes of the chat service do.

The same statements, read by the same rows, on a pool of psycopg's as it comes, a connection for
each request. No log-in, limits, metrics, log lines, problems or models: what the service adds is
the difference.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import uvicorn
from fastapi import FastAPI
from psycopg_pool import AsyncConnectionPool

from chatapp.api import shapes
from chatapp.postgres import store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

USER, DATABASE, PORT = (os.environ.get(f"BARE_{name}", "") for name in ("USER", "DATABASE", "PORT"))
_pool: AsyncConnectionPool = AsyncConnectionPool(DATABASE, open=False, max_size=10)


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[None]:
    async with _pool:
        yield


app = FastAPI(lifespan=_lifespan)


@app.get("/v1/conversations")
async def conversations() -> shapes.ConversationPage:
    """List somebody's conversations."""
    async with _pool.connection() as connection:
        await store.user_by_id(connection, UUID(USER))
        found = await store.list_conversations(connection, UUID(USER), None, 21)
    items = [shapes.Conversation.model_validate(one) for one in found]
    return shapes.ConversationPage(items=items, next=None)


if __name__ == "__main__":
    uvicorn.run(app, port=int(PORT), access_log=False, log_level="warning")
