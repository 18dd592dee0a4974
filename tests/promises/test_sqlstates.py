"""Every SQLSTATE stands once in the package, by PostgreSQL's name of the condition."""

from __future__ import annotations

import ast
from contextlib import suppress
from typing import TYPE_CHECKING

from psycopg import errors
from tests.promises.files import below, shown

from rung.errors import sqlstate

if TYPE_CHECKING:
    from pathlib import Path

_LENGTH = 5
_CODES = {name: code for name, code in vars(sqlstate).items() if name.isupper()}


def _is_sqlstate(value: object) -> bool:
    """Whether a literal is one of the codes that psycopg has from PostgreSQL's own table."""
    if not isinstance(value, str) or len(value) != _LENGTH:
        return False  # it knows them by their names, too
    with suppress(KeyError):
        return bool(errors.lookup(value))
    return False


def _literals(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {str(value) for value in constants if _is_sqlstate(value)}


def test_no_other_module_writes_out_a_sqlstate() -> None:
    """A code in a list of digits says nothing, and two spellings of one list disagree one day."""
    files = [path for path in below("src/rung", "*.py") if path.name != "sqlstate.py"]
    found = {shown(path): _literals(path) for path in files}

    assert {path: codes for path, codes in found.items() if codes} == {}
    assert _is_sqlstate("42P01")


def test_each_code_has_the_name_that_postgresql_gives_it() -> None:
    """Psycopg's exceptions are generated from PostgreSQL's own table of conditions."""
    names = {
        name: errors.lookup(code).__name__.lower()
        for name, code in _CODES.items()
        if not name.startswith("CLASS_")
    }

    assert [name for name, found in names.items() if name.replace("_", "").lower() != found] == []
    assert len(set(_CODES.values())) == len(_CODES)
