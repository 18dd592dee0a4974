"""Summaries: create, list, activate, delete."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from psycopg import errors

from chatapp import problems, summaries, values
from chatapp.api import schemas
from chatapp.api.conversations import Limit, own
from chatapp.api.description import problems_of
from chatapp.api.services import Asking, Here
from chatapp.postgres import store

router = APIRouter(prefix="/conversations/{conversation_id}", tags=["summaries"])


@router.post(
    "/summaries",
    status_code=201,
    response_model=schemas.Summary,
    responses=problems_of(401, 404, 409, models=True),
)
async def summarise(
    here: Here, caller: Asking, conversation_id: UUID, asked: schemas.NewSummary
) -> values.Summary:
    """
    Summarise up to a message, or up to the newest answer.

    The summary becomes the active one: it is sent instead of the messages that it covers. It is
    made of the previous active one and the messages after it, if that one ends before.
    """
    request = summaries.Wanted(asked.up_to, asked.model, asked.provider)
    most = here.settings.answer_timeout_s
    async with caller.reading() as (connection, user):
        of = (user.id, conversation_id)
        made = await summaries.draft(connection, here.catalogue, most, of, request)
    return await summaries.write(here.pool, here.metrics, made)


@router.get("/summaries", responses=problems_of(401, 404))
async def list_summaries(
    caller: Asking, conversation_id: UUID, limit: Limit = 20
) -> list[schemas.Summary]:
    """List the newest summaries."""
    async with caller.reading() as (connection, user):
        conversation = await own(connection, user, conversation_id)
        row = await store.list_summaries(connection, conversation.id, limit)
    return [schemas.Summary.model_validate(one) for one in row]


@router.put("/active-summary", response_model=schemas.Conversation, responses=problems_of(401, 404))
async def activate_summary(
    caller: Asking, conversation_id: UUID, asked: schemas.ActiveSummary
) -> values.Conversation:
    """Activate another summary of the conversation, or none."""
    try:
        async with caller.writing() as (connection, user):
            conversation = await own(connection, user, conversation_id)
            return await store.set_active_summary(connection, conversation.id, asked.summary_id)
    except errors.ForeignKeyViolation:
        raise problems.not_found("summary") from None


@router.delete("/summaries/{summary_id}", status_code=204, responses=problems_of(401, 404, 409))
async def delete_summary(caller: Asking, conversation_id: UUID, summary_id: UUID) -> None:
    """Delete a summary that is not the active one."""
    try:
        async with caller.writing() as (connection, user):
            conversation = await own(connection, user, conversation_id)
            if not await store.delete_summary(connection, conversation.id, summary_id):
                raise problems.not_found("summary")
    except errors.ForeignKeyViolation:
        detail = "It is the active one: make another one active first, or none."
        raise problems.conflict("summary-active", detail) from None
