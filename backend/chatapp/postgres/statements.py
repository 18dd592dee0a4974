"""The named statements of the `.sql` files here. A block begins `-- name: NAME`."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_BLOCK = re.compile(rb"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)", re.DOTALL | re.MULTILINE)


@cache
def statements() -> dict[str, bytes]:
    """Return every statement by its name, encoded because psycopg accepts only literal texts."""
    files = [file for file in resources.files(__package__).iterdir() if file.name.endswith(".sql")]
    blocks = (block for file in files for block in _BLOCK.findall(file.read_bytes()))
    return {name.decode(): text.strip() for name, text in blocks}
