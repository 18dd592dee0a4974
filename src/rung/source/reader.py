"""
Reads a source into a `MigrationSet`: a folder, or a Python package (`package:NAME`).

All of it is read before anybody may write to a database: a file that cannot be read, is
not UTF-8 or holds a NUL byte stops everything, and is never taken for an empty one.
Folders below the source are not entered; one that holds migrations is an error.
"""

from __future__ import annotations

import codecs
import os
import shlex
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rung.errors import (
    DuplicateMigration,
    MigrationsBelow,
    NameUnusable,
    SourceNotFound,
    SourceUnreadable,
    TextUnreadable,
    VersionTooLarge,
)
from rung.errors.base import listed
from rung.redaction import redacted_word, redacted_words
from rung.source import other_tools
from rung.source.filenames import FileName, ends_in_sql, is_near_miss, parse
from rung.source.listing import FILE, FOLDER, entries_of, folders_below, unprintable, visible
from rung.source.model import Direction, Migration, MigrationFile, MigrationSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.resources.abc import Traversable

    from rung.source.listing import Entry

_PACKAGE = "package:"
_BOM = "\ufeff"
_BLOCK = 1 << 16
"""Bytes read at a time."""
_RULE = "a migration is named VERSION_NAME.up.sql or VERSION_NAME.down.sql"


def read_source(source: str | os.PathLike[str], *, any_extension: bool = False) -> MigrationSet:
    """
    Read every migration of a source.

    Args:
        source: a folder, or `package:NAME` for the files of an importable package.
        any_extension: read as golang-migrate does: whatever follows `.up.` or `.down.`, and
            without a check for the files of other tools and for the folders below.

    Raises:
        SourceNotFound: there is no such folder or package.
        SourceUnreadable: a migration file, or a folder below, cannot be read.
        NameUnusable: the name of a migration file cannot be shown.
        TextUnreadable: a migration file is not UTF-8 text.
        DuplicateMigration: two files have the same version and direction.
        VersionTooLarge: a version is above 2^63-1.
        ForeignSource: there are only migrations of another tool.
        MigrationsBelow: there are migrations in folders below.
    """
    named = os.fspath(source)
    shown = redacted_word(named)
    root = _open_package(shown, named) if named.startswith(_PACKAGE) else Path(named)
    try:
        entries = entries_of(root)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SourceNotFound(shown, reason) from (error if shown == named else None)
    sorted_out = _sort_out(shown, entries, any_extension=any_extension)
    if not any_extension:
        _check_layout(shown, entries, sorted_out)
    return _collect(shown, sorted_out)


def _open_package(shown: str, named: str) -> Traversable:
    from importlib import resources

    try:
        return resources.files(named.removeprefix(_PACKAGE))
    except ModuleNotFoundError as error:
        reason = f"there is no module named {redacted_word(error.name or named)}"
        raise SourceNotFound(shown, reason) from (error if shown == named else None)
    except (TypeError, ValueError, ImportError) as error:
        reason = redacted_words(str(error)).rstrip(".")
        raise SourceNotFound(shown, reason) from (error if shown == named else None)


class _SortedOut(NamedTuple):
    """The entries of a source, by kind."""

    migrations: Sequence[tuple[FileName, Entry]]
    folders: Sequence[Entry]
    """Folders that have the name of a migration file."""
    leftovers: Sequence[Entry]
    """Files with the name of a migration file, but for an extension that is not read."""
    others: Sequence[Entry]
    foreign: other_tools.OtherTool | None
    """The files of another tool among the leftovers and the others."""


def _sort_out(shown: str, entries: Sequence[Entry], *, any_extension: bool) -> _SortedOut:
    migrations, folders, leftovers, others = [], [], [], []
    for entry in entries:
        name = _parsed(shown, entry, entries)
        if problem := unprintable(entry.name):
            if name or is_near_miss(entry.name):
                raise NameUnusable(visible(entry.name), problem)
        elif name is None:
            others.append(entry)
        elif entry.kind == FOLDER:
            folders.append(entry)
        elif any_extension or ends_in_sql(entry.name):
            migrations.append((name, entry))
        else:
            leftovers.append(entry)
    foreign = other_tools.find([*leftovers, *others])
    return _SortedOut(migrations, folders, leftovers, others, foreign)


def _parsed(shown: str, entry: Entry, entries: Sequence[Entry]) -> FileName | None:
    try:
        return parse(entry.name)
    except VersionTooLarge:
        if found := other_tools.of_several_dialects(one.name for one in entries):
            raise found.error(shown) from None
        raise


