"""
Refuses a path that SQLAlchemy reads otherwise than golang-migrate, and that nobody can be sure of.

`sqlite:///chat.db` is /chat.db to golang-migrate and here, and chat.db in the current folder to
SQLAlchemy. A service that uses the one would find the other empty. A file that is there is what
the URL says; one that is not there is made only where the URL can be meant in one way.
"""

from __future__ import annotations

import os

from rung.drivers.schemes import SQLITE, beginning
from rung.errors import UsageError
from rung.masking import redacted_word


def check_spelling(url: str) -> None:
    """
    Refuse a plain URL whose path is likely SQLAlchemy's relative one.

    That is a file that does not exist, and either is directly in /, or is in a folder that does not
    exist while the current folder has one of that name.

    Raises:
        UsageError: that is so; it names both spellings.
    """
    scheme = beginning(url, SQLITE)
    name = url.removeprefix(scheme or "").partition("?")[0]
    if scheme is None or not name.startswith("/") or name.startswith("//"):
        return
    relative = name[1:]
    folder = os.path.dirname(name)  # noqa: PTH120 - a path of bytes that are no text stays one
    is_file = os.path.lexists(name)
    may_be_relative = folder == "/" or (
        not os.path.isdir(folder) and os.path.isdir(folder[1:])  # noqa: PTH112 - likewise
    )
    if not relative or is_file or not may_be_relative:
        return
    shown = redacted_word(relative)
    raise UsageError(
        f"{scheme}/{shown} is the file /{shown} here, which does not exist; SQLAlchemy reads it as "
        f"{shown} in the current folder",
        f"write {scheme}{shown} for the file in the current folder, or {scheme}//{shown} for "
        f"/{shown}",
    )
