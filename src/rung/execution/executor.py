"""
Executes a plan under the lock; only this, `units` and `atomic_run` send the SQL of files.

A transactional migration is one round trip and one commit: body, ledger and history
together. What cannot be so runs in `units`. Says what happens through events, returns a
report, or raises an error that carries how far it got and what is true now.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

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
from rung.execution.commit import commit_with_retry, is_requested_end, report_notices
from rung.execution.history import Attempts, record_failure
from rung.execution.outcomes import RunReport, StepReport
from rung.execution.units import cut_at_value, run_units
from rung.ledger import LedgerState, Outcome
from rung.script import Mode, cut_around

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.drivers.transaction import NewAttempt, RecoveryInfo, StatementFailure
    from rung.execution.command import Context
    from rung.execution.preflight import PreparedStep
    from rung.planning.plan import Plan
    from rung.script import Unit


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
    attempts = Attempts(context.recorder, prepared, context.say)
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
    try:
        move = LedgerTransition(before, LedgerState(step.after))
        ran_as = _run(context, item, move, attempt, attempts, last=last)
    except Disconnected as lost:
        _find_out(context, item, attempt, lost, last=last)
        ran_as = item.script.mode
    seconds = time.perf_counter() - context.began
    statements = len(item.script.statements) - step.done
    report = StepReport(*facts, item.file, ran_as.value, statements, seconds, item.result)
    context.done.append(report)
    context.say(StepFinished(*facts, seconds, number, total, report.result))
    if last or context.options.carries_session or not item.script.touches_session:
        return
    try:
        leaked = context.session.reset()
    except Disconnected as gone:
        state = LedgerState(step.after)
        raise outcomes.lost_between(context.applied, state, gone.reason) from None
    if leaked:
        context.say(Warned(outcomes.session_changed(item.file, leaked)))


def _run(
    context: Context,
    item: PreparedStep,
    move: LedgerTransition,
    attempt: NewAttempt,
    attempts: Attempts,
    *,
    last: bool,
) -> Mode:
    """Run a step; how it was run in the end."""
    script, version = item.script, item.step.version
    if script.mode is Mode.UNITS or item.step.done:
        run_units(context, item, move, attempt)
        return Mode.UNITS
    history = (AddAttempt(attempt, Outcome.DONE),)
    transaction = Transaction(
        (Part(StatementRange.whole(script), move, history, starts_file=True),),
        wrap=Wrap.OWN if script.mode is Mode.OWN_TRANSACTION else Wrap.OURS,
        durable=last,
        may_drop_ledger=item.is_last_down,
    )
    result = commit_with_retry(context, version, transaction, [script], observer=attempts)
    report_notices(context, item, result)
    if result.failure:
        units = _otherwise(context, item, result.failure)
        if not units:
            _fail(context, item, move, attempt, result.failure)
        run_units(context, item, move, attempt, units)
        return Mode.UNITS
    if warning := result.transaction_control:
        now = str(context.session.inspect().ledger)
        raise outcomes.unexpected_control(context.applied, item, now, warning)
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
        statement = script.statements[failure.statement - 1]
        what = f"{' '.join(statement.words[:1])} on line {statement.line}"
        reason = f"{what} cannot run inside a transaction, the server says"
    elif failure.read_only:
        units = script.units
        reason = "its transaction is read-only, so the ledger row has to follow it"
    else:
        units = cut_at_value(script, whole, failure) if failure.needs_commit_before else ()
        reason = "it uses an enum value that it adds, which must be committed first"
    if units:
        context.say(ModeChanged(item.step.version, Mode.UNITS.value, reason))
    return units


def _fail(
    context: Context,
    item: PreparedStep,
    move: LedgerTransition,
    attempt: NewAttempt,
    failure: StatementFailure,
) -> NoReturn:
    assert move.before is not None
    before = move.before
    if not failure.lock_lost:
        record_failure(context, attempt, failure)
        if is_requested_end(context, failure):
            raise outcomes.stopped(context.applied, before, context.remaining)
    if failure.lock_lost or failure.ledger_moved:
        before = context.session.inspect().ledger
    raise outcomes.failed(context.applied, item, before, failure)


def _find_out(
    context: Context, item: PreparedStep, attempt: NewAttempt, lost: Disconnected, *, last: bool
) -> None:
    """Learn what became of a step whose connection was lost; return where the run is done."""
    try:
        found = _by_ledger(item, context.driver.recover(context.session, attempt.id))
    except (DatabaseError, Disconnected):
        found = None
    if not (last and found and found.outcome is Outcome.DONE):
        raise outcomes.lost(context.applied, item, lost.reason, found)


def _by_ledger(item: PreparedStep, found: RecoveryInfo) -> RecoveryInfo | None:
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
