"""
Files that add a value to an enum and use it, which PostgreSQL refuses in one transaction. Pure.

Owns where such a file may be cut in two: behind the statement that adds the value, where
nothing before lives in its transaction alone.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from rung.script.model import TokenKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.script.model import Script, Statement

_OF_TRANSACTION = frozenset(
    {
        *(("SET", "LOCAL"), ("SET", "CONSTRAINTS"), ("SET", "TRANSACTION"), ("LOCK", "")),
        *(("SAVEPOINT", ""), ("RELEASE", ""), ("ROLLBACK", ""), ("DECLARE", ""), ("FETCH", "")),
        *(("MOVE", ""), ("CLOSE", "")),
    }
)
_NAMED = ("set_config", "pg_advisory_xact_lock", "pg_try_advisory_xact_lock")


def adds_value(script: Script, statement: Statement) -> bool:
    """Whether a statement is ALTER TYPE … ADD VALUE."""
    return bool(_added(script, statement))


def cut_after_value(script: Script, first: int, refused: int) -> int | None:
    """
    The last statement that adds a value to an enum, before one that was refused for using it.

    Args:
        script: the file.
        first: the first statement of the transaction that was refused.
        refused: the one that was refused.

    Returns:
        The statement after which a transaction may end; None where there is none, or where
        what is before it exists in its transaction only.
    """
    before = script.statements[first - 1 : refused - 1]
    last = next((one.number for one in reversed(before) if adds_value(script, one)), None)
    if last is None:
        return None
    kept = script.statements[first - 1 : last]
    return None if any(_of_transaction(script, one) for one in kept) else last


def uses_new_value(script: Script) -> tuple[Statement, Statement] | None:
    """
    What seems to add a value and to use it: the two statements; None where nothing does.

    By the text alone: a later statement has the literal too, and the file does not create the type.
    """
    for one in script.statements:
        added = _added(script, one)
        if added and not _makes_type(script, one, added[0]):
            for later in script.statements[one.number :]:
                if added[1] in _literals(script, later) and not adds_value(script, later):
                    return one, later
    return None


def _added(script: Script, statement: Statement) -> tuple[str, str] | tuple[()]:
    """The type and the literal that a statement adds to it; empty for any other statement."""
    if statement.words[:2] != ("ALTER", "TYPE"):
        return ()
    spelled = [script.text[t.start : t.end] for t in script.tokens_of(statement)]
    upper = [one.upper() for one in spelled]
    for at in range(2, len(upper) - 2):
        if upper[at : at + 2] == ["ADD", "VALUE"]:
            value = next((one for one in spelled[at + 2 :] if one.endswith("'")), "")
            return "".join(spelled[2:at]).lower(), value
    return ()


def _makes_type(script: Script, before: Statement, name: str) -> bool:
    last = name.rpartition(".")[2]
    made = (
        one for one in script.statements[: before.number] if one.words[:2] == ("CREATE", "TYPE")
    )
    return any(
        last == script.text[token.start : token.end].lower()
        for one in made
        for token in script.tokens_of(one)[2:5]
    )


def _literals(script: Script, statement: Statement) -> Iterator[str]:
    return (
        script.text[token.start : token.end]
        for token in script.tokens_of(statement)
        if token.kind is TokenKind.STRING
    )


def _of_transaction(script: Script, statement: Statement) -> bool:
    first, second = (*statement.words, "", "")[:2]
    if {(first, second), (first, "")} & _OF_TRANSACTION:
        return True
    spelled = [script.text[t.start : t.end].lower() for t in script.tokens_of(statement)]
    if any(name in one for one in spelled for name in _NAMED):
        return True
    return first == "CREATE" and ("on", "commit") in set(pairwise(spelled))
