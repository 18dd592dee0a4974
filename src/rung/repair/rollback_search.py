"""
Find SQL that rolls back a partly run file, and prove that it removes nothing else.

The cheapest check comes first: the texts, then scratch, and only then the live database, in a
transaction that is rolled back. A proved undo begins with locks and counts: it fails if rows were
inserted since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.errors import ScriptError
from rung.repair import Proof, Rollback
from rung.repair.rollback import (
    judge_dry_run,
    why_down_is_unsafe,
    why_file_is_unproved,
    with_counts,
)
from rung.script import read
from rung.script.data_loss import MOST_ROWS, DataLoss, tables_named
from rung.source import Direction

if TYPE_CHECKING:
    from rung.drivers.contract import Session
    from rung.drivers.inspection import OtherWriters
    from rung.ledger import Attempt
    from rung.repair import StateMatch
    from rung.repair.trial_runs import ScratchRunner
    from rung.script import Script

_STORED = "(as stored)"


def find_rollback(
    finding: StateMatch, runner: ScratchRunner, session: Session, writers: OtherWriters
) -> tuple[str | None, Rollback | None]:
    """
    Return SQL that undoes a partly run up, and its proof; None and None for a down.

    Args:
        finding: the file that ran, and how many of its statements are done.
        runner: runs its down on scratch.
        session: on the dirty database, with the lock held.
        writers: who else may write the history, which says what ran.
    """
    trial = finding.trial
    if trial is None or trial.candidate.direction is Direction.DOWN:
        return None, None
    undo, reason = "", _why_history_is_untrusted(trial.candidate.attempt, writers)
    if not reason:
        undo, reason = _find_undo(finding, runner)
    if not reason:
        script = read(undo, trial.script.dialect)
        reason = why_down_is_unsafe(script) or _why_too_large(script, session)
    if reason:
        return None, Rollback(Proof.NOT_PROVED, reason)
    dry_runs = session.capabilities.dry_runs
    assert dry_runs is not None
    rollback = judge_dry_run(finding, dry_runs.dry_run(script, tables_named(script)))
    if rollback.proof is Proof.PROVED:
        rollback = with_counts(rollback, session.estimate(rollback.losses))
    if rollback.proof is not Proof.PROVED:
        return None, rollback
    return dry_runs.row_guard(rollback.losses) + undo, rollback


def _why_history_is_untrusted(attempt: Attempt | None, writers: OtherWriters) -> str:
    """Return why the history proves nothing: others could write it; empty where they could not."""
    if attempt is None:
        return ""
    if writers.history:
        return f"other roles may write the history ({writers.history[0]})"
    if writers.closed_after is None or attempt.id <= writers.closed_after:
        return "other roles could write the history when it recorded this attempt"
    return ""


def _find_undo(finding: StateMatch, runner: ScratchRunner) -> tuple[str, str]:
    """Return SQL that restores the schema before the file on scratch, or why there is none."""
    if reason := why_file_is_unproved(finding):
        return "", reason
    assert finding.trial is not None
    down = finding.trial.candidate.migration.down
    if down is not None and down.file.endswith(_STORED):
        return "", "its down is stored, but its file is gone"
    try:
        undo = runner.find_undo(finding)
    except ScriptError as error:
        return "", f"its down cannot be parsed: {error}"
    if undo is None:
        return "", "no part of its down restores the previous schema on scratch"
    return undo, ""


def _why_too_large(script: Script, session: Session) -> str:
    """Return why no dry run is made: it would lock a table with too many rows."""
    losses = session.estimate([DataLoss("table", name) for name in tables_named(script)])
    large = next((loss.table for loss in losses if loss.is_minimum), None)

    return f"table {large} has more than {MOST_ROWS:,} rows" if large else ""
