"""
A stage for one error: a database, a folder, the real command, and what is true around it.

What was printed is shown with the names that differ from run to run replaced, and with
nothing else changed.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from rung.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterable

_FILES = {
    "1_users": ("CREATE TABLE users (id int PRIMARY KEY);\n", "DROP TABLE users;\n"),
    "2_roles": ("CREATE TABLE roles (name text);\n", "DROP TABLE roles;\n"),
    "3_rooms": ("CREATE TABLE rooms (id int);\n", "DROP TABLE rooms;\n"),
}
_FACTS = """
    SELECT string_agg(c.relname || ':' || a.attname || ':' || a.atttypid::regtype, ',' ORDER BY 1)
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
     WHERE c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped
       AND c.relname NOT LIKE 'schema_migrations%'
"""
_SAME = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(Z| \w+|\.\d+)?"), "2026-11-24 12:00:00 UTC"),
    (re.compile(r"process \d+"), "process 4711"),
    (re.compile(r"(?<=pg_terminate_backend\()\d+"), "4711"),
    (re.compile(r"idle for \d+ s"), "idle for 3 s"),
    (re.compile(r"\b(\d+ ms|<1 ms|\d+\.\d s)(?= *$|,)", re.MULTILINE), "5 ms"),
    (re.compile(r" +(?=5 ms$)", re.MULTILINE), "  "),
    (re.compile(r"(?<= for )\d+\.\d s"), "3.4 s"),
    (re.compile(r"waited \d+\.\d s"), "waited 0.0 s"),
    (re.compile(r"port \d+"), "port 5432"),
    (re.compile(r"\.s\.PGSQL\.\d+"), ".s.PGSQL.5432"),
    (re.compile(r"(?<=:)54\d\d\d(?=/)"), "5432"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:6432"),
    (re.compile(r"pg_tblspc/[\w/]+"), "pg_tblspc/16400/PG_15_202209061/16384/16401"),
    (re.compile(r"PostgreSQL 1\d\.\d+( \([^)]*\))?"), "PostgreSQL 15.18"),
)


@dataclass(slots=True)
class Stage:
    """Where an error is provoked."""

    url: str
    """The database, for the command."""
    conninfo: str
    """The same for an administrator; empty where no server is meant to answer."""
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """What to show in place of names that differ from run to run."""

    @property
    def migrations(self) -> Path:
        """The folder of migrations."""
        return self.folder / "migrations"

    def make(self) -> None:
        """Write three good migrations."""
        self.migrations.mkdir()
        for name, (up, down) in _FILES.items():
            self.write(f"{name}.up.sql", up)
            self.write(f"{name}.down.sql", down)

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file of the folder, byte for byte."""
        data = content.encode() if isinstance(content, str) else content
        (self.migrations / name).write_bytes(data)

    def remove(self, pattern: str) -> None:
        """Remove files of the folder."""
        for file in self.migrations.glob(pattern):
            file.unlink()

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Run SQL past Rung, as an administrator."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def begin(
        self, *words: str, program: tuple[str, ...] = ("-m", "rung")
    ) -> subprocess.Popen[str]:
        """Start the command, or another program of Python's."""
        return subprocess.Popen(
            [sys.executable, *program, *words],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str) -> tuple[int, str]:
        """Run the command in this process; its exit code, and what it printed on both streams."""
        printed, environment = io.StringIO(), self._environment()
        with (
            pytest.MonkeyPatch.context() as patch,
            Path(os.devnull).open(encoding="utf-8") as nothing,
            redirect_stdout(printed),
            redirect_stderr(printed),
        ):
            for name in {*os.environ} - {*environment}:
                patch.delenv(name)
            for name, value in environment.items():  # libpq reads them too: a dict would not do
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", nothing)
            patch.chdir(self.folder)
            code = main(words)
        return int(code), printed.getvalue()

    def _environment(self) -> dict[str, str]:
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("PG", "RUNG_", "DATABASE"))
        }
        return kept | {"RUNG_DATABASE": self.url} | self.variables

    def facts(self) -> tuple[object, ...]:
        """What a failed command must not change: ledger, what is applied, tables and columns."""
        if not self.conninfo:
            return ()
        found = self.ask(_FACTS)
        return (*found, *self._rows("schema_migrations"), *self._rows("schema_migrations_history"))

    def _rows(self, table: str) -> list[tuple[Any, ...]]:
        if self.ask(f"SELECT to_regclass('public.{table}')") == [(None,)]:
            return []
        kept = " WHERE outcome = 'done'" if table.endswith("history") else ""
        return self.ask(f"SELECT * FROM {table}{kept} ORDER BY 1")

    def shown(self, printed: str) -> str:
        """What was printed, as the page has it."""
        for name, shown in sorted(self.names.items(), key=lambda item: -len(item[0])):
            printed = printed.replace(name, shown)
        for pattern, shown in _SAME:
            printed = pattern.sub(shown, printed)
        return printed


def block(commands: Iterable[str], printed: str, code: int) -> str:
    """The block of the page for what was typed and printed."""
    typed = "".join(f"$ {command}\n" for command in commands)
    return f"```console\n{typed}{printed}```\n\nExit code {code}.\n"
