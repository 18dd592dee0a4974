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
    """The content of an image."""

    name: str
    folder: Path
    """Holds the package `chatapp`; it comes first on the path."""
    newest: int
    """The version that its migrations lead to."""

    def next(self, name: str, up: str) -> Build:
        """
        Create the next build.

        Args:
            name: of the build, and of its migration.
            up: the SQL of its migration; its down does nothing and never runs here.
        """
        folder, version = self.folder.parent / name, self.newest + 1
        shutil.copytree(self.folder, folder)
        for half, text in (("up", up), ("down", "SELECT 1;")):
            file = folder / "chatapp" / "migrations" / f"{version:06}_{name}.{half}.sql"
            file.write_text(f"{text}\n", encoding="utf-8")
        return Build(name, folder, version)


def first_build(folder: Path) -> Build:
    """
    Create the build of this checkout.

    Args:
        folder: an existing folder for builds.
    """
    here = folder / "first"
    shutil.copytree(_SERVICE, here / "chatapp", ignore=shutil.ignore_patterns("__pycache__"))
    return Build("first", here, NEWEST)
