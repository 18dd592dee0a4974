"""
Turn SQLite's errors into statement failures: the statement, the position in its text. Pure.

SQLite names a word and not its position, which is given where the statement has that word once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rung.drivers.sqlite.connect import BUSY, code_of
from rung.drivers.sqlite.library import needs_newer, sqlite3
from rung.drivers.transaction import StatementFailure
from rung.errors import ServerMessage
from rung.script import TokenKind

if TYPE_CHECKING:
    from rung.script import Script, Statement

_NEAR = re.compile(
    r'near "([\s\S]+)": syntax error|unrecognized token: "([\s\S]+)"'
    r"|(?:no such \w+(?: \w+)?: |table |index |view |trigger )([^\s:]+)"
)
_REFUSES = re.compile(r"(?:within|inside) (?:a )?transaction|temporary storage cannot be changed")
_LOCKED_BY_US = re.compile(r"database .* is locked")
_GONE = "no such table"
_QUOTES = "\"`'[]"
_REMEDIES: Final = {
    sqlite3.SQLITE_BUSY: "wait for the program that writes there",
    sqlite3.SQLITE_LOCKED: "wait for the program that writes there",
    sqlite3.SQLITE_FULL: "make room on the disk",
    sqlite3.SQLITE_READONLY: "give Rung write access to the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "give Rung write access to the file and its folder",
    sqlite3.SQLITE_CORRUPT: "restore a backup: the database file is damaged",
    sqlite3.SQLITE_NOTADB: "restore a backup: the database file is damaged",
    sqlite3.SQLITE_IOERR: "check the disk that holds the database",
}


def of_statement(
    script: Script, statement: Statement, error: Exception, *, done: int, at_commit: bool = False
) -> StatementFailure:
    """The failure of one of a file's statements."""
    return StatementFailure(
        ServerMessage(str(error)),
        statement.number,
        _offset(script, statement, str(error)),
        done,
        at_commit=at_commit,
        needs_no_transaction=_works_alone(statement, error),
        cancelled=_code(error) == sqlite3.SQLITE_INTERRUPT,
        remedy=_remedy(error)
        or needs_newer(str(error), script.text[statement.start : statement.end]),
    )


def of_ours(error: Exception, *, done: int, at_commit: bool = False) -> StatementFailure:
    """Return the failure of a statement of ours after the file's."""
    gone = _GONE in str(error) and not at_commit
    return StatementFailure(
        ServerMessage(str(error)),
        statements_done=done,
        at_commit=at_commit,
        ledger_dropped=gone,
        remedy=_remedy(error),
    )


def _remedy(error: Exception) -> str:
    return _REMEDIES.get(_code(error), "")


def _code(error: Exception) -> int:
    return code_of(error) if isinstance(error, sqlite3.Error) else 0


def _works_alone(statement: Statement, error: Exception) -> bool:
    """Whether it was refused for the transaction only."""
    first = statement.words[:1]
    if first == ("BEGIN",):
        return False
    said = str(error)
    held = first in {("DETACH",), ("PRAGMA",)} and _code(error) in {*BUSY, sqlite3.SQLITE_ERROR}
    return bool(_REFUSES.search(said)) or (held and bool(_LOCKED_BY_US.search(said)))


def _offset(script: Script, statement: Statement, said: str) -> int | None:
    found = _NEAR.match(said)
    if found is None:
        return None
    exact = found[1] or found[2]
    word = exact or found[3].rpartition(".")[2].strip(_QUOTES)
    places = [
        token.start
        for token in script.tokens_of(statement)
        if token.kind is not TokenKind.DIRECTIVE
        and _is(script.text[token.start : token.end], word, exact=bool(exact))
    ]
    return places[0] if len(places) == 1 else None


def _is(spelled: str, word: str, *, exact: bool) -> bool:
    return spelled == word if exact else spelled.strip(_QUOTES).lower() == word.lower()
