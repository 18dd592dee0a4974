"""
Paths as Go's `path/filepath` cleans and joins them, and the working directory as Go has it.

Python's `os.path` differs in small things: two slashes at the front, an empty path, a working
directory that was reached through a link.
"""

from __future__ import annotations

import os


def clean(path: str) -> str:
    """The shortest path that means the same by its words alone; `.` for an empty one."""
    cleaned = os.path.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def joined(*parts: str) -> str:
    """Parts put together and cleaned; empty ones are left out, none leads back to the root."""
    given = [part for part in parts if part]
    return clean("/".join(given)) if given else ""


def absolute(path: str) -> str:
    """A path from the root on, cleaned."""
    return clean(path) if path.startswith("/") else joined(working_directory(), path)


def working_directory() -> str:
    """
    The working directory, by the name that the shell has for it where that is right.

    Raises:
        OSError: it is gone.
    """
    named = os.environ.get("PWD", "")
    if named.startswith("/") and _is_here(named):
        return named
    return os.getcwd()  # noqa: PTH109 - as text


def _is_here(path: str) -> bool:
    try:
        return os.path.samefile(path, ".")  # noqa: PTH121 - as text
    except OSError:
        return False
