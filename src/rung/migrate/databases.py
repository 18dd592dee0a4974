"""
From a database URL of golang-migrate's to a database of Rung's, and how files run there.

The session is the one that golang-migrate's library would have: the same file stores other
dates under another DateStyle. What of the URL is golang-migrate's own (`x-…`) is taken out
here; the rest is a driver's to read. Asks no server.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from rung.conventions import Conventions
from rung.database import Database
from rung.migrate.faults import Fault
from rung.migrate.numbers import NumberRefused, atoi, truth
from rung.migrate.schemes import DATABASES, Scheme, Tongue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Pairs = tuple[tuple[str, str], ...]

_OPEN = "failed to open database"
_TABLE, _QUOTED = "x-migrations-table", "x-migrations-table-quoted"
_FOR_THE_DRIVER = (_TABLE, _QUOTED)
_PQ_SESSION = {"DateStyle": ("ISO, MDY", "PGDATESTYLE"), "extra_float_digits": ("2", "")}
"""What lib/pq asks for where the URL and the environment do not."""
_MILLISECOND = 0.001


class Address(NamedTuple):
    """A database, how files run there, and whose words its errors have."""

    database: Database
    conventions: Conventions
    tongue: Tongue

    def __repr__(self) -> str:
        return "Address(***)"


def address_of(url: str, scheme: str, pairs: Pairs) -> Address:
    """
    Read a database URL.

    Args:
        url: whole, and a URL by Go's rules.
        scheme: its scheme, one of `DATABASES`.
        pairs: the keys and values of its query, decoded, in order.

    Raises:
        Fault: a value of golang-migrate's own keys cannot be read.
    """
    found = DATABASES[scheme]
    own = {key: value for key, value in reversed(pairs) if key.startswith("x-")}
    rest = tuple(pair for pair in pairs if not pair[0].startswith("x-"))
    if found.tongue is Tongue.SQLITE:
        return _sqlite(url, found, own)
    _check_table(own)
    conventions = Conventions(
        carries_session=True,
        each_statement=_truth(own, "x-multi-statement"),
        time_limit=_time_limit(own),
        takes_tables=True,
        drops_current_schema=True,
    )
    given = (*rest, *((key, own[key]) for key in _FOR_THE_DRIVER if own.get(key)))
    if found.tongue is Tongue.PQ:
        given = (*given, *_pq_defaults(url, given))
    named = _with_query(f"{found.ours}:{url.partition(':')[2]}", given)
    table = None if own.get(_TABLE) else found.ledger_table
    return Address(Database(named, ledger_table=table), conventions, found.tongue)


def _sqlite(url: str, scheme: Scheme, own: Mapping[str, str]) -> Address:
    """The query goes on as it is written: it is read by the driver, and not as a URL's."""
    try:
        bare = truth(own.get("x-no-tx-wrap") or "false")
    except NumberRefused as error:
        raise Fault(f"{_OPEN}: x-no-tx-wrap: {error}") from None
    conventions = Conventions(
        carries_session=True, each_statement=bare, takes_tables=True, drops_current_schema=True
    )
    database = Database(f"{scheme.ours}:{url.partition(':')[2]}")
    return Address(database, conventions, scheme.tongue)


def _check_table(own: Mapping[str, str]) -> None:
    table = own.get(_TABLE, "")
    if not _truth(own, _QUOTED) or not table:
        return
    if not (table.startswith('"') and table.endswith('"')):
        raise Fault(
            f"{_OPEN}: {_TABLE} must be quoted (for instance "
            f"'\"migrate\".\"schema_migrations\"') when {_QUOTED} is enabled, "
            f"current value is: {table}"
        )
    if table.count('"') > len('""""'):
        raise Fault(f'{_OPEN}: "{table}" MigrationsTable contains too many dot characters')


def _truth(own: Mapping[str, str], key: str) -> bool:
    try:
        return truth(own.get(key) or "false")
    except NumberRefused as error:
        raise Fault(f"{_OPEN}: unable to parse option {key}: {error}") from None


def _time_limit(own: Mapping[str, str]) -> float | None:
    """The limit in seconds; the size of a piece is read for its faults alone: none is too long."""
    try:
        atoi(own.get("x-multi-statement-max-size") or "0")
        milliseconds = atoi(own.get("x-statement-timeout") or "0")
    except NumberRefused as error:
        raise Fault(f"{_OPEN}: {error}") from None
    return milliseconds * _MILLISECOND if milliseconds else None


def _pq_defaults(url: str, given: Pairs) -> Iterator[tuple[str, str]]:
    keys = {key.lower() for key, _ in given}
    if "sslmode" not in keys and not os.environ.get("PGSSLMODE"):
        yield "sslmode", "require"
    if "host" not in keys and not _names_host(url) and not _environment_names_host():
        yield "host", "localhost"
    for key, (value, variable) in _PQ_SESSION.items():
        if key.lower() not in keys and not os.environ.get(variable or "-"):
            yield key, value


def _names_host(url: str) -> bool:
    authority = url.partition("://")[2].partition("/")[0].partition("?")[0]
    return bool(authority.rpartition("@")[2].partition(":")[0])


def _environment_names_host() -> bool:
    return any(os.environ.get(name) for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE"))


def _with_query(url: str, pairs: Pairs) -> str:
    query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in pairs)
    place = url.partition("?")[0]
    return f"{place}?{query}" if query else place
