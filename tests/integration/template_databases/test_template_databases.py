"""Databases for tests: what is made, what is shared, and what is never touched."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

import rung
from rung.errors import ConnectionFailed, DatabaseError, MigrationFailed, RightsMissing
from rung.integrations.template_databases import TemplateDatabases, TestDatabase

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
    with TemplateDatabases(server.conninfo(), source) as copies:
        with copies.copy() as one, copies.copy() as other:
            with one.connect() as connection:
                connection.execute("INSERT INTO a VALUES (1)")
            rows = [asked(copy, "SELECT count(*) FROM a") for copy in (one, other)]
        with copies.empty() as empty:
            tables = asked(empty, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    left = names(admin) - before

    assert (rows, tables) == ([[(1,)], [(0,)]], [(0,)])
    assert [name.startswith("rung_template_") for name in left] == [True]


def test_the_template_is_migrated_once(
    admin: psycopg.Connection[Any], server: EmbeddedServer, source: Path
) -> None:
    """Another worker, and a later run, copy the template that is there."""
    found = []
    for _ in range(2):
        with TemplateDatabases(server.conninfo(), source) as copies, copies.copy() as copy:
            found.append(asked(copy, ATTEMPTS))

    assert len(found[0]) == 1
    assert found[0] == found[1]


def test_equal_files_share_a_template(
    admin: psycopg.Connection[Any],
    server: EmbeddedServer,
    source: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Another checkout with the same files copies the same template."""
    twin = tmp_path_factory.mktemp("twin")
    for file in source.glob("*.sql"):
        (twin / file.name).write_text(file.read_text())
    found = []
    for folder in (source, twin):
        with TemplateDatabases(server.conninfo(), folder) as copies, copies.copy() as copy:
            found.append(asked(copy, ATTEMPTS))

    assert found[0] == found[1]


def test_other_files_are_another_template(
    admin: psycopg.Connection[Any], server: EmbeddedServer, source: Path
) -> None:
    """After an edit a new template is made, and the old one goes when nobody may be using it."""
    before = names(admin)
    with TemplateDatabases(server.conninfo(), source) as copies, copies.copy():
        (source / "2_b.up.sql").write_text("CREATE TABLE b (id int);")
        with TemplateDatabases(server.conninfo(), source) as later, later.copy() as copy:
            versions = asked(copy, "SELECT version FROM schema_migrations")
        meanwhile = len(names(admin) - before)
    with TemplateDatabases(server.conninfo(), source):
        left = len(names(admin) - before)

    assert versions == [(2,)]
    assert (meanwhile, left) == (3, 1)  # two templates and a copy; then one template


def test_what_a_killed_worker_left_is_dropped(
    admin: psycopg.Connection[Any], server: EmbeddedServer, source: Path
) -> None:
    """A copy whose maker is gone is dropped by the next; one whose maker lives is not."""
    killed, living = (
        TemplateDatabases(server.conninfo(), source),
        TemplateDatabases(server.conninfo(), source),
    )
    with killed, living, killed.copy() as gone, living.copy() as stays:
        killed._connection.close()
        with TemplateDatabases(server.conninfo(), source):
            left = names(admin)
        killed._connection = psycopg.connect(server.conninfo(), autocommit=True)  # for its end

    assert gone.name not in left
    assert stays.name in left


def test_a_template_that_was_not_finished_is_made_anew(
    admin: psycopg.Connection[Any], server: EmbeddedServer, source: Path
) -> None:
    """Where its maker was killed, however early, the next takes its place."""
    with TemplateDatabases(server.conninfo(), source) as copies:
        copies._create(copies._name_of(source), "template0")
    with TemplateDatabases(server.conninfo(), source) as copies, copies.copy() as copy:
        assert len(asked(copy, ATTEMPTS)) == 1


def test_what_fails_is_not_tried_for_each_test(server: EmbeddedServer, source: Path) -> None:
    """A migration that fails is run once, and what it said is told again."""
    (source / "2_b.up.sql").write_text("SELECT 1 / 0;")
    with TemplateDatabases(server.conninfo(), source) as copies:
        with pytest.raises(MigrationFailed, match="by zero") as first:
            copies.copy().__enter__()
        with pytest.raises(MigrationFailed) as second:
            copies.copy().__enter__()

    assert second.value is first.value


