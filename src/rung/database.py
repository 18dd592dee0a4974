"""A database and how to connect to it, as a value that callers pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Database(NamedTuple):
    """
    A database and how to connect to it; its URL alone is accepted wherever one is a parameter.

    Its `repr` never shows the URL, which may hold a password.
    """

    url: str
    """A URL, a libpq keyword string such as `host=db dbname=chatapp`, or empty for `PG*` alone."""
    role: str | None = None
    """The role to assume in each session (SET ROLE)."""
    ledger_table: str | None = None
    """The ledger table, `NAME` or `SCHEMA.NAME`; parts with dots in double quotes."""
    history_table: str | None = None
    """The history table, likewise; by default in the ledger's schema and named after it."""
    password: Callable[[], str] | None = None
    """Called for a password before each connection; for short-lived tokens."""

    ledger_writers: tuple[str, ...] = ()
    """Other roles that write the ledger, such as golang-migrate's; they are granted its rights."""

    def __repr__(self) -> str:
        return "Database(***)"

    @classmethod
    def of(cls, database: str | Database) -> Database:
        """Make a `Database` of a URL; a `Database` is returned as it is."""
        return database if isinstance(database, Database) else cls(database)
