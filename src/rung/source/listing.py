"""
Lists what lies in a source: names, and what each of them is. Opens no file.

A FIFO or a device is never opened, for that could hang or do something. A link stands for
what it leads to, and is not followed into a folder.
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
"""What some scripts are written with, though it is not seen."""
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class Entry(NamedTuple):
    """A name in a folder; `kind` is FILE, FOLDER, or says why it cannot be read."""

    name: str
    kind: str
    at: Traversable


def entries_of(root: Traversable) -> list[Entry]:
    """
    What lies in a folder or package, in the order of the names' bytes.

    Raises:
        OSError: it cannot be listed.
    """
    found = _scanned(root) if isinstance(root, Path) else _asked(root)
    return sorted(found, key=lambda entry: os.fsencode(entry.name))


def folders_below(entries: list[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """
    The folders below a source that can hold migrations: the path of each, and what lies in it.

    Hidden ones are passed over (Kubernetes keeps a volume's files in `..data`).

    Raises:
        SourceUnreadable: one cannot be listed, so that nobody knows what is in it.
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
                found = entries_of(entry.at)
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                raise SourceUnreadable(visible(below), reason) from error
            yield below, found
            if below.count("/") + 1 < _DEEPEST:
                waiting.append((f"{below}/", found))


def unprintable(name: str) -> str:
    """What a name holds that cannot be shown or kept, in words; empty where it is fine."""
    for character in name:
        kind = unicodedata.category(character)
        if kind == "Cs":
            return "is not in UTF-8"
        if kind in _UNPRINTABLE and character not in _JOINERS:
            kind = "a control" if kind == "Cc" else "an invisible"
            return f"holds {kind} character, U+{ord(character):04X}"
    return ""


def visible(name: str) -> str:
    r"""A name as it can be shown: `\xfc` for a byte that is not UTF-8, `\n` for a line end."""
    text = os.fsencode(name).decode(errors="backslashreplace")
    return "".join(
        one.encode("unicode_escape").decode() if unprintable(one) else one for one in text
    )


def _scanned(folder: Path) -> Iterator[Entry]:
    with os.scandir(folder) as found:
        for one in found:
            plain = one.is_file(follow_symlinks=False)
            yield Entry(one.name, FILE if plain else _kind(folder / one.name), folder / one.name)


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
        return f"it is a link to {path.readlink()}, which is not there" if gone else "it is gone"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    if stat.S_ISREG(mode):
        return FILE
    if stat.S_ISDIR(mode) and not path.is_symlink():
        return FOLDER
    return next((word for test, word in _SPECIAL if test(mode)), "it is not a regular file")
