"""
Files of named SQL statements: the one form that every driver's SQL is kept in.

A block begins `-- name: NAME`, then a comment that says what it does, then one statement
without its semicolon. Placeholders are written `{place}`.
"""

from __future__ import annotations

import re
from pathlib import Path

_BLOCK = re.compile(
    r"^-- name: (\w+)\n((?:--[^\n]*\n)+)(.*?)(?=^-- name: |\Z)", re.DOTALL | re.MULTILINE
)


def named_statements(beside: str) -> dict[str, str]:
    """
    The statements of the `statements.sql` beside a module, by name.

    Args:
        beside: the module's `__file__`.
    """
    text = Path(beside).with_name("statements.sql").read_text(encoding="utf-8")
    return {name: body.strip() for name, _, body in _BLOCK.findall(text)}
