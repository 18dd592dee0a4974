"""
The names of ledger and history, from a user's text to a table. Pure.

SQLite has no schemas, so a name is one part, taken literally; one with a dot in it stands in
double quotes.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from rung.drivers.sql_files import named_statements
from rung.errors import UsageError
from rung.ledger import LEDGER_TABLE
from rung.redaction import redacted_word

_NAME = re.compile(r'"((?:[^"]|"")+)"\Z|([^".\0]+)\Z')


class SqliteNames(NamedTuple):
    """Which tables are ledger and history."""

    ledger: str = LEDGER_TABLE
    history: str = f"{LEDGER_TABLE}_history"


def names_of(ledger: str | None = None, history: str | None = None) -> SqliteNames:
    """
    Read the names that were given; the history is named after the ledger by default.

    Raises:
        UsageError: a name cannot be read, or both are the same.
    """
    first = _read("ledger", LEDGER_TABLE if ledger is None else ledger)
    second = f"{first}_history" if history is None else _read("history", history)
    if first.lower() == second.lower():
        raise UsageError(
            f"ledger and history cannot both be {redacted_word(first)}",
            "give --history-table another name, or leave it out",
        )
    return SqliteNames(first, second)


def _read(what: str, text: str) -> str:
    found = _NAME.match(text)
    if found is None:
        raise UsageError(
            f"invalid table name for the {what}: {redacted_word(text)!r}",
            "SQLite has no schemas: write NAME; one with a dot or a quote in it goes in double "
            "quotes",
        )
    name = found[2] or found[1].replace('""', '"')
    if name.lower().startswith("sqlite_"):
        raise UsageError(
            f'the {what} cannot be named "{redacted_word(name)}": SQLite reserves names that begin '
            "like that",
            f"name another one with --{what}-table",
        )
    return name


@cache
def _all() -> dict[str, str]:
    return named_statements(__file__)


def statement(which: str, /, **places: str) -> str:
    """
    One of our statements, with its places filled; values are bound, never filled in.

    Args:
        which: the block's name.
        places: the SQL for each placeholder: quoted names, or numbers.
    """
    return _all()[which].format(**places)


def quoted(name: str) -> str:
    """Quote a name."""
    return '"' + name.replace('"', '""') + '"'


def in_main(name: str) -> str:
    """A table of the database itself, whatever temporary table has the same name."""
    return f"main.{quoted(name)}"
