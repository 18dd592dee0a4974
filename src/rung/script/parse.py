"""
Reads a script's text into statements, as the database at hand would, and says how it can be run.

How text is cut, and what of it commits together, is each dialect's own. Refuses only what can
never be read or run; wrong SQL is left to the database.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rung.script.dialect import Dialect
from rung.script.directives import NO_TRANSACTION, directive_text
from rung.script.model import Mode, Script
from rung.script.postgres import lexer
from rung.script.postgres import splitter as postgres
from rung.script.postgres import transaction_modes as of_message
from rung.script.sqlite import lexer as sqlite_lexer
from rung.script.sqlite import splitter as sqlite
from rung.script.sqlite import transaction_modes as of_statements

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rung.script.model import Cut, Scan

_CUTTERS: Mapping[Dialect, Callable[[str], Cut]] = {
    Dialect.POSTGRES: postgres.cut,
    Dialect.POSTGRES_ESCAPES: postgres.cut_with_escapes,
    Dialect.SQLITE: sqlite.cut,
}
_SCANS: Mapping[Dialect, Scan] = {
    Dialect.POSTGRES: lexer.scan,
    Dialect.POSTGRES_ESCAPES: lexer.scan_with_escapes,
    Dialect.SQLITE: sqlite_lexer.scan,
}


def read(text: str, dialect: Dialect = Dialect.POSTGRES) -> Script:
    """
    Read a script: its statements, and how they can be run.

    Args:
        text: the SQL; a byte order mark is passed over.
        dialect: the SQL of the database that it is meant for.

    Raises:
        UnterminatedToken: a string, quoted name or comment is not closed.
        UnbalancedTransaction: a BEGIN without its COMMIT; for SQLite also the reverse.
        StatementMisplaced: a statement can never run at its place in the file.
        ClientCommand: a line is psql's, or of SQLite's shell.
        ScriptError: it can never be read for another reason.
    """
    statements, directives, passed_over = _CUTTERS[dialect](text)
    marked = any(directive_text(text, one) == NO_TRANSACTION for one in directives)
    if dialect is Dialect.SQLITE:
        mode, reason = of_statements.mode_of(statements, marked=marked)
        units = of_statements.units_of(statements, mode, marked=marked)
    else:
        mode, reason = of_message.mode_of(statements, marked=marked)
        units = of_message.units_of(statements, marked=marked)
    return Script(
        text,
        statements,
        tuple(directives),
        mode,
        reason,
        units,
        dialect,
        tuple(passed_over),
        scan=_SCANS[dialect],
    )


def statement_by_statement(script: Script) -> Script:
    """
    Give the same script so that each statement outside a transaction of its own commits alone.

    A script that is one such statement or transaction stays as it is: it commits at once.
    """
    if script.dialect is Dialect.SQLITE:
        units = of_statements.units_of(script.statements, Mode.UNITS)
    else:
        units = of_message.units_of(script.statements, singly=True)
    if len(units) <= 1:
        return script
    reason = "each of its statements must commit by itself"
    return replace(script, mode=Mode.UNITS, reason=reason, units=units)
