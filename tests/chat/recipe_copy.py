"""
A copy of the repository, and a PostgreSQL as compose.yaml publishes it: where recipes are tried.

There is no Docker here. A `docker compose` line becomes the command that it runs in a container,
with the environment that compose.yaml and the Dockerfile give there; `up` and `restart` become
what the service does about its schema when it starts.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import yaml
from tests.chat.image import ROOT, stages
from tests.integration.connections.machine import made_machine
from tests.integration.terminals import shell_on_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.connections.machine import Machine

_LEFT_OUT = (".git", ".venv", ".rung", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis")
_START = "python -c 'from chatapp.postgres import run_migrations; run_migrations()'"
_EMPTIED = "psql -U postgres -qc 'DROP DATABASE chatapp WITH (FORCE)' -c 'CREATE DATABASE chatapp'"
_COMPOSE = (
    (r"docker compose exec postgres ", "IN_POSTGRES "),
    (r"docker compose exec backend ", "IN_BACKEND "),
    (r"docker compose (?:up -d|restart)(?: backend)?$", f"IN_BACKEND {_START}"),
    (r"docker compose down -v$", f"IN_POSTGRES {_EMPTIED}"),
    (r"docker compose (?:build|logs) backend$", "true"),
)
"""What a line begins with, and what is run in its place."""
_VARIABLE = re.compile(r"\$\{(\w+)(?::[-?]([^}]*))?\}")


def copy_repository(folder: Path) -> Path:
    """Copy what a checkout holds, changes that are not committed included."""
    shutil.copytree(ROOT, folder, symlinks=True, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    return folder


def environment_of(top: Path) -> dict[str, str]:
    """An environment in which `rung`, `chatapp` and the tests are those of a copy."""
    ours = ("PG", "RUNG_", "CHAT_", "DATABASE", "PYTEST_", "COVERAGE_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(ours) or name in {"RUNG_PG_BIN", "RUNG_TEST_GOLANG_MIGRATE"}
    }
    path = f"{Path(sys.executable).parent}:{kept['PATH']}"
    return kept | {"PATH": path, "PYTHONPATH": f"{top / 'src'}:{top / 'backend'}", "NO_COLOR": "1"}


def composed(top: Path, port: int) -> dict[str, str]:
    """What compose.yaml and the image set for the service, with the database where it is here."""
    example: dict[str, str] = dict(
        re.findall(r"^(\w+)=(.*)$", (top / ".env.example").read_text(), re.MULTILINE)
    )
    example["CHAT_TOKEN_SECRET"] = "x" * 32
    compose: Any = yaml.safe_load((top / "compose.yaml").read_text())
    [image] = [one.rest for one in stages()[1] if one.name == "ENV"]
    given = dict(word.split("=", 1) for word in image.split() if word.startswith("RUNG_"))
    for name, value in compose["services"]["backend"]["environment"].items():
        filled = _VARIABLE.sub(lambda found: example.get(found[1], found[2] or ""), str(value))
        given[name] = filled.replace("@postgres/", f"@localhost:{port}/")
    return {name: value for name, value in given.items() if not name.startswith("PROMETHEUS")}


@dataclass(frozen=True, slots=True)
class Place:
    """A copy, and a server with an empty database `chatapp`."""

    top: Path
    machine: Machine
    migrate: Path
    """What the word `migrate` runs."""

    def run(self, script: str, typed: str = "yes\n" * 9) -> tuple[int, str]:
        """Run lines in one shell on a terminal, answering its questions; code and output."""
        lines = "\n".join(["set -e", *map(self._here, script.splitlines())])
        binaries = self.machine.binaries
        environment = environment_of(self.top) | {"COLUMNS": "4000", "PAGER": "cat"}
        environment["PATH"] = f"{self.migrate.parent}:{environment['PATH']}:{binaries.bin_dir}"
        if binaries.library_dir:
            environment["LD_LIBRARY_PATH"] = str(binaries.library_dir)
        return shell_on_terminal(lines, self.top, environment, typed.encode())

    def _here(self, line: str) -> str:
        for start, instead in _COMPOSE:
            line = re.sub(start, instead.replace("\\", r"\\"), line.strip())
        postgres = {"PGHOST": str(self.machine.folder), "PGPORT": str(self.machine.port)}
        line = line.replace("IN_POSTGRES", _env(postgres))
        line = line.replace("IN_BACKEND", _env(composed(self.top, self.machine.port)))
        assert not line.startswith("docker"), line
        return line.replace("localhost:5432/", f"localhost:{self.machine.port}/")

    def psql(self, text: str) -> list[tuple[Any, ...]]:
        """Run SQL in the service's database."""
        where = self.machine.conninfo.replace("dbname=postgres", "dbname=chatapp")
        with psycopg.connect(where, autocommit=True) as connection:
            cursor = connection.execute(text.encode())
            return cursor.fetchall() if cursor.description else []

    def ledger(self) -> tuple[Any, ...] | None:
        """The version and whether it is dirty; None where nothing is recorded."""
        if self.psql("SELECT to_regclass('schema_migrations')") == [(None,)]:
            return None
        rows = self.psql("SELECT version, dirty FROM schema_migrations")
        return rows[0] if rows else None


def _env(variables: dict[str, str]) -> str:
    return shlex.join(["env", *(f"{name}={value}" for name, value in variables.items())])


@contextmanager
def published_server() -> Iterator[Machine]:
    """Run a server on 127.0.0.1 whose superuser `postgres` has the password `postgres`."""
    with made_machine() as machine:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            machine.port = taken.getsockname()[1]
        machine.start(listen_addresses="127.0.0.1")
        try:
            machine.await_answer()
            machine.ask("ALTER ROLE postgres PASSWORD 'postgres'")
            yield machine
        finally:
            machine.stop()
