"""The project's own files, as git knows them."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that belongs to the project: tracked, or new and not ignored."""
    git = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"]
    asked = [*git, "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, check=True, capture_output=True, text=True)
    found = (ROOT / name for name in listed.stdout.split("\0") if name)
    return tuple(sorted(path for path in found if path.is_file()))


def below(folder: str, pattern: str) -> list[Path]:
    """The files of a folder, however deep, whose base name matches a pattern."""
    return [
        path for path in tracked() if path.is_relative_to(ROOT / folder) and path.match(pattern)
    ]


def shown(path: Path) -> str:
    """A file as tests name it."""
    return str(path.relative_to(ROOT))
