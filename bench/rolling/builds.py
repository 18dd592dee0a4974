"""Builds of the chat service: the same program, each with migrations of its own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

_SERVICE = Path(__file__).parents[2] / "backend" / "chatapp"
NEWEST = max(
    int(file.name.partition("_")[0]) for file in (_SERVICE / "migrations").glob("*.up.sql")
)
"""The version that this checkout's migrations lead to."""


class Build(NamedTuple):
    """What an image would hold."""

    name: str
    folder: Path
    """Holds the package `chatapp`; it comes first on the path."""
    newest: int
    """The version that its migrations lead to."""

    def next(self, name: str, up: str) -> Build:
        """
        Make the build that comes after this one.

        Args:
            name: of the build, and of its migration.
            up: what its migration does; its down does nothing, and is never run here.
        """
        folder, version = self.folder.parent / name, self.newest + 1
        shutil.copytree(self.folder, folder)
        for half, text in (("up", up), ("down", "SELECT 1;")):
            file = folder / "chatapp" / "migrations" / f"{version:06}_{name}.{half}.sql"
            file.write_text(f"{text}\n", encoding="utf-8")
        return Build(name, folder, version)


def first_build(folder: Path) -> Build:
    """
    Make the build that this checkout holds.

    Args:
        folder: where builds are put; it is there.
    """
    here = folder / "first"
    shutil.copytree(_SERVICE, here / "chatapp", ignore=shutil.ignore_patterns("__pycache__"))
    return Build("first", here, NEWEST)
