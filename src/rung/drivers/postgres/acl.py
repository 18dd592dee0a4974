"""
Read PostgreSQL's access control lists. Pure.

An aclitem is written `grantee=privileges/grantor`: one letter a privilege, with a star where it
may be granted on; an empty grantee is PUBLIC. See "Privileges" in PostgreSQL's documentation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ITEM = re.compile(
    r'(?P<grantee>"(?:[^"]|"")*"|[^"=]*)=(?P<letters>[a-zA-Z*]*)/(?P<grantor>.*)', re.DOTALL
)
_PRIVILEGES = {
    "a": "INSERT", "r": "SELECT", "w": "UPDATE", "d": "DELETE", "D": "TRUNCATE",
    "x": "REFERENCES", "t": "TRIGGER", "m": "MAINTAIN", "X": "EXECUTE", "U": "USAGE",
    "C": "CREATE", "T": "TEMPORARY", "c": "CONNECT", "s": "SET", "A": "ALTER SYSTEM",
}  # fmt: skip


def privilege_lines(owner: str, acl: Iterable[str], usual: Iterable[str]) -> Iterator[str]:
    """
    Yield what an ACL grants beyond the usual one, and what it lacks, in a fixed order.

    Args:
        owner: of the object, as `pg_get_userbyid` writes it; shown as `owner`, so that a new
            owner with the same rights is no difference in privileges.
        acl: the texts of its items.
        usual: those of the ACL that such an object has unless somebody changes it.
    """
    granted, expected = set(_grants(owner, acl)), set(_grants(owner, usual))
    yield from sorted(granted - expected)
    yield from (f"not {line}" for line in sorted(expected - granted))


def _grants(owner: str, acl: Iterable[str]) -> Iterator[str]:
    for item in acl:
        match = _ITEM.fullmatch(item)
        if match is None:  # no release writes one like this: show it as it is
            yield item
            continue
        grantor = _name(match["grantor"])
        letters = re.findall(r"([a-zA-Z])(\*?)", match["letters"])
        names = sorted(
            _PRIVILEGES.get(letter, letter) + (" with grant option" if star else "")
            for letter, star in letters
        )
        grantee = match["grantee"] and _name(match["grantee"])
        by = "" if grantor == owner else f" by {grantor}"
        shown = "public" if not grantee else "owner" if grantee == owner else grantee
        yield from (f"{shown} {name}{by}" for name in names)


def _name(text: str) -> str:
    """Return a role's name without the quotes of an aclitem."""
    if text.startswith('"') and text.endswith('"'):
        return text[1:-1].replace('""', '"')
    return text
