"""
The commands that run migrations: up, down, goto.

They say where to go, in golang-migrate's words; what that comes to is planned and run by the
engine. A run that was asked for more steps than there are has done what there was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.errors import EmptySource
from rung.execution.run import run_goal
from rung.golang_migrate.faults import FAILED, GoFault
from rung.golang_migrate.messages import not_found
from rung.planning.plan import Down, Goto, Up

if TYPE_CHECKING:
    from rung.execution.command import Target
    from rung.execution.outcomes import RunReport
    from rung.golang_migrate.gostd.flags import Parsed
    from rung.golang_migrate.invocation import GoInvocation
    from rung.planning.plan import Goal

_NO_LIMIT = "can't read limit argument N"


def up(call: GoInvocation, parsed: Parsed) -> int:
    """Apply all that is pending, or the next N."""
    limit = call.number(parsed, _NO_LIMIT) if parsed.words else None
    return _steps(call, Up(limit, if_ahead="fail"), limit)


def down(call: GoInvocation, parsed: Parsed) -> int:
    """Go down all the way, asking first, or N steps."""
    every, words = parsed.yes("all"), parsed.words
    if every and words:
        raise call.refuse("-all cannot be used with other arguments")
    if len(words) > 1:
        raise call.refuse("too many arguments")
    limit = call.number(parsed, _NO_LIMIT) if words else None
    if limit is not None or every:
        return _steps(call, Down(limit), limit)
    with call.target().on_one_connection() as target:
        with target.connected() as session:
            session.inspect()
        if not call.confirm(
            "Are you sure you want to apply all down migrations?",
            "Applying all down migrations",
            "Not applying all down migrations",
        ):
            return FAILED
        return _steps(call, Down(limit), limit, target)


def goto(call: GoInvocation, parsed: Parsed) -> int:
    """Go up or down to a version."""
    if not parsed.words:
        raise call.refuse("please specify version argument V")
    goal = Goto(call.number(parsed, "can't read version argument V"))
    if not _run(call, goal, None).steps:
        call.console.line("no change")
    return 0


def _steps(
    call: GoInvocation, goal: Up | Down, limit: int | None, target: Target | None = None
) -> int:
    if limit == 0:  # golang-migrate asks neither lock nor ledger for it
        call.endpoints.check()
        call.console.line("no change")
        return 0
    report = _run(call, goal, target)
    if limit is None and not report.steps:
        call.console.line("no change")
    if limit is not None and not report.steps:
        raise GoFault("file does not exist")
    if report.missing_steps:
        raise GoFault(f"limit {report.missing_steps} short")
    return 0


def _run(call: GoInvocation, goal: Goal, target: Target | None) -> RunReport:
    migrations = call.endpoints.migrations
    for warning in migrations.warnings:
        call.console.line(f"warning: {warning}")
    try:
        return run_goal(target or call.target(), migrations, goal)
    except EmptySource as empty:
        wanted = goal.version if isinstance(goal, Goto) else None
        missing = wanted if empty.version is None else empty.version
        if missing is None:
            raise
        raise GoFault(not_found(missing)) from None