def test_another_source(
    admin: psycopg.Connection[Any],
    server: EmbeddedServer,
    source: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A copy may be of other migrations than the rest."""
    other = tmp_path_factory.mktemp("other")
    (other / "5_b.up.sql").write_text("CREATE TABLE b (id int);")
    copies = TemplateDatabases(server.conninfo(), source)
    with copies, copies.copy(other) as one, copies.copy() as two:
        found = [asked(copy, "SELECT version FROM schema_migrations") for copy in (one, two)]

    assert found == [[(5,)], [(1,)]]


# --- whose a database is -------------------------------------------------------------------


def left_over(server: EmbeddedServer, source: Path) -> tuple[str, str]:
    """What a run leaves that is killed at the worst moment: a copy and a template, no comments."""
    killed = TemplateDatabases(server.conninfo(), source)
    copy, template = (
        f"rung_test_{killed._database_oid}_77_1",
        f"rung_template_{killed._database_oid}_0",
    )
    for name in (copy, template):
        killed._create(name, "template0")
    killed._connection.close()
    return copy, template


def test_what_was_killed_before_its_comment_is_dropped(
    admin: psycopg.Connection[Any], server: EmbeddedServer, source: Path
) -> None:
    """A database can be told to be ours from its first moment."""
    left = left_over(server, source)
    before = names(admin)
    with TemplateDatabases(server.conninfo(), source):
        after = names(admin)

    assert before - after == {*left}


def test_what_was_renamed_is_somebodys(
    admin: psycopg.Connection[Any], server: EmbeddedServer, source: Path
) -> None:
    """A template or copy that was kept under another name is left alone."""
    for name, kept in zip(left_over(server, source), ("kept", "rung_test_5_77_1"), strict=True):
        admin.execute(f"COMMENT ON DATABASE {name} IS 'rung test template of {source}'".encode())
        admin.execute(f"ALTER DATABASE {name} RENAME TO {kept}".encode())
    with TemplateDatabases(server.conninfo(), source), TemplateDatabases(server.conninfo(), source):
        assert {"kept", "rung_test_5_77_1"} <= names(admin)


@pytest.mark.parametrize("comment", ["NULL", "'mine'", "'rung test copy'"])
def test_what_is_not_ours_is_left_alone(
    admin: psycopg.Connection[Any], server: EmbeddedServer, source: Path, comment: str
) -> None:
    """A database with a name like ours that somebody else made is neither used nor dropped."""
    with TemplateDatabases(server.conninfo(), source) as copies:
        strangers = {copies._name_of(source), f"rung_test_{copies._database_oid}_77_1"}
        for name in strangers:
            admin.execute(f"CREATE DATABASE {name}".encode())
            admin.execute(f"COMMENT ON DATABASE {name} IS {comment}".encode())
        with pytest.raises(DatabaseError, match="was not created by Rung"):
            copies.copy().__enter__()
    with TemplateDatabases(server.conninfo(), source):
        assert strangers <= names(admin)


# --- rights --------------------------------------------------------------------------------


@pytest.fixture
def role(admin: psycopg.Connection[Any]) -> Iterator[str]:
    """Make a role that may log in and nothing else."""
    admin.execute("CREATE ROLE tester LOGIN")
    yield "tester"
    for name in names(admin):
        if name.startswith("rung_"):
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
    admin.execute("DROP ROLE tester")


def test_a_role_that_may_not(
    admin: psycopg.Connection[Any], server: EmbeddedServer, source: Path, role: str
) -> None:
    """A role without the right is told of it, and how it is given."""
    with (
        TemplateDatabases(make_conninfo(server.conninfo(), user=role), source) as copies,
        pytest.raises(RightsMissing, match="ALTER ROLE tester CREATEDB"),
    ):
        copies.empty().__enter__()


def test_roles_do_not_meet(
    admin: psycopg.Connection[Any], server: EmbeddedServer, source: Path, role: str
) -> None:
    """What another role left, and its template, is in nobody's way."""
    admin.execute("ALTER ROLE tester CREATEDB")
    with TemplateDatabases(server.conninfo(), source) as copies, copies.copy():
        theirs = make_conninfo(server.conninfo(), user=role)
        left = left_over(server, source)
        with TemplateDatabases(theirs, source) as others, others.copy() as copy:
            owner = asked(copy, "SELECT tableowner FROM pg_tables WHERE tablename = 'a'")
        kept = names(admin)

    assert owner == [("tester",)]
    assert {*left} <= kept


def test_secrets_stay_out_of_sight(source: Path) -> None:
    """Neither an error nor a value shows the password of the server."""
    shown = repr(TestDatabase("d", "host=h password=hidden"))
    with pytest.raises(ConnectionFailed) as failed:
        TemplateDatabases("postgresql://u:hid den@localhost:1/d", source)

    assert "hid" not in shown + str(failed.value)


def test_urls_lead_to_the_database(
    admin: psycopg.Connection[Any], server: EmbeddedServer, source: Path
) -> None:
    """Both ways to say where it is lead there."""
    with TemplateDatabases(server.url(), source) as copies, copies.empty() as database:
        for where in (database.url, database.conninfo):
            with psycopg.connect(where) as connection:
                assert connection.info.dbname == database.name


async def connected_to(url: str) -> object:
    """Which database SQLAlchemy is in behind a URL."""
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        name = await connection.scalar(text("SELECT current_database()"))
    await engine.dispose()
    return name


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg", "psycopg_async"])
@pytest.mark.parametrize("more", [{}, {"sslmode": "prefer"}])
def test_urls_of_sqlalchemy(
    admin: psycopg.Connection[Any],
    server: EmbeddedServer,
    source: Path,
    driver: str,
    more: dict[str, str],
) -> None:
    """They lead its drivers there, and Rung as well."""
    with TemplateDatabases(server.url(), source) as copies, copies.empty() as database:
        url = TestDatabase(database.name, make_conninfo(database.conninfo, **more)).url_for(driver)

        assert asyncio.run(connected_to(url)) == database.name
        assert rung.run_migrations(url, source).steps


def test_no_driver_of_sqlalchemys() -> None:
    """A name that is none of its drivers' is refused with those that are."""
    with pytest.raises(ValueError, match="asyncpg, psycopg"):
        TestDatabase("d", "host=h").url_for("aiosqlite")
