"""Report the state of each statement, and what a rollback would lose, for display. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.repair.model import StateMatch, StatementReport, StatementState
from rung.script import redacted_sql, secrets_of

if TYPE_CHECKING:
    from rung.repair.model import Diagnosis
    from rung.script import Statement

_LONGEST = 72
_DATA_LOSS_ADVICE = (
    "fix {file} and resume with `rung up --resume`, which loses nothing; or roll back anyway: "
    "`rung repair --yes --allow-data-loss`"
)


def report_statements(finding: StateMatch) -> tuple[StatementReport, ...]:
    """Return each statement of the file with its state; empty where no file matches."""
    trial = finding.trial
    if trial is None or (finding.done is None and not finding.undecided):
        return ()
    secrets = secrets_of(trial.script)
    return tuple(
        StatementReport(
            one.number,
            one.line,
            _first_words(redacted_sql(trial.script, one.start, one.end, secrets)),
            _state_of(one, finding),
            trial.leaves_trace(one.number),
        )
        for one in trial.script.statements
    )


def _state_of(statement: Statement, finding: StateMatch) -> StatementState:
    number = statement.number
    if finding.done is None:
        if number in finding.undecided:
            return StatementState.UNKNOWN
        return StatementState.APPLIED if number <= finding.at_least else StatementState.NOT_APPLIED
    if number == finding.partial:
        return StatementState.PARTLY_APPLIED
    return StatementState.APPLIED if number <= finding.done else StatementState.NOT_APPLIED


def _first_words(sql: str) -> str:
    line = " ".join(sql.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def data_loss_refusal(diagnosis: Diagnosis) -> tuple[str, str]:
    """Return cause and advice of the error for a rollback that would lose rows without consent."""
    action, candidate = diagnosis.action, diagnosis.candidate
    lost = ", ".join(str(loss) for loss in action.losses) if action else ""
    file = candidate.file if candidate else "the file"
    return f"a rollback would lose {lost}", _DATA_LOSS_ADVICE.format(file=file)
