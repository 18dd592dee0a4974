"""What became of each statement of a file, for people. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.repair.model import Fate, Finding, StatementFound
from rung.statements import secrets_of, shown

if TYPE_CHECKING:
    from rung.statements import Statement

_LONGEST = 72


def statements_found(finding: Finding) -> tuple[StatementFound, ...]:
    """Each statement with what became of it; none where no file fits."""
    tried = finding.tried
    if tried is None or (finding.done is None and not finding.open):
        return ()
    secrets = secrets_of(tried.script)
    return tuple(
        StatementFound(
            one.number,
            one.line,
            _beginning(shown(tried.script, one.start, one.end, secrets)),
            _fate(one, finding),
            tried.leaves_trace(one.number),
        )
        for one in tried.script.statements
    )


def _fate(statement: Statement, finding: Finding) -> Fate:
    number = statement.number
    if finding.done is None:
        if number in finding.open:
            return Fate.UNKNOWN
        return Fate.APPLIED if number < min(finding.open) else Fate.NOT_APPLIED
    if number == finding.half:
        return Fate.HALF
    return Fate.APPLIED if number <= finding.done else Fate.NOT_APPLIED


def _beginning(sql: str) -> str:
    line = " ".join(sql.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
