"""
What the service asks of its database: a function for each question, on a connection.

Owns which statement answers what. Whose transaction it is, and when it commits, is decided
by the caller; that something belongs to somebody is asked in the statement itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chatapp.postgres.rows import many, one, run
from chatapp.values import Conversation, Message, Summary, Usage, User

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from uuid import UUID

    from chatapp.paging import Cursor
    from chatapp.postgres.rows import Connection
    from chatapp.values import Format


class _Answer(NamedTuple):
    holds: bool


async def _holds(connection: Connection, which: str, **values: object) -> bool:
    found = await one(connection, _Answer, which, **values)
    return found is not None and found.holds


async def is_read_only(connection: Connection) -> bool:
    """Whether the server takes no writes now."""
    return await _holds(connection, "read_only")


# --- accounts --------------------------------------------------------------------------------


async def add_user(
    connection: Connection, username: str, email: str, password_hash: str
) -> User | None:
    """Register somebody; raises psycopg's UniqueViolation where name or address is taken."""
    values = {"username": username, "email": email, "password_hash": password_hash}
    return await one(connection, User, "add_user", **values)


async def user_by_id(connection: Connection, user_id: UUID) -> User | None:
    """Who a token speaks of."""
    return await one(connection, User, "user_by_id", id=user_id)


async def user_by_name(connection: Connection, name: str) -> User | None:
    """Who has a folded user name or address."""
    return await one(connection, User, "user_by_name", name=name)


async def set_password_hash(connection: Connection, user: User, password_hash: str) -> User | None:
    """Keep another hash; None where it is another one by now, or the account is gone."""
    values = {"id": user.id, "was": user.password_hash, "password_hash": password_hash}
    return await one(connection, User, "set_password_hash", **values)


async def delete_user(connection: Connection, user_id: UUID) -> None:
    """Somebody goes, and all that is theirs."""
    await run(connection, "delete_user", id=user_id)


# --- conversations ---------------------------------------------------------------------------


async def add_conversation(
    connection: Connection,
    user_id: UUID,
    conversation_id: UUID | None,
    title: str | None,
    form: tuple[Format, str | None],
) -> Conversation:
    """Begin one; raises psycopg's UniqueViolation where its id is taken."""
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
    """One of somebody's."""
    return await one(connection, Conversation, "conversation", id=conversation_id, user_id=user_id)


async def lock_conversation(
    connection: Connection, user_id: UUID, conversation_id: UUID
) -> Conversation | None:
    """The same, kept from others until the transaction ends."""
    values = {"id": conversation_id, "user_id": user_id}
    return await one(connection, Conversation, "lock_conversation", **values)


async def list_conversations(
    connection: Connection, user_id: UUID, behind: Cursor | None, limit: int
) -> list[Conversation]:
    """Somebody's, newest first, behind a place in that order."""
    which = "first_conversations" if behind is None else "next_conversations"
    place = {} if behind is None else behind._asdict()
    return await many(connection, Conversation, which, user_id=user_id, limit=limit, **place)


async def change_conversation(
    connection: Connection,
    conversation_id: UUID,
    title: str | None,
    form: tuple[Format, str | None],
) -> Conversation:
    """Give it another title and form; it is locked, and so it is there."""
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


async def touch_conversation(connection: Connection, conversation_id: UUID) -> None:
    """Something was said in it."""
    await run(connection, "touch_conversation", id=conversation_id)


async def set_active_summary(
    connection: Connection, conversation_id: UUID, summary_id: UUID | None
) -> Conversation:
    """Let a summary stand for its beginning; raises ForeignKeyViolation for another's."""
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
    said: Mapping[str, object],
    message_id: UUID | None = None,
) -> Message:
    """
    Keep what was said; raises psycopg's UniqueViolation where its id is taken.

    Args:
        connection: where.
        conversation_id: in which conversation.
        said: its columns by name; those about a model are None where they are left out.
        message_id: the name that the client has given it.
    """
    values = {**_WRITTEN_BY_NO_MODEL, **said, "conversation_id": conversation_id, "id": message_id}
    made = await one(connection, Message, "add_message", **values)
    assert made is not None
    return made


async def is_message(connection: Connection, message_id: UUID) -> bool:
    """Whether there is one of that id, whosever it is."""
    return await _holds(connection, "is_message", id=message_id)


async def messages_behind(
    connection: Connection, conversation_id: UUID, last: UUID | None, limit: int
) -> list[Message]:
    """The first of what came after a message, with all instructions; of all of it for None."""
    values = {"conversation_id": conversation_id, "limit": limit}
    if last is None:
        return await many(connection, Message, "all_messages", **values)
    return await many(connection, Message, "messages_behind", id=last, **values)


async def list_messages(
    connection: Connection, conversation_id: UUID, behind: Cursor | None, limit: int
) -> list[Message]:
    """A conversation's, oldest first, behind a place in that order."""
    which = "first_messages" if behind is None else "next_messages"
    place = {} if behind is None else behind._asdict()
    values = {"conversation_id": conversation_id, "limit": limit, **place}
    return await many(connection, Message, which, **values)


async def question_asked(connection: Connection, conversation_id: UUID) -> bool:
    """Whether anybody has asked anything in it."""
    return await _holds(connection, "question_asked", conversation_id=conversation_id)


async def delete_message(connection: Connection, conversation_id: UUID, message_id: UUID) -> int:
    """One goes; 0 where it was not there."""
    values = {"conversation_id": conversation_id, "id": message_id}
    return await run(connection, "delete_message", **values)


async def sum_usage(connection: Connection, user_id: UUID, since: date, until: date) -> list[Usage]:
    """What somebody's answers came to between two days, both included."""
    values = {"user_id": user_id, "since": since, "until": until}
    return await many(connection, Usage, "sum_usage", **values)


# --- summaries -------------------------------------------------------------------------------


async def add_summary(
    connection: Connection, conversation_id: UUID, summary: str, last: UUID
) -> Summary:
    """Keep one; raises ForeignKeyViolation where its last message is gone."""
    values = {"conversation_id": conversation_id, "summary": summary, "last_message_id": last}
    made = await one(connection, Summary, "add_summary", **values)
    assert made is not None
    return made


async def summary(
    connection: Connection, conversation_id: UUID, summary_id: UUID
) -> Summary | None:
    """One of a conversation."""
    values = {"conversation_id": conversation_id, "id": summary_id}
    return await one(connection, Summary, "summary", **values)


async def list_summaries(
    connection: Connection, conversation_id: UUID, limit: int
) -> list[Summary]:
    """A conversation's, newest first."""
    values = {"conversation_id": conversation_id, "limit": limit}
    return await many(connection, Summary, "list_summaries", **values)


async def count_use(connection: Connection, conversation_id: UUID, summary_id: UUID) -> None:
    """It was sent once more."""
    await run(connection, "count_use", conversation_id=conversation_id, id=summary_id)


async def delete_summary(connection: Connection, conversation_id: UUID, summary_id: UUID) -> int:
    """One goes, 0 where it was not there; ForeignKeyViolation while it is the active one."""
    values = {"conversation_id": conversation_id, "id": summary_id}
    return await run(connection, "delete_summary", **values)
