"""Blocks of pages such as docs/reference/errors.md, each between marks that no reader sees."""

from __future__ import annotations

import os
import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "errors.md"
REPAIR = PAGE.parents[1] / "guides" / "repair.md"
_BLOCK = re.compile(r"<!-- (\S+) -->\n(.*?)<!-- end -->\n", re.DOTALL)


def blocks(page: Path = PAGE) -> dict[str, str]:
    """Every block of a page by its name."""
    return dict(_BLOCK.findall(page.read_text(encoding="utf-8")))


def write(name: str, block: str, page: Path = PAGE) -> None:
    """Put a block into its place on a page."""
    text = page.read_text(encoding="utf-8")
    head, mark, tail = text.partition(f"<!-- {name} -->\n")
    assert mark, f"{page.name} has no place for {name}"
    page.write_text(f"{head}{mark}{block}{tail[tail.index('<!-- end -->') :]}", encoding="utf-8")


def check(name: str, found: str, page: Path = PAGE) -> None:
    """Compare a block with a page, or write it there with RUNG_WRITE_DOCS=1."""
    if os.environ.get("RUNG_WRITE_DOCS") == "1":
        write(name, found, page)
    assert blocks(page)[name] == found
