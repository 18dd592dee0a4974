"""
The keys of a URL that libpq does not know: golang-migrate's, Go's drivers', and settings. Pure.

golang-migrate's begin with `x-`. Those of lib/pq and pgx mean nothing here and are left out;
where leaving one out changes what happens, a note says so. All others are settings.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rung.drivers.postgres.unreadable import SSL_MODES
from rung.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    return Foreign(settings, _ledger_table(given), (*_go_notes(given), *_migrate_notes(given)))


def _go_notes(given: Mapping[str, str]) -> list[str]:
    keys = sorted(key for key in given if is_for_go(key) and not key.startswith("x-"))
    if not keys:
        return []
    verb, are = ("is", "it is") if len(keys) == 1 else ("are", "they are")
    notes = [f"{_listed(keys)} in the database's URL {verb} for Go's drivers; {are} left out."]
    if "sslinline" in keys:
        notes.append("Without sslinline, sslcert, sslkey and sslrootcert are names of files.")
    return notes


def _migrate_notes(given: Mapping[str, str]) -> list[str]:
    notes = []
    if given.get("x-statement-timeout", "0") not in ("", "0"):
        notes.append(
            "x-statement-timeout in the database's URL is golang-migrate's limit for a file and "
            "is left out; statement_timeout=… there limits each statement."
        )
    if given.get("x-lock-strategy", "advisory") not in ("", "advisory"):
        notes.append(
            "x-lock-strategy in the database's URL has golang-migrate lock by a table, which "
            "rung does not look at: do not run both at once."
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
            "x-migrations-table in the database's URL is no quoted name, and "
            "x-migrations-table-quoted says that it is one.",
            'Write x-migrations-table="SCHEMA"."NAME", or leave x-migrations-table-quoted out.',
        )
    return ".".join(map(_part, pieces))


def _truth(key: str, value: str) -> bool:
    if value not in _TRUE | _FALSE:
        raise UsageError(f"{key} in the database's URL is neither true nor false.", "Write 1 or 0.")
    return value in _TRUE


def _part(name: str) -> str:
    return name if _PLAIN.match(name) else '"' + name.replace('"', '""') + '"'
