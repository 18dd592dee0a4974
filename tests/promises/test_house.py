"""House rules that can be read off the files."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest
from tests.promises.files import below, shown, tracked

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = below("src", "*.py")
TESTS = below("tests", "test_*.py")
TEXTS = [path for path in tracked() if path.suffix not in {".gz", ".png", ".zip"}]
MACHINES = re.compile(
    "|".join(
        ("/" + "work/", "/" + "root/", "/" + r"home/\w+/", "/" + r"Users/\w+/", "bash" + "_jobs")
    )
)
REGISTRIES = re.compile(
    "|".join(("pypi" + r"\.", "python" + "hosted", "proxy" + r"\.golang", "index" + "-url"))
)


def test_files_are_found() -> None:
    """The rules below are applied to something."""
    assert len(SOURCES) > 50
    assert len(TESTS) > 20


def test_every_test_says_what_it_shows() -> None:
    """Each test function starts with a docstring that is a sentence."""
    first = [
        (f"{shown(path)}::{node.name}", (ast.get_docstring(node) or "").split("\n\n")[0])
        for path in TESTS
        for node in _definitions(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")
    ]

    assert len(first) > 2000
    assert [name for name, sentence in first if not re.match(r"\S[^\0]*[.:]\Z", sentence)] == []


def test_no_file_is_too_long() -> None:
    """No file of the package passes 500 lines: there is a second idea in it by then."""
    lengths = {shown(path): len(path.read_text().splitlines()) for path in SOURCES}

    assert {name: lines for name, lines in lengths.items() if lines > 500} == {}


def test_every_module_says_what_it_owns() -> None:
    """Each module of the package opens with a docstring."""
    silent = [shown(p) for p in SOURCES if not ast.get_docstring(_module(p))]

    assert silent == []


@pytest.mark.parametrize(("what", "pattern"), [("machine", MACHINES), ("registry", REGISTRIES)])
def test_nothing_of_one_machine(what: str, pattern: re.Pattern[str]) -> None:
    """No file names a path of somebody's machine or the address of a package registry."""
    found = [
        f"{shown(path)}:{number}"
        for path in TEXTS
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]

    assert found == []


def test_sql_longer_than_a_line_is_in_sql_files() -> None:
    """No string of the package holds a statement over several lines."""
    starts = re.compile(
        r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|WITH)\s.*\n.*\S", re.DOTALL
    )
    found = [
        f"{shown(path)}:{node.lineno}"
        for path in SOURCES
        for node in _nodes(path)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and starts.match(node.value)
    ]

    assert found == []


@cache
def _module(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _definitions(tree: ast.Module) -> list[ast.stmt]:
    """What a module and its classes define."""
    return [
        node
        for top in tree.body
        for node in (top, *(top.body if isinstance(top, ast.ClassDef) else ()))
    ]


@cache
def _nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(_module(path)))


def test_nothing_prints_below_the_command() -> None:
    """The library reports; only the command's two folders may print."""
    found = [
        f"{shown(path)}:{node.lineno}"
        for path in SOURCES
        if not {"cli", "render"} & set(path.parts)
        for node in _nodes(path)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]

    assert found == []
