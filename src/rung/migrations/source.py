"""
Reads a source into a `MigrationSet`: a folder, or a Python package (`package:NAME`).

All of it is read before anybody may write to a database: a file that cannot be read, is
not UTF-8 or holds a NUL byte stops everything, and is never taken for an empty one.
Directories below the source are not entered.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rung.errors import DuplicateMigration, SourceNotFound, SourceUnreadable, TextUnreadable
from rung.migrations.model import Direction, Half, Migration, MigrationSet
from rung.migrations.names import FileName, near_miss, parse

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.resources.abc import Traversable

_PACKAGE = "package:"
_BOM = b"\xef\xbb\xbf"


def read_source(source: str | os.PathLike[str]) -> MigrationSet:
    """
    Read every migration of a source.

    Args:
        source: a folder, or `package:NAME` for the files of an importable package.

    Raises:
        SourceNotFound: there is no such folder or package.
        SourceUnreadable: a migration file cannot be read.
        TextUnreadable: a migration file is not UTF-8 text.
        DuplicateMigration: two files claim one half of one version.
        VersionTooLarge: a version is above 2^63-1.
    """
    shown = os.fspath(source)
    root = _open_package(shown) if shown.startswith(_PACKAGE) else Path(shown)
    return _collect(shown, _entries(shown, root))


def _open_package(shown: str) -> Traversable:
    from importlib import resources

    try:
        return resources.files(shown.removeprefix(_PACKAGE))
    except ModuleNotFoundError as error:
        raise SourceNotFound(shown, f"there is no module named {error.name}") from error
    except (TypeError, ValueError, ImportError) as error:
        raise SourceNotFound(shown, str(error).rstrip(".")) from error


def _entries(shown: str, root: Traversable) -> list[Traversable]:
    try:
        return sorted(root.iterdir(), key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        raise SourceNotFound(shown, (error.strerror or str(error)).lower()) from error


def _collect(shown: str, entries: Iterable[Traversable]) -> MigrationSet:
    halves: dict[int, dict[Direction, Half]] = {}
    warnings: list[str] = []
    for entry in entries:
        name = parse(entry.name)
        half = _read_half(entry, name, warnings)
        if name is None or half is None:
            continue
        pair = halves.setdefault(name.version, {})
        if name.direction in pair:
            files = (pair[name.direction].file, name.file)
            raise DuplicateMigration(name.version, name.direction.value, files)
        pair[name.direction] = half
    migrations = tuple(
        Migration(version, pair.get(Direction.UP), pair.get(Direction.DOWN))
        for version, pair in sorted(halves.items())
    )
    return MigrationSet(shown, migrations, tuple(warnings))


def _read_half(entry: Traversable, name: FileName | None, warnings: list[str]) -> Half | None:
    if name is None:
        if warning := near_miss(entry.name):
            warnings.append(warning)
        return None
    try:
        content = entry.read_bytes()
    except IsADirectoryError as error:
        if isinstance(entry, Path) and entry.is_symlink():
            raise SourceUnreadable(name.file, "it is a link to a directory") from error
        warnings.append(f"{name.file} is ignored: it is a directory.")
        return None
    except OSError as error:
        raise SourceUnreadable(name.file, _reason(entry, error)) from error
    text = _text(name.file, content)
    return Half(name.file, name.title, text, content.startswith(_BOM))


def _reason(entry: Traversable, error: OSError) -> str:
    if isinstance(error, FileNotFoundError) and isinstance(entry, Path) and entry.is_symlink():
        return f"it is a link to {entry.readlink()}, which is not there"
    return (error.strerror or str(error)).lower()


def _text(file: str, content: bytes) -> str:
    try:
        text = content.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TextUnreadable(file, f"is not UTF-8 on line {line}") from error
    if (at := text.find("\0")) >= 0:
        line = text.count("\n", 0, at) + 1
        raise TextUnreadable(file, f"holds a NUL byte on line {line}")
    return text
