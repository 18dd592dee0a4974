"""
From what a user calls a database to libpq's parameters. Asks no server and no environment.

A URL is translated, not passed through: its keys are libpq's, golang-migrate's, those of Go's
drivers, SQLAlchemy's where its scheme is, or settings of the session. Raw reserved characters
are taken where libpq takes them.
Never passes on libpq's own text about a connection string: libpq quotes pieces of it.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

import psycopg
from psycopg import conninfo, pq

from rung.drivers.schemes import POSTGRES, POSTGRES_SQLALCHEMY, beginning
from rung.errors import UsageError
from rung.redaction import HIDDEN, redacted_word

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


_STATEMENT_MODE = "statement_mode"
"""The parameter that chooses between one message for a part, and one for each statement."""
_SCHEMES = (*POSTGRES, *POSTGRES_SQLALCHEMY)
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
_SETTING = re.compile(r"[A-Za-z_][\w$.-]*\Z")
_INNER_SPACE = re.compile(r"(?<=\S) +(?=\S)")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_PORT = re.compile(r"[0-9]*\Z")


class PostgresUrl(NamedTuple):
    """A database's URL or keyword string, translated."""

    parameters: dict[str, str]
    """What libpq is told."""
    settings: dict[str, str]
    """Run-time parameters of the session, such as search_path."""
    ledger_table: str | None = None
    """The ledger that x-migrations-table names, as `rung.database.Database` names one."""
    notes: tuple[str, ...] = ()
    """What was left out and might be missed, in sentences."""
    path: str = ""
    """A URL's path, decoded: the name by which golang-migrate's command locks."""
    single_statements: bool = False
    """Whether each statement is sent by itself (`statement_mode=single`)."""

    def __repr__(self) -> str:
        return "Address(***)"


def translate(database: str) -> PostgresUrl:
    """
    Read a URL, a keyword string, or nothing at all.

    Raises:
        UsageError: it cannot be read; the error says which part, and no secret.
    """
    if _NO_TEXT.search(database):
        raise unreadable()
    scheme = beginning(database, _SCHEMES)
    if scheme is None:
        return PostgresUrl(_parse(database), {})
    return _translate_url(scheme, database.removeprefix(scheme))


def _translate_url(scheme: str, rest: str) -> PostgresUrl:
    credentials, place, query = _split(rest)
    if _is_cut_in_two(credentials, place, query):
        raise complaint(scheme, rest, known_keys())
    _check_escapes(scheme, rest, credentials, place)
    # libpq 17 and later refuse a space inside, which earlier ones take.
    found = _parse(f"postgresql://{_INNER_SPACE.sub('%20', credentials)}{place}")
    given = _pairs(query)
    notes: tuple[str, ...] = ()
    if "+" in scheme:
        given, notes = from_sqlalchemy(given)
    if given.get("ssl") == "true":  # libpq's own synonym, of URLs only
        del given["ssl"]
        given.setdefault("sslmode", "require")
    if "ssl" in given:
        raise bad_ssl(given["ssl"])
    mode = given.pop(_STATEMENT_MODE, "message")
    if mode not in ("message", "single"):
        raise UsageError(
            f'unrecognized statement_mode in the database\'s URL: "{mode}"',
            "write statement_mode=single, or leave it out",
        )
    foreign = read_foreign({key: value for key, value in given.items() if key not in known_keys()})
    ours = {key: value for key, value in given.items() if key in known_keys()}
    path = unquote("/".join(["", *place.split("/", 1)[1:]]))
    notes = (*notes, *foreign.notes)
    return PostgresUrl(
        found | ours, foreign.settings, foreign.ledger_table, notes, path, mode == "single"
    )


@cache
def known_keys() -> frozenset[str]:
    """The keys that this libpq knows."""
    return frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults())


def _split(rest: str) -> tuple[str, str, str]:
    """Credentials with their @, the place, and the query, where libpq sees them."""
    head, at, tail = rest.partition("@")
    credentials = head + at if at and "/" not in head else ""
    place, _, query = (tail if credentials else rest).partition("?")
    return credentials, place, query


def _is_cut_in_two(credentials: str, place: str, query: str) -> bool:
    """Whether an @ or a port shows that libpq would cut a user or a password, and show the rest."""
    authority, _, path = place.partition("/")
    if "@" in authority:
        return True
    keys = (pair.partition("=")[0] for pair in query.split("&") if "@" in pair)
    if ":" in credentials + authority and ("@" in path or any(k not in known_keys() for k in keys)):
        return True
    hosts = re.sub(r"\[[^\]]*\]", "", authority).split(",")
    if any("[" in host for host in hosts):
        return False  # never closed; libpq refuses it
    return not all(_PORT.match(unquote(host.partition(":")[2])) for host in hosts)


def _check_escapes(scheme: str, rest: str, credentials: str, place: str) -> None:
    if _BAD_ESCAPE.search(credentials):
        raise complaint(scheme, rest, known_keys())
    authority, _, path = place.partition("/")
    for part, text in (("host or port", authority), ("database name", path)):
        if _BAD_ESCAPE.search(text):
            raise bad_escape(part)


