"""Conversations: begin, list, show, change, delete."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from psycopg import errors

from chatapp import pagination, problems, response_formats, values
from chatapp.api import schemas
from chatapp.api.description import problems_of
from chatapp.api.services import Asking
from chatapp.postgres import store
from chatapp.postgres.rows import Connection

router = APIRouter(prefix="/conversations", tags=["conversations"])

Limit = Annotated[int, Query(ge=1, le=100, description="How many at the most.")]
After = Annotated[
    str | None,
    Query(max_length=200, pattern=r"^[A-Za-z0-9_-]+$", description="`next` of the page before."),
]


def place(cursor: str | None) -> pagination.Cursor | None:
    """Decode a cursor; an invalid one is a problem."""
    if cursor is None:
        return None
    try:
        return pagination.read(cursor)
    except ValueError:
        raise problems.unusable("bad-cursor", "That is no cursor of a page here.") from None


def _check(form: values.Format, schema: str | None) -> None:
    if fault := response_formats.schema_fault(form, schema):
        raise problems.unusable("bad-schema", fault)


@router.post(
    "", status_code=201, response_model=schemas.Conversation, responses=problems_of(401, 409)
)
async def begin_conversation(caller: Asking, asked: schemas.NewConversation) -> values.Conversation:
    """Begin a conversation, with instructions for the model and the form of its answers."""
    form = (asked.response_format, asked.response_schema)
    _check(*form)
    try:
        async with caller.writing() as (connection, user):
            made = await store.add_conversation(connection, user.id, asked.id, asked.title, form)
            if asked.instructions is not None:
                message_values = {"role": "system", "content": asked.instructions}
                await store.add_message(connection, made.id, message_values)
            return made
    except errors.UniqueViolation:
        raise problems.conflict("id-taken", "There is a conversation with that id.") from None


@router.get("", responses=problems_of(401))
async def list_conversations(
    caller: Asking, limit: Limit = 20, cursor: After = None
) -> schemas.ConversationPage:
    """List the user's conversations, the one with the newest message first."""
    async with caller.reading() as (connection, user):
        row = await store.list_conversations(connection, user.id, place(cursor), limit + 1)
    next_cursor = pagination.next_cursor(
        row, limit, lambda one: pagination.Cursor(one.updated_at, one.id)
    )
    items = [schemas.Conversation.model_validate(one) for one in row[:limit]]
    return schemas.ConversationPage(items=items, next=next_cursor)


@router.get(
    "/{conversation_id}", response_model=schemas.Conversation, responses=problems_of(401, 404)
)
async def get_conversation(caller: Asking, conversation_id: UUID) -> values.Conversation:
    """Show a conversation."""
    async with caller.reading() as (connection, user):
        return await own(connection, user, conversation_id)


@router.patch(
    "/{conversation_id}", response_model=schemas.Conversation, responses=problems_of(401, 404, 409)
)
async def change_conversation(
    caller: Asking, conversation_id: UUID, asked: schemas.ConversationChange
) -> values.Conversation:
    """Rename a conversation; before its first question, also change the form of its answers."""
    async with caller.writing() as (connection, user):
        was = await store.lock_conversation(connection, user.id, conversation_id)
        if was is None:
            raise problems.not_found("conversation")
        given = asked.model_fields_set
        title = asked.title if "title" in given else was.title
        form = _form(was, asked)
        if form != (was.response_format, was.response_schema):
            _check(*form)
            if await store.question_asked(connection, was.id):
                raise problems.conflict("form-locked", "The form is locked by the first question.")
        return await store.change_conversation(connection, was.id, title, form)


def _form(
    was: values.Conversation, asked: schemas.ConversationChange
) -> tuple[values.Format, str | None]:
    """Return the requested form; another format discards the schema of the old one."""
    form = asked.response_format or was.response_format
    if "response_schema" in asked.model_fields_set:
        return form, asked.response_schema
    return form, was.response_schema if form == was.response_format else None


@router.delete("/{conversation_id}", status_code=204, responses=problems_of(401, 404))
async def delete_conversation(caller: Asking, conversation_id: UUID) -> None:
    """Delete a conversation with its messages and summaries."""
    async with caller.writing() as (connection, user):
        if not await store.delete_conversation(connection, user.id, conversation_id):
            raise problems.not_found("conversation")


async def own(
    connection: Connection, user: values.User, conversation_id: UUID
) -> values.Conversation:
    """Return a conversation of the user; raise a Problem where there is none."""
    row = await store.conversation(connection, user.id, conversation_id)
    if row is None:
        raise problems.not_found("conversation")
    return row
