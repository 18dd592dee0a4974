"""Find the roles that files name in GRANT, OWNER TO and the like, and create nowhere. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rung.script import read
from rung.script.identifiers import folded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.source import MigrationSet

_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_GRANTEE = rf"(?:GROUP\s+)?{_NAME}"
_NAMES = rf"({_GRANTEE}(?:\s*,\s*{_GRANTEE})*)"
_CREATED = re.compile(
    rf"\bCREATE\s+(?:ROLE|USER|GROUP)\s+({_NAME})"
    rf"|\b(?:ROLE|USER|GROUP)\s+{_NAME}\s+RENAME\s+TO\s+({_NAME})",
    re.IGNORECASE,
)
"""Also in the body of a DO, which often creates a role where there is none."""
_NAMED = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        rf"\A(?:GRANT|REVOKE|ALTER\s+DEFAULT\s+PRIVILEGES)\b.*\b(?:TO|FROM)\s+{_NAMES}",
        rf"\A(?:GRANT|REVOKE)\s+(?:ADMIN\s+OPTION\s+FOR\s+)?{_NAMES}\s+(?:TO|FROM)\b",
        rf"\AALTER\s+DEFAULT\s+PRIVILEGES\s+FOR\s+(?:ROLE|USER)\s+{_NAMES}",
        rf"\AALTER\b.*\bOWNER\s+TO\s+({_NAME})",
        rf"\ACREATE\s+SCHEMA\b.*\bAUTHORIZATION\s+({_NAME})",
        rf"\ACREATE\s+POLICY\b.*?\bTO\s+{_NAMES}",
    )
)
_HAS_NAMES = re.compile(r"\b(?:GRANT|REVOKE|OWNER|AUTHORIZATION|POLICY)\b", re.IGNORECASE)
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_BEGINS = re.compile(r"\b(?:GRANT|REVOKE|ALTER|CREATE)\s", re.IGNORECASE)
_NO_ROLES = frozenset({"group", "public", "current_user", "current_role", "session_user"})


def roles_not_created(migrations: MigrationSet) -> tuple[str, ...]:
    """
    Return the roles that some file names and no file creates, sorted; none that PostgreSQL has.

    Args:
        migrations: the whole source.
    """
    halves = (half for one in migrations.migrations for half in (one.up, one.down))
    texts = [half.text for half in halves if half is not None]
    created = {
        folded(name) for text in texts for found in _CREATED.findall(text) for name in found if name
    }
    named = {
        folded(name)
        for text in texts
        if _HAS_NAMES.search(text)
        for statement in _statements(text)
        for pattern in _NAMED
        for names in pattern.findall(statement)
        for name in re.findall(_NAME, names)
    }
    found = named - created - _NO_ROLES
    return tuple(sorted(one for one in found if not one.startswith("pg_")))


def _statements(text: str) -> Iterator[str]:
    """Yield the statements of a file, and of the bodies of its DO statements those that matter."""
    script = read(text)
    for one in script.statements:
        statement = script.text[one.start : one.end]
        if one.words[:1] != ("DO",):
            yield statement
            continue
        for part in _COMMENTS.sub(" ", statement).split(";"):
            if found := _BEGINS.search(part):
                yield part[found.start() :]
