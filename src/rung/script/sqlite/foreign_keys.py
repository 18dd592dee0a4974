"""
What a script of SQLite's means with PRAGMA foreign_keys. Pure.

Inside any transaction SQLite ignores it without an error. A file that turns foreign keys off
there means SQLite's recipe to rebuild a table: off before BEGIN,
PRAGMA foreign_key_check before COMMIT, on again after it. Every spelling means the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rung.script.identifiers import unquoted
from rung.script.large import holds
from rung.script.model import TokenKind
from rung.script.sqlite.statement_rules import pragma_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.script.model import Script, Statement
    from rung.script.sqlite.statement_rules import Pragma

_PRAGMA: Final = "FOREIGN_KEYS"
_CHECK: Final = "FOREIGN_KEY_CHECK"
_INTEGRITY: Final = frozenset({"INTEGRITY_CHECK", "QUICK_CHECK"})
_MAY_BE_PRAGMA: Final = (("PRAGMA",), ("EXPLAIN",))
_ON: Final = frozenset({"ON", "YES", "TRUE"})
_LOW_BYTE = 0xFF
_RENAME: Final = ("RENAME", "TO")


def _pragma(script: Script, statement: Statement) -> Pragma | None:
    """Return the PRAGMA that a statement is; read the tokens of no other statement."""
    if statement.words[:1] not in _MAY_BE_PRAGMA:
        return None
    return pragma_of(script.text, script.tokens_of(statement))


def set_by(script: Script, statement: Statement) -> bool | None:
    """What a statement sets foreign keys to, as SQLite reads the value; None where it does not."""
    pragma = _pragma(script, statement)
    if pragma is None or pragma.name != _PRAGMA or not pragma.sets:
        return None
    value = pragma.value
    if value[:1].isdigit() and value.isdecimal():
        return bool(int(value) & _LOW_BYTE)
    return value in _ON


def turned_off_by(script: Script, first: int = 1, last: int | None = None) -> Statement | None:
    """The first of a script's statements, from `first` to `last`, that turns foreign keys off."""
    if not holds(script.text, _PRAGMA.lower()):
        return None
    return next(
        (s for s in script.statements[first - 1 : last] if set_by(script, s) is False), None
    )


def meant_before(script: Script, number: int) -> bool | None:
    """What the statements before one have set foreign keys to; None where they did not."""
    if not holds(script.text, _PRAGMA.lower()):
        return None
    found = (set_by(script, one) for one in reversed(script.statements[: number - 1]))
    return next((value for value in found if value is not None), None)


def checks(script: Script) -> bool:
    """Whether a script looks for violations of foreign keys itself, in whatever form."""
    return holds(script.text, _CHECK.lower())


def is_foreign_key_check(script: Script, statement: Statement) -> bool:
    """Whether a statement gives a row for each violation of a foreign key in our database."""
    pragma = _pragma(script, statement)
    return pragma is not None and pragma.name == _CHECK and not pragma.explained


def is_integrity_check(script: Script, statement: Statement) -> bool:
    """Whether a statement gives a row `ok`, or rows that say what is damaged."""
    pragma = _pragma(script, statement)
    return pragma is not None and pragma.name in _INTEGRITY and not pragma.explained


def dropped_table(script: Script, statement: Statement) -> str:
    """The table that a DROP TABLE names, without its schema; empty for other statements."""
    if statement.words[:2] != ("DROP", "TABLE"):
        return ""
    return _table_behind(script, statement, 2, ["IF", "EXISTS"])


def rebuilds(script: Script, table: str) -> bool:
    """Whether a script makes a table again: under its name, or by giving it to another table."""
    return any(
        (one.words[:2] == ("ALTER", "TABLE") and _has(script, one, _RENAME))
        or _made_table(script, one).lower() == table.lower()
        for one in script.statements
    )


def _made_table(script: Script, statement: Statement) -> str:
    words = statement.words
    if words[:1] != ("CREATE",) or "TABLE" not in words[1:3]:
        return ""
    return _table_behind(script, statement, words.index("TABLE") + 1, ["IF", "NOT", "EXISTS"])


def _table_behind(script: Script, statement: Statement, first: int, option: list[str]) -> str:
    """Return the name, without its schema, after the first words of a statement and an option."""
    tokens = script.tokens_of(statement)
    plain = [token for token in tokens if token.kind is not TokenKind.DIRECTIVE]
    named = [unquoted(script.text[token.start : token.end]) for token in plain][first:]
    if [one.upper() for one in named[: len(option)]] == option:
        named = named[len(option) :]
    return named[2] if named[1:2] == ["."] and len(named) > 2 else (named or [""])[0]  # noqa: PLR2004 - schema, point, name


def _has(script: Script, statement: Statement, pair: Sequence[str]) -> bool:
    words = [
        script.text[start:end].upper() if kind is TokenKind.WORD else ""
        for kind, start, end in script.tokens_of(statement)
    ]
    return any(tuple(words[at : at + 2]) == tuple(pair) for at in range(len(words)))
