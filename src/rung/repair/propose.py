"""
Proposes the one action that mends a dirty database, out of what was found. Pure.

All of a file is there, or nothing of it: the ledger is marked. A part of it: the file is
resumed where the rest of it is known to run. Else it is to be fixed and resumed, which loses
nothing; what is there is rolled back only where that is proved to take nothing else along.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rung.planning.plan import Down, Plan, Step, Up
from rung.repair.cluster_wide import makes_role, reaches_beyond
from rung.repair.model import Action, ActionKind
from rung.repair.progress import is_all, is_nothing, moved_by, of_rows
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

_STATE = re.compile(r"\(SQLSTATE (\w{5})\)")
_OF_DATA = ("22", "23")
"""Classes of SQLSTATE: a value that does not fit, a row that breaks a constraint."""
_OF_DATA_IN_SQLITE = ("constraint failed", "datatype mismatch")
"""SQLite's errors have no SQLSTATE."""
_INDEX = "index "
_EXCHANGES = frozenset({"RENAME", "SCHEMA"})
"""Two tables of one shape that exchange their names leave a schema as it was."""


def propose(
    finding: StateMatch,
    ledger: LedgerState,
    undo: str | None = None,
    rollback: Rollback | None = None,
) -> Action | None:
    """
    The action, or None where nothing is proven to mend it.

    Args:
        finding: with the number of statements done.
        ledger: as it stands, dirty.
        undo: SQL that rolls back what is there.
        rollback: whether that is proved to take away nothing but what the file made.
    """
    tried = finding.tried
    if tried is None or finding.done is None:
        return None
    known = (tried.script, finding.done, finding.half)
    if is_all(*known):
        return _mark(tried.suspect, tried.suspect.after, applied=True)
    if is_nothing(*known):
        return _mark(tried.suspect, tried.suspect.before, applied=False)
    if not why_not_resume(finding):
        return _resume(finding, tried, ledger)
    if undo and rollback and rollback.proof is Proof.PROVED:
        return _roll_back(tried, ledger, undo, rollback.costs)
    return None


def is_part(finding: StateMatch) -> bool:
    """Whether something of the file is there, and not all."""
    if finding.tried is None or finding.done is None:
        return False
    known = (finding.tried.script, finding.done, finding.half)
    return not (is_all(*known) or is_nothing(*known))


def why_not_resume(finding: StateMatch) -> str:
    """Why the rest of the file is not simply run, in a sentence; empty where it may be."""
    tried = finding.tried
    assert tried is not None
    if tried.suspect.undo:
        return f"{tried.suspect.file} was being rolled back"
    if reason := why_not_from(tried.script, finding.done or 0):
        return reason
    if finding.unseen:
        return finding.unseen
    if tried.failure:
        return f"the rest of {tried.suspect.file} does not run on scratch either: {tried.failure}"
    attempt = tried.suspect.attempt
    if attempt and _is_of_rows(attempt.error or ""):
        first = (attempt.error or "").splitlines()[0]
        return f"the rest failed on the rows that are there: {first}"
    return ""


def why_not_from(script: Script, done: int) -> str:
    """Why no run can begin behind a statement; empty where one may."""
    if not may_resume_after(script, done):
        return f"statement {done} is in the middle of a transaction of the file's own"
    if lost := lost_before(script, done):
        return f"what statement {lost.number} made lived in its session, and is gone with it"
    return ""


def _is_of_rows(error: str) -> bool:
    state = _STATE.search(error)
    if state:
        return state[1].startswith(_OF_DATA)
    return any(words in error for words in _OF_DATA_IN_SQLITE)


def undo_candidates(finding: StateMatch, down: Script | None) -> tuple[str, ...]:
    """
    SQL that may undo what is there, to be proven in this order; for a part of an up alone.

    Args:
        finding: with the number of statements done.
        down: the down half, read.
    """
    tried = finding.tried
    if tried is None or tried.suspect.direction is Direction.DOWN or finding.done is None:
        return ()
    first = _drop_invalid(finding)
    return tuple(dict.fromkeys(filter(str.strip, _candidates(finding, tried, down, first))))


