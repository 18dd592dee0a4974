"""
`create` of the `migrate` command: which number, which names, and what is said.

Numbers by sequence or by a layout. Better than golang-migrate: the next number is counted over
the valid names of every extension, so that foreign files do not matter and no version comes
twice; nothing in a folder's name is a pattern; both files are made or none.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rung.errors import SourceError
from rung.golang_migrate.faults import GoFault, PlainFault
from rung.golang_migrate.gostd.integers import parse_uint
from rung.golang_migrate.gostd.paths import absolute, clean, joined
from rung.golang_migrate.gostd.time_layouts import Moment, formatted
from rung.golang_migrate.gostd.time_zones import ZoneUnknown, load_location
from rung.redaction import redacted_word
from rung.source.create import taken_versions, write_both
from rung.source.model import MAX_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rung.golang_migrate.gostd.flags import Parsed
    from rung.golang_migrate.invocation import GoInvocation


DEFAULT_LAYOUT = "20060102150405"
"""The layout of a number where none is asked for."""

_WIDEST = 1_000
"""Zeros beyond this make no other name: no file system takes one half as long."""


class CreateRefused(Exception):
    """No files were made. The text is golang-migrate's, without `error: `."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """Number by the next number, in so many digits."""

    digits: int


@dataclass(frozen=True, slots=True)
class Timestamp:
    """Number by a moment: in a layout of Go's, or `unix` or `unixNano`."""

    layout: str
    moment: Moment


def numbering(*, seq: bool, digits: int, layout: str, moment: Moment) -> Sequence | Timestamp:
    """
    What the options of `create` ask for.

    Raises:
        CreateRefused: they ask for a sequence and for a layout.
    """
    if not seq:
        return Timestamp(layout, moment)
    if layout != DEFAULT_LAYOUT:
        raise CreateRefused("the seq and format options are mutually exclusive")
    return Sequence(digits)


def make_pair(
    folder: str, name: str, extension: str, number: Sequence | Timestamp
) -> tuple[str, str]:
    """
    Make `NUMBER_NAME.up.EXTENSION` and `NUMBER_NAME.down.EXTENSION`, both empty.

    Args:
        folder: made where it is not there; empty for the working directory.
        name: taken as it is.
        extension: with or without its dot.
        number: how the version is made.

    Returns:
        Both paths from the root on, up first.

    Raises:
        CreateRefused: there is no such number, it is taken, or the files cannot be made.
        VersionTooLarge: a file in the folder has a version above 2^63-1.
    """
    place, ending = clean(folder), "." + extension.removeprefix(".")
    if isinstance(number, Sequence):
        version = _next(place, number.digits)
    else:
        version = _written(number)
        _check_free(place, version, ending)
    _make_folder(place)
    up, down = (joined(place, f"{version}_{name}.{half}{ending}") for half in ("up", "down"))
    try:
        write_both(Path(up), Path(down))
    except OSError as error:
        raise _failed("open", str(error.filename), error) from error
    return absolute(up), absolute(down)


def _next(folder: str, digits: int) -> str:
    if digits <= 0:
        raise CreateRefused("digits must be positive")
    number = max(_taken(folder), default=0) + 1
    if len(str(number)) > digits:
        raise CreateRefused(
            f"next sequence number {number} too large, at most {digits} digits are allowed"
        )
    if number > MAX_VERSION:
        raise CreateRefused(f"next sequence number {number} too large, the last is {MAX_VERSION}")
    return str(number).zfill(min(digits, _WIDEST))


def _written(number: Timestamp) -> str:
    if not number.layout:
        raise CreateRefused("time format may not be empty")
    if number.layout == "unix":
        return str(number.moment.unix)
    if number.layout == "unixNano":
        return str(number.moment.unix_nano)
    return formatted(number.moment, number.layout)


def _check_free(folder: str, version: str, ending: str) -> None:
    """A number is taken by a migration of the same version, or by a name that begins with it."""
    place, start = os.path.split(joined(folder, f"{version}_"))
    names = _names(place)
    alike = any(name.startswith(start) and name.endswith(ending) for name in names)
    if alike or parse_uint(version) in _taken(folder):
        raise CreateRefused(f"duplicate migration version: {version}")


def _taken(folder: str) -> set[int]:
    try:
        return taken_versions(Path(folder))
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except OSError as error:
        raise _failed("open", folder, error) from error


def _names(folder: str) -> list[str]:
    try:
        return [entry.name for entry in Path(folder).iterdir()]
    except OSError:
        return []


def _make_folder(folder: str) -> None:
    """Make a folder and those above it; the first that cannot be made is named."""
    path = Path(folder)
    try:
        if path.is_dir():
            return
        if path.exists():
            raise CreateRefused(f"mkdir {folder}: not a directory")
        if path.parent != path:
            _make_folder(str(path.parent))
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise _failed("mkdir", folder, error) from error


def _failed(doing: str, path: str, error: OSError) -> CreateRefused:
    return CreateRefused(f"{doing} {path}: {(error.strerror or str(error)).lower()}")


def create(call: GoInvocation, parsed: Parsed) -> int:
    """Make a pair of files and print their paths."""
    if not parsed.words:
        raise GoFault("please specify name")
    if not parsed.text("ext"):
        raise GoFault("-ext flag must be specified")
    try:
        zone = load_location(parsed.text("tz"))
        number = numbering(
            seq=parsed.yes("seq"),
            digits=parsed.number("digits"),
            layout=parsed.text("format"),
            moment=Moment.at(call.began, zone),
        )
        made = make_pair(parsed.text("dir"), parsed.words[0], parsed.text("ext"), number)
    except ZoneUnknown as error:
        raise PlainFault(str(error)) from None
    except CreateRefused as error:
        given = (parsed.text("dir"), parsed.words[0], parsed.text("ext"))
        raise GoFault(_without_credentials(str(error), given)) from None
    except SourceError as error:
        raise GoFault(error.cause, error.hint) from None
    for path in made:
        call.talk.line(redacted_word(path))
    return 0


def _without_credentials(text: str, given: Iterable[str]) -> str:
    """A message about a path that is made of words which may be misplaced URLs."""
    for word in given:
        if (shown := redacted_word(word)) != word:
            text = text.replace(word, shown).replace(clean(word), shown)
    return redacted_word(text)
