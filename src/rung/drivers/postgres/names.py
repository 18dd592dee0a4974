"""
The names of ledger and history, from a user's text to a table in a schema. Pure.

A name is `NAME` or `SCHEMA.NAME`, taken literally, without case folding, as golang-migrate
takes it; a part that has a dot or a quote in it stands in double quotes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rung.drivers.postgres import quoting
from rung.errors import UsageError
from rung.ledger import LEDGER_TABLE

if TYPE_CHECKING:
    from rung.drivers.postgres.quoting import Sql

_PART = r'(?:"(?:[^"]|"")+"|[^".]+)'
_NAME = re.compile(rf"(?:({_PART})\.)?({_PART})\Z")
_PLAIN = re.compile(r"\w+\Z")
_LONGEST = 63
"""Bytes; PostgreSQL cuts a longer name off."""
_LEASE = "_lease"


class Table(NamedTuple):
    """A table's name; without a schema where that is the current one."""

    schema: str | None
    name: str

    @property
    def sql(self) -> Sql:
        """The name in a statement."""
        return quoting.name(*(part for part in self if part is not None))

    def __str__(self) -> str:
        return ".".join(_shown(part) for part in self if part is not None)


class Names(NamedTuple):
    """Which tables are ledger and history."""

    ledger: Table = Table(None, LEDGER_TABLE)
    history: Table = Table(None, f"{LEDGER_TABLE}_history")

    @property
    def lease(self) -> Table:
        """
        The lease beside the ledger: by its name alone, so that all who share a ledger find it.

        A ledger's long name is cut to what PostgreSQL keeps.
        """
        room = _LONGEST - len(_LEASE)
        cut = self.ledger.name.encode()[:room].decode(errors="ignore")
        return Table(self.ledger.schema, cut + _LEASE)

    def at(self, schema: str) -> Names:
        """The same with the ledger's schema filled in where none was named."""
        return Names(*(table._replace(schema=table.schema or schema) for table in self))


def names_of(ledger: str | None = None, history: str | None = None) -> Names:
    """
    Read the names that were given; the history stands beside the ledger by default.

    Raises:
        UsageError: a name cannot be read, or both are the same.
    """
    first = _read("ledger", LEDGER_TABLE if ledger is None else ledger)
    if history is None:
        beside = Table(first.schema, f"{first.name}_history")
        return Names(first, _checked("history", beside, str(beside)))
    second = _read("history", history)
    second = second._replace(schema=second.schema or first.schema)
    names = Names(first, second)
    if names.lease in names:
        raise UsageError(
            f"{names.lease} is the name of the lease that Rung keeps beside the ledger.",
            "Give ledger and history other names: --ledger-table, --history-table.",
        )
    if first == second:
        raise UsageError(
            f"Ledger and history are both to be {first}.",
            "They are two tables: give --history-table another name, or leave it out.",
        )
    return names


def _read(what: str, text: str) -> Table:
    found = _NAME.match(text)
    if found is None or "\0" in text:
        raise UsageError(
            f"{text!r} is no name of a table for the {what}.",
            "Write NAME or SCHEMA.NAME; a part with a dot or a quote in it goes in double quotes.",
        )
    schema, name = (None if part is None else _unquoted(part) for part in found.groups())
    assert name is not None
    return _checked(what, Table(schema, name), text)


def _checked(what: str, table: Table, text: str) -> Table:
    if any(len(part.encode()) > _LONGEST for part in table if part is not None):
        raise UsageError(
            f"{text} is too long a name for the {what}: PostgreSQL keeps {_LONGEST} bytes of one.",
            f"Name a shorter one with --{what}-table.",
        )
    return table


def _unquoted(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part


def _shown(part: str) -> str:
    return part if _PLAIN.match(part) else '"' + part.replace('"', '""') + '"'
