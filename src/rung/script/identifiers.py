"""Splits qualified SQL names into parts, and takes off their quotes. Pure."""

from __future__ import annotations

import re
from typing import Final

_PART = re.compile(r'"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|[^."`\[\]]+')
_CLOSING: Final = {'"': '"', "`": "`", "'": "'", "[": "]"}


def parts_of(name: str) -> list[str]:
    """Split a name into its parts, with their quotes; an empty list for a text without a name."""
    return _PART.findall(name)


def is_quoted(part: str) -> bool:
    """Whether a part is a quoted identifier; single quotes make a string."""
    return part[:1] in _CLOSING and part[0] != "'"


def unquoted(part: str) -> str:
    """
    Remove the quotes of a part.

    PostgreSQL has double quotes; SQLite accepts backticks, brackets and single quotes too.
    """
    closing = _CLOSING.get(part[:1])
    if closing is None or len(part) == 1:
        return part
    return part[1:-1].replace(closing * 2, closing)


def folded(part: str) -> str:
    """Fold a part as PostgreSQL does: to lower case, unless it is quoted."""
    return unquoted(part) if is_quoted(part) else part.lower()
