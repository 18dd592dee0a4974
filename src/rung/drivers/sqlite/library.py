"""
SQLite's library: Python's own, or the one of `pysqlite3-binary` where that is there and newer.

Python's is often years old. An error for a feature that it lacks names its version and the remedy.
"""

from __future__ import annotations

import re
import sqlite3 as _own
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3 as sqlite3  # noqa: PLC0414 - given on
    from types import ModuleType

__all__ = ["needs_newer", "sqlite3"]

_NO_FUNCTION = re.compile(r"no such function: (\S+)|wrong number of arguments to function (\w+)")
_SYNTAX = re.compile(r"syntax error|unrecognized token|unknown table option|no such function")
_NEWER: Final = (
    (r"\bRENAME\s+COLUMN\b|\bOVER\s*\(", "window functions and RENAME COLUMN", (3, 25)),
    (r"\bVACUUM\b.*\bINTO\b", "VACUUM INTO", (3, 27)),
    (r"\bNULLS\s+(?:FIRST|LAST)\b|\bFILTER\s*\(", "NULLS FIRST and FILTER", (3, 30)),
    (r"\bGENERATED\s+ALWAYS\b|\bSTORED\b", "generated columns", (3, 31)),
    (r"\bRETURNING\b", "RETURNING", (3, 35)),
    (r"\bDROP\s+COLUMN\b", "DROP COLUMN", (3, 35)),
    (r"\bAS\s+(?:NOT\s+)?MATERIALIZED\b", "MATERIALIZED", (3, 35)),
    (r"\)\s*(?:WITHOUT\s+ROWID\s*,\s*)?STRICT\b", "STRICT tables", (3, 37)),
    (r"->", "-> and ->>", (3, 38)),
    (r"\b(?:RIGHT|FULL)\s+(?:OUTER\s+)?JOIN\b", "RIGHT and FULL JOIN", (3, 39)),
    (r"\bIS\s+(?:NOT\s+)?DISTINCT\s+FROM\b", "IS DISTINCT FROM", (3, 39)),
    (r"\(\s*[^()]*\bORDER\s+BY\b[^()]*\)", "ORDER BY in an aggregate", (3, 44)),
    (r"\b\d[\d_]*_\d", "_ in numbers", (3, 46)),
    (r"\b(?:ADD|DROP)\s+CONSTRAINT\b|\b(?:SET|DROP)\s+NOT\s+NULL\b", "ALTER constraints", (3, 53)),
)


def _newest() -> ModuleType:
    try:
        from pysqlite3 import dbapi2
    except ImportError:
        return _own
    newest: ModuleType = dbapi2
    return newest if dbapi2.sqlite_version_info > _own.sqlite_version_info else _own


if not TYPE_CHECKING:
    sqlite3 = _newest()


def needs_newer(said: str, sql: str) -> str:
    """
    What to do where a statement was refused for what this library may be too old for.

    Args:
        said: SQLite's words.
        sql: the statement.

    Returns:
        An order without its end; empty where the library's age is not why.
    """
    here = f"SQLite here is {sqlite3.sqlite_version}, {_whose()}"
    if found := _NO_FUNCTION.search(said):
        return f"{_way_out()} ({here}, which has no such {found[1] or found[2]})"
    if not _SYNTAX.search(said):
        return ""
    for pattern, what, since in _NEWER:
        if since > sqlite3.sqlite_version_info and re.search(pattern, sql, re.IGNORECASE):
            return f"{_way_out()} ({here}; {what} came with {since[0]}.{since[1]})"
    return ""


def _whose() -> str:
    return "Python's own" if sqlite3 is _own else "of pysqlite3-binary"


def _way_out() -> str:
    if sqlite3 is _own:
        return "use a newer SQLite, `pip install 'rung[sqlite]'`"
    return "use a newer SQLite, `pip install --upgrade pysqlite3-binary`"
