"""Up, down, goto and redo: what they would run, and the run itself under the lock."""

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
    RunError,
)
from rung.errors.run import NOTHING_LEFT
from rung.events import BaselineRecorded, Warned
from rung.execution.atomic_run import run_atomic
from rung.execution.command import READ_WITHIN, Context, RetryPolicy, held, warn_of_obstacles
from rung.execution.executor import run_plan
from rung.execution.history import Recorder, baseline, new_in_baseline, record
from rung.execution.outcomes import RunReport
from rung.execution.preflight import (
    check_kept,
    check_pooler_safe,
    check_recordable,
    check_trusted,
    check_writable,
    made_by,
    others_warning,
    prepare,
    twins_warning,
)
from rung.execution.state import DatabaseState, plan_for, read_state
from rung.execution.stored_sql import check_read
from rung.execution.warnings import absent_names, ahead_warning, plan_warnings, taken_over
from rung.ledger import Outcome
from rung.planning.goal_command import command_for_rest
from rung.planning.plan import Down, Redo
from rung.script.data_loss import CHANGES_BY, VALUES_IN, find_data_loss
from rung.source import Direction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rung.drivers.contract import Lock, Session
    from rung.execution.command import Target
    from rung.execution.preflight import PreparedStep
    from rung.execution.warnings import Absent
    from rung.planning.plan import Goal, Plan
    from rung.script.data_loss import DataLoss
    from rung.source import MigrationSet


@dataclass(frozen=True, slots=True)
class PlanPreview:
    """A plan with its SQL read, and the data that it would delete; nothing was changed."""

    plan: Plan
    prepared: tuple[PreparedStep, ...]
    losses: tuple[DataLoss, ...] = ()
    atomic: bool = False
    """Whether all of it would be one transaction."""
    taken_over: bool = False
    """Whether versions count as applied that no run of Rung's applied."""


def preview(target: Target, migrations: MigrationSet, goal: Goal) -> PlanPreview:
    """
    Plan a goal and read its SQL; change nothing.

    Wait for a locked ledger as every command that only reads does, however long a run would wait.

    Raises:
        LockNotAcquired: the ledger is dirty, and another run holds the lock.
        TableLocked: ledger or history were locked for longer.
    """
    options = target.options._replace(lock_retry_for=READ_WITHIN)
    with target._replace(options=options).connected() as session:
        run = _Run(target, session, migrations)
        state = read_state(session, migrations)
        try:
            return run.preview(goal, state)
        except DirtyLedger:
            holder = session.lock_holder()
            if holder is None:
                raise
            raise LockNotAcquired(0.0, str(holder)) from None


def absent(target: Target, migrations: MigrationSet) -> Absent:
    """Find the names that versions which no run of ours applied make, and the database lacks."""
    with target.connected() as session:
        state = read_state(session, migrations)
        return absent_names(session, state, taken_over(state))


def run_goal(
    target: Target,
    migrations: MigrationSet,
    goal: Goal,
    expected: Plan | None = None,
    confirm: Callable[[PlanPreview], Goal] | None = None,
) -> RunReport:
    """
    Run a goal on one session.

    Args:
        target: the database.
        migrations: the source, read once.
        goal: where to go.
        expected: refuse any plan but this one.
        confirm: called with what would run, before the lock is taken; returns the goal with what
            somebody allowed, and raises where nobody agreed. Any other plan is refused then. It is
            not called where there is nothing to run.

    Raises:
        PlanChanged: the plan made under the lock is another one.
        RungError: see `rung.errors`.
    """
    with target.connected() as session:
        run = _Run(target, session, migrations)
        state = run.inspect(briefly=confirm is None)
        if state is not None:
            check_trusted(state.inspection)
            # A run that needs a baseline and nothing else does not wait for another run's lock.
            if not state.needs_baseline and (idle := run.idle(goal, state)):
                return idle
        if confirm is not None:
            shown = run.preview_for_prompt(goal, state)
            goal = confirm(shown)
            expected = replace(shown.plan, goal=goal)
        return run.under_lock(goal, expected)


