"""
Write summaries: choose the messages, and activate the new summary.

A new summary is made of the active one and the messages after it, if that one ends before the new
one's last message; otherwise of the messages alone. It becomes the active one. Without a last
message from the client it ends with the last answer, because an unanswered question must still be
sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from psycopg import errors

from chatapp import problems
from chatapp.llm import Ask, Generation, ProviderError
from chatapp.postgres import store
from chatapp.prompt import MOST_BYTES, MOST_MESSAGES, is_too_long, summary_turns, usable

if TYPE_CHECKING:
    from uuid import UUID

    from chatapp.llm import Catalogue
    from chatapp.metrics import Metrics
    from chatapp.postgres import Pool
    from chatapp.postgres.rows import Connection
    from chatapp.values import Conversation, Message, Summary


_INCOMPLETE = frozenset({"length", "content_filter"})


class Wanted(NamedTuple):
    """A requested summary."""

    up_to: UUID | None = None
    """The last message that it covers; None for the newest answer."""
    model: str | None = None
    provider: str | None = None


class Material(NamedTuple):
    """The input of a summary."""

    base: Summary | None
    messages: list[Message]
    """The messages that it covers in addition to the base, oldest first; never empty."""


class Draft(NamedTuple):
    """A summary that can be requested; nothing of it is stored yet."""

    conversation: Conversation
    last: UUID
    """The last message that it covers."""
    generation: Generation


async def draft(
    connection: Connection,
    catalogue: Catalogue,
    most: float,
    of: tuple[UUID, UUID],
    request: Wanted,
) -> Draft:
    """
    Compose the request for a summary.

    Args:
        connection: to the database.
        catalogue: the models that may write it.
        most: the most seconds for it.
        of: the ids of the user and the conversation.
        request: the last message, and the model.

    Raises:
        Problem: there is nothing to summarise, or too much, no such message, or nobody serves
            that model.
    """
    chosen = catalogue.choose(request.provider, request.model)
    if chosen is None:
        raise problems.unusable(
            "no-such-model", "Nobody serves that model; see the list of models."
        )
    conversation = await store.conversation(connection, *of)
    if conversation is None:
        raise problems.not_found("conversation")
    material = await _material(connection, conversation, request.up_to)
    turns = summary_turns(material.base, material.messages)
    generation = Generation(*chosen, Ask(chosen[0].model, turns, task="summary"), most)
    return Draft(conversation, material.messages[-1].id, generation)


async def _material(
    connection: Connection, conversation: Conversation, up_to: UUID | None
) -> Material:
    base = await _active(connection, conversation)
    if base is not None:
        newer = await _messages_after(connection, conversation, base.last_message_id)
        if up_to is None or any(message.id == up_to for message in newer):
            return Material(base, _covered(newer, up_to))
    return Material(None, _covered(await _messages_after(connection, conversation, None), up_to))


async def _messages_after(
    connection: Connection, conversation: Conversation, last: UUID | None
) -> list[Message]:
    """Return the messages after one; one more than may be sent, so that too many are noticed."""
    bounds = (MOST_MESSAGES + 1, MOST_BYTES)
    return await store.messages_after(connection, conversation.id, last, *bounds)


async def _active(connection: Connection, conversation: Conversation) -> Summary | None:
    if conversation.active_summary_id is None:
        return None
    row = await store.summary(connection, conversation.id, conversation.active_summary_id)
    return usable(row)


def _covered(messages: list[Message], up_to: UUID | None) -> list[Message]:
    message_values = [message for message in messages if message.role != "system"]
    ends = [number for number, message in enumerate(message_values) if message.id == up_to]
    if not ends and is_too_long(messages):
        raise problems.too_much_to_summarise(MOST_MESSAGES, MOST_BYTES)
    if up_to is not None:
        if not ends:
            raise problems.not_found("message")
        message_values = message_values[: ends[0] + 1]
    else:
        while message_values and message_values[-1].role == "user":
            message_values.pop()
    if not message_values:
        raise problems.conflict("nothing-to-summarise", "Nothing was said that it could cover.")
    return message_values


async def write(pool: Pool, metrics: Metrics, summary_draft: Draft) -> Summary:
    """
    Request a summary, store it, and activate it.

    Raises:
        ProviderError: the provider failed, or the summary is incomplete.
        Problem: it cannot be stored.
    """
    offer = summary_draft.generation.offer
    try:
        answer = await summary_draft.generation.whole()
    except ProviderError as error:
        metrics.failed(offer.provider, offer.model, "summary", error.trouble)
        if summary_draft.generation.paid:
            metrics.paid(summary_draft.generation.answer)
        raise
    metrics.answered(answer, "summary")  # it is paid, even where it cannot be stored
    if answer.ending.finish_reason in _INCOMPLETE:
        raise ProviderError("broken", "The model did not write the summary to its end.")
    return await _keep(pool, summary_draft, answer.text)


async def _keep(pool: Pool, summary_draft: Draft, text: str) -> Summary:
    conversation = summary_draft.conversation
    try:
        async with pool.connection() as connection:
            if not await store.lock_conversation(connection, conversation.user_id, conversation.id):
                raise problems.not_found("conversation")
            summary = await store.add_summary(connection, conversation.id, text, summary_draft.last)
            await store.set_active_summary(connection, conversation.id, summary.id)
            return summary
    except errors.ForeignKeyViolation:
        raise problems.conflict("message-gone", "The last message was deleted meanwhile.") from None
