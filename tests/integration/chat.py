"""The chat service's migrations as values, and a few measures of what they do.

Reads the folder by its file names, runs a half the way any client would (all of the text at once,
in one transaction), and answers with text or numbers that a test can compare. It knows nothing of
Rung: what it says of the files holds for whoever runs them.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import psycopg

FOLDER = Path(__file__).parents[2] / "backend" / "migrations"
NEWEST = max(int(path.name.partition("_")[0]) for path in FOLDER.glob("*.up.sql"))
"""The newest version of the folder: 7, and more once somebody has added a migration."""
_SCHEMA_OF = Path(__file__).with_name("schema_of.sql")
_VALIDATE = re.compile(r"^-- +(ALTER TABLE \w+ VALIDATE CONSTRAINT \w+;)$", re.MULTILINE)

_ROWS_READ = """
    SELECT relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
    FROM pg_catalog.pg_stat_xact_user_tables
"""

_FILL = """
    INSERT INTO users (username, email, password_hash)
    SELECT 'user' || n, n || '@example.org', 'x' FROM generate_series(1, 10) AS n;
    INSERT INTO conversations (user_id) SELECT id FROM users, generate_series(1, 30);
    INSERT INTO messages (conversation_id, role, content)
    SELECT id, 'user', 'Hello' FROM conversations, generate_series(1, 10);
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """One migration: what its file names are called by, and the text of both halves."""

    name: str
    up: str
    down: str

    @property
    def number(self) -> int:
        """The version, which the name begins with."""
        return int(self.name.partition("_")[0])

    def half(self, direction: str) -> str:
        """The text for ``"up"`` or ``"down"``."""
        return {"up": self.up, "down": self.down}[direction]


def pairs() -> tuple[Pair, ...]:
    """Every migration of the folder, oldest first. A half that is not there is an OSError."""
    names = sorted(path.name.removesuffix(".up.sql") for path in FOLDER.glob("*.up.sql"))
    return tuple(Pair(name, _text(f"{name}.up.sql"), _text(f"{name}.down.sql")) for name in names)


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def run(connection: psycopg.Connection, sql: str) -> None:
    """Send the text as one message, within the transaction that is open or opens with it."""
    connection.execute(sql)


def climb(connection: psycopg.Connection, number: int) -> None:
    """Apply the versions from 1 to ``number`` and commit."""
    for pair in pairs()[:number]:
        run(connection, pair.up)
    connection.commit()


def fill(connection: psycopg.Connection) -> None:
    """Write 10 users, 300 conversations and 3,000 messages at any version, and commit."""
    run(connection, _FILL)
    connection.commit()


def climb_with_old_rows(connection: psycopg.Connection, number: int) -> None:
    """Apply the versions up to ``number``, with rows written at version 1, and commit."""
    climb(connection, 1)
    fill(connection)
    for pair in pairs()[1:number]:
        run(connection, pair.up)
    connection.commit()


def schema(connection: psycopg.Connection) -> str:
    """The whole schema as sorted text, the order of columns left out."""
    row = connection.execute(_SCHEMA_OF.read_text("utf-8")).fetchone()
    assert row is not None
    return str(row[0])


def rows_read(connection: psycopg.Connection, sql: str) -> dict[str, int]:
    """Run the text and give the rows that the server read from each table, where it read any.

    Verifying a constraint, building an index and rewriting a table all count, once for each time
    that a row is read. The figures are the server's own for this session, so whatever the open
    transaction had read before is taken off.
    """
    before = _rows_read(connection)
    run(connection, sql)
    after = _rows_read(connection)
    read = {table: count - before.get(table, 0) for table, count in after.items()}
    return {table: count for table, count in read.items() if count}


def _rows_read(connection: psycopg.Connection) -> dict[str, int]:
    return {str(table): int(count) for table, count in connection.execute(_ROWS_READ)}


def validations(text: str) -> tuple[str, ...]:
    """The statements that a file's comment names for validating its constraints at leisure."""
    return tuple(_VALIDATE.findall(text))


def unvalidated(connection: psycopg.Connection) -> tuple[str, ...]:
    """The names of the constraints that the server does not yet hold valid for old rows."""
    rows = connection.execute(
        "SELECT conname FROM pg_catalog.pg_constraint WHERE NOT convalidated ORDER BY conname"
    )
    return tuple(str(name) for (name,) in rows)
