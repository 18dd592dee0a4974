"""Messages: ask, with a whole answer or a stream; stop; ask again; list; show; delete."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

from chatapp import answers, pagination, problems, values
from chatapp.api import schemas
from chatapp.api.conversations import After, Limit, own, place
from chatapp.api.description import Responses, problems_of
from chatapp.api.errors import in_a_stream
from chatapp.api.services import Asking, Caller, Here, Services
from chatapp.postgres import store
from chatapp.running_answers import RunningAnswer

router = APIRouter(prefix="/conversations/{conversation_id}", tags=["messages"])

_STREAM: Responses = {
    200: {
        "description": (
            "Events: first `question`, as it was kept; `delta` with a piece of the answer; at the "
            "end `exchange` with question and answer as they were kept, or `problem`."
        ),
        "content": {
            "text/event-stream": {
                "schema": {
                    "type": "object",
                    "required": ["event", "data"],
                    "properties": {
                        "event": {"enum": ["question", "delta", "exchange", "problem"]},
                        "data": {"type": "string", "contentMediaType": "application/json"},
                    },
                },
                "example": 'event: delta\ndata: {"text": "You "}\n\n',
            }
        },
    }
}
_REPLAYED: Responses = {
    200: {"model": schemas.Exchange, "description": "It was answered already"},
}
_NEVER_READ = 499
_PAGE_BYTES = 1_000_000


@router.post(
    "/messages",
    status_code=201,
    response_model=schemas.Exchange,
    responses=_REPLAYED | problems_of(401, 404, 409, models=True),
)
async def ask(
    here: Here,
    caller: Asking,
    conversation_id: UUID,
    asked: schemas.NewMessage,
    request: Request,
    response: Response,
) -> values.Exchange:
    """
    Ask a question, and wait for the whole answer.

    The question is stored at once, the answer when it is complete. If that fails, the question
    stays without an answer: ask again with its id. After a disconnect the answer continues for a
    while, and is stored.
    """
    row = await _ask(here, caller, conversation_id, asked)
    if isinstance(row, values.Exchange):
        response.status_code = 200
        return row
    with row.read():
        over = asyncio.create_task(row.result())
        gone = asyncio.create_task(_gone(request))
        try:
            await asyncio.wait({over, gone}, return_when=asyncio.FIRST_COMPLETED)
            if over.done():
                return over.result()
        finally:
            over.cancel()
            gone.cancel()
    raise problems.Problem(_NEVER_READ, "gone", "Gone", "Whoever asked has hung up.")


async def _gone(request: Request) -> None:
    """Wait until the client has disconnected."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


@router.post(
    "/stream",
    response_class=StreamingResponse,
    responses=_STREAM | problems_of(401, 404, 409),
)
async def stream_answer(
    here: Here, caller: Asking, conversation_id: UUID, asked: schemas.NewMessage
) -> StreamingResponse:
    """
    Ask a question, and receive the answer in pieces as server-sent events.

    The first event is sent as soon as the question is stored. After a disconnect the answer
    continues for a while, and is stored. Asking again with the question's id returns the answer
    from its beginning, and continues it if it is running in the same process.
    """
    return _streamed(await _ask(here, caller, conversation_id, asked))


@router.post(
    "/messages/{message_id}/regenerate",
    response_class=StreamingResponse,
    responses=_STREAM | problems_of(401, 404, 409),
)
async def regenerate_answer(
    here: Here,
    caller: Asking,
    conversation_id: UUID,
    message_id: UUID,
    asked: Annotated[schemas.Regeneration | None, Body()] = None,
) -> StreamingResponse:
    """
    Ask the newest question again, and receive the answer as server-sent events.

    The new answer replaces the old one when it is complete; until then, and if it fails, the old
    one stays. The usage of a replaced answer stays. A summary that ends with it stays, but is not
    sent any more.
    """
    if here.answers.is_running(message_id):
        raise problems.running()
    request = _wanted(asked or schemas.Regeneration())
    chosen = answers.choose(here.catalogue, request)
    most = _most(here)
    async with caller.writing() as (connection, user):
        of = (user.id, conversation_id)
        draft = await answers.ask_again(connection, chosen, most, of, message_id, request)
    return _streamed(here.answers.start(draft))


