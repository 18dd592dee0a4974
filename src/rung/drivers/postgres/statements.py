"""The named statements of the `.sql` files here: found by name, filled with `Sql` values only."""

from __future__ import annotations

from functools import cache

from rung.drivers.named import named_statements
from rung.drivers.postgres.quoting import Sql


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