class _Run:
    """One run on one session; says its warnings once, with the first plan that it shows or runs."""

    def __init__(self, target: Target, session: Session, migrations: MigrationSet) -> None:
        self._target, self._session, self._migrations = target, session, migrations
        self._options, self._policy = target.options, RetryPolicy(target.options.wait_for_lock)
        self._has_warned = False

    def inspect(self, *, briefly: bool) -> DatabaseState | None:
        """Inspect without the lock; None where another connection's work keeps us from it."""
        try:
            return read_state(self._session, self._migrations, briefly=briefly)
        except DatabaseBusy:
            return None

    def idle(self, goal: Goal, state: DatabaseState) -> RunReport | None:
        """Report a run with nothing to run; None where there may be something."""
        inspection = state.inspection
        try:
            plan = state.plan(goal, passes_empty=self._options.passes_empty)
        except PlanError:
            return None
        if plan.steps or not inspection.ledger_exists:
            return None
        if state.edited_ups and not plan.ahead and not isinstance(goal, Down):
            return None
        self._warn(state, plan, ())
        return RunReport(
            (), plan.made_for.version, plan.missing_steps, taken_over=bool(taken_over(state))
        )

    def preview(self, goal: Goal, state: DatabaseState) -> PlanPreview:
        """Plan a goal, read its SQL and count the rows that it would delete."""
        plan = plan_for(goal, state, self._session, self._options)
        prepared = prepare(plan, state.inspection.place.dialect, self._options)
        losses = [
            loss
            for item in prepared
            for loss in find_data_loss(item.script, item.step.done)
            if item.step.direction is Direction.DOWN  # an up is there to change values
            or loss.kind not in (VALUES_IN, CHANGES_BY)
        ]
        warn_of_obstacles(self._target.listener, state.inspection)
        self._warn(state, plan, prepared)
        counted = self._session.estimate(losses)
        return PlanPreview(plan, prepared, counted, self._options.atomic, bool(taken_over(state)))

    def preview_for_prompt(self, goal: Goal, state: DatabaseState | None) -> PlanPreview:
        """
        Preview a goal; where another run may be what keeps us from it, wait for its end.

        A ledger is dirty while a healthy run is in progress, which only an inspection under the
        lock can tell. The lock is released before anybody is asked.
        """
        if state is not None:
            try:
                return self.preview(goal, state)
            except DirtyLedger:
                pass
        with held(
            self._session, self._policy, self._target.listener, self._target.stop, lambda: False
        ):
            return self.preview(goal, read_state(self._session, self._migrations))

    def under_lock(self, goal: Goal, expected: Plan | None) -> RunReport:
        """Take the lock, inspect and plan, and run the plan."""
        idle: list[RunReport] = []

        def nothing_left() -> bool:
            state = self.inspect(briefly=True)
            if state is not None and (report := self.idle(goal, state)):
                idle.append(report)
            return bool(idle)

        session, target, clock = self._session, self._target, self._policy.clock
        began = clock()
        with held(session, self._policy, target.listener, target.stop, nothing_left) as lock:
            waited = clock() - began
            if lock is None:
                return replace(idle[0], waited_seconds=waited)
            state = read_state(session, self._migrations)
            check_trusted(state.inspection)
            plan = plan_for(goal, state, session, self._options)
            if expected is not None and plan.steps and plan != expected:
                raise PlanChanged
            try:
                report = self._run(state, plan, lock)
            except RunError as error:
                if isinstance(error, MigrationFailed):
                    _explain(error, state, goal)
                done, atomic = len(error.applied), self._options.atomic
                error.again_by(command_for_rest(plan, done, atomic=atomic) or NOTHING_LEFT)
                raise
            return replace(report, waited_seconds=waited, taken_over=bool(taken_over(state)))

    def _run(self, state: DatabaseState, plan: Plan, lock: Lock) -> RunReport:
        target, inspection = self._target, state.inspection
        check_read(plan)
        prepared = prepare(plan, inspection.place.dialect, self._options)
        check_pooler_safe(target, inspection.place, prepared)
        recorder = Recorder.of(inspection.history or (), inspection.place.dialect)
        if plan.steps or state.needs_baseline:
            self._prepare_tables(state, plan, recorder)
        self._warn(state, plan, prepared)
        if not plan.steps:
            return RunReport((), inspection.ledger.version, plan.missing_steps)
        context = Context(
            target.driver,
            self._session,
            lock,
            target.listener,
            target.stop,
            self._policy,
            recorder,
            self._options,
        )
        run = run_atomic if self._options.atomic else run_plan
        return run(context, plan, prepared)

    def _prepare_tables(self, state: DatabaseState, plan: Plan, recorder: Recorder) -> None:
        """Make ledger and history where they are missing, and record what has no history row."""
        session, inspection = self._session, state.inspection
        check_writable(self._target, inspection.place)
        # Nothing but the history keeps a version from running again whose step leaves the ledger.
        needs_history = any(step.before == step.after for step in plan.steps)
        if needs_history:
            check_recordable(inspection)
        of_twins = twins_warning(session)
        ready = session.prepare_tables(made_by(state.migrations, inspection.place.dialect))
        if needs_history:
            check_kept(ready)
        self._say(of_twins, others_warning(inspection.other_writers))
        if ready.no_history or inspection.missing_grant:
            self._say(ready.no_history or _NO_HISTORY.format(grant=inspection.missing_grant))
            return
        self._say(ready.note)
        unrecorded = state.applied.unrecorded
        rows = baseline(unrecorded, state.migrations, recorder)
        files = state.migrations.by_version
        rows += [recorder.note("edit", version, files[version]) for version in state.edited_downs]
        if rows:
            record(session, rows, self._target.listener)
        if unrecorded:
            new = new_in_baseline(state.applied)
            self._target.listener(BaselineRecorded(new, inspection.ledger.version))
            if not self._options.passes_empty:
                self._say(ahead_warning(session, state))

    def _warn(self, state: DatabaseState, plan: Plan, prepared: Sequence[PreparedStep]) -> None:
        if not self._has_warned:
            self._has_warned = True
            lone = not self._options.passes_empty
            self._say(*plan_warnings(state, plan, prepared, lone=lone))

    def _say(self, *warnings: str) -> None:
        for warning in filter(None, warnings):
            self._target.listener(Warned(warning))


_NO_HISTORY = (
    "this run is not recorded: out-of-order and edited files are not detected, and after a "
    "lost connection only the ledger shows the outcome. For a history, grant: {grant}"
)


def _explain(failed: MigrationFailed, state: DatabaseState, goal: Goal) -> None:
    """Add to a failure what the history says of objects that are there already."""
    redone = isinstance(goal, Redo)
    directions = {
        row.direction
        for row in state.inspection.history or ()
        if row.outcome is Outcome.DONE and row.version == failed.version and not row.ran_nothing
    }
    directions |= {"down"} if redone else set()
    is_gone = redone or failed.version not in state.applied.versions
    failed.explained_by(
        passed_over=failed.version in state.applied.unreverted,
        reverted=is_gone and {"up", "down"} <= directions,
    )
