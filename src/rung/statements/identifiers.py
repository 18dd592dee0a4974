"""Reads names as SQL spells them: the parts of a qualified name, each without its quotes. Pure."""

from __future__ import annotations

import re
from typing import Final

_PART = re.compile(r'"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|[^."`\[\]]+')
_CLOSING: Final = {'"': '"', "`": "`", "'": "'", "[": "]"}


def parts_of(name: str) -> list[str]:
    """The parts of a name, as they are written; of a text without one, none."""
    return _PART.findall(name)


def is_quoted(part: str) -> bool:
    """Whether a part is read as it stands, whatever its letter case; a string is no name."""
    return part[:1] in _CLOSING and part[0] != "'"


def unquoted(part: str) -> str:
    """
    A part without its quotes.

    PostgreSQL has double quotes; SQLite takes backticks, brackets and single quotes too.
    """
    closing = _CLOSING.get(part[:1])
    if closing is None or len(part) == 1:
        return part
    return part[1:-1].replace(closing * 2, closing)


def folded(part: str) -> str:
    """A part as PostgreSQL keeps it: in lower case, unless it is quoted."""
    return unquoted(part) if is_quoted(part) else part.lower()
