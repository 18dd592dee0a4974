"""
Lists the entries of a source: names, and what each of them is.

A FIFO or a device is never opened, because that could hang or have an effect. A link is read as
its target, and is not followed into a folder.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rung.errors import SourceUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

FILE, FOLDER = "a file", "a folder"
_DEEPEST, _MOST_FOLDERS = 3, 2000
_PASSED_OVER = frozenset({"__pycache__", "node_modules", "lost+found"})
_SPECIAL = (
    (stat.S_ISFIFO, "it is a FIFO"),
    (stat.S_ISSOCK, "it is a socket"),
    (stat.S_ISCHR, "it is a device"),
    (stat.S_ISBLK, "it is a device"),
    (stat.S_ISDIR, "it is a link to a directory"),
)
_JOINERS = "\u200c\u200d"
"""Invisible characters that some writing systems need."""
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class Entry(NamedTuple):
    """A name in a folder; `kind` is FILE, FOLDER, or says why it cannot be read."""

    name: str
    kind: str
    at: Traversable | str
    """A path in the file system is text: a source may have 10,000 files."""

    def blocks(self, size: int) -> Iterator[bytes]:
        """Yield the content of the file in blocks of `size` bytes; the last one is empty."""
        if isinstance(self.at, str):
            descriptor = os.open(self.at, os.O_RDONLY | os.O_CLOEXEC)
            try:
                while block := os.read(descriptor, size):
                    yield block
            finally:
                os.close(descriptor)
        else:
            with self.at.open("rb") as opened:
                while block := opened.read(size):
                    yield block
        yield b""

    def folder(self) -> Traversable:
        """Return the folder of this entry."""
        return Path(self.at) if isinstance(self.at, str) else self.at


def entries_of(root: Traversable) -> list[Entry]:
    """
    List the entries of a folder or package, in the order of the bytes of their names.

    Raises:
        OSError: it cannot be listed.
    """
    found = _scanned(root) if isinstance(root, Path) else _asked(root)
    return sorted(found, key=lambda entry: os.fsencode(entry.name))


def folders_below(entries: list[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """
    Give the folders below a source that can hold migrations: the path and the entries of each.

    Hidden ones are skipped (Kubernetes keeps a volume's files in `..data`).

    Raises:
        SourceUnreadable: one of them cannot be listed.
    """
    waiting = [("", entries)]
    count = 0
    while waiting and count < _MOST_FOLDERS:
        path, inside = waiting.pop(0)
        for entry in inside:
            hidden = entry.name.startswith(".") or entry.name in _PASSED_OVER
            if entry.kind != FOLDER or hidden:
                continue
            count += 1
            below = f"{path}{entry.name}"
            try:
                found = entries_of(entry.folder())
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                raise SourceUnreadable(visible(below), reason) from error
            yield below, found
            if below.count("/") + 1 < _DEEPEST:
                waiting.append((f"{below}/", found))


def unprintable(name: str) -> str:
    """Say why a name cannot be shown or stored; empty where it can."""
    if name.isascii() and name.isprintable():
        return ""
    for character in name:
        kind = unicodedata.category(character)
        if kind == "Cs":
            return "is not in UTF-8"
        if kind in _UNPRINTABLE and character not in _JOINERS:
            kind = "a control" if kind == "Cc" else "an invisible"
            return f"contains {kind} character, U+{ord(character):04X}"
    return ""


def visible(name: str) -> str:
    r"""Give a name as it can be shown: `\xfc` for a byte that is not UTF-8, `\n` for a line end."""
    text = os.fsencode(name).decode(errors="backslashreplace")
    return "".join(
        one.encode("unicode_escape").decode() if unprintable(one) else one for one in text
    )


def _scanned(folder: Path) -> Iterator[Entry]:
    with os.scandir(folder) as found:
        for one in found:
            plain = one.is_file(follow_symlinks=False)
            yield Entry(one.name, FILE if plain else _kind(Path(one.path)), one.path)


def _asked(root: Traversable) -> Iterator[Entry]:
    for one in root.iterdir():
        if isinstance(one, Path):
            yield Entry(one.name, _kind(one), one)
        else:
            yield Entry(one.name, FILE if one.is_file() else FOLDER, one)


def _kind(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        gone = path.is_symlink()
        return (
            f"it is a link to {path.readlink()}, which does not exist"
            if gone
            else ("it does not exist")
        )
    except OSError as error:
        return (error.strerror or str(error)).lower()
    if stat.S_ISREG(mode):
        return FILE
    if stat.S_ISDIR(mode) and not path.is_symlink():
        return FOLDER
    return next((word for test, word in _SPECIAL if test(mode)), "it is not a regular file")
