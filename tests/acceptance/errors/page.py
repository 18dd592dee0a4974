"""The page docs/errors.md: its blocks, each between two marks that no reader sees."""

from __future__ import annotations

import os
import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "errors.md"
_BLOCK = re.compile(r"<!-- (\S+) -->\n(.*?)<!-- end -->\n", re.DOTALL)


def blocks() -> dict[str, str]:
    """Every block of the page by its name."""
    return dict(_BLOCK.findall(PAGE.read_text(encoding="utf-8")))


def write(name: str, block: str) -> None:
    """Put a block into its place on the page."""
    text = PAGE.read_text(encoding="utf-8")
    head, mark, tail = text.partition(f"<!-- {name} -->\n")
    assert mark, f"docs/errors.md has no place for {name}"
    PAGE.write_text(f"{head}{mark}{block}{tail[tail.index('<!-- end -->') :]}", encoding="utf-8")


def check(name: str, found: str) -> None:
    """Compare a block with the page, or write it there with RUNG_WRITE_DOCS=1."""
    if os.environ.get("RUNG_WRITE_DOCS") == "1":
        write(name, found)
    assert blocks()[name] == found
