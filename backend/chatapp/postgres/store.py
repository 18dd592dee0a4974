"""
Access the service's tables: a function for each statement, on a connection.

The caller decides on transactions and commits. The statements themselves check that a row belongs
to the user.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from chatapp.exchanges import answer_id, answers, with_answer_ids
from chatapp.pagination import Cursor
from chatapp.postgres.rows import many, one, run
from chatapp.postgres.statements import statements
from chatapp.values import Conversation, Message, Summary, Usage, User

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from chatapp.postgres.rows import Connection
    from chatapp.values import Format


class _Answer(NamedTuple):
    holds: bool


class _Id(NamedTuple):
    id: UUID


async def _holds(connection: Connection, which: str, **values: object) -> bool:
    found = await one(connection, _Answer, which, **values)
    return found is not None and found.holds


async def is_read_only(connection: Connection) -> bool:
    """Report whether the server accepts no writes now."""
    return await _holds(connection, "read_only")


# --- accounts --------------------------------------------------------------------------------


async def add_user(
    connection: Connection, username: str, email: str, password_hash: str
) -> User | None:
    """Add a user; raise psycopg's UniqueViolation where name or address is taken."""
    values = {"username": username, "email": email, "password_hash": password_hash}
    return await one(connection, User, "add_user", **values)


async def user_by_id(connection: Connection, user_id: UUID) -> User | None:
    """Return the user of a token."""
    return await one(connection, User, "user_by_id", id=user_id)


async def user_by_name(connection: Connection, name: str) -> User | None:
    """Return the user with a folded user name or address."""
    return await one(connection, User, "user_by_name", name=name)


async def set_password_hash(connection: Connection, user: User, password_hash: str) -> User | None:
    """Replace the hash; None where it was changed meanwhile, or the account was deleted."""
    values = {"id": user.id, "was": user.password_hash, "password_hash": password_hash}
    return await one(connection, User, "set_password_hash", **values)


async def delete_user(connection: Connection, user_id: UUID) -> None:
    """Delete a user and all their rows."""
    await run(connection, "delete_user", id=user_id)


# --- conversations ---------------------------------------------------------------------------


async def add_conversation(
    connection: Connection,
    user_id: UUID,
    conversation_id: UUID | None,
    title: str | None,
    form: tuple[Format, str | None],
) -> Conversation:
    """Add a conversation; raise psycopg's UniqueViolation where its id is taken."""
    made = await one(
        connection,
        Conversation,
        "add_conversation",
        id=conversation_id,
        user_id=user_id,
        title=title,
        response_format=form[0],
        response_schema=form[1],
    )
    assert made is not None
    return made


async def conversation(
    connection: Connection, user_id: UUID, conversation_id: UUID
) -> Conversation | None:
    """Return a conversation of a user."""
    return await one(connection, Conversation, "conversation", id=conversation_id, user_id=user_id)


async def lock_conversation(
    connection: Connection, user_id: UUID, conversation_id: UUID
) -> Conversation | None:
    """Return a conversation of a user, locked until the transaction ends."""
    values = {"id": conversation_id, "user_id": user_id}
    return await one(connection, Conversation, "lock_conversation", **values)


async def list_conversations(
    connection: Connection, user_id: UUID, behind: Cursor | None, limit: int
) -> list[Conversation]:
    """Return conversations of a user, newest first, after a position in that order."""
    which = "first_conversations" if behind is None else "next_conversations"
    place = {} if behind is None else behind._asdict()
    return await many(connection, Conversation, which, user_id=user_id, limit=limit, **place)


async def change_conversation(
    connection: Connection,
    conversation_id: UUID,
    title: str | None,
    form: tuple[Format, str | None],
) -> Conversation:
    """Set title and form of a conversation, which the caller has locked."""
    changed = await one(
        connection,
        Conversation,
        "change_conversation",
        id=conversation_id,
        title=title,
        response_format=form[0],
        response_schema=form[1],
    )
    assert changed is not None
    return changed


async def set_active_summary(
    connection: Connection, conversation_id: UUID, summary_id: UUID | None
) -> Conversation:
    """Activate a summary; raise ForeignKeyViolation for another conversation's."""
    values = {"id": conversation_id, "summary_id": summary_id}
    changed = await one(connection, Conversation, "set_active_summary", **values)
    assert changed is not None
    return changed


