"""
Finds SQL that rolls back what is there of a file, and out whether it takes nothing else along.

The cheapest question comes first: what the texts tell, then scratch, and only then the live
database, in a transaction that is rolled back. In front of what is proved stand locks and counts:
rows that come in between make it fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.errors import ScriptError
from rung.repair import Proof, Rollback
from rung.repair.rollback import counted, judge_dry_run, why_not_the_down, why_not_the_file
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


def rolled_back(
    finding: StateMatch, bench: ScratchRunner, session: Session, writers: OtherWriters
) -> tuple[str | None, Rollback | None]:
    """
    SQL that rolls back what is there, and what is known of it; neither for a down.

    Args:
        finding: a part of a file.
        bench: where its down is tried.
        session: of the dirty database, with the lock.
        writers: who else may write the history, which tells what ran.
    """
    tried = finding.tried
    if tried is None or tried.suspect.direction is Direction.DOWN:
        return None, None
    undo, reason = "", _why_not_believed(tried.suspect.attempt, writers)
    if not reason:
        undo, reason = _on_scratch(finding, bench)
    if not reason:
        script = read(undo, tried.script.dialect)
        reason = why_not_the_down(script) or _why_too_large(script, session)
    if reason:
        return None, Rollback(Proof.NOT_PROVED, reason)
    found = judge_dry_run(finding, session.dry_run(script, tables_named(script)))
    if found.proof is Proof.PROVED:
        found = counted(found, session.estimate(found.losses))
    if found.proof is not Proof.PROVED:
        return None, found
    return session.row_guard(found.losses) + undo, found


def _why_not_believed(attempt: Attempt | None, writers: OtherWriters) -> str:
    """What others could write proves nothing."""
    if attempt is None:
        return ""
    if writers.history:
        return f"others may write the history ({writers.history[0]})"
    if writers.closed_after is None or attempt.id <= writers.closed_after:
        return "others could write the history when it recorded this attempt"
    return ""


def _on_scratch(finding: StateMatch, bench: ScratchRunner) -> tuple[str, str]:
    """SQL that leads back on scratch, or why there is none."""
    if reason := why_not_the_file(finding):
        return "", reason
    assert finding.tried is not None
    down = finding.tried.suspect.migration.down
    if down is not None and down.file.endswith(_STORED):
        return "", "its down is stored, and is no file any more"
    try:
        undo = bench.proven_undo(finding)
    except ScriptError as error:
        return "", f"its down cannot be read: {error}"
    if undo is None:
        return "", "no part of its down leads back to the schema before it on scratch"
    return undo, ""


def _why_too_large(script: Script, session: Session) -> str:
    """A table of too many rows is not locked to try something out."""
    found = session.estimate([DataLoss("table", name) for name in tables_named(script)])
    large = next((loss.table for loss in found if loss.more), None)
    return f"table {large} has more than {MOST_ROWS:,} rows" if large else ""
