"""
A site: one throw-away database, one folder of migrations, and what was heard of the runs.

Owns the short words that the engine's tests are written in. Looks at the database with
plain queries of its own, never through Rung, so that a test compares two opinions.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from rung.errors import RungError
from rung.migrator import Migrator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.servers import Database

    import rung.database
    from rung.events import Event

_E = TypeVar("_E")
_R = TypeVar("_R", bound=RungError)


@dataclass(frozen=True, slots=True)
class Site:
    """A database and a folder of migrations that belong together for one test."""

    database: Database
    folder: Path
    events: list[Event] = field(default_factory=list)

    def add(
        self, name: str, up: str | bytes | None = None, down: str | bytes | None = None
    ) -> Site:
        """Write one migration, `VERSION_NAME`, byte for byte; None leaves a half out."""
        for half, text in (("up", up), ("down", down)):
            if text is not None:
                content = text if isinstance(text, bytes) else text.encode()
                (self.folder / f"{name}.{half}.sql").write_bytes(content)
        return self

    def add_tables(self, *versions: int) -> Site:
        """Write a migration for each version V that makes and drops a table tV."""
        for version in versions:
            table = f"t{version}"
            self.add(f"{version}_{table}", f"CREATE TABLE {table} (x int);", f"DROP TABLE {table};")
        return self

    def migrator(
        self,
        database: str | rung.database.Database | None = None,
        **options: Any,  # noqa: ANN401
    ) -> Migrator:
        """A migrator of this site whose events are kept."""
        options.setdefault("listener", self.events.append)
        return Migrator(database or self.database.conninfo, self.folder, **options)

    def up(self) -> tuple[int, ...]:
        """Go all the way up; the versions that were applied."""
        return tuple(step.version for step in self.migrator().up().steps)

    def up_fails(self, kind: type[_R]) -> _R:
        """Go up, which has to fail with this error."""
        return failing(kind, self.migrator().up)

    def heard(self, kind: type[_E]) -> list[_E]:
        """The events of one kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    # --- what is true --------------------------------------------------------------------

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query, on a connection of its own."""
        return self.database.psql(sql)

    def ledger(self) -> list[tuple[int, bool]]:
        """The ledger's rows."""
        return [
            (row[0], row[1]) for row in self.ask("SELECT version, dirty FROM schema_migrations")
        ]

    def history(self) -> list[tuple[int | None, str, str]]:
        """Version, direction and outcome of every attempt, oldest first."""
        rows = self.ask(
            "SELECT version, direction, outcome FROM schema_migrations_history ORDER BY id"
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def progress(self) -> list[tuple[Any, ...]]:
        """Outcome, statements done, total and in flight of every attempt, oldest first."""
        return self.ask(
            "SELECT outcome, statements_done, statements_total, in_flight "
            "FROM schema_migrations_history ORDER BY id"
        )

    def tables(self) -> set[str]:
        """The tables in schema public, ours left out."""
        rows = self.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ours = {f"schema_migrations{end}" for end in ("", "_history", "_lease")}
        return {row[0] for row in rows} - ours


def failing(kind: type[_R], work: Callable[[], object]) -> _R:
    """The error of work that has to fail."""
    with pytest.raises(kind) as raised:
        work()
    return raised.value


def wait_for(fact: Callable[[], object], seconds: float = 40.0) -> bool:
    """Whether something becomes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if fact():
            return True
        time.sleep(0.02)
    return bool(fact())
