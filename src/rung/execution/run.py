"""Up, down and goto: what they would run, and the run itself under the lock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rung.errors import (
    DatabaseBusy,
    DirtyLedger,
    LockNotAcquired,
    MigrationFailed,
    PlanChanged,
    PlanError,
    UsageError,
)
from rung.events import BaselineRecorded, Warned
from rung.execution.admin import baseline, new_in_baseline
from rung.execution.atomic_run import check_together, run_together
from rung.execution.command import READ_WITHIN, Context, RetryPolicy, held, tell_obstacles
from rung.execution.executor import run_plan
from rung.execution.history_records import Recorder
from rung.execution.plan_under_lock import plan_for
from rung.execution.preflight import (
    check_kept,
    check_pooler_safe,
    check_recordable,
    check_trusted,
    check_writable,
    made_by,
    others_warning,
    twins_warning,
)
from rung.execution.prepare import prepare
from rung.execution.report import RunReport
from rung.execution.state import DatabaseState, read_state
from rung.execution.stored_downs import check_read
from rung.execution.warnings import (
    absent_names,
    ahead_warning,
    not_compared,
    passed_over,
    taken_over,
    warnings_of,
)
from rung.ledger import Outcome
from rung.planning.plan import Down, Redo
from rung.script.data_loss import CHANGES_BY, VALUES_IN, find_data_loss
from rung.source import Direction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.drivers.contract import Session
    from rung.drivers.inspection import Inspection
    from rung.execution.command import Target
    from rung.execution.prepare import PreparedStep
    from rung.execution.warnings import Absent
    from rung.ledger import Attempt
    from rung.planning.plan import Goal, Plan
    from rung.script.data_loss import DataLoss
    from rung.source import MigrationSet


@dataclass(frozen=True, slots=True)
class PlanPreview:
    """A plan with its SQL read, and what it would take away; nothing was touched."""

    plan: Plan
    prepared: tuple[PreparedStep, ...]
    losses: tuple[DataLoss, ...] = ()
    atomic: bool = False
    """Whether all of it would be one transaction."""
    taken_over: bool = False
    """Whether versions count as applied that no run of Rung's applied."""


def preview(target: Target, migrations: MigrationSet, goal: Goal) -> PlanPreview:
    """
    Plan a goal and read its SQL, touching nothing.

    A locked ledger is waited for as by every command that only reads, however long a run would try.

    Raises:
        LockNotAcquired: the ledger is dirty, and a run that is under way may be why.
        TableLocked: ledger or history were locked for longer.
    """
    options = target.options._replace(lock_retry_for=READ_WITHIN)
    with target._replace(options=options).connected() as session:
        state = read_state(session, migrations)
        try:
            plan = plan_for(goal, state, session, target.options)
        except DirtyLedger:
            holder = session.holder()
            if holder is None:
                raise
            raise LockNotAcquired(0.0, str(holder)) from None
        prepared = _prepare(target, plan, state.inspection)
        gone = tuple(loss for item in prepared for loss in _losses_of(item))
        tell_obstacles(target.listener, state.inspection)
        _tell(target, state, plan, prepared)
        others = bool(taken_over(state))
        return PlanPreview(plan, prepared, session.estimate(gone), target.options.atomic, others)


def _losses_of(item: PreparedStep) -> tuple[DataLoss, ...]:
    """What a file takes away; that an up changes values is what it is for."""
    found = find_data_loss(item.script, item.step.done)
    down = item.step.direction is Direction.DOWN
    return tuple(loss for loss in found if down or loss.kind not in (VALUES_IN, CHANGES_BY))


def absent(target: Target, migrations: MigrationSet) -> Absent:
    """What the files of versions make that no run of ours applied, and the database lacks."""
    with target.connected() as session:
        state = read_state(session, migrations)
        return absent_names(session, state, taken_over(state))


