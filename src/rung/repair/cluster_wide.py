"""
Which statements reach beyond their database, and are passed over on scratch. Pure.

They would change a whole server, name a database that scratch has not, or (a subscription)
connect to another one. None of it is in a snapshot.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rung.script import Statement

_CHANGES = frozenset({"CREATE", "ALTER", "DROP"})
_OF_A_SERVER = frozenset({"DATABASE", "TABLESPACE", "SYSTEM", "SUBSCRIPTION"})
_ROLES = frozenset({"ROLE", "USER", "GROUP"})
_GRANTS = frozenset({"GRANT", "REVOKE"})
_SUBJECT = 3
_OWNER = re.compile(r"\bOWNER\s+TO\s+(?:\"[^\"]+\"|\w+)\s*;?\s*\Z", re.IGNORECASE)
_ON = re.compile(r"\bON\b", re.IGNORECASE)


def makes_role(statement: Statement) -> bool:
    """Whether it makes a role, which may be there already; what later statements grant needs it."""
    return statement.words[:1] == ("CREATE",) and _is_of_role(statement)


def makes_extension(statement: Statement) -> bool:
    """Whether it makes an extension, which a superuser may have made before the files."""
    return statement.words[:2] == ("CREATE", "EXTENSION")


def is_not_compared(statement: Statement, text: str) -> bool:
    """
    Whether all that it changes is who owns something, who belongs to a role, or a role.

    None of it is in a snapshot, so nothing is lost where scratch has not the right to it.
    """
    words = statement.words
    if words[:1] == ("ALTER",):
        return bool(_OWNER.search(text))
    if words[:1] and words[0] in _GRANTS:
        return not _ON.search(text)
    return words[:_SUBJECT] == ("COMMENT", "ON", "EXTENSION") or makes_role(statement)


def reaches_beyond(statement: Statement) -> bool:
    """Whether it is passed over on scratch."""
    words = statement.words
    if words[:2] == ("COMMENT", "ON"):
        return bool({*_OF_A_SERVER, "ROLE"} & set(words[2:_SUBJECT]))
    if words[:1] and words[0] in _GRANTS:
        return ("ON", "DATABASE") in pairwise(words)
    if not words[:1] or words[0] not in _CHANGES:
        return False
    return bool(_OF_A_SERVER & set(words[1:2])) or (words[0] != "CREATE" and _is_of_role(statement))


def _is_of_role(statement: Statement) -> bool:
    kind = statement.words[1:3]
    return bool(_ROLES & set(kind[:1])) and kind != ("USER", "MAPPING")
