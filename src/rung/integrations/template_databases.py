"""
Create databases for tests: copies of a template that is migrated once, on a PostgreSQL server.

Touches no database that it did not create. Its databases have a mark from their creation: a
connection limit, far above any number of connections, that is a checksum of the name. So the
databases of a killed process can be told from those of others. A later process drops them if it
gets the creator's advisory lock. These locks belong to the database that is connected to, so that
database's oid is part of each name.
"""

from __future__ import annotations

import re
import secrets
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from rung._version import __version__
from rung.errors import ConnectionFailed, DatabaseError, RightsMissing, RungError
from rung.redaction import redacted_text, secrets_in
from rung.source import read_source
from rung.startup import run_migrations

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

_CLASS = 0x52554E47
"""The first key of the advisory locks; the second is an id."""
_BUILDING, _IN_USE = 1, 2
_LIBPQ = ("psycopg", "psycopg_async", "psycopg2")
"""The drivers that accept every keyword of libpq."""
_DRIVERS = ("asyncpg", *_LIBPQ, "pg8000")
_RUNS = (16, 2**31)
_FINISHED = "rung test template of "
_COMMENTS = "rung test "
"""The prefix of every comment that is written here."""
_LEAST_LIMIT, _DIGITS = 2**20, 7
_INVALID = -2
"""The limit of a database whose DROP was interrupted; nobody can use it any more."""

_WHO = (
    "SELECT oid::text, current_user FROM pg_catalog.pg_database "
    "WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database()"
)
_COMMENTED = (
    "SELECT datname, datconnlimit, pg_catalog.shobj_description(oid, 'pg_database') "
    "FROM pg_catalog.pg_database WHERE pg_catalog.pg_has_role(datdba, 'USAGE')"
)
_SETTINGS = (
    "RUNG_TEST_SERVER, or rung_server in pytest's settings, names the server; without both, an "
    "embedded one is started"
)


@dataclass(frozen=True, slots=True)
class TestDatabase:
    """A database that a test may change freely."""

    __test__ = False  # pytest must not collect it

    name: str
    conninfo: str = field(repr=False)
    """The connection string in libpq's key=value form; may hold a password."""

    @property
    def url(self) -> str:
        """Return the connection string as a postgresql:// URL."""
        facts = conninfo_to_dict(self.conninfo)
        name = quote(str(facts.pop("dbname")), safe="")
        return f"postgresql:///{name}?{urlencode(facts)}"

    def url_for(self, driver: str) -> str:
        """
        Return the URL for one of SQLAlchemy's drivers: `postgresql+DRIVER://…`.

        Args:
            driver: asyncpg, psycopg, psycopg_async, psycopg2 or pg8000.

        Raises:
            ValueError: the driver is unrecognized.
        """
        if driver not in _DRIVERS:
            raise ValueError(
                f"unrecognized SQLAlchemy driver {driver!r}; use one of {', '.join(_DRIVERS)}"
            )
        facts = {key: str(value) for key, value in conninfo_to_dict(self.conninfo).items()}
        user, password, name = (facts.pop(key, "") for key in ("user", "password", "dbname"))
        if driver not in _LIBPQ:
            facts = {key: facts[key] for key in ("host", "port", "sslmode") if key in facts}
            if "sslmode" in facts:
                facts["ssl"] = facts.pop("sslmode")
        who = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
        return f"postgresql+{driver}://{who}@/{quote(name, safe='')}?{urlencode(facts)}"

    def connect(self) -> psycopg.Connection[Any]:
        """Connect with autocommit; the caller closes the connection, best by `with`."""
        return psycopg.connect(self.conninfo, autocommit=True)