@router.post(
    "/messages/{message_id}/stop",
    status_code=202,
    response_model=schemas.Message,
    responses=problems_of(401, 404),
)
async def stop_answer(
    here: Here, caller: Asking, conversation_id: UUID, message_id: UUID
) -> values.Message:
    """
    Stop the answer to a question, in whichever process it is running.

    The text so far is stored as the answer, with the `finish_reason` `stopped`. If there is no text
    yet, or it does not have the conversation's form, the question stays without an answer. If no
    answer is running, nothing happens.
    """
    async with caller.writing() as (connection, user):
        conversation = await own(connection, user, conversation_id)
        row = await store.message_and_answer(connection, conversation.id, message_id)
        if row is None or row[0].role != "user":
            raise problems.not_found("question")
        await store.tell_to_stop(connection, message_id)
    here.answers.stop(message_id)
    return row[0]


def _wanted(asked: schemas.NewMessage | schemas.Regeneration) -> answers.Wanted:
    # The shortest text of the number, so that 0.7 is kept as 0.7.
    temperature = None if asked.temperature is None else Decimal(str(asked.temperature))
    return answers.Wanted(asked.model, asked.provider, temperature)


def _most(here: Services) -> answers.Most:
    return answers.Most(here.settings.answer_timeout_s, here.settings.prompt_max_tokens)


async def _ask(
    here: Services, caller: Caller, conversation_id: UUID, asked: schemas.NewMessage
) -> RunningAnswer | values.Exchange:
    request = _wanted(asked)
    chosen = answers.choose(here.catalogue, request)
    message_values, most = (asked.id, asked.content), _most(here)
    async with caller.writing() as (connection, user):
        of = (user.id, conversation_id)
        row = await answers.ask(connection, chosen, most, of, message_values, request)
    return row if isinstance(row, values.Exchange) else here.answers.start(row)


def _streamed(row: RunningAnswer | values.Exchange) -> StreamingResponse:
    return StreamingResponse(
        _kept(row) if isinstance(row, values.Exchange) else _events(row),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _kept(exchange: values.Exchange) -> AsyncGenerator[bytes, None]:
    yield _event("question", _shown(exchange.question))
    yield _event("delta", {"text": exchange.answer.content})
    yield _event("exchange", _shown(exchange))


async def _events(running: RunningAnswer) -> AsyncGenerator[bytes, None]:
    with running.read():
        yield _event("question", _shown(running.draft.question))
        async for piece in running.pieces():
            yield _event("delta", {"text": piece}) if piece else b": still waiting\n\n"
        try:
            kept = await running.result()
        except Exception as error:  # noqa: BLE001 - whoever reads is told the end, whatever it is
            yield _event("problem", in_a_stream(error))
        else:
            yield _event("exchange", _shown(kept))


def _shown(what: values.Message | values.Exchange) -> object:
    shape = schemas.Message if isinstance(what, values.Message) else schemas.Exchange
    return shape.model_validate(what).model_dump(mode="json")


def _event(name: str, data: object) -> bytes:
    return format_sse_event(event=name, data_str=json.dumps(data, ensure_ascii=False))


@router.get("/messages", responses=problems_of(401, 404))
async def list_messages(
    caller: Asking, conversation_id: UUID, limit: Limit = 50, cursor: After = None
) -> schemas.MessagePage:
    """
    List messages, oldest first; a question has the id of its answer.

    A page of more than a megabyte of text ends early: `next` shows whether there is more.
    """
    async with caller.reading() as (connection, user):
        conversation = await own(connection, user, conversation_id)
        behind = place(cursor)
        row = await store.list_messages(connection, conversation.id, behind, limit + 1, _PAGE_BYTES)
    limit = pagination.rows_that_fit(row, limit, _PAGE_BYTES, lambda one: len(one.content.encode()))
    next_cursor = pagination.next_cursor(
        row, limit, lambda one: pagination.Cursor(one.created_at, one.id)
    )
    items = [schemas.Message.model_validate(one) for one in row[:limit]]
    return schemas.MessagePage(items=items, next=next_cursor)


@router.get(
    "/messages/{message_id}", response_model=schemas.Message, responses=problems_of(401, 404)
)
async def get_message(caller: Asking, conversation_id: UUID, message_id: UUID) -> values.Message:
    """Show a message; a question has the id of its answer."""
    async with caller.reading() as (connection, user):
        conversation = await own(connection, user, conversation_id)
        row = await store.message_and_answer(connection, conversation.id, message_id)
    if row is None:
        raise problems.not_found("message")
    return row[0]


@router.delete("/messages/{message_id}", status_code=204, responses=problems_of(401, 404))
async def delete_message(caller: Asking, conversation_id: UUID, message_id: UUID) -> None:
    """
    Delete a message.

    A summary that ends with it stays, but is not sent any more, and the next summary is made from
    the messages again.
    """
    async with caller.writing() as (connection, user):
        conversation = await own(connection, user, conversation_id)
        if not await store.delete_message(connection, conversation.id, message_id):
            raise problems.not_found("message")
