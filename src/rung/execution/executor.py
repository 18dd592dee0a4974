"""
Carries a plan out, under the lock: with `units`, the only module that has users' SQL run.

A transactional migration is one round trip and one commit: body, ledger and history
together. What cannot be so runs in `units`. Says what happens through events, returns a
report, or raises an error that carries how far it got and what is true now.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from rung.drivers.inspection import Disconnected
from rung.drivers.transaction import (
    AddAttempt,
    LedgerTransition,
    Part,
    StatementRange,
    Transaction,
    Unobserved,
    Wrap,
)
from rung.errors import DatabaseError
from rung.events import HalfMissing, ModeChanged, RunPlanned, StepFinished, StepStarted, Warned
from rung.execution import outcomes
from rung.execution.history_records import Attempts
from rung.execution.lock_retry import ends_as_asked, tried
from rung.execution.redact_result import redact_result
from rung.execution.report import RunReport, StepReport
from rung.execution.step_outcome import (
    StepObserver,
    is_last_down,
    record_failure,
    report_notices,
)
from rung.execution.units import cut_at_value, run_units
from rung.ledger import LedgerState, Outcome
from rung.script import Mode, cut_around

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.drivers.transaction import ExecutionResult, NewAttempt, RecoveryInfo, StatementFailure
    from rung.execution.command import Context
    from rung.execution.prepare import PreparedStep
    from rung.planning.plan import Plan
    from rung.script import Script, Unit


def run_plan(context: Context, plan: Plan, prepared: Sequence[PreparedStep]) -> RunReport:
    """
    Run every step of a plan.

    Args:
        context: the session that holds the lock, and the listener.
        plan: made under that lock.
        prepared: its steps with their SQL read.

    Raises:
        MigrationFailed: the database refused a file.
        LedgerMoved, LockLost: the ledger was not what the plan was made for, or the lock not
            ours any more.
        UnexpectedTransactionControl: a file controls transactions unseen.
        ConnectionLost: the connection was lost; what became of the step is told.
        Stopped: the run was asked to stop.
        Exception: what the listener raised, once the migration under way is finished.
    """
    steps = [item.step for item in prepared]
    versions = tuple(step.version for step in steps)
    attempts = Attempts(context.recorder, prepared)
    state = plan.made_for
    context.say(RunPlanned(versions, steps[0].direction.value))
    for number, item in enumerate(prepared, 1):
        context.remaining = versions[number - 1 :]
        _may_go_on(context, state)
        _step(context, item, state, attempts, number=number, total=len(prepared))
        state = LedgerState(item.step.after)
    context.remaining = ()
    _may_go_on(context, state)
    return RunReport(tuple(context.done), state.version, plan.missing_steps)


def _may_go_on(context: Context, state: LedgerState) -> None:
    """End the run here where it was asked to stop, or where the listener raised."""
    remaining = context.remaining
    stopped = context.stop.requested and bool(remaining)
    if not stopped and context.listener_error is None:
        return
    if context.done and remaining:
        try:
            context.session.commit(Transaction(durable=True), Unobserved(context.say))
        except Disconnected as gone:
            raise outcomes.lost_between(context.applied, state, gone.reason) from None
    if context.listener_error is not None:
        raise context.listener_error
    raise outcomes.stopped(context.applied, state, remaining)


def _step(
    context: Context,
    item: PreparedStep,
    before: LedgerState,
    attempts: Attempts,
    *,
    number: int,
    total: int,
) -> None:
    step, last = item.step, number == total
    facts = (step.version, step.title, step.direction.value)
    context.say(StepStarted(*facts, item.script.mode.value, number, total))
    if step.half is None and not step.passes:
        context.say(HalfMissing(step.version, step.direction.value))
    context.began = time.perf_counter()
    attempt = attempts.take()
    observer = StepObserver(context.say, attempts.look_ahead)
    try:
        move = LedgerTransition(before, LedgerState(step.after))
        ran_as = _run(context, item, move, attempt, observer, last=last)
    except Disconnected as lost:
        _find_out(context, item, attempt, lost, last=last)
        ran_as = item.script.mode
    seconds = time.perf_counter() - context.began
    statements = len(item.script.statements) - step.done
    report = StepReport(*facts, item.file, ran_as.value, statements, seconds, item.result)
    context.done.append(report)
    context.say(StepFinished(*facts, seconds, number, total, item.result))
    carries = context.options.carries_session
    if item.script.touches_session and not (last or carries):
        _restore(context, item)


def _run(
    context: Context,
    item: PreparedStep,
    move: LedgerTransition,
    attempt: NewAttempt,
    observer: StepObserver,
    *,
    last: bool,
) -> Mode:
    """Run a step; how it was run in the end."""
    script = item.script
    if script.mode is Mode.UNITS or item.step.done:
        run_units(context, item, move, attempt)
        return Mode.UNITS
    history = (AddAttempt(attempt, Outcome.DONE),)
    transaction = Transaction(
        (Part(StatementRange.whole(script), move, history, starts_file=True),),
        wrap=Wrap.OWN if script.mode is Mode.OWN_TRANSACTION else Wrap.OURS,
        durable=last,
        may_drop_ledger=is_last_down(item),
    )
    result = tried(
        context,
        item.step.version,
        lambda: redact_result(context.session.commit(transaction, observer), script),
    )
    report_notices(context, item, result)
    if result.failure is None:
        _check_control(context, item, result)
    elif units := _otherwise(context, item, result.failure):
        run_units(context, item, move, attempt, units)
        return Mode.UNITS
    else:
        _fail(context, item, move, attempt, result.failure)
    return script.mode


def _otherwise(context: Context, item: PreparedStep, failure: StatementFailure) -> tuple[Unit, ...]:
    """The units of a file that was refused as one transaction; none where it failed."""
    script = item.script
    (whole,) = script.units or (None,)
    if whole is None:
        return ()
    if failure.needs_no_transaction:
        assert failure.statement is not None
        units = cut_around(script, whole, failure.statement)
        reason = f"{_at(script, failure)} cannot run inside a transaction, the server says"
    elif failure.read_only:
        units = script.units
        reason = "its transaction is read-only, so the ledger row has to follow it"
    else:
        units = cut_at_value(script, whole, failure) if failure.needs_commit_before else ()
        reason = "it uses an enum value that it adds, which must be committed first"
    if units:
        context.say(ModeChanged(item.step.version, Mode.UNITS.value, reason))
    return units


def _at(script: Script, failure: StatementFailure) -> str:
    """The statement that was refused, by its first word and its line."""
    assert failure.statement is not None
    statement = script.statements[failure.statement - 1]
    return f"{' '.join(statement.words[:1])} on line {statement.line}"


def _check_control(context: Context, item: PreparedStep, result: ExecutionResult) -> None:
    if warning := result.transaction_control:
        now = str(context.session.inspect().ledger)
        raise outcomes.fooled(context.applied, item, now, warning)


def _fail(
    context: Context,
    item: PreparedStep,
    move: LedgerTransition,
    attempt: NewAttempt,
    failure: StatementFailure,
) -> None:
    assert move.before is not None
    before = move.before
    if failure.lock_lost:
        raise outcomes.failed(context.applied, item, context.session.inspect().ledger, failure)
    record_failure(context, attempt, failure)
    if ends_as_asked(context, failure):
        raise outcomes.stopped(context.applied, before, context.remaining)
    if failure.ledger_moved:
        before = context.session.inspect().ledger
    raise outcomes.failed(context.applied, item, before, failure)


def _find_out(
    context: Context, item: PreparedStep, attempt: NewAttempt, lost: Disconnected, *, last: bool
) -> None:
    """Learn what became of a step whose connection was lost; return where the run is done."""
    try:
        found = _told_by_ledger(item, context.driver.recover(context.session, attempt.id))
    except (DatabaseError, Disconnected):
        found = None
    if not (last and found and found.outcome is Outcome.DONE):
        raise outcomes.lost(context.applied, item, lost.reason, found)


def _told_by_ledger(item: PreparedStep, found: RecoveryInfo) -> RecoveryInfo | None:
    """
    What the ledger alone tells, where the history has no row and could not have had one.

    A step that empties history and ledger leaves no row, like one without a history.
    """
    step = item.step
    if found.outcome is not None or (found.recorded and step.after is not None):
        return found
    if step.before == step.after:
        return None
    done = found.ledger == LedgerState(step.after)
    return replace(found, outcome=Outcome.DONE) if done else found


def _restore(context: Context, item: PreparedStep) -> None:
    try:
        carried = context.session.reset()
    except Disconnected as gone:
        state = LedgerState(item.step.after)
        raise outcomes.lost_between(context.applied, state, gone.reason) from None
    if carried:
        context.say(Warned(outcomes.carried_over(item.file, carried)))