class TemplateDatabases:
    """
    The databases of one test process; a context manager that drops them.

    Args:
        server: the connection string of a database of the server, for a role with CREATEDB.
        source: the migrations of the template, unless `copy` is called with others.

    Raises:
        ConnectionFailed: the server cannot be reached.
    """

    def __init__(self, server: str, source: str | os.PathLike[str]) -> None:
        self._server, self._source = server, source
        self._connection = _connect(server)
        [(self._database_oid, self._role)] = self._connection.execute(_WHO).fetchall()
        self._run = secrets.choice(range(*_RUNS))
        self._numbers = count(1)
        self._templates: dict[str, str | RungError] = {}

    def __enter__(self) -> Self:
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise
        return self

    def _prepare(self) -> None:
        self._lock(self._run)
        pattern = re.compile(rf"rung_test_{self._database_oid}_([0-9]+)_[0-9]+")
        for match in filter(None, map(pattern.fullmatch, self._own_databases())):
            self._drop_where_free(match[0], int(match[1]))  # a copy of a process that has ended
        self._sweep_templates(self._source)
        self._connection.execute("SELECT pg_catalog.pg_advisory_lock_shared(%s, %s)", _key(_IN_USE))

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    @contextmanager
    def copy(self, source: str | os.PathLike[str] | None = None) -> Iterator[TestDatabase]:
        """
        Create a database with every migration applied, for a `with` block.

        Args:
            source: other migrations than the template's.

        Raises:
            RungError: the migrations cannot be applied, or no database can be created.
        """
        with self._temporary(self._template(source or self._source)) as database:
            yield database

    @contextmanager
    def empty(self) -> Iterator[TestDatabase]:
        """
        Create an empty database for a `with` block.

        Raises:
            RungError: no database can be created.
        """
        with self._temporary("template0") as database:
            yield database

    @contextmanager
    def _temporary(self, template: str) -> Iterator[TestDatabase]:
        name = f"rung_test_{self._database_oid}_{self._run}_{next(self._numbers)}"
        self._create(name, template)
        try:
            self._comment(name, f"{_COMMENTS}copy")
            yield self._database(name)
        finally:
            self._drop(name)

    # --- the template --------------------------------------------------------------------

    def _template(self, source: str | os.PathLike[str]) -> str:
        """Return the template's name; a failure is raised again without another try."""
        key = str(source)
        if key not in self._templates:
            try:
                self._templates[key] = self._ensure_template(source)
            except RungError as error:
                self._templates[key] = error
        template = self._templates[key]
        if isinstance(template, RungError):
            raise template.with_traceback(None)
        return template

    def _ensure_template(self, source: str | os.PathLike[str]) -> str:
        """Create the template unless it exists; other processes wait meanwhile."""
        name = self._name_of(source)
        self._lock(_BUILDING)
        try:
            self._sweep_templates(source)
            if not self._own_databases().get(name, "").startswith(_FINISHED):
                self._build(name, source)
        finally:
            self._unlock(_BUILDING)
        return name

    def _name_of(self, source: str | os.PathLike[str]) -> str:
        migrations = read_source(source).migrations
        files = [file for one in migrations for file in (one.up, one.down) if file]
        parts = [__version__, self._role]
        parts += [part for file in files for part in (file.file, file.text)]
        digest = sha256(repr(parts).encode()).hexdigest()[:24]
        return f"rung_template_{self._database_oid}_{digest}"

    def _build(self, name: str, source: str | os.PathLike[str]) -> None:
        """Create the template; replace one that a killed process left unfinished."""
        if name in self._own_databases():
            self._drop(name)
        self._create(name, "template0")
        run_migrations(self._database(name).conninfo, source)
        self._execute("ALTER DATABASE {} ALLOW_CONNECTIONS false", sql.Identifier(name))
        self._comment(name, f"{_FINISHED}{source}")

    # --- what is left over ---------------------------------------------------------------

    def _sweep_templates(self, source: str | os.PathLike[str]) -> None:
        """Drop the templates of edited files, and unfinished ones."""
        current, mine = self._name_of(source), f"rung_template_{self._database_oid}_"
        for name, comment in self._own_databases().items():
            if name == current or not name.startswith(mine):
                continue
            if comment == f"{_FINISHED}{source}":
                self._drop_where_free(name, _IN_USE)
            elif not comment.startswith(_FINISHED):
                self._drop_where_free(name, _BUILDING)

    def _drop_where_free(self, name: str, key: int) -> None:
        """Drop a database if no other process holds its lock."""
        if key == self._run:
            return
        query = "SELECT pg_catalog.pg_try_advisory_lock(%s, %s)"
        [(free,)] = self._connection.execute(query, _key(key)).fetchall()
        if free:
            with suppress(psycopg.Error):  # tests run although it cannot be dropped
                self._drop(name)
            self._unlock(key)

    # --- statements ----------------------------------------------------------------------

    def _database(self, name: str) -> TestDatabase:
        return TestDatabase(name, make_conninfo(self._server, dbname=name))

    def _own_databases(self) -> dict[str, str]:
        """Return the marked databases that this role may drop, with their comments."""
        rows = self._connection.execute(_COMMENTED).fetchall()
        return {
            name: comment or ""
            for name, limit, comment in rows
            if limit in {_mark(name), _INVALID} and (comment or _COMMENTS).startswith(_COMMENTS)
        }

    def _comment(self, name: str, text: str) -> None:
        self._execute("COMMENT ON DATABASE {} IS {}", sql.Identifier(name), sql.Literal(text))

    def _create(self, name: str, template: str) -> None:
        names = sql.Identifier(name), sql.Identifier(template), sql.Literal(_mark(name))
        try:
            self._execute("CREATE DATABASE {} TEMPLATE {} CONNECTION LIMIT {}", *names)
        except psycopg.errors.DuplicateDatabase:
            advice = f"inspect it; if it is left over from tests: DROP DATABASE {name}"
            cause = f"database {name} exists and was not created by Rung"
            raise DatabaseError(cause, advice) from None
        except psycopg.errors.InsufficientPrivilege as error:
            advice = f"allow it: ALTER ROLE {self._role} CREATEDB\n{_SETTINGS}"
            cause = f"role {self._role} may not create databases for tests: {error}"
            raise RightsMissing(cause, advice) from None

    def _drop(self, name: str) -> None:
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", sql.Identifier(name))

    def _execute(self, text: str, *names: sql.Composable) -> None:
        self._connection.execute(sql.SQL(text).format(*names))

    def _lock(self, key: int) -> None:
        self._connection.execute("SELECT pg_catalog.pg_advisory_lock(%s, %s)", _key(key))

    def _unlock(self, key: int) -> None:
        self._connection.execute("SELECT pg_catalog.pg_advisory_unlock(%s, %s)", _key(key))


def _connect(server: str) -> psycopg.Connection[Any]:
    try:
        return psycopg.connect(server, autocommit=True)
    except psycopg.ProgrammingError:
        # libpq quotes what it cannot parse, which may include a part of a password.
        reason = "libpq cannot parse its connection string"
    except psycopg.Error as error:
        reason = redacted_text(str(error), secrets_in(server)).strip()
    cause = f"could not connect to the server for test databases: {reason}"
    raise ConnectionFailed(cause, _SETTINGS, reason)


def _mark(name: str) -> int:
    """Return the connection limit that marks a database of this name."""
    return _LEAST_LIMIT + int(sha256(name.encode()).hexdigest()[:_DIGITS], 16)


def _key(key: int) -> tuple[int, int]:
    return _CLASS, key
