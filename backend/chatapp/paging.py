"""Where a page begins: a place in an order, as opaque text that clients hand back. Pure."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class Cursor(NamedTuple):
    """The last row of the page before."""

    at: datetime
    id: UUID


def written(cursor: Cursor) -> str:
    """A cursor as text that fits into a URL."""
    text = f"{cursor.at.isoformat()} {cursor.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


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
