"""
The commands that run migrations: up, down, goto, redo.

What goes down is shown and asked about before the lock is taken, on the session that runs it;
any other plan is refused then.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from rung.cli.confirm import confirm, confirm_typed, needs_confirmation
from rung.cli.exit_codes import StoppedBySignal
from rung.cli.invocation import make_migrator, open_database
from rung.cli.signals import exit_code_of_signal, listening, make_signals
from rung.errors import Stopped
from rung.execution.stored_sql import check_read
from rung.planning.down_choice import NOT_REVERTED
from rung.planning.goal_command import down_options
from rung.planning.plan import Redo, Up
from rung.render import json_output as shapes
from rung.render.progress import progress
from rung.render.tables import down_lines, step_range, unreverted_lines
from rung.render.text import count, outcome

if TYPE_CHECKING:
    from rung.cli.invocation import Invocation
    from rung.execution.run import PlanPreview
    from rung.planning.plan import Goal


def move(call: Invocation) -> None:
    """Run up, down, goto or redo, and print the outcome."""
    goal, source, signals = call.goal, call.settings.need_source(), make_signals()
    with (
        open_database(call) as database,
        progress(call.console) as listener,
        ExitStack() as handlers,
    ):
        migrator = make_migrator(
            call, database, source=source, listener=listener, stop=signals.stop
        )

        def agreed(preview: PlanPreview) -> Goal:
            """Ask; until somebody agreed, a signal leaves at once."""
            agreed_to = _confirm(call, preview, migrator.shown)
            handlers.enter_context(listening(signals))
            return agreed_to

        if isinstance(goal, Up):
            handlers.enter_context(listening(signals))
        try:
            report = migrator.run(goal, confirm=None if isinstance(goal, Up) else agreed)
        except Stopped as error:
            raise StoppedBySignal(error, exit_code_of_signal(signals.first)) from None
    if call.console.json:
        call.json(shapes.report(report))
    if call.console.verbose and report.steps:
        statements = sum(step.statements for step in report.steps)
        call.console.detail(f"Ran {count(statements, 'statement')}.")
    call.console.state(outcome(report))


def _confirm(call: Invocation, preview: PlanPreview, shown: str) -> Goal:
    """
    Ask a person where a plan goes down, and return its goal with what they allowed.

    Stored down SQL that nobody has read yet needs a typed `yes`; its hash is added to the goal.
    """
    plan = preview.plan
    goal = plan.goal
    if not plan.goes_down:
        return goal
    if not needs_confirmation(call):
        check_read(plan)
    if passed := [step for step in plan.steps if step.passes == NOT_REVERTED]:
        what = f"Skip {count(len(passed), 'migration')} that cannot be reverted on {shown}"
        confirm(call, what, unreverted_lines(passed))
    what = f"Go down {step_range(plan)} on {shown}"
    if isinstance(goal, Redo):
        what = f"Revert and apply again {step_range(plan)} on {shown}"
    confirm(call, what, down_lines(preview))
    stored = [step.stored for step in plan.steps if step.stored and step.stored.unseen]
    unread = [one for one in stored if one.sha256 not in down_options(goal).stored_sql]
    if not unread or isinstance(goal, Up):
        return goal
    confirm_typed(call, f"Run {count(len(unread), 'stored down')} as shown above")
    hashes = (*goal.downs.stored_sql, *(one.sha256 for one in unread))
    return replace(goal, downs=replace(goal.downs, stored_sql=hashes))
