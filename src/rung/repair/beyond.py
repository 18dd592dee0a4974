"""
Which statements reach beyond their database, and are passed over on scratch. Pure.

They would change a whole server, name a database that scratch has not, or (a subscription)
connect to another one. None of it is in a snapshot.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rung.statements import Statement

_CHANGES = frozenset({"CREATE", "ALTER", "DROP"})
_OF_A_SERVER = frozenset({"DATABASE", "TABLESPACE", "SYSTEM", "SUBSCRIPTION"})
_ROLES = frozenset({"ROLE", "USER", "GROUP"})
_GRANTS = frozenset({"GRANT", "REVOKE"})
_SUBJECT = 3


def makes_role(statement: Statement) -> bool:
    """Whether it makes a role, which may be there already; what later statements grant needs it."""
    return statement.words[:1] == ("CREATE",) and _is_of_role(statement)


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
