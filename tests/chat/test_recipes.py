"""
The team's recipe for an eighth migration, in a copy of the repository: the tests stay green.

The service's own tests run in the copy, and the others that read the folder. The whole of
`make test` with an eighth migration takes minutes and is run by hand before a release.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest
from tests.chat.recipe_copy import copy_repository, environment_of
from tests.integration import chat
from tests.oracle import golang_migrate, or_skip

import rung

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Database

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

FOLDER = "backend/migrations"
AVATARS = (
    "ALTER TABLE users ADD COLUMN avatar_url VARCHAR(500);\n",
    "ALTER TABLE users DROP COLUMN avatar_url;\n",
)
MORE = {
    "add_user_roles": (
        "ALTER TABLE users ADD COLUMN role text NOT NULL DEFAULT 'member';\n",
        "ALTER TABLE users DROP COLUMN role;\n",
    ),
    "create_analytics_table": (
        """
CREATE TABLE analytics (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id uuid REFERENCES users (id) ON DELETE CASCADE,
    what text NOT NULL
);
CREATE INDEX analytics_user_id_idx ON analytics (user_id);
""",
        "DROP TABLE analytics;\n",
    ),
    "add_conversation_indexes": (
        "CREATE INDEX CONCURRENTLY conversations_updated_at_idx ON conversations (updated_at);\n",
        "DROP INDEX CONCURRENTLY conversations_updated_at_idx;\n",
    ),
}
"""Additive changes; the last is one that PostgreSQL refuses to run in a transaction."""
NEXT = f"{chat.NEWEST + 1:06}"
COMMANDS = {
    "touch": f"touch {FOLDER}/{NEXT}_add_new_feature.{{up,down}}.sql",
    "rung": "rung create add_new_feature",
    "migrate": f"migrate create -ext sql -dir {FOLDER} -seq add_new_feature",
    "golang-migrate": f'"$GOLANG" create -ext sql -dir {FOLDER} -seq add_new_feature',
}
OF_THE_FOLDER = (
    *("tests/integration/test_chat_migrations.py", "tests/integration/test_chat_constraints.py"),
    "tests/integration/engine/test_concurrent_runs.py",
    "tests/rolling/test_deployments.py::test_a_build_has_one_migration_more",
)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """Copy the repository."""
    return copy_repository(tmp_path / "top")


def append(top: Path, texts: tuple[str, str], title: str) -> None:
    """Append a migration's SQL to the files that a command created."""
    [up] = (top / FOLDER).glob(f"*_{title}.up.sql")
    down = up.with_name(up.name.replace(".up.", ".down."))
    for file, text in zip((up, down), texts, strict=True):
        with file.open("a") as opened:
            opened.write(text)


def write_more(top: Path, newest: int = chat.NEWEST) -> None:
    """Write the three, numbered after the newest."""
    for number, (title, texts) in enumerate(MORE.items(), newest + 1):
        for half in ("up", "down"):
            (top / FOLDER / f"{number:06}_{title}.{half}.sql").touch()
        append(top, texts, title)


def failures_of(top: Path, *places: str) -> str:
    """Run tests of a copy, on the copy's code; the names of those that fail, else nothing."""
    options = ["-q", "-p", "no:cacheprovider", "-n", "2", "--dist", "worksteal"]
    command = [sys.executable, "-m", "pytest", *options, *places]
    ended = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=top, env=environment_of(top)
    )
    failed = [line for line in ended.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return "\n".join(failed or [ended.stdout, ended.stderr]) if ended.returncode else ""


def schema_of(database: Database) -> str:
    """The schema as text."""
    with psycopg.connect(database.conninfo) as connection:
        return chat.schema(connection)


@pytest.mark.parametrize("way", COMMANDS)
def test_each_way_of_creating_the_next(top: Path, database: Database, way: str) -> None:
    """Whichever command made the files, they are the eighth, and its down undoes its up."""
    golang = str(or_skip(golang_migrate())) if way == "golang-migrate" else ""
    environment = environment_of(top) | {"GOLANG": golang}
    subprocess.run(["bash", "-c", COMMANDS[way]], check=True, cwd=top, env=environment)
    append(top, AVATARS, "add_new_feature")
    assert (top / FOLDER / f"{NEXT}_add_new_feature.down.sql").is_file()
    ours = rung.Migrator(database.conninfo, top / FOLDER)
    ours.goto(chat.NEWEST)
    before = schema_of(database)
    ours.up()
    changed = schema_of(database)
    ours.down(1)

    assert "avatar_url" in changed
    assert schema_of(database) == before


def test_the_service_with_more_migrations(top: Path) -> None:
    """The service's tests, what else reads the folder, and the demo: green with four more."""
    for half, text in zip(("up", "down"), AVATARS, strict=True):
        (top / FOLDER / f"{NEXT}_add_new_feature.{half}.sql").write_text(text)
    write_more(top, chat.NEWEST + 1)
    demo = subprocess.run(
        [sys.executable, "-m", "demo"],
        check=False,
        capture_output=True,
        text=True,
        cwd=top,
        env=environment_of(top),
    )

    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert failures_of(top, "tests/chat", "-m", "not slow") == ""
    assert failures_of(top, *OF_THE_FOLDER) == ""


def test_three_more_by_both_tools(top: Path, database: Database, twin_database: Database) -> None:
    """Rung and golang-migrate bring a database to the same schema, up, down and up again."""
    write_more(top)
    binary = or_skip(golang_migrate())
    place = ["-path", str(top / FOLDER), "-database", f"{twin_database.url}&sslmode=disable"]
    for words in (["up"], ["down", "3"], ["up"]):
        subprocess.run([binary, *place, *words], check=True)
    ours = rung.Migrator(database.conninfo, top / FOLDER)
    ours.up()
    ours.down(3)
    applied = [step.version for step in ours.up().steps]
    database.psql("DROP TABLE schema_migrations_history")
    schemas = [schema_of(database), schema_of(twin_database)]

    assert applied == [chat.NEWEST + 1, chat.NEWEST + 2, chat.NEWEST + 3]
    assert "conversations_updated_at_idx" in schemas[0]
    assert schemas[0] == schemas[1]
    assert [base.psql("SELECT * FROM schema_migrations") for base in (database, twin_database)] == [
        [(chat.NEWEST + 3, False)]
    ] * 2
