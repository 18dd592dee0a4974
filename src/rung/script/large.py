"""
Looks through a text that may be large, in parts. Pure.

To lower a text of 10 MB makes another, and with one character beyond Latin-1 on the way eight times
as much. Each part begins a little before the end of the one before it, so that a mark that is cut
in two is whole in the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PART = 1 << 20
_AGAIN = 64
"""Characters of a part that the next has again: no mark is longer."""


def lowered_parts(text: str) -> Iterator[str]:
    """The text in lower case, in parts; a short text is one."""
    yield text[:_PART].lower()
    for start in range(_PART, len(text), _PART):
        yield text[start - _AGAIN : start + _PART].lower()


def holds(text: str, *marks: str) -> bool:
    """Whether a text contains one of some marks, which are in lower case; case does not count."""
    return any(mark in part for part in lowered_parts(text) for mark in marks)
