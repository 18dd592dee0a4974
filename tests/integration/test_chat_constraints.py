"""What the chat service's tables refuse, keep and let go of, at version 7 on a real server.

Every case runs against rows that are older than the constraint, because that is where one that was
added NOT VALID would show a gap. How the tables came about is in `test_chat_migrations`.
"""

from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from psycopg import errors
from tests.integration import chat
from tests.servers import Database


@pytest.fixture
def service(database: Database) -> Iterator[psycopg.Connection]:
    """A session on a database at version 7, with rows from version 1."""
    with psycopg.connect(database.conninfo) as session:
        chat.climb_with_old_rows(session, 7)
        yield session


@pytest.fixture
def summary(service: psycopg.Connection) -> dict[str, UUID]:
    """The ids of an active summary, its conversation and the last message that it covers."""
    row = service.execute(
        "INSERT INTO conversation_summaries (conversation_id, summary, last_message_id)"
        " SELECT conversation_id, 'Greetings', id FROM messages LIMIT 1"
        " RETURNING conversation_id, last_message_id, id"
    ).fetchone()
    assert row is not None
    ids = dict(zip(("conversation", "message", "summary"), row, strict=True))
    service.execute(
        "UPDATE conversations SET active_summary_id = %(summary)s WHERE id = %(conversation)s", ids
    )
    service.commit()
    return ids


# What is refused


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("UPDATE messages SET role = 'robot'", errors.CheckViolation),
        ("UPDATE messages SET temperature = 3", errors.CheckViolation),
        ("UPDATE messages SET temperature = -0.1", errors.CheckViolation),
        ("UPDATE messages SET temperature = 'NaN'", errors.CheckViolation),
        ("UPDATE messages SET prompt_tokens = -1", errors.CheckViolation),
        ("UPDATE messages SET generation_time_ms = -1", errors.CheckViolation),
        ("UPDATE messages SET cost_usd = 'NaN'", errors.CheckViolation),
        ("UPDATE conversations SET response_format = 'yaml'", errors.CheckViolation),
        ("UPDATE conversations SET response_format = NULL", errors.NotNullViolation),
        ("UPDATE conversations SET user_id = id", errors.ForeignKeyViolation),
        ("UPDATE users SET email = 'same@example.org'", errors.UniqueViolation),
        ("UPDATE users SET username = 'same'", errors.UniqueViolation),
        ("UPDATE conversation_summaries SET usage_count = -1", errors.CheckViolation),
    ],
)
def test_what_makes_no_sense_is_refused(
    service: psycopg.Connection, summary: dict[str, UUID], sql: str, error: type[Exception]
) -> None:
    """A constraint refuses the value, whether the row is old or new, validated or not."""
    with pytest.raises(error):
        chat.run(service, sql)


def test_a_summary_of_another_conversation_cannot_be_active(
    service: psycopg.Connection, summary: dict[str, UUID]
) -> None:
    """The active summary has to be one of the conversation's own."""
    with pytest.raises(errors.ForeignKeyViolation, match="conversations_active_summary_fkey"):
        service.execute(
            "UPDATE conversations SET active_summary_id = %(summary)s WHERE id <> %(conversation)s",
            summary,
        )


def test_an_active_summary_cannot_be_deleted(
    service: psycopg.Connection, summary: dict[str, UUID]
) -> None:
    """Deleting the active summary is refused while its conversation stays."""
    with pytest.raises(errors.ForeignKeyViolation, match="conversations_active_summary_fkey"):
        service.execute("DELETE FROM conversation_summaries WHERE id = %(summary)s", summary)


def test_a_summary_goes_once_it_is_no_longer_active(
    service: psycopg.Connection, summary: dict[str, UUID]
) -> None:
    """With the conversation pointed at NULL its former summary can be deleted."""
    service.execute("UPDATE conversations SET active_summary_id = NULL")
    gone = service.execute("DELETE FROM conversation_summaries WHERE id = %(summary)s", summary)

    assert gone.rowcount == 1


# Rows that stay and rows that are deleted


def count(service: psycopg.Connection) -> tuple[int, ...]:
    row = service.execute(
        "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM conversations),"
        " (SELECT count(*) FROM messages), (SELECT count(*) FROM conversation_summaries)"
    ).fetchone()
    assert row is not None
    return tuple(row)


def test_deleting_a_user_takes_all_of_theirs_along(
    service: psycopg.Connection, summary: dict[str, UUID]
) -> None:
    """A user's conversations, messages and summaries go with the user, and nobody else's do."""
    before = count(service)
    service.execute(
        "DELETE FROM users USING conversations"
        " WHERE users.id = user_id AND conversations.id = %(conversation)s",
        summary,
    )

    assert before == (10, 300, 3000, 1)
    assert count(service) == (9, 270, 2700, 0)


def test_what_one_transaction_makes_it_can_take_back(service: psycopg.Connection) -> None:
    """A conversation with an active summary can go in the transaction that made all of it."""
    chat.run(
        service,
        """
        DELETE FROM conversations;
        INSERT INTO conversations (user_id) SELECT id FROM users;
        INSERT INTO messages (conversation_id, role, content)
        SELECT id, 'user', 'Hello' FROM conversations;
        INSERT INTO conversation_summaries (conversation_id, summary, last_message_id)
        SELECT conversation_id, 'Greetings', id FROM messages;
        UPDATE conversations AS c SET active_summary_id = s.id
        FROM conversation_summaries AS s WHERE s.conversation_id = c.id;
        """,
    )
    made = count(service)
    service.execute("DELETE FROM conversations")

    assert made == (10, 10, 10, 10)
    assert count(service) == (10, 0, 0, 0)


def test_a_summary_outlives_the_last_message_that_it_covers(
    service: psycopg.Connection, summary: dict[str, UUID]
) -> None:
    """A message can always be deleted; its summary no longer says how far it reaches."""
    service.execute("DELETE FROM messages WHERE id = %(message)s", summary)

    assert service.execute("SELECT id, last_message_id FROM conversation_summaries").fetchall() == [
        (summary["summary"], None)
    ]


def test_an_old_conversation_is_in_prose(service: psycopg.Connection) -> None:
    """Conversations from before the column read as the default, with no schema."""
    formats = service.execute(
        "SELECT DISTINCT response_format, response_schema FROM conversations"
    ).fetchall()

    assert formats == [("text", None)]


def test_the_price_of_one_cheap_token_is_kept_exactly(service: psycopg.Connection) -> None:
    """A cost of 0.0000000375 USD is stored without rounding, and 0.7 stays 0.7."""
    row = service.execute(
        "UPDATE messages SET cost_usd = 0.0000000375, temperature = 0.7"
        " WHERE id = (SELECT id FROM messages LIMIT 1) RETURNING cost_usd, temperature"
    ).fetchone()

    assert row == (Decimal("0.0000000375"), Decimal("0.7"))


def test_messages_of_one_transaction_stay_in_order(service: psycopg.Connection) -> None:
    """A question and its answer that are saved together are read back in that order."""
    said = ["What is the time?", "Noon.", "Thank you."]
    for content in said:
        service.execute(
            "INSERT INTO messages (conversation_id, role, content)"
            " VALUES ((SELECT min(id::text)::uuid FROM conversations), 'user', %s)",
            [content],
        )
    rows = service.execute(
        "SELECT content FROM messages WHERE content <> 'Hello' ORDER BY created_at, id"
    )

    assert said == [content for (content,) in rows]
