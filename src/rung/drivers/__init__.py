"""The databases there are. Knowing their names costs nothing; opening one loads its driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.errors import DriverMissing

if TYPE_CHECKING:
    from rung.database import Database
    from rung.drivers.base import Driver

_POSTGRES = ("postgres", "postgresql", "pgx", "pgx5")
_SQLITE = ("sqlite", "sqlite3")


def open_driver(database: Database) -> Driver:
    """
    The driver for a database, not yet connected.

    Raises:
        DriverMissing: no driver has that scheme, or its package is not installed.
        UsageError: the text cannot be read.
    """
    scheme, separator, _ = database.url.partition("://")
    if separator and scheme in _SQLITE:
        return _sqlite(database)
    if separator and "=" not in scheme and scheme not in _POSTGRES:
        raise DriverMissing(
            "The database's URL has a scheme that no driver knows.",
            f"Known schemes: {', '.join((*_POSTGRES, *_SQLITE))}.",
        )
    return _postgres(database)


def _postgres(database: Database) -> Driver:
    try:
        from rung.drivers.postgres import PostgresDriver
    except ImportError as error:
        raise DriverMissing(
            f"The PostgreSQL driver cannot be loaded: {error}.",
            "Install it with: pip install 'rung[binary]'",
        ) from error
    return PostgresDriver(database)


def _sqlite(database: Database) -> Driver:
    try:
        from rung.drivers.sqlite import SqliteDriver
    except ImportError as error:
        raise DriverMissing(
            f"The SQLite driver cannot be loaded: {error}.",
            "Python's own sqlite3 is needed; take a Python that was built with it.",
        ) from error
    return SqliteDriver(database)
