"""Which drivers there are by golang-migrate's names, and what each of them means here. Data."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class ErrorStyle(Enum):
    """Whose words an error of the database has: those of the library that golang-migrate uses."""

    PQ = "pq"
    PGX = "pgx"
    SQLITE = "sqlite"


class Scheme(NamedTuple):
    """A database driver of golang-migrate."""

    tongue: ErrorStyle
    ours: str
    """The scheme of ours that reaches it."""
    ledger_table: str | None = None
    """The ledger where the URL names none; None for the usual one."""
    locks_by_choice: bool = False
    """Whether its URL may name a way to lock, `x-lock-strategy`."""


SOURCES = ("file",)

DATABASES = {
    "cockroach": Scheme(ErrorStyle.PQ, "postgresql"),
    "cockroachdb": Scheme(ErrorStyle.PQ, "postgresql"),
    "crdb-postgres": Scheme(ErrorStyle.PQ, "postgresql"),
    "pgx": Scheme(ErrorStyle.PGX, "postgresql", locks_by_choice=True),
    "pgx4": Scheme(ErrorStyle.PGX, "postgresql", locks_by_choice=True),
    "pgx5": Scheme(ErrorStyle.PGX, "postgresql"),
    "postgres": Scheme(ErrorStyle.PQ, "postgresql"),
    "postgresql": Scheme(ErrorStyle.PQ, "postgresql"),
    "sqlite": Scheme(ErrorStyle.SQLITE, "sqlite"),
    "sqlite3": Scheme(ErrorStyle.SQLITE, "sqlite3"),
    "yugabyte": Scheme(ErrorStyle.PQ, "postgresql", "migrations"),
    "yugabytedb": Scheme(ErrorStyle.PQ, "postgresql", "migrations"),
    "ysql": Scheme(ErrorStyle.PQ, "postgresql", "migrations"),
}
