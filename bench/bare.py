"""
The minimal FastAPI and psycopg code for three routes of the chat service.

It has the same statements, values and schemas, on psycopg's default pool with a transaction for
each connection, and no tokens, limits, metrics, log lines, problems or models. The difference is
the cost of the service's own code, less what it saves.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import uvicorn
from fastapi import FastAPI
from psycopg_pool import AsyncConnectionPool

from chatapp.api import schemas
from chatapp.postgres import store
from chatapp.values import Exchange

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

USER, DATABASE, PORT = (os.environ.get(f"BARE_{name}", "") for name in ("USER", "DATABASE", "PORT"))
_BYTES = 1_000_000
_pool: AsyncConnectionPool = AsyncConnectionPool(DATABASE, open=False, max_size=10)


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[None]:
    async with _pool:
        yield


app = FastAPI(lifespan=_lifespan)


@app.get("/v1/conversations")
async def conversations() -> schemas.ConversationPage:
    """List the conversations of a user."""
    async with _pool.connection() as connection:
        await store.user_by_id(connection, UUID(USER))
        found = await store.list_conversations(connection, UUID(USER), None, 21)
    items = [schemas.Conversation.model_validate(one) for one in found]
    return schemas.ConversationPage(items=items, next=None)


@app.get("/v1/conversations/{conversation_id}/messages")
async def messages(conversation_id: UUID) -> schemas.MessagePage:
    """List the messages of a conversation."""
    async with _pool.connection() as connection:
        await store.user_by_id(connection, UUID(USER))
        await store.conversation(connection, UUID(USER), conversation_id)
        found = await store.list_messages(connection, conversation_id, None, 51, _BYTES)
    items = [schemas.Message.model_validate(one) for one in found]
    return schemas.MessagePage(items=items, next=None)


@app.post("/v1/conversations/{conversation_id}/messages", status_code=201)
async def ask(conversation_id: UUID, asked: schemas.NewMessage) -> schemas.Exchange:
    """Store a question, read the earlier messages, and store an answer."""
    async with _pool.connection() as connection:
        await store.user_by_id(connection, UUID(USER))
        await store.lock_conversation(connection, UUID(USER), conversation_id)
        question = await store.add_question(connection, conversation_id, uuid4(), asked.content)
        await store.messages_after(connection, conversation_id, None, 1001, _BYTES)
    assert question
    async with _pool.connection() as connection:
        await store.lock_conversation(connection, UUID(USER), conversation_id)
        said = {"content": "You said that.", "model": "bare", "provider": "bare"}
        answer = await store.add_answer(connection, question, said, None)
    assert answer
    return schemas.Exchange.model_validate(Exchange(question, answer))


if __name__ == "__main__":
    uvicorn.run(app, port=int(PORT), access_log=False, log_level="warning")
