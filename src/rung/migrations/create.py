"""
Makes a new, empty pair of migration files. Never overwrites, and leaves both or none.

The number is the next after the numeric maximum of all valid names, whatever their
extension, so that no two files ever claim one version.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rung.errors import SourceNotFound, UsageError, VersionTooLarge
from rung.migrations.model import MAX_VERSION
from rung.migrations.names import parse

if TYPE_CHECKING:
    from datetime import datetime

_DIGITS = 6


def create_pair(
    directory: str | os.PathLike[str], name: str, *, timestamp: datetime | None = None
) -> tuple[Path, Path]:
    """
    Create `VERSION_NAME.up.sql` and `VERSION_NAME.down.sql`, both empty.

    Args:
        directory: the folder; it is made where it does not exist.
        name: the title; white space becomes `_`.
        timestamp: number by this moment (YYYYMMDDhhmmss) instead of by sequence.

    Returns:
        The two paths, up first.

    Raises:
        UsageError: the name is empty, or holds a slash or a NUL.
        SourceNotFound: the folder cannot be made or written.
        VersionTooLarge: there is no number left.
    """
    title = _title(name)
    folder = Path(directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        version = _next_version(folder, timestamp)
        stem = f"{version}_{title}"
        return write_both(folder / f"{stem}.up.sql", folder / f"{stem}.down.sql")
    except OSError as error:
        raise SourceNotFound(str(folder), (error.strerror or str(error)).lower()) from error


def _title(name: str) -> str:
    title = "_".join(name.split())
    if not title or "/" in title or os.sep in title or "\0" in title:
        raise UsageError(
            f"{name!r} cannot name a migration.",
            "Give a short name of letters, digits and underscores, such as add_user_roles.",
        )
    return title


def taken_versions(folder: Path) -> set[int]:
    """
    The versions of all valid names in a folder, whatever their extension.

    Raises:
        OSError: the folder cannot be listed.
        VersionTooLarge: a version is above 2^63-1.
    """
    return {name.version for entry in folder.iterdir() if (name := parse(entry.name))}


def write_both(up: Path, down: Path) -> tuple[Path, Path]:
    """
    Make two empty files, or none.

    Raises:
        OSError: one of them is there already, or cannot be made.
    """
    up.touch(exist_ok=False)
    try:
        down.touch(exist_ok=False)
    except OSError:
        up.unlink()
        raise
    return up, down


def _next_version(folder: Path, timestamp: datetime | None) -> str:
    taken = taken_versions(folder)
    if timestamp is None:
        version = max(taken, default=0) + 1
        if version > MAX_VERSION:
            raise VersionTooLarge(f"{version}_*")
        return str(version).zfill(_DIGITS)
    version = int(timestamp.strftime("%Y%m%d%H%M%S"))
    while version in taken:
        version += 1
    return str(version)