async def delete_conversation(connection: Connection, user_id: UUID, conversation_id: UUID) -> int:
    """One goes; 0 where it was not there."""
    return await run(connection, "delete_conversation", id=conversation_id, user_id=user_id)


# --- messages --------------------------------------------------------------------------------

_WRITTEN_BY_NO_MODEL = {
    "model": None,
    "provider": None,
    "temperature": None,
    "prompt_tokens": None,
    "completion_tokens": None,
    "total_tokens": None,
    "cost_usd": None,
    "latency_ms": None,
    "generation_time_ms": None,
    "generation_id": None,
}


async def add_message(
    connection: Connection,
    conversation_id: UUID,
    values: Mapping[str, object],
    message_id: UUID | None = None,
) -> Message:
    """
    Store a message; raise psycopg's UniqueViolation where its id is taken.

    Args:
        connection: where.
        conversation_id: in which conversation.
        said: its columns by name; those about a model are None where they are left out.
        message_id: the name that the client has given it.
    """
    values = {
        **_WRITTEN_BY_NO_MODEL,
        **values,
        "conversation_id": conversation_id,
        "id": message_id,
    }
    made = await one(connection, Message, "add_message", **values)
    assert made is not None
    return made


async def add_question(
    connection: Connection, conversation_id: UUID, question_id: UUID, content: str
) -> Message | None:
    """Store a question; None where its id is taken."""
    values = {"conversation_id": conversation_id, "id": question_id, "content": content}
    return await one(connection, Message, "add_question", **values)


async def add_answer(
    connection: Connection, question: Message, values: Mapping[str, object], summary_id: UUID | None
) -> Message | None:
    """
    Store an answer; None where its question was deleted, or has one.

    Args:
        connection: where; the conversation is locked.
        question: what it answers.
        said: its columns by name; those about a model are None where they are left out.
        summary_id: the summary that it was sent with.
    """
    return await one(connection, Message, "add_answer", **_answer(question, values, summary_id))


async def keep_answer(
    connection: Connection,
    user_id: UUID,
    question: Message,
    values: Mapping[str, object],
    summary_id: UUID | None,
) -> Message | None:
    """
    Lock the conversation and store an answer, in one round trip.

    Both statements are sent before either result is read. The server commits them together, at the
    end of the pipeline; a deleted conversation has no question any more, so nothing is stored then.

    Args:
        connection: where; not in a transaction.
        user_id: whose conversation it is.
        question: what it answers.
        said: as for `add_answer`.
        summary_id: the summary that it was sent with.
    """
    conversation = {"id": question.conversation_id, "user_id": user_id}
    async with connection.pipeline():
        await connection.execute(statements()["lock_conversation"], conversation)
        cursor = connection.cursor(row_factory=class_row(Message))
        values = _answer(question, values, summary_id)
        await cursor.execute(statements()["add_answer"], values)
    return await cursor.fetchone()


def _answer(
    question: Message, values: Mapping[str, object], summary_id: UUID | None
) -> dict[str, object]:
    where = {"conversation_id": question.conversation_id, "question_id": question.id}
    ids = {"id": answer_id(question.id), "summary_id": summary_id}
    return {**_WRITTEN_BY_NO_MODEL, **values, **where, **ids}


async def bill_replaced(connection: Connection, answer: Message) -> None:
    """Replace an answer by a bill."""
    where = {"conversation_id": answer.conversation_id, "id": answer.id}
    await run(connection, "bill_replaced", **where)
    await run(connection, "delete_message", **where)


async def message_and_answer(
    connection: Connection, conversation_id: UUID, message_id: UUID
) -> tuple[Message, Message | None] | None:
    """Return a message of a conversation, and its answer if it is an answered question."""
    values = {"id": message_id, "answer_id": answer_id(message_id)}
    where = {"conversation_id": conversation_id}
    found = await many(connection, Message, "message_and_answer", **values, **where)
    there = {message.id: message for message in found}
    if message_id not in there:
        return None
    answer = answers(sorted(there.values(), key=_place)).get(message_id)
    message = there[message_id]
    return replace(message, answer_id=answer.id if answer else None), answer


