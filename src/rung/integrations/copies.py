"""
Databases for tests: copies of a template that was migrated once, on a server of PostgreSQL's.

Touches no database that it did not make: each has a name and a comment of ours, and both have
to be there before one is used or dropped. What a killed process left is dropped by a later one,
which can tell from an advisory lock that the maker is gone. These locks are of the database that
is connected to, so its name is part of the comment.
"""

from __future__ import annotations

import re
import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from rung._version import __version__
from rung.errors import DatabaseError
from rung.migrations import read_source
from rung.startup import run_migrations

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

_CLASS = 0x52554E47
"""The class of our advisory locks, beside an id."""
_BUILDING, _IN_USE = 1, 2
_RUNS = (16, 2**31)
_COPY = re.compile(r"rung test copy of run ([0-9]+) by (.*)", re.DOTALL)
_TEMPLATE = re.compile(r"rung test template of .* by (.*)", re.DOTALL)

_COMMENTED = "SELECT datname, pg_catalog.shobj_description(oid, 'pg_database') FROM pg_database"


@dataclass(frozen=True, slots=True)
class TestDatabase:
    """A database that a test may do with as it likes."""

    __test__ = False  # it is no test, whatever its name says

    name: str
    conninfo: str
    """How to connect, in libpq's key=value form."""

    @property
    def url(self) -> str:
        """How to connect, as a postgresql:// URL."""
        facts = conninfo_to_dict(self.conninfo)
        name = quote(str(facts.pop("dbname")), safe="")
        return f"postgresql:///{name}?{urlencode(facts)}"

    def connect(self) -> psycopg.Connection[Any]:
        """Connect with autocommit; the caller closes, best by `with`."""
        return psycopg.connect(self.conninfo, autocommit=True)


class Copies:
    """
    The databases of one test process; a context manager that drops them.

    Args:
        server: how to connect to a database of the server, as a role that may make others.
        source: the migrations of the template.
    """

    def __init__(self, server: str, source: str | os.PathLike[str]) -> None:
        self._server, self._source = server, source
        self._connection = psycopg.connect(server, autocommit=True)
        self._here = self._connection.info.dbname
        self._run = secrets.choice(range(*_RUNS))
        self._numbers = count(1)
        self._template: str | None = None

    def __enter__(self) -> Self:
        self._lock(self._run)
        self._sweep()
        self._connection.execute("SELECT pg_advisory_lock_shared(%s, %s)", (_CLASS, _IN_USE))
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    @contextmanager
    def copy(self) -> Iterator[TestDatabase]:
        """
        A database with every migration applied, for a block.

        Raises:
            RungError: the migrations cannot be applied, or the template not be made.
        """
        if self._template is None:
            self._template = self._made_template()
        with self._made(self._template) as database:
            yield database

    @contextmanager
    def empty(self) -> Iterator[TestDatabase]:
        """A database with nothing in it, for a block."""
        with self._made("template0") as database:
            yield database

    @contextmanager
    def _made(self, template: str) -> Iterator[TestDatabase]:
        name = f"rung_test_{self._run}_{next(self._numbers)}"
        self._do("CREATE DATABASE {} TEMPLATE {}", sql.Identifier(name), sql.Identifier(template))
        self._comment(name, f"rung test copy of run {self._run} by {self._here}")
        try:
            yield self._database(name)
        finally:
            self._drop(name)

    # --- the template --------------------------------------------------------------------

    def _made_template(self) -> str:
        """The template's name; made by the first who needs it, while the others wait."""
        name = f"rung_template_{_digest(self._source)}"
        self._lock(_BUILDING)
        try:
            comment = self._comments().get(name)
            if not self._is_template(comment):
                self._build(name, comment)
        finally:
            self._unlock(_BUILDING)
        return name

    @property
    def _template_comment(self) -> str:
        return f"rung test template of {self._source} by {self._here}"

    def _is_template(self, comment: str | None) -> bool:
        """Whether a comment is one of ours; equal files of another folder make an equal one."""
        found = _TEMPLATE.fullmatch(comment or "")
        return found is not None and found[1] == self._here

    def _build(self, name: str, comment: str | None) -> None:
        """Make it where it is not; one that a killed process left half made is made anew."""
        unfinished = f"rung test template, unfinished, by {self._here}"
        if comment == unfinished:
            self._drop(name)
        elif name in self._comments():
            advice = f"See what it is; where it is left over from tests: DROP DATABASE {name}."
            raise DatabaseError(f"There is a database {name} that is not ours.", advice)
        self._do("CREATE DATABASE {} TEMPLATE template0", sql.Identifier(name))
        self._comment(name, unfinished)
        run_migrations(self._database(name).conninfo, self._source)
        self._do("ALTER DATABASE {} ALLOW_CONNECTIONS false", sql.Identifier(name))
        self._comment(name, self._template_comment)

    # --- what is left over ---------------------------------------------------------------

    def _sweep(self) -> None:
        """Drop the copies of processes that are gone, and templates of files that were edited."""
        for name, comment in self._comments().items():
            found = _COPY.fullmatch(comment or "")
            if found and found[2] == self._here and name.startswith(f"rung_test_{found[1]}_"):
                self._drop_where_free(name, int(found[1]))
        current = f"rung_template_{_digest(self._source)}"
        for name, comment in self._comments().items():
            if comment == self._template_comment and name != current:
                self._drop_where_free(name, _IN_USE)

    def _drop_where_free(self, name: str, key: int) -> None:
        """Drop a database where nobody holds the lock of whoever may be using it."""
        if key == self._run:
            return
        asked = "SELECT pg_try_advisory_lock(%s, %s)"
        [(free,)] = self._connection.execute(asked, (_CLASS, key)).fetchall()
        if free:
            self._drop(name)
            self._unlock(key)

    # --- statements ----------------------------------------------------------------------

    def _database(self, name: str) -> TestDatabase:
        return TestDatabase(name, make_conninfo(self._server, dbname=name))

    def _comments(self) -> dict[str, str | None]:
        return dict(self._connection.execute(_COMMENTED).fetchall())

    def _comment(self, name: str, text: str) -> None:
        self._do("COMMENT ON DATABASE {} IS {}", sql.Identifier(name), sql.Literal(text))

    def _drop(self, name: str) -> None:
        self._do("DROP DATABASE IF EXISTS {} WITH (FORCE)", sql.Identifier(name))

    def _do(self, text: str, *places: sql.Composable) -> None:
        self._connection.execute(sql.SQL(text).format(*places))

    def _lock(self, key: int) -> None:
        self._connection.execute("SELECT pg_advisory_lock(%s, %s)", (_CLASS, key))

    def _unlock(self, key: int) -> None:
        self._connection.execute("SELECT pg_advisory_unlock(%s, %s)", (_CLASS, key))


def _digest(source: str | os.PathLike[str]) -> str:
    """What a template is made of: the files' names and texts, and the Rung that ran them."""
    found = read_source(source)
    halves = [half for one in found.migrations for half in (one.up, one.down) if half]
    parts = [__version__, *(part for half in halves for part in (half.file, half.text))]
    return sha256(repr(parts).encode()).hexdigest()[:24]
