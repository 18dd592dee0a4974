"""
From what a user calls a database to libpq's parameters. Asks no server and no environment.

A URL is translated, not passed through: its keys are libpq's, golang-migrate's, those of Go's
drivers, SQLAlchemy's where its scheme is, or settings of the session. Raw reserved characters
are taken where libpq takes them.
Never passes on libpq's own text about a connection string: libpq quotes pieces of it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

import psycopg
from psycopg import conninfo, pq

from rung.drivers.postgres.foreign import from_sqlalchemy, is_for_go, read_foreign
from rung.drivers.postgres.unreadable import bad_escape, bad_key, bad_ssl, complaint, unreadable
from rung.drivers.schemes import POSTGRES, POSTGRES_SQLALCHEMY, beginning

if TYPE_CHECKING:
    from rung.errors import UsageError

_SCHEMES = (*POSTGRES, *POSTGRES_SQLALCHEMY)
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
_SETTING = re.compile(r"[A-Za-z_][\w$.-]*\Z")
_INNER_SPACE = re.compile(r"(?<=\S) +(?=\S)")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_PORT = re.compile(r"[0-9]*\Z")


class Address(NamedTuple):
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

    def __repr__(self) -> str:
        return "Address(***)"


def translate(database: str) -> Address:
    """
    Read a URL, a keyword string, or nothing at all.

    Raises:
        UsageError: it cannot be read; the error says which part, and no secret.
    """
    if _NO_TEXT.search(database):
        raise unreadable()
    scheme = beginning(database, _SCHEMES)
    if scheme is None:
        return Address(_parse(database), {})
    return _translate_url(scheme, database.removeprefix(scheme))


def _translate_url(scheme: str, rest: str) -> Address:
    credentials, place, query = _split(rest)
    if _cut_in_two(credentials, place, query) or not _ports_are_numbers(place):
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
    foreign = read_foreign({key: value for key, value in given.items() if key not in known_keys()})
    ours = {key: value for key, value in given.items() if key in known_keys()}
    path = unquote("/".join(["", *place.split("/", 1)[1:]]))
    notes = (*notes, *foreign.notes)
    return Address(found | ours, foreign.settings, foreign.ledger_table, notes, path)


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


def _cut_in_two(credentials: str, place: str, query: str) -> bool:
    """Whether an @ shows that libpq would cut a user or a password, and show the rest."""
    authority, _, path = place.partition("/")
    if "@" in authority:
        return True
    if ":" not in credentials + authority:
        return False
    return "@" in path or any(
        "@" in pair and pair.partition("=")[0] not in known_keys() for pair in query.split("&")
    )


def _ports_are_numbers(place: str) -> bool:
    hosts = re.sub(r"\[[^\]]*\]", "", place.partition("/")[0]).split(",")
    if any("[" in host for host in hosts):
        return True  # never closed; libpq refuses it
    return all(_PORT.match(unquote(host.partition(":")[2])) for host in hosts)


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
    found = _understood(text)
    if found is None:
        raise _unread(text)
    return found


def _understood(text: str) -> dict[str, str] | None:
    """None where libpq refuses it; its error, which quotes the text, is let go of here."""
    try:
        return {key: str(value) for key, value in conninfo.conninfo_to_dict(text).items()}
    except (psycopg.Error, ValueError):
        return None


def _unread(text: str) -> UsageError:
    return unreadable(url="://" in text)
