"""
The commands that the program's messages name, as they are written in its sources.

A template is what stands in backticks: a command as it is, or with `{...}` for what a message
fills in. What the sources hold as a whole command elsewhere (a constant, a field) is filled
into `{...}` and meets its own rows.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import rung

if TYPE_CHECKING:
    from collections.abc import Iterator

_IN_BACKTICKS = re.compile(
    r"`((?:rung|migrate|\{[^`{}]*(?:command|resume|way|fix|_with\([^`{}]*\))\})[^`\n]*)`"
)


def templates() -> dict[str, str]:
    """Every template with the file that holds it first; docstrings are for nobody's shell."""
    found: dict[str, str] = {}
    folder = Path(rung.__file__).parent
    for file in sorted(folder.rglob("*.py")):
        for text in _texts(ast.parse(file.read_text())):
            for command in _IN_BACKTICKS.findall(text):
                found.setdefault(command, str(file.relative_to(folder)))
    return found


def pattern_of(template: str) -> re.Pattern[str]:
    """Match a template in a message: its fields filled in, the options of the call appended."""
    parts = re.split(r"(\{[^{}]*\})", template)
    filled = "".join("[^`\n]+?" if part.startswith("{") else re.escape(part) for part in parts)
    filled = filled if filled.startswith("rung") else f"(?=(?:rung|mv) ){filled}"
    return re.compile(rf"`({filled}(?: [^`\n]*)?)`")


def _texts(tree: ast.Module) -> Iterator[str]:
    passed = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if id(node) in passed:
            continue
        if isinstance(node, ast.JoinedStr):
            passed |= {id(value) for value in node.values}
            yield "".join(map(_piece, node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _piece(value: ast.expr) -> str:
    if isinstance(value, ast.Constant):
        return str(value.value)
    assert isinstance(value, ast.FormattedValue)
    return f"{{{ast.unparse(value.value).replace('{', '').replace('}', '')}}}"
