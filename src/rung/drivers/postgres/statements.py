"""
The named statements of `statements.sql`: found by name, filled with `Sql` values only.

A block begins `-- name: NAME`, then a comment that says what it does, then one statement
without its semicolon. Placeholders are written `{place}`.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from rung.drivers.postgres.quoting import Sql

_BLOCK = re.compile(
    r"^-- name: (\w+)\n((?:--[^\n]*\n)+)(.*?)(?=^-- name: |\Z)", re.DOTALL | re.MULTILINE
)


@cache
def _all() -> dict[str, str]:
    text = Path(__file__).with_name("statements.sql").read_text(encoding="utf-8")
    return {name: body.strip() for name, _, body in _BLOCK.findall(text)}


def statement(which: str, /, **places: Sql) -> Sql:
    """
    One of our statements, with its places filled.

    Args:
        which: the block's name.
        places: the SQL for each placeholder.
    """
    return Sql(_all()[which].format(**places))
