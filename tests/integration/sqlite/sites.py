"""
A site on SQLite: one file, one folder of migrations, and what was heard of the runs.

Looks at the database with plain queries of its own, never through Rung, so that a test
compares two opinions.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rung
from rung.migrator import Migrator

if TYPE_CHECKING:
    from rung.events import Event

_E = TypeVar("_E")
_UP = """
import sys
from rung import run_migrations
print(*(step.version for step in run_migrations(sys.argv[1], sys.argv[2]).steps))
"""


def spin(rows: int) -> str:
    """A statement that takes a while: about a second for three million rows."""
    return (
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c "
        f"WHERE n < {rows}) SELECT count(*) FROM c;"
    )


@dataclass(frozen=True, slots=True)
class Site:
    """A database's file and a folder of migrations that belong together for one test."""

    file: Path
    folder: Path
    events: list[Event] = field(default_factory=list)
    runs: list[subprocess.Popen[str]] = field(default_factory=list)
    """The processes that were begun."""

    @property
    def url(self) -> str:
        return f"sqlite://{self.file}"

    def add(self, name: str, up: str | None = None, down: str | None = None) -> Site:
        """Write one migration, `VERSION_NAME`; None leaves a half out."""
        for half, text in (("up", up), ("down", down)):
            if text is not None:
                (self.folder / f"{name}.{half}.sql").write_bytes(text.encode())
        return self

    def add_tables(self, *versions: int) -> Site:
        """Write a migration for each version V that makes and drops a table tV."""
        for v in versions:
            self.add(f"{v}_t{v}", f"CREATE TABLE t{v} (x int);", f"DROP TABLE t{v};")
        return self

    def migrator(self, query: str = "", **options: Any) -> Migrator:  # noqa: ANN401
        """A migrator of this site whose events are kept."""
        options.setdefault("listener", self.events.append)
        return Migrator(self.url + query, self.folder, **options)

    def up(self) -> tuple[int, ...]:
        """Go all the way up; the versions that were applied."""
        return tuple(step.version for step in self.migrator().up().steps)

    def heard(self, kind: type[_E]) -> list[_E]:
        """The events of one kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def begin_up(self) -> subprocess.Popen[str]:
        """Start `run_migrations` in a process of its own; it prints the versions it applied."""
        run = subprocess.Popen(
            [sys.executable, "-c", _UP, self.url, str(self.folder)],
            env={**os.environ, "PYTHONPATH": str(Path(rung.__file__).parents[1])},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.runs.append(run)
        return run

    def end(self) -> None:
        """Kill the processes that are left."""
        for run in self.runs:
            with run:
                run.kill()

    # --- what is true --------------------------------------------------------------------

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query, on a connection of its own."""
        with closing(sqlite3.connect(self.file, isolation_level=None)) as database:
            return database.execute(sql).fetchall()

    def ledger(self) -> list[tuple[int, int]]:
        """The ledger's rows."""
        return self.ask("SELECT version, dirty FROM schema_migrations")

    def progress(self) -> list[tuple[Any, ...]]:
        """Version, outcome, statements done and in flight of every attempt, oldest first."""
        return self.ask(
            "SELECT version, outcome, statements_done, in_flight "
            "FROM schema_migrations_history ORDER BY id"
        )

    def tables(self) -> set[str]:
        """The tables and views, ours left out."""
        rows = self.ask("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
        return {row[0] for row in rows} - {"schema_migrations", "schema_migrations_history"}
