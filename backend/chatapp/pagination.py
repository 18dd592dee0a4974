"""Page through lists by cursors: positions in an order, as opaque texts. Pure."""

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


def encode(cursor: Cursor) -> str:
    """Encode a cursor as a text for a URL."""
    text = f"{cursor.at.isoformat()} {cursor.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def rows_that_fit(rows: Sequence[T], limit: int, most: int, size: Callable[[T], int]) -> int:
    """
    Return the number of rows of a page, at least one.

    Args:
        rows: the available rows.
        limit: the most rows.
        most: the largest sum of their sizes.
        size: returns the size of a row.
    """
    sums = accumulate(map(size, rows[:limit]))
    return max(1, sum(total <= most for total in sums))


def next_cursor(rows: Sequence[T], limit: int, cursor_of: Callable[[T], Cursor]) -> str | None:
    """
    Return the encoded cursor of the next page; None where there is none.

    Args:
        rows: the rows of this page, and one more if there is one.
        limit: the number of rows of a page.
        cursor_of: returns a row's position in the order.
    """
    return encode(cursor_of(rows[limit - 1])) if len(rows) > limit else None


def read(text: str) -> Cursor:
    """
    Decode a cursor.

    Raises:
        ValueError: it is not an encoded cursor.
    """
    padded = text + "=" * (-len(text) % 4)
    at, _, row = base64.urlsafe_b64decode(padded.encode("ascii")).decode().partition(" ")
    rows = Cursor(datetime.fromisoformat(at), UUID(row))
    if rows.at.tzinfo is None:
        raise ValueError("a time without its zone")
    return rows