def _pairs(query: str) -> dict[str, str]:
    given = {}
    for key, _, value in (pair.partition("=") for pair in query.split("&") if pair):
        name = unquote(key)
        known = name in known_keys() or is_for_go(name)
        if _BAD_ESCAPE.search(key) or not (known or _SETTING.match(name)):
            raise bad_key()
        if _BAD_ESCAPE.search(value):
            raise bad_escape(f"value of {name}" if known else "value of a key of the query")
        given[name] = unquote(value)
    return given


def _parse(text: str) -> dict[str, str]:
    with suppress(psycopg.Error, ValueError):  # libpq's error quotes the text: it is let go of
        return {key: str(value) for key, value in conninfo.conninfo_to_dict(text).items()}
    raise unreadable(url="://" in text)


_GO = {
    "binary_parameters",
    "default_query_exec_mode",
    "description_cache_capacity",
    "disable_prepared_binary_result",
    "krbspn",
    "min_read_buffer_size",
    "prefer_simple_protocol",
    "servicefile",
    "sslinline",
    "statement_cache_capacity",
    "statement_cache_mode",
}
_PYTHON = {
    "async_fallback",
    "cached_statements",
    "command_timeout",
    "max_cacheable_statement_size",
    "max_cached_statement_lifetime",
    "prepare_threshold",
    "prepared_max",
    "prepared_statement_cache_size",
    "prepared_statement_name_func",
    "statement_cache_size",
    "timeout",
}
"""Keys of SQLAlchemy's URLs: how the application's own connections behave."""
_TRUE = {"1", "t", "T", "true", "TRUE", "True"}
_FALSE = {"0", "f", "F", "false", "FALSE", "False", ""}
_PLAIN = re.compile(r"\w+\Z")
_AT_MOST = 2


class Foreign(NamedTuple):
    """What such keys come to."""

    settings: dict[str, str]
    ledger_table: str | None = None
    notes: tuple[str, ...] = ()


def is_for_go(key: str) -> bool:
    """Whether a key is golang-migrate's, or known to Go's drivers alone."""
    return key.startswith(("x-", "pool_")) or key in _GO


