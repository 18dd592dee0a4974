"""
The names of ledger and history, from a user's text to a table in a schema. Pure.

A name is `NAME` or `SCHEMA.NAME`, taken literally, without case folding, as golang-migrate
takes it; a part that has a dot or a quote in it stands in double quotes.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

from rung.drivers.postgres import quoting
from rung.errors import UsageError
from rung.ledger import LEDGER_TABLE
from rung.redaction import redacted_word

if TYPE_CHECKING:
    from rung.drivers.postgres.quoting import Sql

_PART = r'(?:"(?:[^"]|"")+"|[^".]+)'
_NAME = re.compile(rf"(?:({_PART})\.)?({_PART})\Z")
_PLAIN = re.compile(r"\w+\Z")
_LONGEST = 63
"""Bytes; PostgreSQL cuts a longer name off."""
_HISTORY, _LEASE = "_history", "_lease"
_SPARE = "rung_history"


class Table(NamedTuple):
    """A table's name; without a schema where that is the current one."""

    schema: str | None
    name: str

    @property
    def sql(self) -> Sql:
        """The name in a statement."""
        return quoting.name(*(part for part in self if part is not None))

    def beside(self, suffix: str) -> Table:
        """
        A table in the same schema, named after this one.

        What PostgreSQL would cut off is replaced by a hash of the whole name: two long names
        that begin alike stay two, and everybody who knows one finds the same.
        """
        name = self.name + suffix
        if len(name.encode()) > _LONGEST:
            ending = f"_{hashlib.sha256(self.name.encode()).hexdigest()[:8]}{suffix}"
            room = _LONGEST - len(ending)
            name = self.name.encode()[:room].decode(errors="ignore") + ending
        return Table(self.schema, name)

    def __str__(self) -> str:
        return ".".join(_shown(part) for part in self if part is not None)


class TableNames(NamedTuple):
    """
    Which tables are ledger and history.

    A common recipe for golang-migrate keeps a table of its own under the history's usual name.
    So there is a second name for a history that nobody named.
    """

    ledger: Table = Table(None, LEDGER_TABLE)
    usual: Table = Table(None, LEDGER_TABLE + _HISTORY)
    """The history's name, unless another table has it."""
    spare: Table | None = None
    """The history's name where another table has the usual one; None where it was named."""
    uses_spare: bool = False

    @property
    def history(self) -> Table:
        """The history, as far as is known now."""
        return self.spare if self.uses_spare and self.spare else self.usual

    @property
    def lease(self) -> Table:
        """The lease beside the ledger: by its name alone, so all who share a ledger find it."""
        return self.ledger.beside(_LEASE)

    def at(self, schema: str) -> TableNames:
        """The same with the ledger's schema filled in where none was named."""
        ledger, usual, spare = (
            table and table._replace(schema=table.schema or schema)
            for table in (self.ledger, self.usual, self.spare)
        )
        assert ledger is not None
        assert usual is not None
        return TableNames(ledger, usual, spare, self.uses_spare)


def names_of(ledger: str | None = None, history: str | None = None) -> TableNames:
    """
    Read the names that were given; the history stands beside the ledger by default.

    Raises:
        UsageError: a name cannot be read, or both are the same.
    """
    first = _read("ledger", LEDGER_TABLE if ledger is None else ledger)
    if history is None:
        return TableNames(first, first.beside(_HISTORY), _spare(first))
    second = _read("history", history)
    second = second._replace(schema=second.schema or first.schema)
    names = TableNames(first, second)
    if names.lease in (names.ledger, names.history):
        raise UsageError(
            f"{names.lease} is the name of Rung's lease table",
            "name other tables: --ledger-table, --history-table",
        )
    if first == second:
        raise UsageError(
            f"ledger and history cannot both be {first}",
            "give --history-table another name, or leave it out",
        )
    return names


def _spare(ledger: Table) -> Table:
    """`rung_history`; after the ledger, where that has another name than golang-migrate's."""
    is_usual = ledger.name == LEDGER_TABLE
    return Table(ledger.schema, _SPARE) if is_usual else ledger.beside(f"_{_SPARE}")


def _read(what: str, text: str) -> Table:
    found = _NAME.match(text)
    if not text:
        raise UsageError(
            f"the name of the {what} table is empty",
            f"name it, or leave --{what}-table out; a shell variable that is not set is empty",
        )
    if found is None or "\0" in text:
        raise UsageError(
            f"invalid table name for the {what}: {redacted_word(text)!r}",
            "write NAME or SCHEMA.NAME; a part with a dot or a quote in it goes in double quotes",
        )
    schema, name = (None if part is None else _unquoted(part) for part in found.groups())
    assert name is not None
    return _checked(what, Table(schema, name), text)


def _checked(what: str, table: Table, text: str) -> Table:
    if any(len(part.encode()) > _LONGEST for part in table if part is not None):
        raise UsageError(
            f'table name for the {what} is too long: "{redacted_word(text)}"; PostgreSQL keeps '
            f"{_LONGEST} bytes",
            f"name a shorter one with --{what}-table",
        )
    if table.schema is not None and is_system(table.schema):
        raise UsageError(
            f"the {what} cannot be {table}: its schema is temporary or belongs to the server",
            f"name a schema of your own: --{what}-table SCHEMA.{_shown(table.name)}",
        )
    return table


def is_system(schema: str) -> bool:
    """Whether a schema is the server's own, or temporary: nobody else may use the prefix."""
    return schema.startswith("pg_") or schema == "information_schema"


def _unquoted(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part


def _shown(part: str) -> str:
    part = redacted_word(part)
    return part if _PLAIN.match(part) else '"' + part.replace('"', '""') + '"'
