"""
The commands that run migrations: up, down, goto, redo.

What goes down is shown and asked about first, and then only that very plan is run.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from rung.cli.confirm import confirm, confirm_typed, needs_confirmation
from rung.cli.exit_codes import StoppedBySignal
from rung.cli.invocation import make_migrator, open_database
from rung.cli.signals import exit_code_of_signal, listening
from rung.errors import DirtyLedger, LockNotAcquired, PlanChanged, Stopped, TableLocked
from rung.execution.stored_downs import check_read, options_of
from rung.ledger import LedgerState
from rung.planning.down_choice import NOT_REVERTED
from rung.planning.plan import Plan, Redo, Up
from rung.render import json_output as shapes
from rung.render.progress import progress
from rung.render.tables import down_lines, step_range, unreverted_lines
from rung.render.text import count, outcome

if TYPE_CHECKING:
    from rung.cli.invocation import Invocation
    from rung.execution.report import RunReport
    from rung.execution.run import PlanPreview
    from rung.migrator import Migrator
    from rung.planning.plan import Goal
    from rung.process import Signals


def move(call: Invocation) -> None:
    """Run up, down or goto, and print what became of it."""
    goal = call.goal
    source = call.settings.need_source()
    with open_database(call) as database:
        expected = None
        if not isinstance(goal, Up):
            expected = _agreed(call, database, source, goal)
            goal = expected.goal
        report = _run(call, database, source, goal, expected)
    if call.console.json:
        call.json(shapes.report(report))
    if call.console.verbose and report.steps:
        statements = sum(step.statements for step in report.steps)
        call.console.say(f"Ran {count(statements, 'statement')}.")
    call.console.say(outcome(report))


def _run(
    call: Invocation, database: str, source: str, goal: Goal, expected: Plan | None
) -> RunReport:
    with listening() as signals, progress(call.console) as listener:
        migrator = make_migrator(
            call, database, source=source, listener=listener, stop=signals.stop
        )
        return _stoppable(migrator, goal, expected, signals)


def _stoppable(
    migrator: Migrator, goal: Goal, expected: Plan | None, signals: Signals
) -> RunReport:
    try:
        return migrator.run(goal, expected=expected)
    except Stopped as error:
        raise StoppedBySignal(error, exit_code_of_signal(signals.first)) from None


def _agreed(call: Invocation, database: str, source: str, goal: Goal) -> Plan:
    """The plan of a goal, and a person's consent where it goes down."""
    preview = _preview(call, database, source, goal)
    plan = preview.plan
    if not plan.goes_down:
        return plan
    shown = make_migrator(call, database, source=source).shown
    if not needs_confirmation(call):
        check_read(plan)
    if passed := [step for step in plan.steps if step.passes == NOT_REVERTED]:
        what = f"Passing {count(len(passed), 'migration')} that cannot be reverted on {shown}"
        confirm(call, what, unreverted_lines(passed))
    what = f"Going down {step_range(plan)} on {shown}"
    if isinstance(goal, Redo):
        what = f"Reverting and applying again {step_range(plan)} on {shown}"
    confirm(call, what, down_lines(preview))
    return _read_by_person(call, plan)


def _read_by_person(call: Invocation, plan: Plan) -> Plan:
    """The plan with the stored texts that somebody has read now, and typed `yes` for."""
    goal = plan.goal
    unread = [step.stored for step in plan.steps if step.stored and step.stored.unseen]
    unread = [one for one in unread if one.sha256 not in options_of(goal).stored_sql]
    if not unread or isinstance(goal, Up):
        return plan
    confirm_typed(call, f"Running {count(len(unread), 'stored down')} as shown above")
    hashes = (*goal.downs.stored_sql, *(one.sha256 for one in unread))
    downs = replace(goal.downs, stored_sql=hashes)
    return replace(plan, goal=replace(goal, downs=downs))


def _preview(call: Invocation, database: str, source: str, goal: Goal) -> PlanPreview:
    """
    What a goal would run.

    A ledger looks dirty while a healthy run is under way. Only a look under the lock can tell,
    which a run waits for and takes; a plan that cannot be keeps it from doing more. So a locked
    ledger is waited for as by a run, and not only as by what reads.
    """
    migrator = make_migrator(call, database, source=source)
    try:
        return migrator.plan(goal)
    except (DirtyLedger, LockNotAcquired, TableLocked):
        with suppress(PlanChanged):
            _run(call, database, source, goal, Plan(goal, LedgerState(dirty=True)))
    return migrator.plan(goal)