def from_sqlalchemy(given: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """
    The keys of a URL of SQLAlchemy's as libpq has them, with a note for what is left out.

    asyncpg calls sslmode ssl, with the same values.
    """
    kept = {key: value for key, value in given.items() if key not in _PYTHON}
    if kept.get("ssl") in SSL_MODES:
        kept.setdefault("sslmode", kept.pop("ssl"))
    left = sorted(given.keys() & _PYTHON)
    if not left:
        return kept, ()
    verb, are = ("is", "it is") if len(left) == 1 else ("are", "they are")
    note = f"{_listed(left)} in the database's URL {verb} for Python's drivers; {are} left out."
    return kept, (note,)


def read_foreign(given: Mapping[str, str]) -> Foreign:
    """
    Sort the keys that are not libpq's.

    Raises:
        UsageError: golang-migrate's keys for the ledger's name contradict each other.
    """
    settings = {key: value for key, value in given.items() if not is_for_go(key)}
    notes: list[str] = []
    if keys := sorted(key for key in given if is_for_go(key) and not key.startswith("x-")):
        verb, are = ("is", "it is") if len(keys) == 1 else ("are", "they are")
        listed = _listed(keys)
        notes.append(f"{listed} in the database's URL {verb} for Go's drivers; {are} left out.")
    if "sslinline" in keys:
        notes.append(
            "Without sslinline, the values of sslcert, sslkey and sslrootcert are file names."
        )
    return Foreign(settings, _ledger_table(given), (*notes, *_migrate_notes(given)))


def _migrate_notes(given: Mapping[str, str]) -> list[str]:
    notes = []
    if given.get("x-statement-timeout", "0") not in ("", "0"):
        notes.append(
            "x-statement-timeout in the database's URL is ignored: it is golang-migrate's "
            "limit for a file; statement_timeout=… limits each statement"
        )
    if given.get("x-lock-strategy", "advisory") not in ("", "advisory"):
        notes.append(
            "x-lock-strategy in the database's URL makes golang-migrate lock a table, which "
            "rung does not check: do not run both at once"
        )
    return notes


def _listed(keys: list[str]) -> str:
    return keys[0] if len(keys) == 1 else f"{', '.join(keys[:-1])} and {keys[-1]}"


def _ledger_table(given: Mapping[str, str]) -> str | None:
    table = given.get("x-migrations-table", "")
    quoted = _truth("x-migrations-table-quoted", given.get("x-migrations-table-quoted", ""))
    if not table:
        return None
    if not quoted:
        return _part(table)
    pieces = re.findall(r'"(.*?)"', table)
    if table[0] != '"' or table[-1] != '"' or not 1 <= len(pieces) <= _AT_MOST:
        raise UsageError(
            "x-migrations-table in the database's URL is not a quoted name, but "
            "x-migrations-table-quoted is set",
            'write x-migrations-table="SCHEMA"."NAME", or leave x-migrations-table-quoted out',
        )
    return ".".join(map(_part, pieces))


def _truth(key: str, value: str) -> bool:
    if value not in _TRUE | _FALSE:
        raise UsageError(f"invalid value of {key} in the database's URL", ("write 1 or 0"))
    return value in _TRUE


def _part(name: str) -> str:
    return name if _PLAIN.match(name) else '"' + name.replace('"', '""') + '"'


SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
"""The values of libpq's sslmode, and of asyncpg's ssl."""
_ENCODED = {"@": "%40", "/": "%2F", "%": "%25"}
_PIECES = re.compile(r"%(?![0-9A-Fa-f]{2})|[@/]|(?:%[0-9A-Fa-f]{2}|[^@/%])+")
_HOST = r"(?:\[[0-9A-Fa-f:.%]*\]|[^\[\]:/?@,\s]*)(?::[0-9]*)?"
_TAIL = re.compile(rf"{_HOST}(?:,{_HOST})*(?:/[^/?@:]*)?\Z")
_FORM = (
    "write postgresql://USER:PASSWORD@HOST:PORT/NAME, with reserved characters in the password "
    "percent-encoded (@ is %40, : is %3A, / is %2F, ? is %3F, % is %25)"
)
_KEYWORDS = (
    "write a URL, postgresql://USER:PASSWORD@HOST:PORT/NAME, or libpq's keywords, host=HOST "
    "dbname=NAME; a value with spaces goes in single quotes, a session setting into "
    "options='-c NAME=VALUE'"
)


_BEHIND_A_COLON = re.compile(r"(?<=%3a).+", re.IGNORECASE | re.DOTALL)


class _Meant(NamedTuple):
    """A URL as its writer most likely meant it."""

    user: str
    password: str
    colon: str
    place: str
    query: str


def unreadable(*, url: bool = False) -> UsageError:
    """The error where nothing can be said of the part at fault."""
    what = "URL" if url else "URL or connection string"
    return UsageError(f"could not parse the database's {what}", _FORM if url else _KEYWORDS)


def bad_escape(part: str) -> UsageError:
    """The error for a % that begins no escape, in a part without secrets."""
    return UsageError(
        f"the {part} in the database's URL has a % that begins no percent-encoded character",
        "write %25 for a literal %",
    )


def bad_key() -> UsageError:
    """The error for a key that can be no key; it is not shown, for it may be no key at all."""
    return UsageError(
        "the query of the database's URL has an invalid key",
        "write KEY=VALUE pairs with & between them; a ? or & that belongs to the password is "
        "%3F or %26 there",
    )


def bad_ssl(value: str) -> UsageError:
    """The error for asyncpg's key; a value that is none of its own is not shown."""
    mode = value if value in SSL_MODES else "MODE"
    return UsageError(
        "the database's URL has the key ssl, which is asyncpg's; libpq's is sslmode",
        f"use sslmode: sslmode={mode}, or write the URL as SQLAlchemy does, postgresql+asyncpg://",
    )


def complaint(scheme: str, rest: str, known_keys: Collection[str]) -> UsageError:
    """
    The error for credentials that libpq would refuse or cut.

    Args:
        scheme: with its `://`.
        rest: everything after it.
        known_keys: the keys whose values may have an @ in them.
    """
    meant = _as_meant(rest, known_keys)
    faults = _faults(meant) if meant else ""
    if meant is None or not faults:
        return UsageError(
            (
                "the port in the database's URL is not a number, or an @ is missing after the "
                "password"
            ),
            _FORM,
        )
    return UsageError(
        f"the {faults} in the database's URL must be percent-encoded",
        f"write {scheme}{_shown(meant)}",
    )


def _as_meant(rest: str, known_keys: Collection[str]) -> _Meant | None:
    """The credentials end at the first @ behind which all is well formed."""
    for found in re.finditer("@", rest):
        place, mark, query = rest[found.end() :].partition("?")
        if _TAIL.match(place) and _is_query(query, known_keys):
            user, colon, password = rest[: found.start()].partition(":")
            return _Meant(user, password, colon, place, mark and "?" + "…")
    return None


def _is_query(query: str, known_keys: Collection[str]) -> bool:
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    return all(
        equals and (key in known_keys or "@" not in key + value) for key, equals, value in pairs
    )


def _faults(meant: _Meant) -> str:
    """Which characters of which part, in a phrase; empty where none is at fault."""
    for part, text in (("user name", meant.user), ("password", meant.password)):
        wrong = sorted({piece for piece in _PIECES.findall(text) if piece in _ENCODED})
        if "%00" in text:
            return f"{part}'s %00, which no server takes,"
        if wrong:
            return f"{' and '.join(wrong)} of the {part}"
    return ""


def _shown(meant: _Meant) -> str:
    user = "".join(_ENCODED.get(piece, piece) for piece in _PIECES.findall(meant.user))
    # A name with a colon in it is a name and a password to whoever encoded the colon.
    user = _BEHIND_A_COLON.sub(HIDDEN, user)
    secret = "".join(_ENCODED.get(piece, HIDDEN) for piece in _PIECES.findall(meant.password))
    return f"{user}{meant.colon}{secret}@{redacted_word(meant.place)}{meant.query}"