def _check_layout(shown: str, entries: list[Entry], found: _SortedOut) -> None:
    """Refuse a source whose migrations belong to another tool, or lie in folders below."""
    if found.foreign and not found.migrations:
        raise found.foreign.error(shown)
    below = list(folders_below(entries))
    counts = {
        path: count
        for path, inside in below
        if (count := sum(1 for one in inside if ends_in_sql(one.name) and parse(one.name)))
    }
    if counts:
        raise MigrationsBelow(shown, {visible(path): counts[path] for path in counts})
    if not found.migrations and (foreign := other_tools.find_in_folders(below)):
        raise foreign.error(shown)


def _collect(shown: str, found: _SortedOut) -> MigrationSet:
    ups, downs = dict[int, MigrationFile](), dict[int, MigrationFile]()
    for name, entry in found.migrations:
        files = ups if name.direction is Direction.UP else downs
        if name.version in files:
            raise _duplicate(shown, found, name, files[name.version].file)
        files[name.version] = _read_file(entry, name)
    migrations = tuple(
        Migration(version, ups.get(version), downs.get(version))
        for version in sorted(ups.keys() | downs.keys())
    )
    return MigrationSet(shown, migrations, tuple(_warnings(found)))


def _duplicate(shown: str, found: _SortedOut, name: FileName, other: str) -> Exception:
    if foreign := other_tools.of_several_dialects((other, name.file)):
        files = [one.file for one, _ in found.migrations]
        return (other_tools.of_several_dialects(files) or foreign).error(shown)
    free = str(max(one.version for one, _ in found.migrations) + 1)
    free = free.zfill(len(name.file.partition("_")[0]))
    stem, _, _ = name.file.rpartition(f".{name.direction.value}.")
    halves = [one.file for one, _ in found.migrations if one.file.startswith(f"{stem}.")]
    moved = [name.file] if other in halves else halves
    return DuplicateMigration(
        name.version,
        name.direction.value,
        (other, name.file),
        free,
        " && ".join(_rename(shown, file, free) for file in moved),
    )


def _rename(shown: str, file: str, free: str) -> str:
    """Give the command that renumbers a file; a file of a package has no path."""
    folder = "" if shown.startswith(_PACKAGE) else shown
    numbered = f"{free}_{file.partition('_')[2]}"
    return shlex.join(["mv", str(Path(folder, file)), str(Path(folder, numbered))])


def _warnings(found: _SortedOut) -> list[str]:
    """Give a line for each kind of file that is ignored."""
    warnings = []
    foreign = found.foreign.files if found.foreign else ()
    if found.foreign:
        many = "1 file" if len(foreign) == 1 else f"{len(foreign)} files"
        what = f"{many} of {found.foreign.tool}"
        are = "is" if len(foreign) == 1 else "are"
        warnings.append(f"{what} ({listed(foreign)}) {are} not read: {found.foreign.way}")
    near = [one.name for one in found.others if is_near_miss(one.name) and one.name not in foreign]
    left = [one.name for one in found.leftovers if one.name not in foreign]
    folders = [one.name for one in found.folders]
    for names, why in (
        (near, _RULE),
        (left, "only names that end in .sql are read"),
        (folders, "it is a directory" if len(folders) == 1 else "they are directories"),
    ):
        if names:
            are = "is" if len(names) == 1 else "are"
            warnings.append(f"{listed(names)} {are} ignored: {why}")
    return warnings


def _read_file(entry: Entry, name: FileName) -> MigrationFile:
    if entry.kind != FILE:
        raise SourceUnreadable(name.file, entry.kind)
    try:
        text = _decoded(name.file, entry.blocks(_BLOCK))
    except OSError as error:
        raise SourceUnreadable(name.file, (error.strerror or str(error)).lower()) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise TextUnreadable(name.file, f"contains a NUL byte on line {line}")
    if text.startswith(_BOM):
        return MigrationFile(name.file, name.title, text.removeprefix(_BOM), byte_order_mark=True)
    return MigrationFile(name.file, name.title, text)


def _decoded(file: str, blocks: Iterator[bytes]) -> str:
    """
    Decode a file in blocks, the last of them empty.

    Read whole, its bytes would be freed as one block of its size. glibc takes that size as the
    new bound below which memory comes from the heap and is not returned: 11 MB more at the peak
    of a run, for a file of 10 MB.
    """
    parts, left = list[str](), b""
    try:
        first, second = next(blocks), next(blocks, b"")
        if not second:
            return first.decode()
        for block in chain((first, second), blocks):
            data = left + block
            part, used = codecs.utf_8_decode(data, "strict", not block)
            parts.append(part)
            left = data[used:]
    except UnicodeDecodeError as error:
        lines = sum(part.count("\n") for part in parts)
        line = lines + error.object.count(b"\n", 0, error.start) + 1
        raise TextUnreadable(file, f"is not UTF-8 on line {line}") from error
    return "".join(parts)
