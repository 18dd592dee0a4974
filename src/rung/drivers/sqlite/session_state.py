"""
What a file leaves changed in its session: pragmas, temporary objects, attached databases.

A setting that SQLite does not show (PRAGMA case_sensitive_like) is restored by opening the file
again; no message names it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from rung.drivers.sqlite.table_names import quoted, statement

if TYPE_CHECKING:
    from rung.drivers.sqlite.library import sqlite3

_PRAGMAS = (
    *("automatic_index", "busy_timeout", "cache_size", "cell_size_check"),
    *("checkpoint_fullfsync", "foreign_keys", "fullfsync", "ignore_check_constraints"),
    *("journal_mode", "journal_size_limit", "legacy_alter_table", "locking_mode"),
    *("max_page_count", "mmap_size", "query_only", "read_uncommitted", "recursive_triggers"),
    *("reverse_unordered_selects", "secure_delete", "synchronous", "temp_store", "threads"),
    *("trusted_schema", "wal_autocheckpoint", "writable_schema"),
)
_OURS = ("main", "temp")
_WAL = "wal"


class SessionState(NamedTuple):
    """The settings and temporary objects of a session."""

    pragmas: dict[str, str]
    """By name; the values as PRAGMA takes them."""
    temporary: tuple[tuple[str, str], ...]
    """Kind and name of what was made for the session alone."""
    attached: tuple[str, ...]
    """The other databases by the names that they have here."""

    @classmethod
    def of(cls, database: sqlite3.Connection) -> SessionState:
        """The state of a connection outside a transaction."""
        values = {name: database.execute(f"PRAGMA {name}").fetchone() for name in _PRAGMAS}
        attached = (row[1] for row in database.execute("PRAGMA database_list"))
        return cls(
            {name: str(row[0]) for name, row in values.items() if row is not None},
            tuple(database.execute(statement("temporary")).fetchall()),
            tuple(name for name in attached if name not in _OURS),
        )

    def changed_since(self, before: SessionState) -> tuple[str, ...]:
        """Return the names of what has changed, for people."""
        pragmas = self._pragmas_since(before)
        kept = (f"temp.{name}" for _, name in self.temporary)
        return (*pragmas, *kept, *(f"ATTACH {name}" for name in self.attached))

    def put_back(self, database: sqlite3.Connection, before: SessionState) -> None:
        """Restore a session, as far as SQLite shows its state."""
        for name in self._pragmas_since(before):
            database.execute(f"PRAGMA {name} = {before.pragmas[name]}").fetchall()
        for kind, name in self.temporary:
            database.execute(f"DROP {kind} IF EXISTS temp.{quoted(name)}")
        for name in self.attached:
            with suppress(Exception):
                database.execute(f"DETACH {quoted(name)}")

    def _pragmas_since(self, before: SessionState) -> tuple[str, ...]:
        """WAL is a state of the file and not of the session."""
        return tuple(
            name
            for name, value in self.pragmas.items()
            if value != before.pragmas.get(name, value)
            and not (name == "journal_mode" and _WAL in {value, before.pragmas[name]})
        )
