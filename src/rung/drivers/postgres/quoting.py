"""
SQL text that is safe to put into a statement, and the only ways to make it.

A value of type `Sql` came from here or from a named statement of ours; nothing else may be
joined into a message. Literals are always E'…' strings, which read the same whatever
standard_conforming_strings says.
"""

from __future__ import annotations

from functools import cache
from typing import NewType

from rung.drivers.sql_files import named_statements

Sql = NewType("Sql", str)

NULL = Sql("NULL")


def name(*parts: str) -> Sql:
    """An identifier, qualified where several parts are given."""
    return Sql(".".join('"' + part.replace('"', '""') + '"' for part in parts))


def text(value: str | None) -> Sql:
    """A string literal, or NULL."""
    if value is None:
        return NULL
    return Sql("".join(("E'", value.replace("\\", "\\\\").replace("'", "''"), "'")))


def number(value: int | None) -> Sql:
    """An integer, or NULL; in brackets, so that a minus sign cannot join what precedes it."""
    return NULL if value is None else Sql(f"({value:d})")


def truth(value: bool) -> Sql:  # noqa: FBT001 - the value itself is the subject
    """A boolean."""
    return Sql("true" if value else "false")


@cache
def _all() -> dict[str, str]:
    return named_statements(__file__)


def statement(which: str, /, **places: Sql) -> Sql:
    """
    One of our statements, with its places filled.

    Args:
        which: the block's name.
        places: the SQL for each placeholder.
    """
    return Sql(_all()[which].format(**places))