def run_goal(
    target: Target, migrations: MigrationSet, goal: Goal, expected: Plan | None
) -> RunReport:
    """Go where the goal says; refuse any plan but the expected one, where one is given."""
    with target.connected() as session:
        state = _glance(session, migrations)
        if state is not None:
            check_trusted(state.inspection)
        idle = None if state is None or state.owes_baseline else _idle(target, goal, state)
        return idle or _locked(target, migrations, goal, session, expected)


def _glance(session: Session, migrations: MigrationSet) -> DatabaseState | None:
    """A look without the lock; None where somebody's work keeps the database from answering."""
    try:
        return read_state(session, migrations, briefly=True)
    except DatabaseBusy:
        return None


def _idle(target: Target, goal: Goal, state: DatabaseState) -> RunReport | None:
    """
    The report of a run with nothing to run; None where there may be something.

    Who only owes a baseline does not wait for another run's lock: a later run writes it.
    """
    look = state.inspection
    try:
        plan = state.plan(goal, passes_empty=target.options.passes_empty)
    except PlanError:
        return None
    if plan.steps or not look.ledger_exists:
        return None
    if state.edited_ups and not plan.ahead and not isinstance(goal, Down):
        return None
    _tell(target, state, plan, ())
    return RunReport((), look.ledger.version, plan.short, taken_over=bool(taken_over(state)))


def _locked(
    target: Target,
    migrations: MigrationSet,
    goal: Goal,
    session: Session,
    expected: Plan | None,
) -> RunReport:
    idle: list[RunReport] = []

    def nothing_left() -> bool:
        state = _glance(session, migrations)
        report = None if state is None else _idle(target, goal, state)
        idle.extend([report] if report else [])
        return bool(idle)

    policy = RetryPolicy(target.wait_for_lock)
    began = policy.clock()
    with held(session, policy, target.listener, target.stop, nothing_left) as won:
        waited = policy.clock() - began
        if not won:
            return replace(idle[0], waited=waited)
        state = read_state(session, migrations)
        check_trusted(state.inspection)
        plan = plan_for(goal, state, session, target.options)
        if expected is not None and plan.steps and plan != expected:
            raise PlanChanged
        try:
            report = _run(target, session, state, plan, policy)
        except MigrationFailed as failed:
            _explain(failed, state, goal)
            if isinstance(goal, Redo) and failed.direction == "up":
                failed.again_by("rung up")
            raise
        return replace(report, waited=waited, taken_over=bool(taken_over(state)))


def _explain(failed: MigrationFailed, state: DatabaseState, goal: Goal) -> None:
    """Have a failure say what the history knows of what is there already."""
    history = state.inspection.history or ()
    done = {row.direction for row in history if _is_done(row, failed.version)}
    gone = isinstance(goal, Redo) or failed.version not in state.applied.versions
    reverted = gone and {"up", "down"} <= done | ({"down"} if isinstance(goal, Redo) else set())
    failed.explained_by(passed_over=failed.version in state.applied.unreverted, reverted=reverted)


def _is_done(row: Attempt, version: int) -> bool:
    return row.outcome is Outcome.DONE and row.version == version and not row.ran_nothing


def _run(
    target: Target, session: Session, state: DatabaseState, plan: Plan, policy: RetryPolicy
) -> RunReport:
    look = state.inspection
    check_read(plan)
    prepared = _prepare(target, plan, look)
    check_pooler_safe(target, look.place, prepared)
    recorder = Recorder.of(look.history or (), look.place.dialect)
    if plan.steps or state.owes_baseline:
        _make_ready(target, session, state, plan, recorder)
    _tell(target, state, plan, prepared)
    if not plan.steps:
        return RunReport((), look.ledger.version, plan.short)
    context = Context(
        target.driver,
        session,
        target.listener,
        target.stop,
        policy,
        recorder,
        target.options,
    )
    run = run_together if target.options.atomic else run_plan
    return run(context, plan, prepared)


