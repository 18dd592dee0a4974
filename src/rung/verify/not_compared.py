"""
Find what a migration changes that two schemas do not show: rows, roles, values of sequences. Pure.

Only what the text says is found; what a function does when it is called is not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rung.script import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rung.script import Dialect, Statement

_ROWS = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "TRUNCATE"})
_RUNS_SQL = frozenset({"DO", "WITH", "SELECT", "EXECUTE", "EXPLAIN"})
"""What may hold SQL that runs at once; the body of a function runs later."""
_CHANGES_ROWS = re.compile(
    r"\b(?:insert\s+into|delete\s+from|merge\s+into|truncate\s+(?:table\s+)?[\w\"]|"
    r"update\s+(?:only\s+)?[^\s;]+\s+(?:as\s+\w+\s+|\w+\s+)?set\s)",
    re.IGNORECASE,
)
_CHANGES_ROLES = re.compile(r"\b(?:create|alter|drop)\s+(?:role|user|group)\b", re.IGNORECASE)
_OF_A_SEQUENCE = re.compile(r"\bsetval\s*\(|\brestart\b", re.IGNORECASE)
_LARGE_OBJECT = re.compile(
    r"\blo_(?:create|creat|from_bytea|import|put|unlink)\s*\(|\blarge\s+object\b", re.IGNORECASE
)
_VERBS = frozenset({"CREATE", "ALTER", "DROP"})
_ROLES = frozenset({"ROLE", "USER", "GROUP"})
_GRANTS = frozenset({"GRANT", "REVOKE"})


def not_compared(texts: Iterable[str], dialect: Dialect) -> tuple[str, ...]:
    """
    Return the kinds of things that some files change and that no schema shows.

    Args:
        texts: of the up file and the down file.
        dialect: how the database reads SQL.
    """
    found: set[str] = set()
    for script in (read(text, dialect) for text in texts):
        for one in script.statements:
            found.update(_kinds(one, script.text[one.start : one.end]))
    return tuple(sorted(found))


def _kinds(statement: Statement, text: str) -> Iterator[str]:
    first, second = (*statement.words[:2], "", "")[:2]
    runs_sql = first in _RUNS_SQL
    if first in _ROWS or (first == "COPY" and "FROM" in statement.words):
        yield "rows"
    if runs_sql and _CHANGES_ROWS.search(text):
        yield "rows"
    if (first in _VERBS and second in _ROLES and statement.words[2:3] != ("MAPPING",)) or (
        runs_sql and _CHANGES_ROLES.search(text)
    ):
        yield "roles"
    if first in _GRANTS and not re.search(r"\bon\b", text, re.IGNORECASE):
        yield "roles"
    if (runs_sql or (first, second) == ("ALTER", "SEQUENCE")) and _OF_A_SEQUENCE.search(text):
        yield "values of sequences"
    if (runs_sql or first in {*_VERBS, *_GRANTS, "COMMENT"}) and _LARGE_OBJECT.search(text):
        yield "large objects"
