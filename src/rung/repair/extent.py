"""How much of a file is there: all that leaves something behind, nothing of it, or a part. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rung.ledger import HistoryEntry
    from rung.repair.model import Tried
    from rung.statements import Script, Statement


_OF_SESSION = frozenset({"SET", "RESET", "SHOW"})
_NO_ROWS = frozenset({"VACUUM", "ANALYZE", "REINDEX", "CLUSTER", "CHECKPOINT"})
"""Neither rows nor the schema are others behind them."""
_ROWS = frozenset(
    {
        *("INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "TRUNCATE", "COPY"),
        *("WITH", "SELECT", "DO", "CALL", "EXECUTE"),
    }
)
"""What may change rows; the last of them by what they call."""


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


def lands_at(tried: Tried, done: int, half: int | None) -> tuple[object, ...]:
    """What a state means, comparable between files: a version that is there, or a part of one."""
    suspect = tried.suspect
    if is_all(tried.script, done, half):
        return ("at", suspect.after)
    if is_nothing(tried.script, done, half):
        return ("at", suspect.before)
    return ("within", suspect.file, done, half)


def of_rows(tried: Tried, done: int) -> list[Statement]:
    """The statements that ran and leave no trace in the schema: what they changed is rows."""
    return [
        one
        for one in tried.script.statements[:done]
        if not (leaves_nothing(one) or tried.leaves_trace(one.number))
        and not _NO_ROWS & set(one.words[:1])
    ]


def rows_not_counted(tried: Tried, done: int) -> list[Statement]:
    """Those that may have changed rows, if they ran, and that no history counted."""
    attempt = tried.suspect.attempt
    counted = attempt.statements_done if attempt else 0
    return [
        one for one in of_rows(tried, done) if one.number > counted and _ROWS & set(one.words[:1])
    ]


def rows_counted_beyond(tried: Tried, done: int, attempt: HistoryEntry | None) -> list[Statement]:
    """Those that the history counted, and that the schema shows as not reached."""
    counted = attempt.statements_done if attempt else 0
    reached = tried.script.statements[done:counted]
    return [one for one in reached if _ROWS & set(one.words[:1]) and not leaves_nothing(one)]
