"""
The names of ledger and history, from a user's text to a table. Pure.

SQLite has no schemas, so a name is one part, taken literally; one with a dot in it stands in
double quotes.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rung.errors import UsageError
from rung.ledger import LEDGER_TABLE

_NAME = re.compile(r'"((?:[^"]|"")+)"\Z|([^".\0]+)\Z')


class Names(NamedTuple):
    """Which tables are ledger and history."""

    ledger: str = LEDGER_TABLE
    history: str = f"{LEDGER_TABLE}_history"


def names_of(ledger: str | None = None, history: str | None = None) -> Names:
    """
    Read the names that were given; the history is named after the ledger by default.

    Raises:
        UsageError: a name cannot be read, or both are the same.
    """
    first = _read("ledger", LEDGER_TABLE if ledger is None else ledger)
    second = f"{first}_history" if history is None else _read("history", history)
    if first.lower() == second.lower():
        raise UsageError(
            f"Ledger and history are both to be {first}.",
            "They are two tables: give --history-table another name, or leave it out.",
        )
    return Names(first, second)


def _read(what: str, text: str) -> str:
    found = _NAME.match(text)
    if found is None:
        raise UsageError(
            f"{text!r} is no name of a table for the {what}.",
            "SQLite has no schemas: write NAME; one with a dot or a quote in it goes in double "
            "quotes.",
        )
    name = found[2] or found[1].replace('""', '"')
    if name.lower().startswith("sqlite_"):
        raise UsageError(
            f"{name} is no name for the {what}: SQLite keeps names that begin so for itself.",
            f"Name another one with --{what}-table.",
        )
    return name
