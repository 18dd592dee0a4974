"""
Creates a pair of migration files. Never overwrites, and leaves both or none.

`rung` writes only comments into them: a file without a statement counts as empty.

The number is the next after the numeric maximum of all valid names, whatever their
extension, so that no two files ever claim one version.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rung.errors import SourceNotFound, UsageError, VersionTooLarge
from rung.redaction import redacted_word
from rung.source.filenames import parse
from rung.source.listing import unprintable
from rung.source.model import MAX_VERSION

if TYPE_CHECKING:
    from datetime import datetime

_DIGITS = 6
_UP = """\
-- What changes, in SQL, in place of these lines. It runs in one transaction where it can.
-- A file without a statement is not run: `rung up` takes it for one that is yet to be written.
-- Where nothing is to be done, say so in a line of its own:   -- rung: empty REASON
"""
_DOWN = """\
-- What undoes {up}, in SQL, in place of these lines: the last change first.
-- Where it cannot be undone, say so in a line of its own:     -- rung: irreversible REASON
-- Where nothing has to be undone:                             -- rung: empty REASON
"""


def create_pair(
    directory: str | os.PathLike[str], name: str, *, timestamp: datetime | None = None
) -> tuple[Path, Path]:
    """
    Create `VERSION_NAME.up.sql` and `VERSION_NAME.down.sql`, with instructions as comments.

    Args:
        directory: the folder; it is created where it does not exist.
        name: the title; white space becomes `_`.
        timestamp: use this time as the version (YYYYMMDDhhmmss), not the next number.

    Returns:
        The two paths, up first.

    Raises:
        UsageError: the name is empty, or holds a slash or a character that cannot be shown.
        SourceNotFound: the folder cannot be created or written.
        VersionTooLarge: every number is used.
    """
    title = _title(name)
    folder = Path(directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        version = _next_version(folder, timestamp)
        stem = f"{version}_{title}"
        up, down = folder / f"{stem}.up.sql", folder / f"{stem}.down.sql"
        return write_both(up, down, _UP, _DOWN.format(up=up.name))
    except OSError as error:
        raise SourceNotFound(
            redacted_word(str(folder)), (error.strerror or str(error)).lower()
        ) from error


def _title(name: str) -> str:
    title = "_".join(name.split())
    holds_a_password = redacted_word(name) != name
    if not title or "/" in title or os.sep in title or unprintable(title) or holds_a_password:
        raise UsageError(
            f"invalid migration name: {redacted_word(name)!r}",
            "use letters, digits and underscores, as in add_user_roles",
        )
    return title


def taken_versions(folder: Path) -> set[int]:
    """
    Give the versions of all valid names in a folder, whatever their extension.

    Raises:
        OSError: the folder cannot be listed.
        VersionTooLarge: a version is above 2^63-1.
    """
    return {name.version for entry in folder.iterdir() if (name := parse(entry.name))}


def write_both(up: Path, down: Path, up_text: str = "", down_text: str = "") -> tuple[Path, Path]:
    """
    Create two files, or none; empty ones where no text is given.

    Raises:
        OSError: one of them exists already, or cannot be written.
    """
    made: list[Path] = []
    try:
        for path, text in ((up, up_text), (down, down_text)):
            with path.open("x", encoding="utf-8", newline="\n") as file:
                made.append(path)
                file.write(text)
    except BaseException:
        for path in made:
            path.unlink()
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
