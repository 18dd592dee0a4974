"""What the chat service's seven migrations promise, on a real server.

Each down restores the schema that its up found, and no half reads a row that was there before it.
The measures that say so are tried on bad examples too. What the constraints do is in
`test_chat_constraints`. A migration that somebody adds is free to do otherwise: that each of the
folder can be undone is tested in `tests/chat/test_migrations.py`.
"""

import re
from collections.abc import Iterator

import psycopg
import pytest
from tests.integration import chat
from tests.servers import Database

NAMES = (
    "000001_initial_schema",
    "000002_add_response_format",
    "000003_add_model_field",
    "000004_add_temperature_field",
    "000005_add_usage_tracking",
    "000006_add_provider_field",
    "000007_add_conversation_summaries",
)
PAIRS = chat.pairs()[: len(NAMES)]

each_pair = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
each_half = pytest.mark.parametrize("direction", ["up", "down"])


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection]:
    """A session on an empty database."""
    with psycopg.connect(database.conninfo) as session:
        yield session


@pytest.fixture
def service(connection: psycopg.Connection) -> psycopg.Connection:
    """A session on a database at version 7, with rows from version 1."""
    chat.climb_with_old_rows(connection, 7)
    return connection


# The files


def test_the_folder_holds_the_seven_and_pairs_after_them() -> None:
    """The seven are there, then pairs alone, with no number left out, the page and nothing else."""
    pairs = chat.pairs()
    halves = {f"{pair.name}.{direction}.sql" for pair in pairs for direction in ("up", "down")}

    assert tuple(pair.name for pair in PAIRS) == NAMES
    assert [pair.number for pair in pairs] == list(range(1, chat.NEWEST + 1))
    assert {"README.md", *halves} == {path.name for path in chat.FOLDER.iterdir()}


@each_half
@each_pair
def test_every_file_opens_by_saying_why(pair: chat.Pair, direction: str) -> None:
    """Each file begins with a comment of at least a sentence, before its first statement."""
    comment = re.match(r"(-- ?.*\n(--\n)?)+", pair.half(direction))

    assert comment is not None
    assert "." in comment.group()


@each_half
@each_pair
def test_no_file_touches_transaction_or_session(pair: chat.Pair, direction: str) -> None:
    """No statement begins or ends a transaction, changes a setting or a role, or takes a lock."""
    code = re.sub(r"--.*", "", pair.half(direction))
    verbs = {statement.split()[0] for statement in code.split(";") if statement.strip()}

    assert set() == verbs - {"CREATE", "ALTER", "DROP"}


# Up and down


@each_pair
def test_down_restores_the_schema_that_its_up_found(
    connection: psycopg.Connection, pair: chat.Pair
) -> None:
    """After up and down the schema is what it was before, column order aside."""
    chat.climb(connection, pair.number - 1)
    before = chat.schema(connection)
    chat.run(connection, pair.up)
    raised = chat.schema(connection)
    chat.run(connection, pair.down)

    assert before == chat.schema(connection)
    assert before != raised


@each_pair
def test_up_works_again_after_its_down(connection: psycopg.Connection, pair: chat.Pair) -> None:
    """Up, down and up again gives the schema that the first up gave."""
    chat.climb(connection, pair.number)
    first = chat.schema(connection)
    chat.run(connection, pair.down)
    chat.run(connection, pair.up)

    assert first == chat.schema(connection)


def test_all_seven_come_down_with_rows_in_them(connection: psycopg.Connection) -> None:
    """From version 7 with rows, seven downs in one transaction leave the schema of the start."""
    before = chat.schema(connection)
    chat.climb(connection, 7)
    chat.fill(connection)
    for pair in reversed(PAIRS):
        chat.run(connection, pair.down)

    assert before == chat.schema(connection)


