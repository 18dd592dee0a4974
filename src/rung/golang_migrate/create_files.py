"""
`create` of the `migrate` command: the number, the names, and the messages.

The number is sequential or a formatted time. Better than golang-migrate: the next number counts the
valid names of every extension, so that other files are ignored and no version occurs twice; nothing
in a folder's name is a pattern; both files are created or none.
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
"""The default layout of a timestamp."""

_WIDEST = 1_000
"""The most digits of a number: no file system accepts a name half as long."""


class CreateRefused(Exception):
    """No files were created. The text is golang-migrate's, without `error: `."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """Numbers by sequence, with this many digits."""

    digits: int


@dataclass(frozen=True, slots=True)
class Timestamp:
    """Numbers by a time: in a layout of Go's, or `unix` or `unixNano`."""

    layout: str
    moment: Moment


def numbering(*, seq: bool, digits: int, layout: str, moment: Moment) -> Sequence | Timestamp:
    """
    Return the numbering that the options of `create` select.

    Raises:
        CreateRefused: the options select both a sequence and a layout.
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
    Create `NUMBER_NAME.up.EXTENSION` and `NUMBER_NAME.down.EXTENSION`, both empty.

    Args:
        folder: created if necessary; empty for the working directory.
        name: used unchanged.
        extension: with or without its dot.
        number: how the version is chosen.

    Returns:
        Both absolute paths, up first.

    Raises:
        CreateRefused: the number is invalid or used, or the files cannot be created.
        VersionTooLarge: a file in the folder has a version above 2^63-1.
    """
    directory, suffix = clean(folder), "." + extension.removeprefix(".")
    if isinstance(number, Sequence):
        version = _next_number(directory, number.digits)
    else:
        version = _timestamp(number)
        _check_unused(directory, version, suffix)
    _make_folder(directory)
    up, down = (joined(directory, f"{version}_{name}.{half}{suffix}") for half in ("up", "down"))
    try:
        write_both(Path(up), Path(down))
    except OSError as error:
        raise _os_failure("open", str(error.filename), error) from error
    return absolute(up), absolute(down)


def _next_number(folder: str, digits: int) -> str:
    if digits <= 0:
        raise CreateRefused("digits must be positive")
    number = max(_taken_versions(folder), default=0) + 1
    if len(str(number)) > digits:
        raise CreateRefused(
            f"next sequence number {number} too large, at most {digits} digits are allowed"
        )
    if number > MAX_VERSION:
        raise CreateRefused(f"next sequence number {number} too large, the last is {MAX_VERSION}")
    return str(number).zfill(min(digits, _WIDEST))


def _timestamp(number: Timestamp) -> str:
    if not number.layout:
        raise CreateRefused("time format may not be empty")
    if number.layout == "unix":
        return str(number.moment.unix)
    if number.layout == "unixNano":
        return str(number.moment.unix_nano)
    return formatted(number.moment, number.layout)


def _check_unused(folder: str, version: str, suffix: str) -> None:
    """Check that no migration has this version, and no file name begins with it."""
    directory, start = os.path.split(joined(folder, f"{version}_"))
    names = _names(directory)
    is_taken = any(name.startswith(start) and name.endswith(suffix) for name in names)
    if is_taken or parse_uint(version) in _taken_versions(folder):
        raise CreateRefused(f"duplicate migration version: {version}")


def _taken_versions(folder: str) -> set[int]:
    try:
        return taken_versions(Path(folder))
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except OSError as error:
        raise _os_failure("open", folder, error) from error


def _names(folder: str) -> list[str]:
    try:
        return [entry.name for entry in Path(folder).iterdir()]
    except OSError:
        return []


def _make_folder(folder: str) -> None:
    """Create a folder and its parents; name the first that cannot be created."""
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
        raise _os_failure("mkdir", folder, error) from error


def _os_failure(doing: str, path: str, error: OSError) -> CreateRefused:
    return CreateRefused(f"{doing} {path}: {(error.strerror or str(error)).lower()}")


def create(call: GoInvocation, parsed: Parsed) -> int:
    """Create a pair of files and print their paths."""
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
            moment=Moment.at(call.started_ns, zone),
        )
        paths = make_pair(parsed.text("dir"), parsed.words[0], parsed.text("ext"), number)
    except ZoneUnknown as error:
        raise PlainFault(str(error)) from None
    except CreateRefused as error:
        words = (parsed.text("dir"), parsed.words[0], parsed.text("ext"))
        raise GoFault(_without_credentials(str(error), words)) from None
    except SourceError as error:
        raise GoFault(error.cause, error.hint) from None
    for path in paths:
        call.console.line(redacted_word(path))
    return 0


def _without_credentials(text: str, words: Iterable[str]) -> str:
    """Redact a message whose path is made of words that may be misplaced URLs."""
    for word in words:
        if (redacted := redacted_word(word)) != word:
            text = text.replace(word, redacted).replace(clean(word), redacted)
    return redacted_word(text)
