"""Databases for tests: what is made, what is shared, and what is never touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from rung.errors import DatabaseError
from rung.integrations.copies import Copies, TestDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rung.embedded import EmbeddedServer


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Write one migration."""
    (tmp_path / "1_a.up.sql").write_text("CREATE TABLE a (id int);")
    (tmp_path / "1_a.down.sql").write_text("DROP TABLE a;")
    return tmp_path


@pytest.fixture
def admin(server: EmbeddedServer) -> Iterator[psycopg.Connection[Any]]:
    """Look at the server from outside; what a test leaves there is dropped."""
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        before = names(connection)
        yield connection
        for name in names(connection) - before:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def names(connection: psycopg.Connection[Any]) -> set[str]:
    """The databases that there are."""
    return {row[0] for row in connection.execute("SELECT datname FROM pg_database")}


def asked(database: TestDatabase, text: str) -> list[tuple[Any, ...]]:
    """Run a query on a database."""
    with database.connect() as connection:
        return connection.execute(text.encode()).fetchall()


ATTEMPTS = "SELECT attempt FROM schema_migrations_history"


def test_copies_are_migrated_and_apart(
    admin: psycopg.Connection[Any], server: EmbeddedServer, source: Path
) -> None:
    """Two copies have the schema, what one test writes no other sees, and none is left."""
    before = names(admin)
    with Copies(server.conninfo(), source) as copies:
        with copies.copy() as one, copies.copy() as other:
            with one.connect() as connection:
                connection.execute("INSERT INTO a VALUES (1)")
            rows = [asked(copy, "SELECT count(*) FROM a") for copy in (one, other)]
        with copies.empty() as empty:
            tables = asked(empty, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    left = names(admin) - before

    assert (rows, tables) == ([[(1,)], [(0,)]], [(0,)])
    assert [name.rpartition("_")[0] for name in left] == ["rung_template"]


def test_the_template_is_migrated_once(
    admin: psycopg.Connection[Any], server: EmbeddedServer, source: Path
) -> None:
    """Another worker, and a later run, copy the template that is there."""
    found = []
    for _ in range(2):
        with Copies(server.conninfo(), source) as copies, copies.copy() as copy:
            found.append(asked(copy, ATTEMPTS))

    assert len(found[0]) == 1
    assert found[0] == found[1]


def test_equal_files_share_a_template(
    admin: psycopg.Connection[Any], server: EmbeddedServer, source: Path
) -> None:
    """Another checkout with the same files copies the same template."""
    twin = source / "twin"
    twin.mkdir()
    for file in source.glob("*.sql"):
        (twin / file.name).write_text(file.read_text())
    found = []
    for folder in (source, twin):
        with Copies(server.conninfo(), folder) as copies, copies.copy() as copy:
            found.append(asked(copy, ATTEMPTS))

    assert found[0] == found[1]


def test_other_files_are_another_template(
    admin: psycopg.Connection[Any], server: EmbeddedServer, source: Path
) -> None:
    """After an edit a new template is made, and the old one goes when nobody may be using it."""
    before = names(admin)
    with Copies(server.conninfo(), source) as copies, copies.copy():
        (source / "2_b.up.sql").write_text("CREATE TABLE b (id int);")
        with Copies(server.conninfo(), source) as later, later.copy() as copy:
            versions = asked(copy, "SELECT version FROM schema_migrations")
        meanwhile = len(names(admin) - before)
    with Copies(server.conninfo(), source):
        left = len(names(admin) - before)

    assert versions == [(2,)]
    assert (meanwhile, left) == (3, 1)  # two templates and a copy; then one template


def test_what_a_killed_worker_left_is_dropped(
    admin: psycopg.Connection[Any], server: EmbeddedServer, source: Path
) -> None:
    """A copy whose maker is gone is dropped by the next; one whose maker lives is not."""
    killed, living = Copies(server.conninfo(), source), Copies(server.conninfo(), source)
    with killed, living, killed.copy() as gone, living.copy() as stays:
        killed._connection.close()
        with Copies(server.conninfo(), source):
            left = names(admin)
        killed._connection = psycopg.connect(server.conninfo(), autocommit=True)  # for its end

    assert gone.name not in left
    assert stays.name in left


def test_a_template_that_was_not_finished_is_made_anew(
    admin: psycopg.Connection[Any], server: EmbeddedServer, source: Path
) -> None:
    """Where its maker was killed, the next takes its place."""
    (source / "2_b.up.sql").write_text("SELECT 1 / 0;")
    with Copies(server.conninfo(), source) as copies, pytest.raises(Exception, match="by zero"):
        copies.copy().__enter__()
    with Copies(server.conninfo(), source) as copies, pytest.raises(Exception, match="by zero"):
        copies.copy().__enter__()
    templates = [name for name in names(admin) if name.startswith("rung_template_")]

    assert len(templates) == 1


@pytest.mark.parametrize("comment", [None, "mine", "rung test copy of run 5 by elsewhere"])
def test_what_is_not_ours_is_left_alone(
    admin: psycopg.Connection[Any], server: EmbeddedServer, source: Path, comment: str | None
) -> None:
    """A database with a name like ours, and not our comment, is neither used nor dropped."""
    with Copies(server.conninfo(), source) as copies, copies.copy():
        pass
    [template] = [name for name in names(admin) if name.startswith("rung_template_")]
    strangers = [template, "rung_test_5_1"]
    admin.execute(f"ALTER DATABASE {template} ALLOW_CONNECTIONS true".encode())
    admin.execute(b"CREATE DATABASE rung_test_5_1")
    for name in strangers:
        text = "NULL" if comment is None else f"'{comment}'"
        admin.execute(f"COMMENT ON DATABASE {name} IS {text}".encode())
    with (
        Copies(server.conninfo(), source) as copies,
        pytest.raises(DatabaseError, match="is not ours"),
    ):
        copies.copy().__enter__()

    assert set(strangers) <= names(admin)


def test_urls_lead_to_the_database(
    admin: psycopg.Connection[Any], server: EmbeddedServer, source: Path
) -> None:
    """Both ways to say where it is lead there."""
    with Copies(server.url(), source) as copies, copies.empty() as database:
        for where in (database.url, database.conninfo):
            with psycopg.connect(where) as connection:
                assert connection.info.dbname == database.name
