"""docs/style.md, as far as a machine can read it: phrases that nobody uses, names used once."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

from tests.promises.files import ROOT, below, shown, tracked

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = re.compile(
    r"\bmend(s|ed|ing)?\b|\banew\b|\bwhom\b|\bin vain\b|\bby (your|its) word\b"
    r"|\bis no (number|command|ledger|version|option|file)\b"
    r"|\b(goes|go|gone) on behind\b"
    r"|\bbehind (statement|it|them|that|what|the (build|commit|file|newer))\b"
    r"|\bwhat (is|was) (told|found|known|kept)\b",
    re.IGNORECASE,
)
NAMED = ("docs/style.md", "docs/glossary.md", "tests/promises/test_style.py")
"""The files that name the refused phrases."""
OTHERS = (
    "LICENSE",
    "backend/chatapp/common_passwords.txt",
    "tests/conformance/recorded",
    "tests/chat/recorded",
)
"""Texts that others wrote."""
PARALLEL = frozenset(("Migrations",))
"""`asgi.Migrations`, and its subclass in `fastapi` that has another decorator."""


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def test_no_text_has_a_refused_phrase() -> None:
    """Code, comments, messages, tests and pages are plain technical English."""
    found = [
        f"{shown(path)}: {line.strip()}"
        for path in tracked()
        if path.suffix not in {".gz", ".png", ".zip"}
        if not shown(path).startswith((*NAMED, *OTHERS))
        for line in path.read_text(errors="replace").splitlines()
        if REFUSED.search(line)
    ]

    assert found == []


def test_no_class_name_is_used_twice() -> None:
    """One name, one thing, in the whole package."""
    names = Counter(
        node.name
        for path in below("src", "*.py")
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ClassDef)
    )
    twice = {name for name, number in names.items() if number > 1}

    assert twice == PARALLEL


def test_the_phrases_are_those_of_the_style() -> None:
    """The page names what this test refuses."""
    page = (ROOT / "docs" / "style.md").read_text()

    for phrase in ("anew", "whom", "in vain", "by (your|its) word", "(goes|go|gone) on behind"):
        assert phrase in page
