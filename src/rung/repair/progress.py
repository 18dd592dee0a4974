"""How much of a file is there: all that leaves something behind, nothing of it, or a part. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.repair.cluster_wide import is_not_compared, reaches_beyond
from rung.script import StatementReader

if TYPE_CHECKING:
    from rung.ledger import Attempt
    from rung.repair.model import TrialResult
    from rung.script import Script, Statement


_OF_SESSION = frozenset({"SET", "RESET", "SHOW"})
_NO_ROWS = frozenset(
    {
        *("VACUUM", "ANALYZE", "REINDEX", "CLUSTER", "CHECKPOINT", "REFRESH", "PRAGMA"),
        *("LOCK", "SAVEPOINT", "RELEASE", "ROLLBACK", "LISTEN", "UNLISTEN", "NOTIFY"),
        *("DISCARD", "DEALLOCATE", "CLOSE", "LOAD", "ATTACH", "DETACH"),
    }
)
"""Neither the rows nor the schema are different after them."""
_SCHEMA = frozenset({"CREATE", "DROP", "COMMENT", "GRANT", "REVOKE"})
"""Change the schema alone: what they do to rows shows in it."""
_OF_ROWS = ("TYPE", "USING", "INHERIT", "ATTACH", "DETACH", "RENAME", "RESTART", "TRIGGER")
"""In an ALTER: changes values, or whose rows they are, or what becomes of the next rows."""


def leaves_nothing(statement: Statement) -> bool:
    """Whether nothing is left behind by a statement: it sets the session, or ends a block."""
    of_session = statement.session_only or bool(_OF_SESSION & set(statement.words[:1]))
    return of_session or statement.control is not None


def is_all(script: Script, done: int, half: int | None) -> bool:
    """Whether every statement is done that leaves something behind."""
    return half is None and all(leaves_nothing(one) for one in script.statements[done:])


def is_nothing(script: Script, done: int, half: int | None) -> bool:
    """Whether none of those is."""
    return half is None and all(leaves_nothing(one) for one in script.statements[:done])


def lands_at(tried: TrialResult, done: int, half: int | None) -> tuple[object, ...]:
    """What a state means, comparable between files: a version that is there, or a part of one."""
    suspect = tried.suspect
    if is_all(tried.script, done, half):
        return ("at", suspect.after)
    if is_nothing(tried.script, done, half):
        return ("at", suspect.before)
    return ("within", suspect.file, done, half)


def of_rows(tried: TrialResult, done: int) -> list[Statement]:
    """The statements that ran and leave no trace in the schema: what they changed is rows."""
    return [
        one
        for one in tried.script.statements[:done]
        if not (leaves_nothing(one) or tried.leaves_trace(one.number))
        and not _NO_ROWS & set(one.words[:1])
    ]


def moved_by(script: Script, statement: Statement) -> str:
    """The word by which an ALTER changes values, or whose they are; empty where none stands."""
    reader = StatementReader(script, statement)
    if not reader.take("ALTER"):
        return ""
    reader.name()  # TABLE, TYPE, …
    schema = "SCHEMA" if reader.holds("SET", "SCHEMA") else ""
    return next(filter(reader.holds, _OF_ROWS), schema)


def rows_not_counted(tried: TrialResult, done: int) -> list[Statement]:
    """Those that may have changed rows, if they ran, and that no history counted."""
    attempt = tried.suspect.attempt
    counted = attempt.statements_done if attempt else 0
    return [
        one for one in of_rows(tried, done) if one.number > counted and _may_change_rows(tried, one)
    ]


def rows_counted_beyond(tried: TrialResult, done: int, attempt: Attempt | None) -> list[Statement]:
    """Those that the history counted, and that the schema shows as not reached."""
    counted = attempt.statements_done if attempt else 0
    return [one for one in tried.script.statements[done:counted] if _may_change_rows(tried, one)]


def _may_change_rows(tried: TrialResult, statement: Statement) -> bool:
    """
    Whether a statement may have changed what no schema shows.

    That is all that is not known to change the schema alone. Of an ALTER the forms are known
    that move values; another one that leaves no trace may have done anything.
    """
    first = (*statement.words, "")[0]
    if leaves_nothing(statement) or first in _NO_ROWS or first in _SCHEMA:
        return False
    text = tried.script.text[statement.start : statement.end]
    if reaches_beyond(statement) or is_not_compared(statement, text):
        return False
    traceless = not tried.leaves_trace(statement.number)
    return first != "ALTER" or traceless or bool(moved_by(tried.script, statement))
