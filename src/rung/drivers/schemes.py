"""
The schemes of database URLs: golang-migrate's and libpq's, and SQLAlchemy's with a driver. Pure.

SQLAlchemy writes `DIALECT+DRIVER://`. Which Python driver an application uses is no matter here:
the database is the same. What else of such a URL is SQLAlchemy's way is each driver's to read.
"""

from __future__ import annotations

POSTGRES = ("postgres", "postgresql", "pgx", "pgx5")
SQLITE = ("sqlite", "sqlite3")
POSTGRES_SQLALCHEMY = tuple(
    f"postgresql+{driver}"
    for driver in (
        *("asyncpg", "psycopg", "psycopg_async", "psycopg2", "psycopg2cffi", "pg8000"),
        "pygresql",
    )
)
SQLITE_SQLALCHEMY = ("sqlite+aiosqlite", "sqlite+pysqlite")


def beginning(url: str, schemes: tuple[str, ...]) -> str | None:
    """The beginning of a URL, `SCHEME://`, where it is one of these; else None."""
    scheme, separator, _ = url.partition("://")
    return f"{scheme}://" if separator and scheme in schemes else None
