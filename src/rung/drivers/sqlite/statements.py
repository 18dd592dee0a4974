"""The named statements of `statements.sql`, and names as SQLite takes them."""

from __future__ import annotations

from functools import cache

from rung.drivers.named import named_statements


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
    """A name that is read as it stands."""
    return '"' + name.replace('"', '""') + '"'


def in_main(name: str) -> str:
    """A table of the database itself, whatever temporary table has the same name."""
    return f"main.{quoted(name)}"
