"""
Decide which statements affect more than their database, and are skipped on scratch. Pure.

They would change the whole server, name a database that does not exist on the scratch server,
or (a subscription) connect to another server. A snapshot shows none of it.
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


def creates_role(statement: Statement) -> bool:
    """Report whether a statement creates a role; the role may exist on the scratch server."""
    return statement.words[:1] == ("CREATE",) and _is_of_role(statement)


def creates_extension(statement: Statement) -> bool:
    """Report whether a statement creates an extension; a superuser may have created it before."""
    return statement.words[:2] == ("CREATE", "EXTENSION")


def is_outside_snapshots(statement: Statement, text: str) -> bool:
    """
    Report whether a statement changes only owners, role memberships or roles.

    A snapshot shows none of these, so the comparison stays exact where the scratch role lacks
    the right to change them.
    """
    words = statement.words
    if words[:1] == ("ALTER",):
        return bool(_OWNER.search(text))
    if words[:1] and words[0] in _GRANTS:
        return not _ON.search(text)
    return words[:_SUBJECT] == ("COMMENT", "ON", "EXTENSION") or creates_role(statement)


def is_cluster_wide(statement: Statement) -> bool:
    """Report whether a statement affects more than its database."""
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
