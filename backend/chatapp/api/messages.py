"""Messages: ask, whole or as a stream; list; delete."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from decimal import Decimal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

from chatapp import answering, paging, problems
from chatapp.api import shapes
from chatapp.api.conversations import After, Limit, own, place
from chatapp.api.description import Responses, problems_of
from chatapp.api.errors import in_a_stream
from chatapp.api.services import CurrentUser, Here, Services
from chatapp.models import Answer, ProviderError
from chatapp.postgres import store
from chatapp.values import User

router = APIRouter(prefix="/conversations/{conversation_id}", tags=["messages"])

_STREAM: Responses = {
    200: {
        "description": (
            "Events: `delta` with a piece of the answer, at the end `exchange` with question and "
            "answer as they were kept, or `problem` where nothing was kept."
        ),
        "content": {
            "text/event-stream": {
                "schema": {
                    "type": "object",
                    "required": ["event", "data"],
                    "properties": {
                        "event": {"enum": ["delta", "exchange", "problem"]},
                        "data": {"type": "string", "contentMediaType": "application/json"},
                    },
                },
                "example": 'event: delta\ndata: {"text": "You "}\n\n',
            }
        },
    }
}


async def _draft(
    here: Services, user: User, conversation_id: UUID, asked: shapes.NewMessage
) -> answering.Draft:
    # The shortest text of the number, so that 0.7 is kept as 0.7.
    temperature = None if asked.temperature is None else Decimal(str(asked.temperature))
    question = answering.Question(asked.content, asked.id, asked.model, asked.provider, temperature)
    most = here.settings.answer_timeout_s
    of = (user.id, conversation_id)
    return await answering.draft(here.pool, here.catalogue, most, of, question)


@router.post(
    "/messages",
    status_code=201,
    response_model=shapes.Exchange,
    responses=problems_of(401, 404, 409, models=True),
)
async def ask(
    here: Here, user: CurrentUser, conversation_id: UUID, asked: shapes.NewMessage
) -> answering.Exchange:
    """
    Ask, and wait for the whole answer.

    Question and answer are kept together. If this fails in any way, neither is.
    """
    draft = await _draft(here, user, conversation_id, asked)
    try:
        answer = await draft.generation.whole()
    except ProviderError as error:
        failed(here, draft, error)
        raise
    return await _keep(here, draft, answer)


@router.post(
    "/stream",
    response_class=StreamingResponse,
    responses=_STREAM | problems_of(401, 404, 409, models=True),
)
async def stream(
    here: Here, user: CurrentUser, conversation_id: UUID, asked: shapes.NewMessage
) -> StreamingResponse:
    """
    Ask, and get the answer piece by piece as server-sent events.

    Question and answer are kept when the last piece has come, before the event `exchange`. Who
    hangs up earlier leaves nothing behind. What fails before the first piece is a problem with
    its own status.
    """
    draft = await _draft(here, user, conversation_id, asked)
    pieces = draft.generation.pieces()
    try:
        first = await anext(pieces)
    except ProviderError as error:
        failed(here, draft, error)
        raise
    return StreamingResponse(
        _events(here, draft, first, pieces),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _events(
    here: Services, draft: answering.Draft, first: str, pieces: AsyncGenerator[str, None]
) -> AsyncGenerator[bytes, None]:
    try:
        async with aclosing(pieces):
            yield _event("delta", {"text": first})
            async for piece in pieces:
                yield _event("delta", {"text": piece})
        kept = await _keep(here, draft, draft.generation.answer)
        shown = shapes.Exchange.model_validate(kept)
        yield _event("exchange", shown.model_dump(mode="json"))
    except Exception as error:  # noqa: BLE001 - whoever reads is told the end, whatever it is
        if isinstance(error, ProviderError):
            failed(here, draft, error)
        yield _event("problem", in_a_stream(error))


def _event(name: str, data: object) -> bytes:
    return format_sse_event(event=name, data_str=json.dumps(data, ensure_ascii=False))


async def _keep(here: Services, draft: answering.Draft, answer: Answer) -> answering.Exchange:
    """Keep what came; it is counted as answered even where it cannot be kept, for it was paid."""
    here.metrics.answered(answer, "answer")
    return await answering.keep(here.pool, draft, answer)


def failed(here: Services, draft: answering.Draft, error: ProviderError) -> None:
    """Count an answer that did not come."""
    offer = draft.generation.offer
    here.metrics.failed(offer.provider, offer.model, "answer", error.trouble)


@router.get("/messages", responses=problems_of(401, 404))
async def oldest(
    here: Here, user: CurrentUser, conversation_id: UUID, limit: Limit = 50, cursor: After = None
) -> shapes.MessagePage:
    """List what was said, oldest first."""
    async with here.pool.connection() as connection:
        conversation = await own(connection, user, conversation_id)
        behind = place(cursor)
        found = await store.list_messages(connection, conversation.id, behind, limit + 1)
    following = paging.following(found, limit, lambda one: paging.Cursor(one.created_at, one.id))
    items = [shapes.Message.model_validate(one) for one in found[:limit]]
    return shapes.MessagePage(items=items, next=following)


@router.delete("/messages/{message_id}", status_code=204, responses=problems_of(401, 404))
async def delete(here: Here, user: CurrentUser, conversation_id: UUID, message_id: UUID) -> None:
    """
    Delete a message.

    A summary that ends with it stays, but does not say how far it reaches any more: it is not
    sent, and the next one is made anew.
    """
    async with here.pool.connection() as connection:
        conversation = await own(connection, user, conversation_id)
        if not await store.delete_message(connection, conversation.id, message_id):
            raise problems.not_found("message")
