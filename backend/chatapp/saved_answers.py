"""
Store an answer once, under the id that is derived from its question.

If another process was faster, its answer counts. Every paid answer stays as usage: one that cannot
be stored, and one that is replaced, leave a bill, a message without content (see `exchanges`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chatapp import problems, response_formats
from chatapp.postgres import store
from chatapp.values import Exchange

if TYPE_CHECKING:
    from chatapp.answers import Draft
    from chatapp.llm import Answer
    from chatapp.postgres import Pool
    from chatapp.postgres.rows import Connection
    from chatapp.values import Message


async def keep(pool: Pool, draft: Draft, answer: Answer) -> Exchange:
    """
    Check and store an answer, and return the exchange.

    Raises:
        Problem: it violates its form, its question was deleted, or it would replace an answer and
            a newer question was asked.
    """
    form, schema = draft.conversation.response_format, draft.conversation.response_schema
    text = response_formats.unfenced(form, answer.text)
    fault = response_formats.answer_fault(form, schema, text)
    message = None if fault else await _save(pool, draft, _columns(draft, answer, text))
    if message is not None:
        question = replace(draft.question, answer_id=message.id)
        return Exchange(question, message, answer.ending.finish_reason)
    async with pool.connection() as connection:
        if not await _lock(connection, draft):
            raise problems.not_found("conversation")
        await _bill(connection, draft, answer)
        of = draft.conversation.id, draft.question.id
        other = await store.message_and_answer(connection, *of)
    if fault:
        ended = answer.ending.finish_reason
        raise problems.invalid_form(fault if ended == "stop" else f"{fault} It ended with {ended}.")
    if other is None or other[1] is None:
        raise problems.question_deleted()
    if draft.replaces:
        raise problems.not_newest()
    return Exchange(other[0], other[1])


async def bill(pool: Pool, draft: Draft, answer: Answer) -> None:
    """Record the usage of an answer that is not stored, unless its conversation was deleted."""
    async with pool.connection() as connection:
        if await _lock(connection, draft):
            await _bill(connection, draft, answer)


async def _lock(connection: Connection, draft: Draft) -> bool:
    of = draft.conversation.user_id, draft.conversation.id
    return await store.lock_conversation(connection, *of) is not None


async def _save(pool: Pool, draft: Draft, message_values: dict[str, object]) -> Message | None:
    """Store it; None where its question was deleted, or has an answer that is not replaced."""
    question, user_id = draft.question, draft.conversation.user_id
    summary = draft.summary.id if draft.summary else None
    if not draft.replaces:
        async with pool.alone() as connection:
            return await store.keep_answer(connection, user_id, question, message_values, summary)
    async with pool.connection() as connection:
        if not await _lock(connection, draft):
            return None
        newest = await store.newest_question(connection, question.conversation_id)
        if newest is None or newest.id != question.id:
            return None
        before = await store.message_and_answer(connection, question.conversation_id, question.id)
        if before and before[1]:
            await store.bill_replaced(connection, before[1])
        return await store.add_answer(connection, question, message_values, summary)


async def _bill(connection: Connection, draft: Draft, answer: Answer) -> None:
    message_values = {"role": "assistant", **_columns(draft, answer, "")}
    await store.add_message(connection, draft.conversation.id, message_values)


def _columns(draft: Draft, answer: Answer, text: str) -> dict[str, object]:
    return {
        "content": text,
        "model": answer.offer.model,
        "provider": answer.offer.provider,
        "temperature": draft.temperature,
        "prompt_tokens": answer.ending.prompt_tokens,
        "completion_tokens": answer.ending.completion_tokens,
        "total_tokens": answer.ending.total_tokens,
        "cost_usd": answer.cost_usd,
        "latency_ms": answer.latency_ms,
        "generation_time_ms": answer.generation_time_ms,
        "generation_id": answer.ending.generation_id,
    }