def _place(message: Message) -> tuple[datetime, UUID]:
    return message.created_at, message.id


_BEGINNING = Cursor(datetime.min.replace(tzinfo=UTC), UUID(int=0))
"""A position before every message, in the order of a page."""


async def newest_question(connection: Connection, conversation_id: UUID) -> Message | None:
    """Return the newest question of a conversation."""
    return await one(connection, Message, "newest_question", conversation_id=conversation_id)


async def tell_to_stop(connection: Connection, question_id: UUID) -> None:
    """Notify every process of the service to stop an answer."""
    await run(connection, "tell_to_stop", question_id=question_id)


async def messages_after(
    connection: Connection, conversation_id: UUID, last: UUID | None, limit: int, most_bytes: int
) -> list[Message]:
    """
    Return the messages after one, and all instructions; all messages for None.

    The result is limited to a number of messages and bytes, except one or two messages that show
    that there are more.
    """
    most = {"limit": limit, "most_bytes": most_bytes}
    values = {"conversation_id": conversation_id, **most}
    if last is None:
        return await many(connection, Message, "next_messages", **values, **_BEGINNING._asdict())
    return await many(connection, Message, "messages_after", id=last, **values)


async def list_messages(
    connection: Connection,
    conversation_id: UUID,
    behind: Cursor | None,
    limit: int,
    most_bytes: int,
) -> list[Message]:
    """
    Return messages of a conversation, oldest first, after a position; questions have answer ids.

    The result is limited to a number of bytes as in `messages_after`.
    """
    most = {"limit": limit, "most_bytes": most_bytes}
    values = {"conversation_id": conversation_id, **most, **(behind or _BEGINNING)._asdict()}
    found = await many(connection, Message, "next_messages", **values)
    ids = {question: answer.id for question, answer in answers(found).items()}
    open_ = {answer_id(m.id): m.id for m in found if m.role == "user" and m.id not in ids}
    if open_:
        later = {"conversation_id": conversation_id, "ids": list(open_)}
        there = await many(connection, _Id, "messages_there", **later)
        ids |= {open_[one.id]: one.id for one in there}
    return with_answer_ids(found, ids)


async def question_asked(connection: Connection, conversation_id: UUID) -> bool:
    """Report whether a conversation has a question."""
    return await _holds(connection, "question_asked", conversation_id=conversation_id)


async def delete_message(connection: Connection, conversation_id: UUID, message_id: UUID) -> int:
    """One goes; 0 where it was not there."""
    values = {"conversation_id": conversation_id, "id": message_id}
    return await run(connection, "delete_message", **values)


async def sum_usage(connection: Connection, user_id: UUID, since: date, until: date) -> list[Usage]:
    """Return the usage of a user between two days, both included."""
    values = {"user_id": user_id, "since": since, "until": until}
    return await many(connection, Usage, "sum_usage", **values)


# --- summaries -------------------------------------------------------------------------------


async def add_summary(
    connection: Connection, conversation_id: UUID, summary: str, last: UUID
) -> Summary:
    """Store a summary; raise ForeignKeyViolation where its last message was deleted."""
    values = {"conversation_id": conversation_id, "summary": summary, "last_message_id": last}
    made = await one(connection, Summary, "add_summary", **values)
    assert made is not None
    return made


async def summary(
    connection: Connection, conversation_id: UUID, summary_id: UUID
) -> Summary | None:
    """Return a summary of a conversation."""
    values = {"conversation_id": conversation_id, "id": summary_id}
    return await one(connection, Summary, "summary", **values)


async def list_summaries(
    connection: Connection, conversation_id: UUID, limit: int
) -> list[Summary]:
    """Return the summaries of a conversation, newest first."""
    values = {"conversation_id": conversation_id, "limit": limit}
    return await many(connection, Summary, "list_summaries", **values)


async def delete_summary(connection: Connection, conversation_id: UUID, summary_id: UUID) -> int:
    """Delete a summary and return the number of rows; ForeignKeyViolation if it is active."""
    values = {"conversation_id": conversation_id, "id": summary_id}
    return await run(connection, "delete_summary", **values)
