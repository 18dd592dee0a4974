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


def named(*patterns: str) -> list[Path]:
    """The files whose path below the root matches one of these patterns."""
    return [
        path
        for path in tracked()
        if any(path.relative_to(ROOT).match(pattern) for pattern in patterns)
    ]


def shown(path: Path) -> str:
    """A file as tests name it."""
    return str(path.relative_to(ROOT))