@pytest.mark.parametrize(
    "leftover",
    [
        "ALTER TABLE messages VALIDATE CONSTRAINT messages_temperature_check",
        "ALTER TABLE messages ALTER COLUMN content SET DEFAULT ''",
        "ALTER TABLE messages ALTER COLUMN content DROP NOT NULL",
        "COMMENT ON COLUMN messages.content IS 'what was said'",
        "CREATE INDEX ON messages (role)",
        "CREATE TYPE mood AS ENUM ('good')",
        "CREATE SEQUENCE counter",
        "CREATE VIEW answers AS SELECT content FROM messages",
        "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_the_schema_as_text_sees_what_a_down_leaves_behind(
    service: psycopg.Connection, leftover: str
) -> None:
    """The text that the tests above compare differs for each kind of thing left behind."""
    before = chat.schema(service)
    chat.run(service, leftover)

    assert before != chat.schema(service)


# A busy table


@each_half
@pytest.mark.parametrize("pair", PAIRS[1:], ids=lambda pair: pair.name)
def test_no_half_reads_an_old_row(
    connection: psycopg.Connection, pair: chat.Pair, direction: str
) -> None:
    """No row that was there before is read, and so none under the half's exclusive locks: 0."""
    chat.climb_with_old_rows(connection, pair.number - (direction == "up"))

    assert chat.rows_read(connection, pair.half(direction)) == {}


@pytest.mark.parametrize(
    ("bad", "read"),
    [
        ("ADD COLUMN x int, ADD CONSTRAINT y CHECK (x > 0)", 3000),
        ("ADD COLUMN x int CHECK (x > 0)", 3000),
        ("ADD COLUMN x uuid, ADD CONSTRAINT y FOREIGN KEY (x) REFERENCES users (id)", 3000),
        # Read to be rewritten, then once more for each of two indexes.
        ("ADD COLUMN x uuid DEFAULT gen_random_uuid()", 9000),
        ("ADD COLUMN x text GENERATED ALWAYS AS (content) STORED", 9000),
        ("ALTER COLUMN total_tokens TYPE bigint", 9000),
        ("ADD UNIQUE (id)", 3000),
    ],
)
def test_the_count_of_rows_read_sees_a_bad_migration(
    service: psycopg.Connection, bad: str, read: int
) -> None:
    """Scans for checks and references, index builds and rewrites all show in the count."""
    assert chat.rows_read(service, f"ALTER TABLE messages {bad}") == {"messages": read}


def test_no_table_is_rewritten(connection: psycopg.Connection) -> None:
    """Each table lies in the same file on disk at version 7 as at version 1."""
    files = (
        "SELECT relname, relfilenode FROM pg_class"
        " WHERE relname IN ('users', 'conversations', 'messages') ORDER BY relname"
    )
    chat.climb(connection, 1)
    before = connection.execute(files).fetchall()
    for pair in PAIRS[1:]:
        chat.run(connection, pair.up)

    assert before == connection.execute(files).fetchall()


def test_the_unvalidated_are_named_with_the_way_to_validate_them(
    service: psycopg.Connection,
) -> None:
    """What is left NOT VALID is four constraints, and the statements in the comments settle all."""
    named = [statement for pair in PAIRS for statement in chat.validations(pair.up)]
    before = chat.unvalidated(service)
    for statement in named:
        chat.run(service, statement)

    assert len(named) == len(before) == 4
    assert chat.unvalidated(service) == ()


@each_pair
def test_each_file_names_the_validation_of_its_own_constraints(
    connection: psycopg.Connection, pair: chat.Pair
) -> None:
    """The constraints that a migration leaves unvalidated are those that its own comment names."""
    chat.climb(connection, pair.number - 1)
    before = chat.unvalidated(connection)
    chat.run(connection, pair.up)
    added = set(chat.unvalidated(connection)) - set(before)

    assert {line.split()[-1].rstrip(";") for line in chat.validations(pair.up)} == added


@pytest.mark.parametrize(
    ("doomed", "other"),
    [("conversation_summaries", "conversations"), ("messages", "conversation_summaries")],
)
def test_a_deletion_finds_what_refers_to_it_by_an_index(
    service: psycopg.Connection, doomed: str, other: str
) -> None:
    """Where 300 rows could refer to what is deleted, at most the one that does is read."""
    service.execute("SET enable_seqscan = off")
    service.execute(
        "INSERT INTO conversation_summaries (conversation_id, summary, last_message_id)"
        " SELECT conversation_id, '', min(id::text)::uuid FROM messages GROUP BY conversation_id"
    )
    read = chat.rows_read(
        service, f"DELETE FROM {doomed} WHERE id = (SELECT id FROM {doomed} LIMIT 1)"
    )

    assert read.get(other, 0) <= 1
