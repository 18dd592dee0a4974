"""docs/style.md, as far as a machine can read it: phrases that nobody uses, names used once."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import pytest
from tests.promises.files import ROOT, below, shown, tracked

if TYPE_CHECKING:
    from collections.abc import Iterator
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
    "backend/chatapp/common_passwords.txt",
    "tests/conformance/recorded",
    "tests/chat/recorded",
)
"""Texts that others wrote."""
CLEAN = (
    *("backend", "bench", "demo", "scripts"),
    *("docs/reference/errors.md", "docs/reference/json.md"),
    *("src/rung/certify", "src/rung/embedded", "src/rung/golang_migrate", "src/rung/integrations"),
    *("src/rung/repair", "src/rung/scratch", "src/rung/snapshot"),
    *("tests/chat", "tests/faults", "tests/interop", "tests/repair_cases"),
    "tests/rolling",
)
"""What is free of refused phrases, comments and docstrings included. This list only grows."""
TWICE = frozenset(
    (
        *("Command", "Found", "Gate", "Kind", "Lexer", "Names", "Part", "Step"),
        *("Violation", "Watch", "_Search"),
    )
)
"""Class names that stand twice still. This list only shrinks."""
PARALLEL = frozenset(("Migrations",))
"""`asgi.Migrations`, and its subclass in `fastapi` that has another decorator."""


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _said(path: Path) -> Iterator[str]:
    """Yield the strings of a module that a user may see: all but the docstrings."""
    tree = _tree(path)
    alone = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if id(node) not in alone and isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("folder", ["src", "backend"])
def test_no_message_has_a_refused_phrase(folder: str) -> None:
    """Errors, warnings, help and labels are plain technical English."""
    found = [
        f"{shown(path)}: {text}"
        for path in below(folder, "*.py")
        for text in _said(path)
        if REFUSED.search(text) and " " in text
    ]

    assert found == []


def test_what_is_clean_stays_clean() -> None:
    """No line of these folders and files has a refused phrase."""
    found = [
        f"{shown(path)}: {line.strip()}"
        for path in tracked()
        if shown(path).startswith(CLEAN) and path.suffix not in {".gz", ".png", ".zip"}
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

    assert twice - PARALLEL - TWICE == set()
    assert twice >= TWICE


def test_the_phrases_are_those_of_the_style() -> None:
    """The page names what this test refuses."""
    page = (ROOT / "docs" / "style.md").read_text()

    for phrase in ("anew", "whom", "in vain", "by (your|its) word", "(goes|go|gone) on behind"):
        assert phrase in page
