"""The databases there are. Knowing their names costs nothing; opening one loads its driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.drivers.schemes import (
    POSTGRES,
    POSTGRES_SQLALCHEMY,
    SQLITE,
    SQLITE_SQLALCHEMY,
    beginning,
)
from rung.errors import DriverMissing, UsageError

if TYPE_CHECKING:
    from rung.database import Database
    from rung.drivers.contract import Driver

_LIKE_SQLITE = ("sqlite:", "sqlite3:", "file:")


def open_driver(database: Database, *, as_golang_migrate: bool = False) -> Driver:
    """
    The driver for a database, not yet connected.

    Args:
        database: its URL, and what else was said of it.
        as_golang_migrate: whether the path of a SQLite file is golang-migrate's beyond doubt.

    Raises:
        DriverMissing: no driver has that scheme, or its package is not installed.
        UsageError: the text cannot be read, or a path may be meant in two ways.
    """
    url = database.url
    if beginning(url, (*SQLITE, *SQLITE_SQLALCHEMY)):
        return _sqlite(database, as_golang_migrate=as_golang_migrate)
    scheme, separator, _ = url.partition("://")
    if separator and "=" not in scheme and scheme not in (*POSTGRES, *POSTGRES_SQLALCHEMY):
        schemes = (*POSTGRES, *SQLITE)
        raise DriverMissing(
            "unrecognized scheme of the database's URL",
            f"the schemes are {', '.join(schemes)}, and SQLAlchemy's: "
            f"{', '.join((*POSTGRES_SQLALCHEMY, *SQLITE_SQLALCHEMY))}",
        )
    if url.lower().startswith(_LIKE_SQLITE):
        raise UsageError(
            "the database is given in SQLite's or Python's form, not as a URL",
            "write sqlite://PATH: sqlite://chat.db, or sqlite:///srv/chat.db for a full path",
        )
    return _postgres(database)


def _postgres(database: Database) -> Driver:
    try:
        from rung.drivers.postgres import PostgresDriver
    except ImportError as error:
        raise DriverMissing(
            f"could not load the PostgreSQL driver: {error}",
            "install it: pip install 'rung[binary]'",
        ) from error
    return PostgresDriver(database)


def _sqlite(database: Database, *, as_golang_migrate: bool) -> Driver:
    try:
        from rung.drivers.sqlite import SqliteDriver
    except ImportError as error:
        raise DriverMissing(
            f"could not load the SQLite driver: {error}",
            "use a Python that was built with sqlite3",
        ) from error
    if not as_golang_migrate:
        from rung.drivers.sqlite.url import check_spelling

        check_spelling(database.url)
    return SqliteDriver(database)
