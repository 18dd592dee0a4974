"""
Propose the one action that repairs a dirty database. Pure.

Where a file ran completely or not at all, the ledger is marked. Where a part of it ran, the file
is resumed if the rest of it is known to run. Otherwise the user fixes the file and resumes, which
loses nothing; a rollback is proposed only where it is proved to remove nothing else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rung.errors import sqlstate
from rung.planning.plan import Down, Plan, Step, Up
from rung.repair.cluster_wide import creates_role, is_cluster_wide
from rung.repair.completeness import is_complete, is_untouched, row_changes, row_moving_keyword
from rung.repair.model import Action, ActionKind
from rung.repair.rollback import Proof
from rung.script import lost_before, may_resume_after, read, redacted_sql
from rung.snapshot import differences
from rung.source import Direction, Migration, MigrationFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.ledger import LedgerState
    from rung.repair.model import Candidate, StateMatch, TrialResult
    from rung.repair.rollback import Rollback
    from rung.script import Script, Statement
    from rung.script.data_loss import DataLoss

_SQLSTATE = re.compile(r"\(SQLSTATE (\w{5})\)")
_DATA_CLASSES = (sqlstate.CLASS_DATA_EXCEPTION, sqlstate.CLASS_INTEGRITY_CONSTRAINT_VIOLATION)
"""Classes of SQLSTATE: a value that does not fit, a row that violates a constraint."""
_SQLITE_DATA_ERRORS = ("constraint failed", "datatype mismatch")
"""SQLite's errors have no SQLSTATE."""
_INDEX = "index "
_MAY_SWAP_NAMES = frozenset({"RENAME", "SCHEMA"})
"""Two tables with equal columns that swap their names leave the schema unchanged."""


def propose(
    finding: StateMatch,
    ledger: LedgerState,
    undo: str | None = None,
    rollback: Rollback | None = None,
) -> Action | None:
    """
    Return the action, or None where none is proved to repair the database.

    Args:
        finding: the file that ran, and how many of its statements are done.
        ledger: the dirty ledger.
        undo: SQL that rolls back the part of the file that ran.
        rollback: whether `undo` is proved to remove only what the file created.
    """
    trial = finding.trial
    if trial is None or finding.done is None:
        return None
    point = (trial.script, finding.done, finding.partial)
    if is_complete(*point):
        return _mark(trial.candidate, trial.candidate.after, applied=True)
    if is_untouched(*point):
        return _mark(trial.candidate, trial.candidate.before, applied=False)
    if not why_not_resume(finding):
        return _resume(finding, trial, ledger)
    if undo and rollback and rollback.proof is Proof.PROVED:
        return _roll_back(trial, ledger, undo, rollback.row_losses)
    return None


def is_partial(finding: StateMatch) -> bool:
    """Report whether some statements of the file ran, and not all."""
    if finding.trial is None or finding.done is None:
        return False
    point = (finding.trial.script, finding.done, finding.partial)
    return not (is_complete(*point) or is_untouched(*point))


def why_not_resume(finding: StateMatch) -> str:
    """Return why the file cannot be resumed, in a sentence; empty where it can."""
    trial = finding.trial
    assert trial is not None
    if trial.candidate.undo:
        return f"{trial.candidate.file} was being rolled back"
    if reason := why_not_resume_after(trial.script, finding.done or 0):
        return reason
    if finding.unrestorable:
        return finding.unrestorable
    if trial.failure:
        return f"the rest of {trial.candidate.file} does not run on scratch either: {trial.failure}"
    attempt = trial.candidate.attempt
    if attempt and _is_data_error(attempt.error or ""):
        first = (attempt.error or "").splitlines()[0]
        return f"the rest failed on the existing rows: {first}"
    return ""


def why_not_resume_after(script: Script, done: int) -> str:
    """Return why no run can begin after a statement; empty where one can."""
    if not may_resume_after(script, done):
        return f"statement {done} is in the middle of a transaction of the file's own"
    if lost := lost_before(script, done):
        return f"what statement {lost.number} created existed only in its session"
    return ""


def _is_data_error(error: str) -> bool:
    state = _SQLSTATE.search(error)
    if state:
        return state[1].startswith(_DATA_CLASSES)
    return any(words in error for words in _SQLITE_DATA_ERRORS)


def undo_candidates(finding: StateMatch, down: Script | None) -> tuple[str, ...]:
    """
    Return texts that may undo a part of an up, to be proved in this order.

    Args:
        finding: the file that ran, and how many of its statements are done.
        down: the script of the down file.
    """
    trial = finding.trial
    if trial is None or trial.candidate.direction is Direction.DOWN or finding.done is None:
        return ()
    drops = "".join(f"DROP INDEX IF EXISTS {name};\n" for name in invalid_indexes(finding))
    return tuple(dict.fromkeys(filter(str.strip, _undo_texts(finding, trial, down, drops))))


