"""
Prepare a question for a model: store it, and compose what is sent.

The question is stored in the transaction that reads what is sent: a conversation's form is locked
by its first question, so the form read here is valid until the answer is stored. What cannot be
sent is not stored. No connection is held while a model answers.
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
    """The limits of an answer."""

    seconds: float
    tokens: int
    """An estimate of the tokens that may be sent."""


class Wanted(NamedTuple):
    """Which model is requested, and how it answers."""

    model: str | None = None
    provider: str | None = None
    temperature: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A question that is stored and can be sent."""

    conversation: Conversation
    question: Message
    summary: Summary | None
    generation: Generation
    temperature: Decimal | None
    replaces: bool
    """Whether the answer replaces an existing one."""


async def ask(
    connection: Connection,
    chosen: tuple[Offer, Model],
    most: Most,
    of: tuple[UUID, UUID],
    message_values: tuple[UUID | None, str],
    request: Wanted,
) -> Draft | Exchange:
    """
    Store a question and compose what is sent; or return its answer if it has one.

    Args:
        connection: in a transaction.
        chosen: the offer and the model that answers.
        most: the limits of the answer.
        of: the ids of the user and the conversation.
        message_values: the question's id, if the client chose one, and its content.
        request: the model that is requested, and how it answers.

    Raises:
        Problem: there is no such conversation, it is too long, or the id is taken.
    """
    conversation = await _locked(connection, of)
    name, content = message_values[0] or uuid4(), message_values[1]
    question = await store.add_question(connection, conversation.id, name, content)
    if question is None:
        row = await store.message_and_answer(connection, conversation.id, name)
        if row is None or (row[0].role, row[0].content) != ("user", content):
            raise problems.conflict("id-taken", "There is another message with that id.")
        question, answer = row
        if answer is not None:
            return Exchange(question, answer)
    return await _draft(connection, conversation, question, (chosen, most, request))


async def ask_again(
    connection: Connection,
    chosen: tuple[Offer, Model],
    most: Most,
    of: tuple[UUID, UUID],
    question_id: UUID,
    request: Wanted,
) -> Draft:
    """
    Compose what is sent for another answer to the newest question.

    Raises:
        Problem: there is no such question, it is not the newest, or the conversation is too long.
    """
    conversation = await _locked(connection, of)
    row = await store.message_and_answer(connection, conversation.id, question_id)
    if row is None or row[0].role != "user":
        raise problems.not_found("question")
    newest = await store.newest_question(connection, conversation.id)
    if newest is None or newest.id != question_id:
        raise problems.not_newest()
    how = (chosen, most, request)
    return await _draft(connection, conversation, row[0], how, replaces=True)


def choose(catalogue: Catalogue, request: Wanted) -> tuple[Offer, Model]:
    """
    Return the offer and the model that answer.

    Raises:
        Problem: nobody serves that model.
    """
    chosen = catalogue.choose(request.provider, request.model)
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
    (offer, model), most, request = how
    summary = usable(await _active(connection, conversation))
    last = summary.last_message_id if summary else None
    bounds = (MOST_MESSAGES + 1, MOST_BYTES)
    messages = await store.messages_after(connection, conversation.id, last, *bounds)
    turns = question_turns(conversation, summary, messages, question)
    if is_too_long(messages) or tokens(turns, messages) > most.tokens:
        raise problems.too_long(MOST_MESSAGES, MOST_BYTES, most.tokens)
    ask = Ask(
        model=offer.model,
        turns=turns,
        temperature=request.temperature,
        response_format=conversation.response_format,
        response_schema=conversation.response_schema,
    )
    generation = Generation(offer, model, ask, most.seconds)
    return Draft(conversation, question, summary, generation, request.temperature, replaces)


async def _active(connection: Connection, conversation: Conversation) -> Summary | None:
    if conversation.active_summary_id is None:
        return None
    return await store.summary(connection, conversation.id, conversation.active_summary_id)
