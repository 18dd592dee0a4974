"""What became of each statement of a file, and what a rollback would lose, for people. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.repair.model import Fate, StateMatch, StatementFound
from rung.script import redacted_sql, secrets_of

if TYPE_CHECKING:
    from rung.repair.model import Diagnosis
    from rung.script import Statement

_LONGEST = 72
_LOSES = (
    "Fix {file} and go on with `rung up --resume`, which loses nothing; or roll back all the "
    "same: `rung repair --yes --allow-data-loss`"
)


def statements_found(finding: StateMatch) -> tuple[StatementFound, ...]:
    """Each statement with what became of it; none where no file fits."""
    tried = finding.tried
    if tried is None or (finding.done is None and not finding.open):
        return ()
    secrets = secrets_of(tried.script)
    return tuple(
        StatementFound(
            one.number,
            one.line,
            _beginning(redacted_sql(tried.script, one.start, one.end, secrets)),
            _fate(one, finding),
            tried.leaves_trace(one.number),
        )
        for one in tried.script.statements
    )


def _fate(statement: Statement, finding: StateMatch) -> Fate:
    number = statement.number
    if finding.done is None:
        if number in finding.open:
            return Fate.UNKNOWN
        return Fate.APPLIED if number <= finding.at_least else Fate.NOT_APPLIED
    if number == finding.half:
        return Fate.HALF
    return Fate.APPLIED if number <= finding.done else Fate.NOT_APPLIED


def _beginning(sql: str) -> str:
    line = " ".join(sql.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def loses(diagnosis: Diagnosis) -> tuple[str, str]:
    """What a rollback that loses rows is refused with where nobody agreed: cause and advice."""
    action, suspect = diagnosis.action, diagnosis.suspect
    gone = ", ".join(str(loss) for loss in action.losses) if action else ""
    file = suspect.file if suspect else "the file"
    return f"Rolling back would lose {gone}.", _LOSES.format(file=file)