def _undo_texts(
    finding: StateMatch, trial: TrialResult, down: Script | None, drops: str
) -> Iterator[str]:
    """Yield the drops of invalid indexes, the whole down, and then ever shorter ends of it."""
    changed_rows = bool(row_changes(trial, finding.done or 0))
    if not changed_rows:
        yield drops
    if down is None or any(
        row_moving_keyword(down, one) in _MAY_SWAP_NAMES for one in down.statements
    ):
        return
    provable = [one for one in down.statements if not _is_unprovable(one)]
    is_whole = len(provable) == len(down.statements)
    if not is_whole and any(map(_is_unprovable, trial.script.statements[: finding.done])):
        return  # the down would have to undo more than scratch can show
    text = down.text if is_whole else _join_statements(down, provable)
    yield text
    yield drops + text
    if changed_rows:
        return  # a part of the down may leave the changes of rows
    statements = [one for one in provable if one.control is None]
    for start in range(1, len(statements)):
        yield drops + _join_statements(down, statements[start:])


def _join_statements(script: Script, statements: Sequence[Statement]) -> str:
    return "".join(f"{script.text[one.start : one.end]};\n" for one in statements)


def _is_unprovable(statement: Statement) -> bool:
    """Report whether scratch does not show a statement's effect: it is skipped there."""
    return is_cluster_wide(statement) or creates_role(statement)


def invalid_indexes(finding: StateMatch) -> tuple[str, ...]:
    """Return the indexes, qualified and quoted, that a failed build left invalid."""
    if finding.trial is None or finding.partial is None:
        return ()
    done = finding.done or 0
    states = {(state.done, state.partial): state.snapshot for state in finding.trial.states}
    diff = differences(states[done, None], states[done, finding.partial])
    added = [one.identity for one in diff if one.kind == "added"]
    return tuple(name.removeprefix(_INDEX) for name in added)


def _mark(candidate: Candidate, version: int | None, *, applied: bool) -> Action:
    what = "all" if applied else "nothing"
    sql = "DELETE FROM {ledger};"
    if version is not None:
        sql = f"UPDATE {{ledger}} SET version = {version}, dirty = false;"  # noqa: S608 - shown
    where = "before the first migration" if version is None else f"at version {version}"
    return Action(
        ActionKind.MARK,
        version,
        f"mark the database clean {where}: {what} of {candidate.file} exists",
        sql,
        applied=applied and candidate.direction is Direction.UP,
    )


def _resume(finding: StateMatch, trial: TrialResult, ledger: LedgerState) -> Action:
    candidate, done = trial.candidate, finding.done or 0
    continues = candidate.attempt.attempt if candidate.attempt else ""
    step = Step(
        candidate.migration, candidate.direction, candidate.before, candidate.after, done, continues
    )
    goal = Up(1) if candidate.direction is Direction.UP else Down(1)
    following = trial.script.statements[done]
    return Action(
        ActionKind.RESUME,
        candidate.after,
        f"resume {candidate.file} at statement {following.number} of {trial.total}, line "
        f"{following.line}",
        redacted_sql(trial.script, following.start).strip(),
        Plan(goal, ledger, (step,)),
        _caution(finding, trial),
    )


def _caution(finding: StateMatch, trial: TrialResult) -> str:
    """Return why the rest of another tool's file may fail again; empty where nothing says so."""
    number = finding.partial
    if number is None or trial.candidate.attempt is not None:
        return ""
    if "UNIQUE" not in trial.script.statements[number - 1].words:
        return ""
    return (
        f"Statement {number} probably failed on duplicate rows: unless they were fixed, it "
        "fails again, and loses nothing."
    )


def _roll_back(
    trial: TrialResult, ledger: LedgerState, undo: str, losses: tuple[DataLoss, ...]
) -> Action:
    candidate = trial.candidate
    down = MigrationFile("rung repair", candidate.migration.name, undo)
    migration = Migration(candidate.version, None, down)
    step = Step(migration, Direction.DOWN, ledger.version, candidate.before)
    where = "before the first migration"
    if candidate.before is not None:
        where = f"at version {candidate.before}"
    return Action(
        ActionKind.ROLL_BACK,
        candidate.before,
        f"roll back {candidate.file}, and mark the database clean {where}",
        redacted_sql(read(undo, trial.script.dialect)).strip(),
        Plan(Down(1), ledger, (step,)),
        losses=losses,
    )
