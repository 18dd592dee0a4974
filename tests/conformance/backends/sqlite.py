"""SQLite as a stage: one file, removed between scenarios."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from tests.conformance.backends.backend import Rows, ledger_text
from tests.conformance.scenario import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_LEDGER = (
    "CREATE TABLE schema_migrations (version uint64,dirty bool);"
    "CREATE UNIQUE INDEX version_unique ON schema_migrations (version);"
)
_FILES = ("", "-journal", "-wal", "-shm")


class SqliteStage:
    """
    A database file.

    Args:
        folder: where the file lives.
        name: the file's name.
    """

    scheme = "sqlite3"

    def __init__(self, folder: Path, name: str = "chatapp.db") -> None:
        self._path = folder / name

    def close(self) -> None:
        self.reset()

    @property
    def names(self) -> Mapping[str, str]:
        return {str(self._path): "{database}"}

    def url(self, scheme: str, query: str, user: str) -> str:
        return f"{scheme}://{self._path}{'?' if query else ''}{query}"

    def placeholders(self) -> Mapping[str, str]:
        return {"database": str(self._path)}

    def reset(self) -> None:
        for path in self._path.parent.iterdir():
            if path.name in {self._path.name + end for end in _FILES}:
                path.unlink()

    def run(self, text: str) -> None:
        with closing(self._connect()) as connection:
            connection.executescript(text)

    def make_ledger(self, rows: Rows) -> None:
        with closing(self._connect()) as connection:
            connection.executescript(_LEDGER)
            connection.executemany("INSERT INTO schema_migrations VALUES (?, ?)", rows)

    def state(self) -> State:
        if not self._path.exists():
            return State("none")
        with closing(self._connect()) as connection:
            return _state(connection)

    @contextmanager
    def holding(self, text: str) -> Iterator[None]:
        with closing(self._connect()) as connection:
            connection.executescript(text)
            yield

    def has_visitor(self) -> bool:
        """Return true: SQLite has no list of sessions."""
        return True

    def is_running(self, text: str) -> bool:
        """Nobody can ask SQLite: the file's lock tells that a writer is at work."""
        with closing(self._connect()) as connection:
            try:
                connection.executescript("BEGIN IMMEDIATE; ROLLBACK")
            except sqlite3.OperationalError:
                return True
        return False

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self._path, isolation_level=None, timeout=0.05, check_same_thread=False
        )


def _state(connection: sqlite3.Connection) -> State:
    things = [
        (str(kind), str(name), str(text))
        for kind, name, text in connection.execute("SELECT type, name, sql FROM sqlite_master")
        if "checksum_formula" not in str(text) and "_history" not in str(name)
    ]
    tables = sorted(name for kind, name, _ in things if kind == "table")
    ledgers = [name for name in tables if _is_ledger(connection, name)]
    rows = ((name, _ledger_rows(connection, name)) for name in ledgers)
    others = [name for name in tables if name not in ledgers]
    return State(
        ledger=ledger_text(rows, "schema_migrations"),
        schema=tuple(sorted(f"{kind} {name}: {text}" for kind, name, text in things)),
        data=tuple(line for name in others for line in _rows(connection, name)),
    )


def _is_ledger(connection: sqlite3.Connection, table: str) -> bool:
    columns = {row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')}
    return {"version", "dirty"} <= columns


def _ledger_rows(connection: sqlite3.Connection, table: str) -> list[tuple[int, bool]]:
    found = connection.execute(f'SELECT version, dirty FROM "{table}"')
    return [(row[0], bool(row[1])) for row in found]


def _rows(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    found = connection.execute(f'SELECT * FROM "{table}" LIMIT 20')
    yield from sorted(f"{table}: {row!r}" for row in found)
