"""golang-migrate's drivers by their names, and their properties. Data."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class ErrorStyle(Enum):
    """The style of a database's errors: that of the library that golang-migrate uses."""

    PQ = "pq"
    PGX = "pgx"
    SQLITE = "sqlite"


class Scheme(NamedTuple):
    """A database driver of golang-migrate."""

    error_style: ErrorStyle
    rung_scheme: str
    """Rung's scheme for the same database."""
    ledger_table: str | None = None
    """The default ledger table; None for `schema_migrations`."""
    has_lock_strategy: bool = False
    """Whether its URL may have `x-lock-strategy`."""


SOURCES = ("file",)

DATABASES = {
    "cockroach": Scheme(ErrorStyle.PQ, "postgresql"),
    "cockroachdb": Scheme(ErrorStyle.PQ, "postgresql"),
    "crdb-postgres": Scheme(ErrorStyle.PQ, "postgresql"),
    "pgx": Scheme(ErrorStyle.PGX, "postgresql", has_lock_strategy=True),
    "pgx4": Scheme(ErrorStyle.PGX, "postgresql", has_lock_strategy=True),
    "pgx5": Scheme(ErrorStyle.PGX, "postgresql"),
    "postgres": Scheme(ErrorStyle.PQ, "postgresql"),
    "postgresql": Scheme(ErrorStyle.PQ, "postgresql"),
    "sqlite": Scheme(ErrorStyle.SQLITE, "sqlite"),
    "sqlite3": Scheme(ErrorStyle.SQLITE, "sqlite3"),
    "yugabyte": Scheme(ErrorStyle.PQ, "postgresql", "migrations"),
    "yugabytedb": Scheme(ErrorStyle.PQ, "postgresql", "migrations"),
    "ysql": Scheme(ErrorStyle.PQ, "postgresql", "migrations"),
}
