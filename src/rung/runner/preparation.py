"""
Reads the SQL of a plan's steps before any of it runs. Pure.

A file whose SQL cannot be read (an open string, a BEGIN without COMMIT) is refused here,
with its name and line, while the database is still as it was. The other half of a step's
migration is read too, for its checksum; a fault in it is told and stops nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.errors import ScriptError
from rung.statements import Script, checksum, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.ledger import HistoryEntry
    from rung.migrations import Half
    from rung.plan import Plan, Step


@dataclass(frozen=True, slots=True)
class Prepared:
    """
    A step with the SQL that it runs.

    `up_sql` and `down_sql` are the texts that the history has to keep: None where the half
    is missing or an earlier row of the version has the same.
    """

    step: Step
    script: Script
    up_checksum: str | None
    down_checksum: str | None
    up_sql: str | None
    down_sql: str | None

    @property
    def file(self) -> str:
        """The name of the file that runs; empty where that half is missing."""
        return self.step.half.file if self.step.half else ""


def prepare(
    plan: Plan, history: Sequence[HistoryEntry], *, plain_backslashes: bool = True
) -> tuple[Prepared, ...]:
    """
    Read each step's SQL.

    Args:
        plan: what will run.
        history: what the database remembers, to know which texts it has already.
        plain_backslashes: False where the session reads a backslash in '…' as an escape.

    Raises:
        ScriptError: with the file and the line.
    """
    known = {(e.version, "up", e.up_checksum) for e in history if e.up_checksum}
    known |= {(e.version, "down", e.down_checksum) for e in history if e.down_checksum}
    return tuple(_prepare(step, known, plain_backslashes) for step in plan.steps)


def _prepare(
    step: Step,
    known: set[tuple[int | None, str, str | None]],
    plain: bool,  # noqa: FBT001
) -> Prepared:
    script = _read(step.half, plain) if step.half else read("")
    sums = {
        "up": _checksum(step.migration.up, step, script, plain),
        "down": _checksum(step.migration.down, step, script, plain),
    }
    texts = {"up": step.migration.up, "down": step.migration.down}
    kept = {
        direction: half.text
        for direction, half in texts.items()
        if half and (step.version, direction, sums[direction]) not in known
    }
    return Prepared(step, script, sums["up"], sums["down"], kept.get("up"), kept.get("down"))


def _read(half: Half, plain: bool) -> Script:  # noqa: FBT001 - handed on, not decided on
    try:
        return read(half.text, standard_conforming_strings=plain)
    except ScriptError as error:
        raise type(error)(error.problem, error.line, half.file) from None


def _checksum(half: Half | None, step: Step, script: Script, plain: bool) -> str | None:  # noqa: FBT001
    if half is None:
        return None
    if half is step.half:
        return checksum(script)
    try:
        return checksum(read(half.text, standard_conforming_strings=plain))
    except ScriptError:
        return None
