"""Which database, and how to come to it: what a caller says about a database, as a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Database(NamedTuple):
    """
    A database and the way to it. Wherever one is asked for, its URL alone does too.

    Its text never shows the URL, which may hold a password.
    """

    url: str
    """A URL, a libpq keyword string such as `host=db dbname=chatapp`, or empty for `PG*` alone."""
    role: str | None = None
    """The role to take on in each session (SET ROLE)."""
    ledger_table: str | None = None
    """The ledger, `NAME` or `SCHEMA.NAME`; parts with dots in double quotes."""
    history_table: str | None = None
    """The history, likewise; left out, it stands beside the ledger and is named after it."""
    password: Callable[[], str] | None = None
    """Asked for a password before each connection; for tokens that do not live long."""

    ledger_writers: tuple[str, ...] = ()
    """Roles that are to write the ledger besides ours, as golang-migrate's; given its rights."""

    def __repr__(self) -> str:
        return "Database(***)"

    @classmethod
    def of(cls, database: str | Database) -> Database:
        """The value of what a caller gave."""
        return database if isinstance(database, Database) else cls(database)
