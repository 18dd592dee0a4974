"""
Clean and join paths as Go's `path/filepath` does, and find the working directory as Go does.

Python's `os.path` differs for two leading slashes, an empty path, and a working directory that was
reached through a link.
"""

from __future__ import annotations

import os
from contextlib import suppress


def clean(path: str) -> str:
    """Return the shortest lexically equal path; `.` for an empty one."""
    cleaned = os.path.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def joined(*parts: str) -> str:
    """Join and clean parts; empty parts are left out, and an absolute part is appended."""
    nonempty = [part for part in parts if part]
    return clean("/".join(nonempty)) if nonempty else ""


def absolute(path: str) -> str:
    """Return an absolute, cleaned path."""
    return clean(path) if path.startswith("/") else joined(working_directory(), path)


def working_directory() -> str:
    """
    Return the working directory, by `PWD` where that is correct.

    Raises:
        OSError: it does not exist any more.
    """
    path = os.environ.get("PWD", "")
    with suppress(OSError):
        if path.startswith("/") and os.path.samefile(path, "."):  # noqa: PTH121 - as text
            return path
    return os.getcwd()  # noqa: PTH109 - as text
