"""
Keeping an answer, once: under the id that its question gives it.

Where another process was faster, its answer is the answer. Every answer that was paid stays as
usage: one that cannot be kept, and one that is replaced, leave a bill, which is a message
without content (see `exchanges`).
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
    Check an answer and keep it; the exchange as it is then.

    Raises:
        Problem: it does not have its form, or its question is gone, or another one came since
            where it was to replace an answer.
    """
    form, schema = draft.conversation.response_format, draft.conversation.response_schema
    text = response_formats.unfenced(form, answer.text)
    fault = response_formats.answer_fault(form, schema, text)
    kept = None if fault else await _kept(pool, draft, _columns(draft, answer, text))
    if kept is not None:
        question = replace(draft.question, answer_id=kept.id)
        return Exchange(question, kept, answer.ending.finish_reason)
    async with pool.connection() as connection:
        if not await _is_there(connection, draft):
            raise problems.not_found("conversation")
        await _bill(connection, draft, answer)
        of = draft.conversation.id, draft.question.id
        other = await store.message_and_answer(connection, *of)
    if fault:
        ended = answer.ending.finish_reason
        raise problems.misshapen(fault if ended == "stop" else f"{fault} It ended with {ended}.")
    if other is None or other[1] is None:
        raise problems.question_gone()
    if draft.replaces:
        raise problems.not_newest()
    return Exchange(other[0], other[1])


async def bill(pool: Pool, draft: Draft, answer: Answer) -> None:
    """Let an answer that is not kept count as usage; not where its conversation is gone."""
    async with pool.connection() as connection:
        if await _is_there(connection, draft):
            await _bill(connection, draft, answer)


async def _is_there(connection: Connection, draft: Draft) -> bool:
    of = draft.conversation.user_id, draft.conversation.id
    return await store.lock_conversation(connection, *of) is not None


async def _kept(pool: Pool, draft: Draft, said: dict[str, object]) -> Message | None:
    """Keep it; None where its question is gone, or has an answer that is not to be replaced."""
    question, user_id = draft.question, draft.conversation.user_id
    summary = draft.summary.id if draft.summary else None
    if not draft.replaces:
        async with pool.alone() as connection:
            return await store.keep_answer(connection, user_id, question, said, summary)
    async with pool.connection() as connection:
        if not await _is_there(connection, draft):
            return None
        newest = await store.newest_question(connection, question.conversation_id)
        if newest is None or newest.id != question.id:
            return None
        before = await store.message_and_answer(connection, question.conversation_id, question.id)
        if before and before[1]:
            await store.bill_replaced(connection, before[1])
        return await store.add_answer(connection, question, said, summary)


async def _bill(connection: Connection, draft: Draft, answer: Answer) -> None:
    said = {"role": "assistant", **_columns(draft, answer, "")}
    await store.add_message(connection, draft.conversation.id, said)


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
