"""The image's own commands: built, served, built again with a migration more, and its texts."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from tests.chat.image import Builder, BuildFailed, send, stages
from tests.chat.serving import SECRET
from tests.integration.chat import NEWEST

from chatapp.api import page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import Database

_NO_NETWORK = ("Failed to establish a new connection", "Failed to resolve", "No route to host")
_PORT = "8000"


def build(builder: Builder, context: Path) -> None:
    """Build, or say that packages are out of reach."""
    try:
        builder.build(context, PIP_RETRIES="1", PIP_NO_COMPILE="1")
    except BuildFailed as failed:
        if os.environ.get("CI") or not any(text in str(failed) for text in _NO_NETWORK):
            raise
        pytest.skip("the image's packages are out of reach")


@contextmanager
def container(builder: Builder, database: Database, cwd: Path) -> Iterator[str]:
    """Run the image's command until its health check is content; the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
    settings = {"CHAT_DATABASE_URL": database.url, "CHAT_TOKEN_SECRET": SECRET, "CHAT_PORT": port}
    ours = {"CHAT_HOST": "127.0.0.1", "PYTHONPYCACHEPREFIX": str(cwd / "compiled")}
    environment = builder.environment() | settings | ours
    check = [word.replace(_PORT, port) for word in builder.health_check()]
    with subprocess.Popen(builder.command(), env=environment, cwd=cwd) as process:
        try:
            patience = time.monotonic() + 120
            while subprocess.run(check, check=False, capture_output=True, cwd=cwd).returncode:
                assert process.poll() is None
                assert time.monotonic() < patience
                time.sleep(0.2)  # leave the processor to what is to become healthy
            yield port
        finally:
            process.terminate()


def executed(builder: Builder, database: Database, *words: str) -> str:
    """What `docker compose exec backend rung` prints, by the image's own program and variables."""
    environment = builder.environment()
    program = shutil.which("rung", path=environment["PATH"])
    assert program is not None
    environment |= {"RUNG_DATABASE": database.url}
    environment |= {"RUNG_SCRATCH": database.server.url("postgres")}
    ended = subprocess.run(
        [program, *words], check=False, capture_output=True, text=True, env=environment, cwd="/"
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def version_of(database: Database, wanted: int) -> int:
    """The version that a database comes to; waits for the wanted one."""
    patience = time.monotonic() + 120
    while time.monotonic() < patience:
        rows = database.psql("SELECT to_regclass('schema_migrations') IS NOT NULL")
        found = database.psql("SELECT version FROM schema_migrations") if rows[0][0] else []
        if found == [(wanted,)]:
            break
        time.sleep(0.1)
    return int(found[0][0]) if found else -1


@pytest.mark.slow
def test_the_recipe_of_the_team(database: Database, tmp_path: Path) -> None:
    """It brings the newest; with a file more, built without an index, that one; and has `rung`."""
    (context := tmp_path / "context").mkdir()
    (elsewhere := tmp_path / "elsewhere").mkdir()
    builder = Builder(tmp_path / "image")
    build(builder, send(context))
    with container(builder, database, elsewhere) as port:
        first = version_of(database, NEWEST)
        for path in sorted(page.PATHS):  # they come with the wheels
            assert urlopen(f"http://127.0.0.1:{port}{path}").status == 200
    added = context / f"backend/migrations/{NEWEST + 1:06}_rooms.up.sql"
    added.write_text("CREATE TABLE rooms ();")
    added.with_name(added.name.replace(".up.", ".down.")).write_text("DROP TABLE rooms;")
    builder.build(context, PIP_NO_INDEX="1", PIP_NO_COMPILE="1")
    with container(builder, database, elsewhere):
        second = version_of(database, NEWEST + 1)

    status = executed(builder, database, "status")
    executed(builder, database, "down", "--yes")
    database.psql(f"UPDATE schema_migrations SET version = {NEWEST + 1}, dirty = true")
    repaired = executed(builder, database, "repair", "--yes")
    executed(builder, database, "up")

    assert (first, second) == (NEWEST, NEWEST + 1)
    assert "rooms" in status.splitlines()[NEWEST + 1]
    assert "not applied" in repaired
    assert version_of(database, NEWEST + 1) == NEWEST + 1


def test_it_runs_as_nobody_who_owns_anything() -> None:
    """The image's user is a number that is not root's, so that a cluster can tell."""
    [user] = [one.rest for one in stages()[1] if one.name == "USER"]

    assert int(user) > 0
