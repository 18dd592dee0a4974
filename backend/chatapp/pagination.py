"""Where a page begins: a place in an order, as opaque text that clients hand back. Pure."""

from __future__ import annotations

import base64
from datetime import datetime
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


class Cursor(NamedTuple):
    """The last row of the page before."""

    at: datetime
    id: UUID


def written(cursor: Cursor) -> str:
    """A cursor as text that fits into a URL."""
    text = f"{cursor.at.isoformat()} {cursor.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def fitting(found: Sequence[T], limit: int, most: int, size: Callable[[T], int]) -> int:
    """
    How many rows a page has: the first in any case.

    Args:
        found: the rows that there are.
        limit: how many there may be.
        most: how large they may be together.
        size: how large one is.
    """
    sums = accumulate(map(size, found[:limit]))
    return max(1, sum(total <= most for total in sums))


def following(found: Sequence[T], limit: int, place: Callable[[T], Cursor]) -> str | None:
    """
    Where the next page begins, as text; None where there is none.

    Args:
        found: the rows of this page, and one more where there is one.
        limit: how many rows a page has.
        place: a row's place in the order.
    """
    return written(place(found[limit - 1])) if len(found) > limit else None


def read(text: str) -> Cursor:
    """
    The cursor that was written so.

    Raises:
        ValueError: it was not.
    """
    padded = text + "=" * (-len(text) % 4)
    at, _, row = base64.urlsafe_b64decode(padded.encode("ascii")).decode().partition(" ")
    found = Cursor(datetime.fromisoformat(at), UUID(row))
    if found.at.tzinfo is None:
        raise ValueError("a time without its zone")
    return found
