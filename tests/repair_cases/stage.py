"""Where a dirty database is made: a folder of files, a database, and the tools that dirty it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg

from rung import Migrator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WITHIN = 60.0
_PAUSE = 0.02
_OTHERS = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
AND application_name NOT LIKE 'stage%'
"""
_WAITING = f"{_OTHERS} AND (wait_event_type = 'Lock')"


@dataclass(slots=True)
class Stage:
    """One database of one case."""

    url: str
    """As libpq and golang-migrate both read it."""
    folder: Path
    golang_migrate: Path | None
    _holding: list[psycopg.Connection[Any]] = field(default_factory=list)

    def write(self, version: int, up: str, down: str = "SELECT 1;") -> None:
        """Write both halves of a migration."""
        (self.folder / f"{version}_step{version}.up.sql").write_text(up)
        (self.folder / f"{version}_step{version}.down.sql").write_text(down)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the database, past every tool."""
        with psycopg.connect(self.url, autocommit=True, application_name="stage") as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def holding(self, sql: str) -> Iterator[None]:
        """Keep a transaction open in which this ran, for a block."""
        with psycopg.connect(self.url, application_name="stage holds") as connection:
            connection.execute(sql.encode())
            yield
            connection.rollback()

    def migrate(self, *words: str, query: str = "") -> subprocess.CompletedProcess[str]:
        """Run golang-migrate to its end."""
        return subprocess.run(
            self._migrate_words(words, query), capture_output=True, text=True, check=False
        )

    @contextmanager
    def migrating(self, *words: str, query: str = "") -> Iterator[subprocess.Popen[bytes]]:
        """Run golang-migrate during a `with` block; it has ended after it."""
        with self._beside(self._migrate_words(words, query)) as process:
            yield process

    def rung(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        return subprocess.run(
            self._rung_words(words),
            capture_output=True,
            text=True,
            check=False,
            env=_environment(),
            stdin=subprocess.DEVNULL,
        )

    def go_to(self, version: int) -> None:
        """Have Rung go to a version, in this process."""
        Migrator(self.url, self.folder).goto(version)

    @contextmanager
    def runging(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run the command during a `with` block; it has ended after it."""
        with self._beside(self._rung_words(words)) as process:
            yield process

    def await_blocked(self) -> None:
        """Wait until somebody else's statement waits for a lock."""
        self.until(_WAITING)

    def until(self, sql: str) -> None:
        """Wait until a question has a row."""
        deadline = time.monotonic() + _WITHIN
        while not self.ask(sql):
            assert time.monotonic() < deadline, f"never: {sql}"
            time.sleep(_PAUSE)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a tool with SIGKILL, and see its server process end."""
        process.kill()
        process.wait()
        self.ask(_OTHERS.replace("SELECT pid", "SELECT pg_terminate_backend(pid)"))
        deadline = time.monotonic() + _WITHIN
        while self.ask(_OTHERS) and time.monotonic() < deadline:
            time.sleep(_PAUSE)

    def cancel(self, process: subprocess.Popen[bytes]) -> None:
        """Cancel the statement that a tool waits for, until the tool has ended."""
        deadline = time.monotonic() + _WITHIN
        while process.poll() is None and time.monotonic() < deadline:
            self.ask(_WAITING.replace("SELECT pid", "SELECT pg_cancel_backend(pid)"))
            time.sleep(_PAUSE)
        assert process.poll() is not None

    @contextmanager
    def _beside(self, words: list[str]) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen(
            words,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            env=_environment(),
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def _migrate_words(self, words: tuple[str, ...], query: str) -> list[str]:
        assert self.golang_migrate is not None
        url = f"{self.url}&sslmode=disable{query}"
        return [str(self.golang_migrate), "-path", str(self.folder), "-database", url, *words]

    def _rung_words(self, words: tuple[str, ...]) -> list[str]:
        named = ["--database", self.url, "--source", str(self.folder)]
        return [sys.executable, "-m", "rung", *words, *named]


def _environment() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith("RUNG_")} | {
        name: text for name, text in os.environ.items() if name == "RUNG_PG_BIN"
    }
