"""What our own SQL looks up: never under a search path that others may have filled."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rung.drivers.postgres as package

UNDER_OUR_PATH = ("snapshot_", "relations_there", "strange_event_triggers")
"""
How the names of statements begin that run after SET LOCAL search_path = pg_catalog, pg_temp in the
same message.
"""
OF_THE_GRAMMAR = (
    r"(?:coalesce|extract|any|all|exists|values|array|row|lateral|in|as|and|or|not|on|from|select|"
    r"where|over|filter|then|else|when|case|operator|numeric|order|using|with|into|by|check|key|"
    r"join|union|cast|char|materialized|recursive)"
)
"""Words before a parenthesis that name no function."""
LOOKED_UP = {
    "an operator": r"[-+*/<>=~!@#%^&|?]+",
    "a key word that hides an operator": (
        r"\b(?:NOT )?IN \(|\bBETWEEN\b|\bI?LIKE\b|\bSIMILAR\b|\bDISTINCT FROM\b|\bNULLIF\b"
        r"|\bCASE (?!WHEN\b)|\bNATURAL\b|\bJOIN\b[^()]*\bUSING\b"
    ),
    "a function": rf"(?<![\w.\"])(?!{OF_THE_GRAMMAR}\b)[a-z_][a-z0-9_]*\(",
    "a type": r"::(?!pg_catalog\b|x\b|(?:bigint|integer|int|boolean|numeric)\b)",
}


def bare(sql: str) -> str:
    """A statement without comments, texts, and what is qualified; assignments are no operators."""
    sql = re.sub(r"--[^\n]*|E?'(?:[^']|'')*'", "''", sql)
    sql = re.sub(r"OPERATOR\(pg_catalog\.[^)]+\)|\{\w+\}|\(\*\)|\b\w\.\*", " x ", sql)
    sql = re.sub(r"\bSET (?:LOCAL )?[^;]*?(?=\bFROM\b|\bWHERE\b|\bRETURNING\b|\Z)", assigned, sql)
    return " ".join(sql.split())


def assigned(part: re.Match[str]) -> str:
    """A list of assignments without their signs."""
    return re.sub(r"(\w) = ", r"\1 , ", part[0])


BLOCKS = [
    (name, bare(text))
    for file in sorted(Path(package.__file__).parent.glob("*.sql"))
    for name, text in re.findall(
        r"^-- name: (\w+)\n(.*?)(?=^-- name:|\Z)", file.read_text(), re.DOTALL | re.MULTILINE
    )
    if not name.startswith(UNDER_OUR_PATH)
]


def test_blocks_are_found() -> None:
    """The rule is applied to every named statement."""
    assert len({name for name, _ in BLOCKS}) == len(BLOCKS) > 100


@pytest.mark.parametrize("what", LOOKED_UP)
def test_everything_is_qualified(what: str) -> None:
    """No operator, function or type of ours is one that somebody made in a schema of the path."""
    flags = 0 if what == "a function" else re.IGNORECASE
    pattern = re.compile(rf".{{0,30}}(?:{LOOKED_UP[what]}).{{0,20}}", flags)
    found = {name: pattern.findall(sql) for name, sql in BLOCKS}

    assert {name: places for name, places in found.items() if places} == {}
