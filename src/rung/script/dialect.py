"""
Which SQL a text is written in, as a value: the database at hand says it, `statements` reads by it.

Only the names are here, so that knowing one costs nothing.
"""

from __future__ import annotations

from enum import Enum


class Dialect(Enum):
    """A way to read SQL text."""

    POSTGRES = "PostgreSQL"
    POSTGRES_ESCAPES = "PostgreSQL with standard_conforming_strings off"
    """There a backslash in a plain '' string is an escape."""
    SQLITE = "SQLite"
