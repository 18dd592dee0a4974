"""
From a database's URL to a file and what its connections get. Asks no file.

A URL is golang-migrate's: the text behind `sqlite://` or `sqlite3://` is the name that SQLite
is given. A plain name is a path and stands for itself, nothing in it decoded; a name that
begins `file:` is a URI, which SQLite decodes. The keys behind the ? are those of the Go
libraries mattn/go-sqlite3 (`_foreign_keys=1`) and modernc (`_pragma=foreign_keys(1)`).

Behind `sqlite+DRIVER://` the path is SQLAlchemy's, which begins with one slash that is not the
path's: `sqlite+aiosqlite:///chat.db` is chat.db, and four slashes begin a full path.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode

from rung.drivers.schemes import SQLITE, SQLITE_SQLALCHEMY, beginning
from rung.errors import UsageError
from rung.redaction import redacted_word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


_URI = "file:"
_MEMORY = ":memory:"
_BUSY_MS = 5000
"""How long SQLite waits for another connection's lock; mattn's default."""

_SYNONYMS: Final = {
    "_timeout": "busy_timeout",
    "_fk": "foreign_keys",
    "_journal": "journal_mode",
    "_locking": "locking_mode",
    "_sync": "synchronous",
    "_vacuum": "auto_vacuum",
    "_cslike": "case_sensitive_like",
    "_defer_fk": "defer_foreign_keys",
    "_rt": "recursive_triggers",
}
_PRAGMAS: Final = frozenset(
    {
        *_SYNONYMS.values(),
        *("ignore_check_constraints", "query_only", "secure_delete", "writable_schema"),
        "cache_size",
    }
)
_GO_ALONE = frozenset(
    {"_loc", "_mutex", "_time_format", "_time_integer_format", "_inttotime", "_texttotime"}
)
"""How Go values are made and shared; nothing of it is stored."""

_BEGINS = {"deferred": "IMMEDIATE", "immediate": "IMMEDIATE", "exclusive": "EXCLUSIVE"}
"""A run writes: with a lock taken later it would do nothing but fail later."""

_ON: Final = frozenset({"1", "on", "yes", "true"})
_PRAGMA = re.compile(r"(\w+)(?:\(\s*([\w.+-]+)\s*\)|\s*=\s*([\w.+-]+))\Z")
_CREDENTIALS = re.compile(r"(?!file:|\.)[^/]*:.*@", re.DOTALL)
"""What would be shown as a file's name, with the password in it."""
_VALUE = re.compile(r"[\w.+-]+\Z")


class SqliteUrl(NamedTuple):
    """A database's URL, read."""

    name: str
    """As SQLite is given it, without the keys that are not SQLite's."""
    path: str | None
    """The file; None for a database in memory."""
    writable: bool = True
    """False where the URI itself says that nothing is to be written."""
    busy_ms: int = _BUSY_MS
    begin: str = "IMMEDIATE"
    pragmas: tuple[tuple[str, str], ...] = ()
    """For every connection that writes, in order."""
    ledger_table: str | None = None
    """The ledger that x-migrations-table names."""
    notes: tuple[str, ...] = ()
    """What was left out and might be missed, in sentences."""
    confined: bool = False
    """True for a scratch file: its connections open no other file."""

    @property
    def enforces_foreign_keys(self) -> bool:
        """Whether a run begins with foreign keys on."""
        return dict(self.pragmas).get("foreign_keys", "").lower() in _ON

    def uri(self, mode: str) -> str:
        """The URI that SQLite opens: `mode` is ro, rw or rwc, unless the name says its own."""
        if self.path is None:
            return self.name if self.name.startswith(_URI) else f"{_URI}{_MEMORY}"
        if not self.name.startswith(_URI):
            full = os.path.abspath(self.path)  # noqa: PTH100 - a path of bytes that are no text stays one
            # Two slashes at its beginning, as SQLAlchemy writes a full path, are one to the system
            # and would begin a host's name in a URI.
            full = f"/{full.lstrip('/')}"
            return f"{_URI}{quote(os.fsencode(full))}?mode={mode}"
        if "mode" in dict(parse_qsl(self.name.partition("?")[2])):
            return self.name
        return f"{self.name}{'&' if '?' in self.name else '?'}mode={mode}"


def translate(url: str) -> SqliteUrl:
    """
    Read a URL.

    Raises:
        UsageError: it names no file, or a key has a value that it cannot have.
    """
    name, _, query = url.partition("://")[2].partition("?")
    if beginning(url, SQLITE_SQLALCHEMY):
        name = _of_sqlalchemy(url.partition("://")[0], name)
    if not name or name == _URI or "\0" in url:
        raise UsageError(
            "the database's URL has no file",
            "write sqlite://PATH: sqlite://chat.db, or sqlite:///srv/chat.db with a full path",
        )
    if _CREDENTIALS.match(f"{name}?{query}"):  # a password may hold a ? too
        raise UsageError(
            "the database's URL seems to have a user and a password; it is not shown",
            "SQLite has neither: write sqlite://PATH. A file of such a name is sqlite://./NAME",
        )
    return _Query(parse_qsl(query, keep_blank_values=True)).address(name)


