"""Decide how much of a file ran: all statements that have an effect, none, or some. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.repair.cluster_wide import is_cluster_wide, is_outside_snapshots
from rung.script import StatementReader, may_run_twice

if TYPE_CHECKING:
    from rung.ledger import Attempt
    from rung.repair.model import TrialResult
    from rung.script import Script, Statement


_OF_SESSION = frozenset({"SET", "RESET", "SHOW"})
_NO_ROWS = frozenset(
    {
        *("LOCK", "SAVEPOINT", "RELEASE", "ROLLBACK", "LISTEN", "UNLISTEN", "NOTIFY"),
        *("DEALLOCATE", "CLOSE", "LOAD", "ATTACH", "DETACH"),
    }
)
"""Statements that change neither rows nor the schema; and those that may be run twice."""
_SCHEMA = frozenset({"CREATE", "DROP", "COMMENT", "GRANT", "REVOKE"})
"""Statements that change the schema only: what they do to rows shows in it."""
_OF_ROWS = ("TYPE", "USING", "INHERIT", "ATTACH", "DETACH", "RENAME", "RESTART", "TRIGGER")
"""Keywords of an ALTER that changes values, moves rows, or changes what happens to later rows."""


def has_no_effect(statement: Statement) -> bool:
    """Report whether a statement has no lasting effect: session settings, transaction control."""
    of_session = statement.session_only or bool(_OF_SESSION & set(statement.words[:1]))
    return of_session or statement.control is not None


def is_complete(script: Script, done: int, partial: int | None) -> bool:
    """Report whether every statement that has an effect is done."""
    return partial is None and all(has_no_effect(one) for one in script.statements[done:])


def is_untouched(script: Script, done: int, partial: int | None) -> bool:
    """Report whether no statement that has an effect is done."""
    return partial is None and all(has_no_effect(one) for one in script.statements[:done])


def outcome_key(trial: TrialResult, done: int, partial: int | None) -> tuple[object, ...]:
    """Return a state in a form comparable between files: at a version, or within a file."""
    candidate = trial.candidate
    if is_complete(trial.script, done, partial):
        return ("at", candidate.after)
    if is_untouched(trial.script, done, partial):
        return ("at", candidate.before)
    return ("within", candidate.file, done, partial)


def row_changes(trial: TrialResult, done: int) -> list[Statement]:
    """Return the statements that ran and leave no trace in the schema: they changed rows."""
    return [
        one
        for one in trial.script.statements[:done]
        if not (has_no_effect(one) or trial.leaves_trace(one.number))
        and not (may_run_twice(one) or _NO_ROWS & set(one.words[:1]))
    ]


def row_moving_keyword(script: Script, statement: Statement) -> str:
    """Return the keyword by which an ALTER changes or moves rows; empty where it has none."""
    reader = StatementReader(script, statement)
    if not reader.take("ALTER"):
        return ""
    reader.name()  # TABLE, TYPE, …
    schema = "SCHEMA" if reader.holds("SET", "SCHEMA") else ""
    return next(filter(reader.holds, _OF_ROWS), schema)


def uncounted_row_changes(trial: TrialResult, done: int) -> list[Statement]:
    """Return the statements that may have changed rows and that the history did not count."""
    attempt = trial.candidate.attempt
    counted = attempt.statements_done if attempt else 0
    return [
        one
        for one in row_changes(trial, done)
        if one.number > counted and _may_change_rows(trial, one)
    ]


def counted_row_changes_after(
    trial: TrialResult, done: int, attempt: Attempt | None
) -> list[Statement]:
    """Return the statements that the history counted but that did not run by the schema."""
    counted = attempt.statements_done if attempt else 0
    return [one for one in trial.script.statements[done:counted] if _may_change_rows(trial, one)]


def _may_change_rows(trial: TrialResult, statement: Statement) -> bool:
    """
    Report whether a statement may have changed rows.

    True for every statement that is not known to change the schema only. For an ALTER, the forms
    that change rows are known; any other form that leaves no trace may have done anything.
    """
    first = (*statement.words, "")[0]
    if has_no_effect(statement) or may_run_twice(statement):
        return False
    if first in _NO_ROWS or first in _SCHEMA:
        return False
    text = trial.script.text[statement.start : statement.end]
    if is_cluster_wide(statement) or is_outside_snapshots(statement, text):
        return False
    if first != "ALTER" or not trial.leaves_trace(statement.number):
        return True
    return bool(row_moving_keyword(trial.script, statement))
