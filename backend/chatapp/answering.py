"""
Question and answer, step by step: what is sent, what came back, and keeping both.

No connection is held while a model answers. Question and answer are kept in one transaction,
after the whole answer has come and has its form: what fails or is broken off before leaves
nothing. If the conversation changed its form meanwhile, nothing is kept either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from psycopg import errors

from chatapp import formats, problems
from chatapp.models import Ask, Generation
from chatapp.postgres import store
from chatapp.prompt import MOST_MESSAGES, question_turns, usable

if TYPE_CHECKING:
    from decimal import Decimal
    from uuid import UUID

    from chatapp.models import Answer, Catalogue
    from chatapp.postgres import Pool
    from chatapp.postgres.rows import Connection
    from chatapp.values import Conversation, Message, Summary


class Question(NamedTuple):
    """What a client asks, and of whom."""

    content: str
    id: UUID | None = None
    model: str | None = None
    provider: str | None = None
    temperature: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A question that can be sent: nothing is kept of it yet."""

    question: Question
    conversation: Conversation
    summary: Summary | None
    generation: Generation


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer, kept."""

    question: Message
    answer: Message


async def draft(
    pool: Pool, catalogue: Catalogue, most: float, of: tuple[UUID, UUID], question: Question
) -> Draft:
    """
    Put together what is sent.

    Args:
        pool: where the conversation is.
        catalogue: who may answer.
        most: seconds that the answer may take.
        of: whose conversation, and which.
        question: what is asked.

    Raises:
        Problem: there is no such conversation, it is too long, the id is taken, or nobody
            serves that model.
    """
    chosen = catalogue.choose(question.provider, question.model)
    if chosen is None:
        raise problems.unusable(
            "no-such-model", "Nobody serves that model; see the list of models."
        )
    offer, model = chosen
    async with pool.connection() as connection:
        conversation = await store.conversation(connection, *of)
        if conversation is None:
            raise problems.not_found("conversation")
        if question.id and await store.is_message(connection, question.id):
            raise _taken()
        summary = usable(await _active(connection, conversation))
        last = summary.last_message_id if summary else None
        messages = await store.messages_behind(connection, conversation.id, last, MOST_MESSAGES + 1)
    if len(messages) > MOST_MESSAGES:
        raise problems.too_long(MOST_MESSAGES)
    ask = Ask(
        model=offer.model,
        turns=question_turns(conversation, summary, messages, question.content),
        temperature=question.temperature,
        response_format=conversation.response_format,
        response_schema=conversation.response_schema,
    )
    return Draft(question, conversation, summary, Generation(offer, model, ask, most))


async def _active(connection: Connection, conversation: Conversation) -> Summary | None:
    if conversation.active_summary_id is None:
        return None
    return await store.summary(connection, conversation.id, conversation.active_summary_id)


async def keep(pool: Pool, made: Draft, answer: Answer) -> Exchange:
    """
    Check an answer and keep it with its question.

    Raises:
        Problem: it does not have its form, or the conversation is another one by now.
    """
    conversation = made.conversation
    form, schema = conversation.response_format, conversation.response_schema
    text = formats.unfenced(form, answer.text)
    if fault := formats.answer_fault(form, schema, text):
        raise problems.misshapen(fault)
    try:
        async with pool.connection() as connection:
            await _unchanged(connection, conversation)
            return await _keep(connection, made, answer, text)
    except errors.UniqueViolation:
        raise _taken() from None


def _taken() -> problems.Problem:
    return problems.conflict("id-taken", "There is a message with that id.")


async def _unchanged(connection: Connection, conversation: Conversation) -> None:
    """Lock the conversation; it has the form that was asked for."""
    now = await store.lock_conversation(connection, conversation.user_id, conversation.id)
    if now is None:
        raise problems.not_found("conversation")
    was = (conversation.response_format, conversation.response_schema)
    if (now.response_format, now.response_schema) != was:
        raise problems.conflict("form-changed", "The conversation's form was changed meanwhile.")


async def _keep(connection: Connection, made: Draft, answer: Answer, text: str) -> Exchange:
    where = made.conversation.id
    await store.touch_conversation(connection, where)
    said = {"role": "user", "content": made.question.content}
    question = await store.add_message(connection, where, said, made.question.id)
    answered = await store.add_message(connection, where, _columns(made, answer, text))
    if made.summary is not None:
        await store.count_use(connection, where, made.summary.id)
    return Exchange(question, answered)


def _columns(made: Draft, answer: Answer, text: str) -> dict[str, object]:
    return {
        "role": "assistant",
        "content": text,
        "model": answer.offer.model,
        "provider": answer.offer.provider,
        "temperature": made.question.temperature,
        "prompt_tokens": answer.ending.prompt_tokens,
        "completion_tokens": answer.ending.completion_tokens,
        "total_tokens": answer.ending.total_tokens,
        "cost_usd": answer.cost_usd,
        "latency_ms": answer.latency_ms,
        "generation_time_ms": answer.generation_time_ms,
        "generation_id": answer.ending.generation_id,
    }
