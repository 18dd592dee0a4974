"""
A question, step by step until a model can be asked: it is kept, and what is sent is put together.

The question is kept at once, in one transaction with reading what is sent: a conversation's form
is locked by its first question, so the form that is read here holds until the answer is kept.
What cannot be sent is not kept either. No connection is held while a model answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from chatapp import problems
from chatapp.llm import Ask, Generation
from chatapp.postgres import store
from chatapp.prompt import (
    MOST_BYTES,
    MOST_MESSAGES,
    is_too_long,
    question_turns,
    tokens,
    usable,
)
from chatapp.values import Exchange

if TYPE_CHECKING:
    from decimal import Decimal
    from uuid import UUID

    from chatapp.llm import Catalogue, Model, Offer
    from chatapp.postgres.rows import Connection
    from chatapp.values import Conversation, Message, Summary


class Most(NamedTuple):
    """What an answer may take."""

    seconds: float
    tokens: int
    """About how many may be sent."""


class Wanted(NamedTuple):
    """Which model is to answer, and how."""

    model: str | None = None
    provider: str | None = None
    temperature: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A question that was kept, and can be sent."""

    conversation: Conversation
    question: Message
    summary: Summary | None
    generation: Generation
    temperature: Decimal | None
    replaces: bool
    """Whether the answer takes the place of one that there is."""


async def ask(
    connection: Connection,
    chosen: tuple[Offer, Model],
    most: Most,
    of: tuple[UUID, UUID],
    said: tuple[UUID | None, str],
    wanted: Wanted,
) -> Draft | Exchange:
    """
    Keep a question, and put together what is sent; or find its answer, where it has one.

    Args:
        connection: where the conversation is; a transaction.
        chosen: who answers.
        most: what the answer may take.
        of: whose conversation, and which.
        said: the id that the client has given the question, and what it asks.
        wanted: how it is to be answered.

    Raises:
        Problem: there is no such conversation, it is too long, or the id is taken.
    """
    conversation = await _locked(connection, of)
    name, content = said[0] or uuid4(), said[1]
    question = await store.add_question(connection, conversation.id, name, content)
    if question is None:
        found = await store.message_and_answer(connection, conversation.id, name)
        if found is None or (found[0].role, found[0].content) != ("user", content):
            raise problems.conflict("id-taken", "There is another message with that id.")
        question, answer = found
        if answer is not None:
            return Exchange(question, answer)
    return await _draft(connection, conversation, question, (chosen, most, wanted))


async def ask_again(
    connection: Connection,
    chosen: tuple[Offer, Model],
    most: Most,
    of: tuple[UUID, UUID],
    question_id: UUID,
    wanted: Wanted,
) -> Draft:
    """
    Put together what is sent for another answer to the newest question.

    Raises:
        Problem: there is no such question, it is not the newest, or the conversation is too long.
    """
    conversation = await _locked(connection, of)
    found = await store.message_and_answer(connection, conversation.id, question_id)
    if found is None or found[0].role != "user":
        raise problems.not_found("question")
    newest = await store.newest_question(connection, conversation.id)
    if newest is None or newest.id != question_id:
        raise problems.not_newest()
    how = (chosen, most, wanted)
    return await _draft(connection, conversation, found[0], how, replaces=True)


def choose(catalogue: Catalogue, wanted: Wanted) -> tuple[Offer, Model]:
    """
    Who answers.

    Raises:
        Problem: nobody serves that model.
    """
    chosen = catalogue.choose(wanted.provider, wanted.model)
    if chosen is None:
        raise problems.unusable(
            "no-such-model", "Nobody serves that model; see the list of models."
        )
    return chosen


async def _locked(connection: Connection, of: tuple[UUID, UUID]) -> Conversation:
    conversation = await store.lock_conversation(connection, *of)
    if conversation is None:
        raise problems.not_found("conversation")
    return conversation


async def _draft(
    connection: Connection,
    conversation: Conversation,
    question: Message,
    how: tuple[tuple[Offer, Model], Most, Wanted],
    *,
    replaces: bool = False,
) -> Draft:
    (offer, model), most, wanted = how
    summary = usable(await _active(connection, conversation))
    last = summary.last_message_id if summary else None
    bounds = (MOST_MESSAGES + 1, MOST_BYTES)
    messages = await store.messages_behind(connection, conversation.id, last, *bounds)
    turns = question_turns(conversation, summary, messages, question)
    if is_too_long(messages) or tokens(turns, messages) > most.tokens:
        raise problems.too_long(MOST_MESSAGES, MOST_BYTES, most.tokens)
    ask = Ask(
        model=offer.model,
        turns=turns,
        temperature=wanted.temperature,
        response_format=conversation.response_format,
        response_schema=conversation.response_schema,
    )
    generation = Generation(offer, model, ask, most.seconds)
    return Draft(conversation, question, summary, generation, wanted.temperature, replaces)


async def _active(connection: Connection, conversation: Conversation) -> Summary | None:
    if conversation.active_summary_id is None:
        return None
    return await store.summary(connection, conversation.id, conversation.active_summary_id)
