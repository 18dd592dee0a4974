"""Which drivers there are by golang-migrate's names, and what each of them means here. Data."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Tongue(Enum):
    """Whose words an error of the database has: those of the library that golang-migrate uses."""

    PQ = "pq"
    PGX = "pgx"
    SQLITE = "sqlite"


class Scheme(NamedTuple):
    """A database driver of golang-migrate."""

    tongue: Tongue
    ours: str
    """The scheme of ours that reaches it."""
    ledger_table: str | None = None
    """The ledger where the URL names none; None for the usual one."""
    locks_by_choice: bool = False
    """Whether its URL may name a way to lock, `x-lock-strategy`."""


SOURCES = ("file",)

DATABASES = {
    "cockroach": Scheme(Tongue.PQ, "postgresql"),
    "cockroachdb": Scheme(Tongue.PQ, "postgresql"),
    "crdb-postgres": Scheme(Tongue.PQ, "postgresql"),
    "pgx": Scheme(Tongue.PGX, "postgresql", locks_by_choice=True),
    "pgx4": Scheme(Tongue.PGX, "postgresql", locks_by_choice=True),
    "pgx5": Scheme(Tongue.PGX, "postgresql"),
    "postgres": Scheme(Tongue.PQ, "postgresql"),
    "postgresql": Scheme(Tongue.PQ, "postgresql"),
    "sqlite": Scheme(Tongue.SQLITE, "sqlite"),
    "sqlite3": Scheme(Tongue.SQLITE, "sqlite3"),
    "yugabyte": Scheme(Tongue.PQ, "postgresql", "migrations"),
    "yugabytedb": Scheme(Tongue.PQ, "postgresql", "migrations"),
    "ysql": Scheme(Tongue.PQ, "postgresql", "migrations"),
}