def _make_ready(
    target: Target, session: Session, state: DatabaseState, plan: Plan, recorder: Recorder
) -> None:
    """The tables, and the rows that the history lacks of what was done without it."""
    look = state.inspection
    check_writable(target, look.place)
    if any(step.before == step.after for step in plan.steps):
        check_recordable(look)  # nothing else would keep a late one from running again
    of_twins = twins_warning(session)
    ready = session.ensure_tables(made_by(state.migrations, look.place.dialect))
    if any(step.before == step.after for step in plan.steps):
        check_kept(ready)
    for warning in filter(None, (of_twins, others_warning(look.other_writers))):
        target.listener(Warned(warning))
    if look.missing_grant or ready.no_history:
        target.listener(Warned(ready.no_history or _without_history(look.missing_grant)))
        return
    if ready.note:
        target.listener(Warned(ready.note))
    rows = baseline(state.applied.unrecorded, state.migrations, recorder)
    rows += [recorder.note("edit", v, state.migrations.by_version[v]) for v in _mended(state)]
    if rows:
        session.record(rows)
    if state.applied.unrecorded:
        _tell_baseline(target, session, state)


def _tell_baseline(target: Target, session: Session, state: DatabaseState) -> None:
    """What counts as applied from now on; and for `rung`, whether the schema is that of it."""
    new = new_in_baseline(state.applied)
    target.listener(BaselineRecorded(new, state.inspection.ledger.version))
    lacks = "" if target.options.passes_empty else ahead_warning(session, state)
    if lacks:
        target.listener(Warned(lacks))


def _mended(state: DatabaseState) -> list[int]:
    """The versions of which only the down was edited: its text replaces the stored one."""
    ups = {edit.version for edit in state.edited_ups}
    downs = (edit for edit in state.edits if edit.direction is Direction.DOWN)
    return [edit.version for edit in downs if edit.version not in ups]


def _without_history(grant: str) -> str:
    return (
        "This run is not recorded: late and edited files go unnoticed, and what became of a lost "
        f"connection is told by the ledger alone. For a history, grant: {grant}"
    )


def _tell(
    target: Target, state: DatabaseState, plan: Plan, prepared: Sequence[PreparedStep]
) -> None:
    """What a person should know of a plan that is not refused for it."""
    if plan.ahead:
        target.listener(Warned(_ahead(state, plan)))
    if plan.goes_down and (ups := state.edited_ups):
        files = ", ".join(edit.half.file for edit in ups)
        target.listener(Warned(f"Edited after it was applied: {files}."))
    if not isinstance(plan.goal, Down):
        lone = not target.options.passes_empty
        for said in warnings_of(state.applied, state.migrations, state.renamed, lone=lone):
            target.listener(Warned(said))
    for said in (*not_compared(state.uncompared), *passed_over(prepared)):
        target.listener(Warned(said))


def _ahead(state: DatabaseState, plan: Plan) -> str:
    """What is let pass with it is named: nothing is skipped in silence."""
    said = (
        f"The database is ahead of the files: it is at version {plan.made_for.version}, "
        "which has no file here. It is left as it is."
    )
    if state.suited:
        said += f" It is declared to suit version {max(state.migrations.versions)}."
    late = state.applied.late(state.migrations, plan.made_for)
    if late:
        said += f" Never applied: {', '.join(str(one.version) for one in late)}."
    if ups := state.edited_ups:
        said += f" Edited after it was applied: {', '.join(edit.half.file for edit in ups)}."
    return said


def _prepare(target: Target, plan: Plan, look: Inspection) -> tuple[PreparedStep, ...]:
    prepared = prepare(plan, look.place.dialect, target.options)
    for item in prepared:
        if marker := item.foreign_marker:
            whole = f"{marker.cause}; all of the file runs, as golang-migrate runs it"
            target.listener(Warned(whole))
    if target.options.atomic:
        _check_dirt(plan)
        check_together(prepared)
    return prepared


def _check_dirt(plan: Plan) -> None:
    """Refuse to go on with a file in the middle and to be one transaction at once."""
    if plan.made_for.dirty and plan.steps:
        raise UsageError(
            "--atomic and --resume do not go together: what stopped in the middle is no part of "
            "one transaction.",
            "Go on with that file first: `rung up 1 --resume`",
        )
