"""
Reads a script's text into statements, as the database at hand would, and says how it can be run.

How text is cut is each dialect's own; how the whole can be run is asked of `modes`. Refuses
only what can never be read; wrong SQL is left to the database.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rung.dialect import Dialect
from rung.statements.directives import NO_TRANSACTION, directive_text
from rung.statements.model import Mode, Script
from rung.statements.modes import mode_of, units_of
from rung.statements.postgres import cutting as postgres
from rung.statements.sqlite import cutting as sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rung.statements.model import Cut

_CUTTERS: Mapping[Dialect, Callable[[str], Cut]] = {
    Dialect.POSTGRES: postgres.cut,
    Dialect.POSTGRES_ESCAPES: postgres.cut_with_escapes,
    Dialect.SQLITE: sqlite.cut,
}


def read(text: str, dialect: Dialect = Dialect.POSTGRES) -> Script:
    """
    Read a script: its statements, and how they can be run.

    Args:
        text: the SQL; a byte order mark is passed over.
        dialect: the SQL of the database that it is meant for.

    Raises:
        UnterminatedToken: a string, quoted name or comment is not closed.
        UnbalancedTransaction: a BEGIN without its COMMIT, or the reverse.
        ScriptError: it can never be read for another reason.
    """
    statements, tokens, directives = _CUTTERS[dialect](text)
    if directives:
        tokens = sorted([*tokens, *directives], key=lambda token: token.start)
    marked = any(directive_text(text, one) == NO_TRANSACTION for one in directives)
    mode, reason = mode_of(statements, marked=marked)
    units = units_of(statements, mode, marked=marked)
    return Script(text, tuple(statements), tuple(tokens), mode, reason, units, dialect)


def statement_by_statement(script: Script) -> Script:
    """
    Give the same script so that each statement outside a transaction of its own commits alone.

    A script that is one such statement or transaction stays as it is: it commits at once.
    """
    units = units_of(script.statements, Mode.UNITS)
    if len(units) <= 1:
        return script
    reason = "each of its statements is asked to commit by itself"
    return replace(script, mode=Mode.UNITS, reason=reason, units=units)
