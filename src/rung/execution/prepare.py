"""
Reads the SQL of a plan's steps before any of it runs. Pure.

A file whose SQL cannot be read (an open string, a BEGIN without COMMIT) is refused here,
with its name and line, while the database is still as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.errors import ScriptError
from rung.options import RUNG
from rung.planning.down_choice import EMPTY
from rung.script import (
    Dialect,
    Mode,
    Script,
    cut_after_value,
    declared,
    foreign_marker,
    golang_migrate_refuses,
    minimum_compatible_version,
    read,
    statement_by_statement,
    uses_new_value,
)
from rung.source import Direction

if TYPE_CHECKING:
    from rung.errors import ForeignMarker
    from rung.options import RunOptions
    from rung.planning.plan import Plan, Step


@dataclass(frozen=True, slots=True)
class PreparedStep:
    """A step with the SQL that it runs; an empty script where that half is missing."""

    step: Step
    script: Script

    @property
    def file(self) -> str:
        """The name of the file that runs; empty where that half is missing."""
        return self.step.half.file if self.step.half else ""

    @property
    def result(self) -> str:
        """What comes of the step: applied or reverted; empty or not reverted where nothing runs."""
        if self.script.statements:
            return "applied" if self.step.direction is Direction.UP else "reverted"
        return self.step.passes or EMPTY

    @property
    def new_value(self) -> str:
        """What becomes of a file that seems to use a value it adds to an enum; else empty."""
        script = self.script
        found = uses_new_value(script)
        if found is None or script.mode is Mode.UNITS:
            return ""
        added, used = found
        what = f"line {used.line} uses a value that line {added.line} adds to an enum"
        whole = script.mode is Mode.TRANSACTIONAL
        if whole and cut_after_value(script, 1, used.number) is not None:
            return f"{what}: if the server rejects that, it runs in two transactions"
        return f"{what}: the server rejects that; move line {added.line} into an earlier migration"

    @property
    def foreign_marker(self) -> ForeignMarker | None:
        """Another tool's sign that the other direction follows in the file; None without one."""
        found = foreign_marker(self.script, down=self.step.direction is Direction.DOWN)
        return found and found.in_file(self.file)

    @property
    def golang_migrate_refuses(self) -> str:
        """Why golang-migrate could not run the file, in a sentence; empty where it could."""
        half = self.step.half
        marked = half is not None and half.byte_order_mark
        return golang_migrate_refuses(self.script, byte_order_mark=marked)


def prepare(
    plan: Plan, dialect: Dialect = Dialect.POSTGRES, options: RunOptions = RUNG
) -> tuple[PreparedStep, ...]:
    """
    Read each step's SQL.

    Args:
        plan: what will run.
        dialect: the SQL that the database reads.
        options: whether each statement commits by itself.

    Raises:
        ScriptError: with the file and the line.
    """
    scripts = [_read(step, dialect) for step in plan.steps]
    prepared = tuple(map(PreparedStep, plan.steps, scripts))
    if not options.runs_foreign_downs:
        for item in prepared:
            if marker := item.foreign_marker:
                raise marker
    if options.each_statement:
        scripts = [statement_by_statement(script) for script in scripts]
        return tuple(map(PreparedStep, plan.steps, scripts))
    return prepared


def _read(step: Step, dialect: Dialect) -> Script:
    if step.half is None:
        return read("", dialect)
    try:
        script = read(step.half.text, dialect)
        declared(script)
        if step.direction is Direction.UP:
            minimum_compatible_version(
                script
            )  # what it says of older builds has to be understood by these
    except ScriptError as error:
        raise error.in_file(step.half.file) from None
    return script
