"""
Tells which functions a statement calls, and whether code may set the session it runs in. Pure.

Code is what a DO block or the body of a function in SQL or PL/pgSQL holds. Errs on the side of yes:
SQL that is put together when it runs (EXECUTE) may set anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rung.script.identifiers import folded
from rung.script.literals import literal, tokens_of
from rung.script.model import TokenKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.script.model import Script, Statement, Token

_NAMES = (TokenKind.WORD, TokenKind.QUOTED_NAME)
_CALLS_NOTHING = frozenset({"CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE", "SET"})
_COMPUTES = frozenset({"TABLE", "UNLOGGED", "MATERIALIZED", "INDEX", "UNIQUE"})
"""Of CREATE and ALTER: AS with a query, a default, an expression."""
_MAY_SET = frozenset({"set_config", "execute", "reset", "discard", "load"})
_BEFORE_STATEMENT = frozenset({"", ";", "begin", "then", "else", "loop", ">>"})
_DROPS = ("FUNCTION", "PROCEDURE", "ROUTINE", "SCHEMA")


class Calls(NamedTuple):
    """What code does, as far as its text tells."""

    sets: bool = False
    """Whether it may set the session itself."""
    names: frozenset[str] = frozenset()
    """What it may call: folded, without a schema; key words before a parenthesis too."""


def calls_of(code: str) -> Calls:
    """What the body of a function or of a DO block does."""
    return _calls(code, tokens_of(code))


def calls_in(script: Script, statement: Statement) -> Calls:
    """What a statement does besides what its first words tell."""
    tokens = script.tokens_of(statement)
    first = (*statement.words, "")[0]
    if first == "DO":
        bodies = [token for token in tokens if token.kind is TokenKind.STRING]
        found = [calls_of(said) for one in bodies for said in literal(script.text, one).meanings]
        return Calls(any(f.sets for f in found), frozenset().union(*(f.names for f in found)))
    computes = first in ("CREATE", "ALTER") and bool(_COMPUTES & set(statement.words[1:2]))
    if statement.control is not None or (first in _CALLS_NOTHING and not computes):
        return Calls()
    return Calls(names=_calls(script.text, tokens).names - {"set_config"})


def dropped_before(script: Script, done: int) -> frozenset[str]:
    """The names in statements up to there that drop functions: their code cannot be read now."""
    drops = (
        one
        for one in script.statements[:done]
        if one.words[:1] == ("DROP",) and set(_DROPS) & set(one.words[1:2])
    )
    return frozenset(
        folded(script.text[token.start : token.end])
        for one in drops
        for token in script.tokens_of(one)
        if token.kind in _NAMES
    )


def _calls(text: str, tokens: Sequence[Token]) -> Calls:
    sets, names, before = False, set[str](), ""
    for at, token in enumerate(tokens):
        spelled = folded(text[token.start : token.end])
        following = "".join(text[one.start : one.end].lower() for one in tokens[at + 1 : at + 2])
        if token.kind in _NAMES and following == "(":
            names.add(spelled)
        begins = before in _BEFORE_STATEMENT and spelled == "set" and following != "local"
        sets = sets or begins or (token.kind in _NAMES and spelled in _MAY_SET)
        before = spelled
    return Calls(sets, frozenset(names))
