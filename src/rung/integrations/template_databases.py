"""
Databases for tests: copies of a template that was migrated once, on a server of PostgreSQL's.

Touches no database that it did not make. What it makes bears a mark from its first moment: a
connection limit, far above what is ever reached, that is a checksum of the name. So what a killed
process left can be told from what is somebody else's, and is dropped by a later one, which sees
from an advisory lock that the maker is gone. These locks are of the database that is connected
to, so its number is part of each name.
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
"""The class of our advisory locks, beside an id."""
_BUILDING, _IN_USE = 1, 2
_LIBPQ = ("psycopg", "psycopg_async", "psycopg2")
"""The drivers that take every key of libpq's."""
_DRIVERS = ("asyncpg", *_LIBPQ, "pg8000")
_RUNS = (16, 2**31)
_FINISHED = "rung test template of "
_COMMENTS = "rung test "
"""What every comment of ours begins with."""
_LEAST, _DIGITS = 2**20, 7
_INVALID = -2
"""The limit of a database whose DROP was broken off; nobody can use it any more."""

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
    """A database that a test may do with as it likes."""

    __test__ = False  # it is no test, whatever its name says

    name: str
    conninfo: str = field(repr=False)
    """How to connect, in libpq's key=value form; it may hold a password."""

    @property
    def url(self) -> str:
        """How to connect, as a postgresql:// URL."""
        facts = conninfo_to_dict(self.conninfo)
        name = quote(str(facts.pop("dbname")), safe="")
        return f"postgresql:///{name}?{urlencode(facts)}"

    def url_for(self, driver: str) -> str:
        """
        How SQLAlchemy connects with one of its drivers: `postgresql+DRIVER://…`.

        Args:
            driver: asyncpg, psycopg, psycopg_async, psycopg2 or pg8000.

        Raises:
            ValueError: it is none of those.
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
        """Connect with autocommit; the caller closes, best by `with`."""
        return psycopg.connect(self.conninfo, autocommit=True)


class Copies:
    """
    The databases of one test process; a context manager that drops them.

    Args:
        server: how to connect to a database of the server, as a role that may make others.
        source: the migrations of the template, where a copy is not asked for another's.

    Raises:
        ConnectionFailed: the server cannot be reached.
    """

    def __init__(self, server: str, source: str | os.PathLike[str]) -> None:
        self._server, self._source = server, source
        self._connection = _connected(server)
        [(self._here, self._role)] = self._connection.execute(_WHO).fetchall()
        self._run = secrets.choice(range(*_RUNS))
        self._numbers = count(1)
        self._templates: dict[str, str | RungError] = {}

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self._connection.close()
            raise
        return self

    def _begin(self) -> None:
        self._lock(self._run)
        self._sweep_copies()
        self._sweep_templates(self._source)
        self._connection.execute("SELECT pg_catalog.pg_advisory_lock_shared(%s, %s)", _key(_IN_USE))

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    @contextmanager
    def copy(self, source: str | os.PathLike[str] | None = None) -> Iterator[TestDatabase]:
        """
        A database with every migration applied, for a block.

        Args:
            source: the migrations, where they are not those that all copies are of.

        Raises:
            RungError: the migrations cannot be applied, or no database be made.
        """
        with self._made(self._template(source or self._source)) as database:
            yield database

    @contextmanager
    def empty(self) -> Iterator[TestDatabase]:
        """
        A database with nothing in it, for a block.

        Raises:
            RungError: no database can be made.
        """
        with self._made("template0") as database:
            yield database

    @contextmanager
    def _made(self, template: str) -> Iterator[TestDatabase]:
        name = f"rung_test_{self._here}_{self._run}_{next(self._numbers)}"
        self._create(name, template)
        try:
            self._comment(name, f"{_COMMENTS}copy")
            yield self._database(name)
        finally:
            self._drop(name)

    # --- the template --------------------------------------------------------------------

    def _template(self, source: str | os.PathLike[str]) -> str:
        """The template's name; what once failed is not tried again for each test."""
        key = str(source)
        if key not in self._templates:
            try:
                self._templates[key] = self._made_template(source)
            except RungError as error:
                self._templates[key] = error
        known = self._templates[key]
        if isinstance(known, RungError):
            raise known.with_traceback(None)
        return known

    def _made_template(self, source: str | os.PathLike[str]) -> str:
        """Made by the first who needs it, while the others wait."""
        name = self._name_of(source)
        self._lock(_BUILDING)
        try:
            self._sweep_templates(source)
            if not self._ours().get(name, "").startswith(_FINISHED):
                self._build(name, source)
        finally:
            self._unlock(_BUILDING)
        return name

    def _name_of(self, source: str | os.PathLike[str]) -> str:
        return f"rung_template_{self._here}_{_digest(source, self._role)}"

    def _build(self, name: str, source: str | os.PathLike[str]) -> None:
        """Make it where it is not; one that a killed process left half made is made anew."""
        if name in self._ours():
            self._drop(name)
        self._create(name, "template0")
        run_migrations(self._database(name).conninfo, source)
        self._do("ALTER DATABASE {} ALLOW_CONNECTIONS false", sql.Identifier(name))
        self._comment(name, f"{_FINISHED}{source}")

    # --- what is left over ---------------------------------------------------------------

    def _sweep_copies(self) -> None:
        """Drop the copies of processes that are gone."""
        pattern = re.compile(rf"rung_test_{self._here}_([0-9]+)_[0-9]+")
        for found in filter(None, map(pattern.fullmatch, self._ours())):
            self._drop_where_free(found[0], int(found[1]))

    def _sweep_templates(self, source: str | os.PathLike[str]) -> None:
        """Drop the templates of files that were edited, and those that were never finished."""
        current, mine = self._name_of(source), f"rung_template_{self._here}_"
        for name, comment in self._ours().items():
            if name == current or not name.startswith(mine):
                continue
            if comment == f"{_FINISHED}{source}":
                self._drop_where_free(name, _IN_USE)
            elif not comment.startswith(_FINISHED):
                self._drop_where_free(name, _BUILDING)

    def _drop_where_free(self, name: str, key: int) -> None:
        """Drop a database where nobody else holds the lock of whoever may be using it."""
        if key == self._run:
            return
        asked = "SELECT pg_catalog.pg_try_advisory_lock(%s, %s)"
        [(free,)] = self._connection.execute(asked, _key(key)).fetchall()
        if free:
            with suppress(psycopg.Error):  # what cannot be dropped is no reason not to test
                self._drop(name)
            self._unlock(key)

    # --- statements ----------------------------------------------------------------------

    def _database(self, name: str) -> TestDatabase:
        return TestDatabase(name, make_conninfo(self._server, dbname=name))

    def _ours(self) -> dict[str, str]:
        """The databases that were made here and that our role may drop, with their comments."""
        rows = self._connection.execute(_COMMENTED).fetchall()
        return {
            name: comment or ""
            for name, limit, comment in rows
            if limit in {_mark(name), _INVALID} and (comment or _COMMENTS).startswith(_COMMENTS)
        }

    def _comment(self, name: str, text: str) -> None:
        self._do("COMMENT ON DATABASE {} IS {}", sql.Identifier(name), sql.Literal(text))

    def _create(self, name: str, template: str) -> None:
        places = sql.Identifier(name), sql.Identifier(template), sql.Literal(_mark(name))
        try:
            self._do("CREATE DATABASE {} TEMPLATE {} CONNECTION LIMIT {}", *places)
        except psycopg.errors.DuplicateDatabase:
            advice = f"inspect it; if it is left over from tests: DROP DATABASE {name}"
            raise DatabaseError(
                f"database {name} exists and was not created by Rung", advice
            ) from None
        except psycopg.errors.InsufficientPrivilege as refused:
            advice = f"allow it: ALTER ROLE {self._role} CREATEDB\n{_SETTINGS}"
            cause = f"role {self._role} may not create databases for tests: {refused}"
            raise RightsMissing(cause, advice) from None

    def _drop(self, name: str) -> None:
        self._do("DROP DATABASE IF EXISTS {} WITH (FORCE)", sql.Identifier(name))

    def _do(self, text: str, *places: sql.Composable) -> None:
        self._connection.execute(sql.SQL(text).format(*places))

    def _lock(self, key: int) -> None:
        self._connection.execute("SELECT pg_catalog.pg_advisory_lock(%s, %s)", _key(key))

    def _unlock(self, key: int) -> None:
        self._connection.execute("SELECT pg_catalog.pg_advisory_unlock(%s, %s)", _key(key))


def _connected(server: str) -> psycopg.Connection[Any]:
    try:
        return psycopg.connect(server, autocommit=True)
    except psycopg.ProgrammingError:
        # libpq quotes what it cannot parse, and a piece of a password may be in that.
        said = "libpq cannot parse its connection string"
    except psycopg.Error as refused:
        said = redacted_text(str(refused), secrets_in(server)).strip()
    cause = f"could not connect to the server for test databases: {said}"
    raise ConnectionFailed(cause, _SETTINGS, said)


def _mark(name: str) -> int:
    """The connection limit that a database of this name has where it was made here."""
    return _LEAST + int(sha256(name.encode()).hexdigest()[:_DIGITS], 16)


def _key(of: int) -> tuple[int, int]:
    return _CLASS, of


def _digest(source: str | os.PathLike[str], role: str) -> str:
    """What a template is made of: the files' names and texts, and the Rung and the role at work."""
    found = read_source(source)
    halves = [half for one in found.migrations for half in (one.up, one.down) if half]
    parts = [__version__, role, *(part for half in halves for part in (half.file, half.text))]
    return sha256(repr(parts).encode()).hexdigest()[:24]
