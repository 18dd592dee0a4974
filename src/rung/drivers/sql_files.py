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
    The statements of every `.sql` file beside a module, by name.

    Args:
        beside: the module's `__file__`.
    """
    files = sorted(Path(beside).parent.glob("*.sql"))
    blocks = (block for file in files for block in _BLOCK.findall(file.read_text("utf-8")))
    return {name: body.strip() for name, _, body in blocks}