def _of_sqlalchemy(scheme: str, name: str) -> str:
    """The name that SQLite is given; empty, as SQLAlchemy has it, is a database in memory."""
    if name and not name.startswith("/"):
        raise UsageError(
            "the database's URL has no path: SQLAlchemy reads this part as a host",
            f"write {scheme}:///PATH: {scheme}:///chat.db for chat.db in the current folder, "
            f"{scheme}:////srv/chat.db for a full path",
        )
    return name[1:] or _MEMORY


class _Query:
    """The keys of a URL, sorted by their reader."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.sqlite: list[tuple[str, str]] = []
        self.pragmas: list[tuple[str, str]] = []
        self.unknown: list[str] = []
        self.busy_ms, self.begin = _BUSY_MS, "IMMEDIATE"
        self.ledger_table: str | None = None
        for key, value in pairs:
            self._take(key, value)

    def _take(self, key: str, value: str) -> None:
        takers: dict[str, Callable[[str], None]] = {
            "_txlock": self._take_begin,
            "_pragma": self._take_pragma,
            "x-migrations-table": self._take_table,
        }
        pragma = _SYNONYMS.get(key, key.removeprefix("_"))
        if key in takers:
            takers[key](value)
        elif key.startswith("_") and pragma in _PRAGMAS:
            if value:
                self._set(pragma, value)
        elif not key.startswith(("_", "x-")):
            self.sqlite.append((key, value))
        elif key.startswith("_") and key not in _GO_ALONE:
            self.unknown.append(key)

    def _take_begin(self, value: str) -> None:
        if value.lower() not in _BEGINS:
            raise _bad("_txlock", f"one of {', '.join(_BEGINS)}")
        self.begin = _BEGINS[value.lower()]

    def _take_pragma(self, value: str) -> None:
        found = _PRAGMA.match(value.strip())
        if found is None:
            raise _bad("_pragma", "NAME(VALUE), as in _pragma=foreign_keys(1)")
        self._set(found[1].lower(), found[2] or found[3])

    def _take_table(self, value: str) -> None:
        self.ledger_table = value or None

    def _set(self, pragma: str, value: str) -> None:
        if pragma == "busy_timeout":
            if not value.isdecimal():
                raise _bad(pragma, "a number of milliseconds")
            self.busy_ms = int(value)
        elif not _VALUE.match(value):
            raise _bad(pragma, "a word or a number")
        else:
            self.pragmas.append((pragma, value))

    def address(self, name: str) -> SqliteUrl:
        """The address of a name with these keys."""
        uri = name.startswith(_URI)
        name = name.partition("#")[0] if uri else name
        own = dict(self.sqlite) if uri else {}
        path = _path(name) if uri else name
        memory = path == _MEMORY or own.get("mode") == "memory"
        read_only = own.get("mode") == "ro" or own.get("immutable") == "1"
        query_only = dict(self.pragmas).get("query_only", "").lower() in _ON
        return SqliteUrl(
            f"{name}?{urlencode(self.sqlite, quote_via=quote)}" if own else name,
            None if memory else path,
            not (read_only or query_only),
            self.busy_ms,
            self.begin,
            tuple(self.pragmas),
            self.ledger_table,
            tuple(self._notes(uri=uri, memory=memory)),
        )

    def _notes(self, *, uri: bool, memory: bool) -> Iterable[str]:
        left = self.unknown + ([] if uri else [key for key, _ in self.sqlite])
        if left:
            yield (
                f"unrecognized keys in the database's URL: {', '.join(left)}"
                + ("" if uri else ". SQLite's own keys, such as mode, work after sqlite://file:")
            )
        if memory:
            yield "the database is in memory: it is gone when this run ends"


def _path(uri: str) -> str:
    """The path that a `file:` URI names, as SQLite decodes it."""
    rest = uri.removeprefix(_URI)
    if rest.startswith("//"):
        host, slash, rest = rest[2:].partition("/")
        if host not in {"", "localhost"} or not slash:
            raise UsageError(
                f"the database's URL has the host {host}, but SQLite's files are on this machine",
                "write sqlite://file:/PATH",
            )
        rest = f"/{rest}"
    return unquote(rest, errors="surrogateescape")


def _bad(key: str, wanted: str) -> UsageError:
    return UsageError(f"invalid value of {key} in the database's URL", f"give it {wanted}")


def check_spelling(url: str) -> None:
    """
    Refuse a plain URL whose path is likely SQLAlchemy's relative one.

    That is a file that does not exist, and either is directly in /, or is in a folder that does not
    exist while the current folder has one of that name.

    Raises:
        UsageError: that is so; it names both spellings.
    """
    scheme = beginning(url, SQLITE)
    name = url.removeprefix(scheme or "").partition("?")[0]
    if scheme is None or not name.startswith("/") or name.startswith("//"):
        return
    relative = name[1:]
    folder = os.path.dirname(name)  # noqa: PTH120 - a path of bytes that are no text stays one
    is_file = os.path.lexists(name)
    may_be_relative = folder == "/" or (
        not os.path.isdir(folder) and os.path.isdir(folder[1:])  # noqa: PTH112 - likewise
    )
    if not relative or is_file or not may_be_relative:
        return
    shown = redacted_word(relative)
    raise UsageError(
        f"{scheme}/{shown} is the file /{shown} here, which does not exist; SQLAlchemy reads it as "
        f"{shown} in the current folder",
        f"write {scheme}{shown} for the file in the current folder, or {scheme}//{shown} for "
        f"/{shown}",
    )
