"""
The errors that a database and a folder alone provoke: a name, what is done to them, a command.

Each `prepare` finds a folder of three good migrations and an empty database; those that need
a database at version 3 bring it there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.errors.stage import Stage

_DEFERRED = """CREATE TABLE messages (
    room int REFERENCES users DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO messages VALUES (9);
"""


class Scenario(NamedTuple):
    """One error."""

    name: str
    prepare: Callable[[Stage], object]
    command: str = "up"
    code: int = 1


def _applied(stage: Stage) -> None:
    assert stage.run("up")[0] == 0


def _bad(text: str | bytes) -> Callable[[Stage], None]:
    """A second migration that says this."""
    return lambda stage: stage.write("2_roles.up.sql", text)


def _after(*steps: Callable[[Stage], object]) -> Callable[[Stage], None]:
    """Bring the database to version 3 first."""

    def prepare(stage: Stage) -> None:
        _applied(stage)
        for step in steps:
            step(stage)

    return prepare


def _rows_only(stage: Stage) -> None:
    """A third migration of rows alone, dirty."""
    stage.write("3_rooms.up.sql", "UPDATE roles SET name = lower(name);\n")
    assert stage.run("up", "2")[0] == 0
    stage.ask("UPDATE schema_migrations SET version = 3, dirty = true")


def _asking(sql: str) -> Callable[[Stage], object]:
    return lambda stage: stage.ask(sql)


def _removing(pattern: str) -> Callable[[Stage], object]:
    return lambda stage: stage.remove(pattern)


def _dangling(stage: Stage) -> None:
    stage.remove("2_roles.up.sql")
    (stage.migrations / "2_roles.up.sql").symlink_to("nowhere.sql")


def _late(stage: Stage) -> None:
    stage.remove("2_roles.*")
    _applied(stage)
    stage.write("2_roles.up.sql", "CREATE TABLE roles (name text);\n")


def _ahead(stage: Stage) -> None:
    stage.write("4_tags.up.sql", "CREATE TABLE tags (name text);\n")
    stage.write("4_tags.down.sql", "DROP TABLE tags;\n")
    _applied(stage)
    stage.remove("4_tags.*")


FILES = (
    Scenario("no-such-folder", lambda _: None, "up --source nowhere", 2),
    Scenario("empty-folder", _removing("*")),
    Scenario("unreadable-file", _dangling),
    Scenario("not-utf-8", _bad("CREATE TABLE r (x int);\n-- caf\xe9\n".encode("latin-1"))),
    Scenario("nul-byte", _bad(b"CREATE TABLE roles (name text);\n-- \0\n")),
    Scenario("duplicate-version", lambda stage: stage.write("02_tags.up.sql", "SELECT 1;\n")),
    Scenario(
        "version-too-large", lambda stage: stage.write("9223372036854775808_x.up.sql", "SELECT 1;")
    ),
    Scenario("open-string", _bad("CREATE TABLE roles (name text);\nSELECT 'open;\n")),
    Scenario("begin-without-commit", _bad("BEGIN;\nCREATE TABLE roles (name text);\n")),
    Scenario("compatible-with-what", _bad("-- rung: compatible-with v1\nCREATE TABLE roles ();\n")),
)

LEDGER = (
    Scenario("late", _late, "up", 3),
    Scenario(
        "edited",
        _after(lambda stage: stage.write("1_users.up.sql", "CREATE TABLE users (id bigint);\n")),
        "up",
        3,
    ),
    Scenario("ahead", _ahead, "up", 5),
    Scenario(
        "version-without-file",
        _after(_asking("UPDATE schema_migrations SET version = 2"), _removing("2_*")),
        "up",
        3,
    ),
    Scenario("tables-without-ledger", _asking("CREATE TABLE users (id int); CREATE TABLE a ()")),
    Scenario("dirty", _after(_asking("UPDATE schema_migrations SET dirty = true")), "up", 4),
    Scenario(
        "not-resumed",
        _after(_asking("UPDATE schema_migrations SET dirty = true")),
        "up --resume",
        4,
    ),
    Scenario("repair-undecided", _rows_only, "repair --yes", 4),
    Scenario(
        "repair-no-state",
        _after(
            _asking("UPDATE schema_migrations SET dirty = true"),
            _asking("ALTER TABLE rooms ALTER COLUMN id TYPE bigint"),
        ),
        "repair --yes",
        4,
    ),
    Scenario(
        "scratch-failed",
        _after(
            _asking("UPDATE schema_migrations SET dirty = true"),
            _asking("DROP TABLE schema_migrations_history"),
            lambda stage: stage.write("1_users.up.sql", "CREATE TABLE users (id by_hand);\n"),
        ),
        "repair --yes",
        4,
    ),
    Scenario("two-rows", _after(_asking("INSERT INTO schema_migrations VALUES (9, false)"))),
    Scenario(
        "another-shape",
        _asking("CREATE TABLE schema_migrations (id serial, applied_at timestamptz)"),
    ),
)

SQL = (
    Scenario("first-line", _bad("CREATE TABEL roles (name text);\n")),
    Scenario(
        "middle-line",
        _bad(
            "CREATE TABLE roles (name text);\n\nALTER TABLE roles\n"
            "    ADD COLUMN role txt;\nSELECT 1;\n"
        ),
    ),
    Scenario("last-line", _bad("CREATE TABLE roles (name text);\nINSERT INTO rolls VALUES ('a');")),
    Scenario("at-commit", _bad(_DEFERRED)),
    Scenario(
        "crlf-bom-and-letters",
        _bad("\ufeff-- Grüße\r\nCREATE TABLE roles (name text);\r\nSELECT 'é', nowhere;\r\n"),
    ),
    Scenario("password-in-the-file", _bad("CREATE USER ada PASSWORD 's3cret' SUPERUSR;\n")),
    Scenario(
        "not-allowed",
        _bad("SET ROLE pg_monitor;\nCREATE SCHEMA roles;\n"),
    ),
    Scenario("statement-timeout", _bad("SET statement_timeout = '50ms';\nSELECT pg_sleep(5);\n")),
    Scenario("not-atomic", _bad("SELECT 1;\nVACUUM;\n"), "up --atomic"),
    Scenario(
        "left-dirty",
        lambda stage: stage.write(
            "3_rooms.up.sql", "VACUUM users;\nCREATE INDEX CONCURRENTLY i ON users (nothing);\n"
        ),
        "up",
        4,
    ),
    Scenario(
        "drops-the-ledger", _bad("CREATE TABLE roles (x int);\nDROP TABLE schema_migrations;\n")
    ),
    Scenario("connection-cut", _bad("SELECT pg_terminate_backend(pg_backend_pid());\n"), "up", 7),
)

WORDS = (
    Scenario("not-a-number", lambda _: None, "goto three", 2),
    Scenario("negative", lambda _: None, "up -2", 2),
    Scenario("too-large", lambda _: None, "goto 9223372036854775808", 2),
    Scenario("no-such-version", _applied, "goto 7"),
    Scenario("no-such-command", lambda _: None, "upp", 2),
    Scenario("not-confirmed", _applied, "down", 2),
    Scenario("nothing-to-accept", _applied, "accept-edit 1", 2),
    Scenario("not-certifiable", _bad("ALTER TABLE rolls ADD name text;\n"), "certify --quiet"),
)