def _candidates(
    finding: StateMatch, tried: TrialResult, down: Script | None, first: str
) -> Iterator[str]:
    rows = bool(of_rows(tried, finding.done or 0))
    if not rows:
        yield first
    if down is None or any(moved_by(down, one) in _EXCHANGES for one in down.statements):
        return
    here = [one for one in down.statements if not _is_unproven(one)]
    if _is_unproven_in(down, here, tried.script.statements[: finding.done]):
        return
    whole = down.text if len(here) == len(down.statements) else _text(down, here)
    yield whole
    yield first + whole
    if rows:
        return  # a part of the down may leave what statements did to rows
    kept = [one for one in here if one.control is None]
    for start in range(1, len(kept)):
        yield first + _text(down, kept[start:])


def _text(script: Script, statements: Sequence[Statement]) -> str:
    return "".join(f"{script.text[one.start : one.end]};\n" for one in statements)


def _is_unproven(statement: Statement) -> bool:
    """Whether scratch does not tell what it does: it is passed over there, or its role is there."""
    return reaches_beyond(statement) or makes_role(statement)


def _is_unproven_in(down: Script, here: Sequence[Statement], ran: Sequence[Statement]) -> bool:
    """Whether what the down would have to undo is beyond the database; else that is left out."""
    return len(here) < len(down.statements) and any(map(_is_unproven, ran))


def _drop_invalid(finding: StateMatch) -> str:
    """What removes an index that a failed build has left; empty where there is none."""
    return "".join(f"DROP INDEX IF EXISTS {name};\n" for name in half_made(finding))


def half_made(finding: StateMatch) -> tuple[str, ...]:
    """The indexes, qualified and quoted, that a failed build has left."""
    if finding.tried is None or finding.half is None:
        return ()
    states = {(state.done, state.half): state.snapshot for state in finding.tried.states}
    before, half = states[finding.done or 0, None], states[finding.done or 0, finding.half]
    added = [one.identity for one in differences(before, half) if one.kind == "added"]
    return tuple(name.removeprefix(_INDEX) for name in added)


def _mark(suspect: Candidate, version: int | None, *, applied: bool) -> Action:
    what = "all" if applied else "nothing"
    where = "before the first migration" if version is None else f"at version {version}"
    return Action(
        ActionKind.MARK,
        version,
        f"mark the database clean {where}: {what} of {suspect.file} is there",
        _ledger_sql(version),
        applied=applied and suspect.direction is Direction.UP,
    )


def _resume(finding: StateMatch, tried: TrialResult, ledger: LedgerState) -> Action:
    suspect, done = tried.suspect, finding.done or 0
    continues = suspect.attempt.attempt if suspect.attempt else ""
    step = Step(
        suspect.migration, suspect.direction, suspect.before, suspect.after, done, continues
    )
    goal = Up(1) if suspect.direction is Direction.UP else Down(1)
    following = tried.script.statements[done]
    return Action(
        ActionKind.RESUME,
        suspect.after,
        f"resume {suspect.file} at statement {following.number} of {tried.total}, line "
        f"{following.line}",
        redacted_sql(tried.script, following.start).strip(),
        Plan(goal, ledger, (step,)),
        _caution(finding, tried),
    )


def _caution(finding: StateMatch, tried: TrialResult) -> str:
    """What may keep the rest of another tool's file from running, as far as it can be seen."""
    half = finding.half
    if half is None or tried.suspect.attempt is not None:
        return ""
    if "UNIQUE" not in tried.script.statements[half - 1].words:
        return ""
    return (
        f"Statement {half} most likely failed on rows that are equal: it fails again, and loses "
        "nothing, unless they were fixed."
    )


def _roll_back(
    tried: TrialResult, ledger: LedgerState, undo: str, costs: tuple[DataLoss, ...]
) -> Action:
    suspect = tried.suspect
    half = MigrationFile("rung repair", suspect.migration.name, undo)
    undoing = Migration(suspect.version, None, half)
    step = Step(undoing, Direction.DOWN, ledger.version, suspect.before)
    where = "before the first migration"
    if suspect.before is not None:
        where = f"at version {suspect.before}"
    return Action(
        ActionKind.ROLL_BACK,
        suspect.before,
        f"roll back what is there of {suspect.file}, and mark the database clean {where}",
        redacted_sql(read(undo, tried.script.dialect)).strip(),
        Plan(Down(1), ledger, (step,)),
        losses=costs,
    )


def _ledger_sql(version: int | None) -> str:
    if version is None:
        return "DELETE FROM {ledger};"
    return f"UPDATE {{ledger}} SET version = {version}, dirty = false;"  # noqa: S608 - shown
