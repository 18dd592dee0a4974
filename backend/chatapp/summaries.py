"""
Summaries, step by step: what a new one is made of, and which one is active.

A new one is made of the active one and what came after it, where that one ends before; of
the messages alone otherwise. It becomes the active one. Where no last message is named, it ends
with the last answer: a question that is open, or being answered, is still to be sent.
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


_CUT = frozenset({"length", "content_filter"})


class Wanted(NamedTuple):
    """A summary that a client wants."""

    up_to: UUID | None = None
    """The last message that it covers; None for the last there is."""
    model: str | None = None
    provider: str | None = None


class Material(NamedTuple):
    """What a summary is made of."""

    base: Summary | None
    messages: list[Message]
    """What it covers beyond the base, oldest first; never empty."""


class Draft(NamedTuple):
    """A summary that can be asked for: nothing is kept of it yet."""

    conversation: Conversation
    last: UUID
    """The last message that it covers."""
    generation: Generation


async def draft(
    connection: Connection, catalogue: Catalogue, most: float, of: tuple[UUID, UUID], wanted: Wanted
) -> Draft:
    """
    Put together what a summary is made of.

    Args:
        connection: where the conversation is.
        catalogue: who may write it.
        most: seconds that it may take.
        of: whose conversation, and which.
        wanted: up to which message, and from which model.

    Raises:
        Problem: there is nothing to summarise, or too much, no such message, or nobody serves
            that model.
    """
    chosen = catalogue.choose(wanted.provider, wanted.model)
    if chosen is None:
        raise problems.unusable(
            "no-such-model", "Nobody serves that model; see the list of models."
        )
    conversation = await store.conversation(connection, *of)
    if conversation is None:
        raise problems.not_found("conversation")
    material = await _material(connection, conversation, wanted.up_to)
    turns = summary_turns(material.base, material.messages)
    generation = Generation(*chosen, Ask(chosen[0].model, turns, task="summary"), most)
    return Draft(conversation, material.messages[-1].id, generation)


async def _material(
    connection: Connection, conversation: Conversation, up_to: UUID | None
) -> Material:
    base = await _active(connection, conversation)
    if base is not None:
        behind = await _first(connection, conversation, base.last_message_id)
        if up_to is None or any(message.id == up_to for message in behind):
            return Material(base, _covered(behind, up_to))
    return Material(None, _covered(await _first(connection, conversation, None), up_to))


async def _first(
    connection: Connection, conversation: Conversation, last: UUID | None
) -> list[Message]:
    """More than are sent at once, so that it is seen where there are too many."""
    bounds = (MOST_MESSAGES + 1, MOST_BYTES)
    return await store.messages_behind(connection, conversation.id, last, *bounds)


async def _active(connection: Connection, conversation: Conversation) -> Summary | None:
    if conversation.active_summary_id is None:
        return None
    found = await store.summary(connection, conversation.id, conversation.active_summary_id)
    return usable(found)


def _covered(messages: list[Message], up_to: UUID | None) -> list[Message]:
    said = [message for message in messages if message.role != "system"]
    ends = [number for number, message in enumerate(said) if message.id == up_to]
    if not ends and is_too_long(messages):
        raise problems.too_much_to_summarise(MOST_MESSAGES, MOST_BYTES)
    if up_to is not None:
        if not ends:
            raise problems.not_found("message")
        said = said[: ends[0] + 1]
    else:
        while said and said[-1].role == "user":
            said.pop()
    if not said:
        raise problems.conflict("nothing-to-summarise", "Nothing was said that it could cover.")
    return said


async def write(pool: Pool, metrics: Metrics, made: Draft) -> Summary:
    """
    Ask for a summary and keep it, and let it stand for the conversation's beginning.

    Raises:
        ProviderError: it did not come, or not whole: what it leaves out would never be sent.
        Problem: it cannot be kept.
    """
    offer = made.generation.offer
    try:
        answer = await made.generation.whole()
    except ProviderError as error:
        metrics.failed(offer.provider, offer.model, "summary", error.trouble)
        if made.generation.paid:
            metrics.paid(made.generation.answer)
        raise
    metrics.answered(answer, "summary")  # paid, also where it cannot be kept
    if answer.ending.finish_reason in _CUT:
        raise ProviderError("broken", "The model did not write the summary to its end.")
    return await _keep(pool, made, answer.text)


async def _keep(pool: Pool, made: Draft, text: str) -> Summary:
    conversation = made.conversation
    try:
        async with pool.connection() as connection:
            if not await store.lock_conversation(connection, conversation.user_id, conversation.id):
                raise problems.not_found("conversation")
            summary = await store.add_summary(connection, conversation.id, text, made.last)
            await store.set_active_summary(connection, conversation.id, summary.id)
            return summary
    except errors.ForeignKeyViolation:
        raise problems.conflict("message-gone", "The last message was deleted meanwhile.") from None
