"""
Runs all steps of a plan in one transaction: all of them are there in the end, or none.

Each step is a part of one `Transaction`, with its move of the ledger and its row of the history.
Nothing is committed before the end, so a step is reported as run when it has run, and as
finished when all are.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from rung.drivers.inspection import Disconnected
from rung.drivers.transaction import (
    AddAttempt,
    ExecutionResult,
    LedgerTransition,
    Part,
    StatementRange,
    Transaction,
)
from rung.errors import DatabaseError
from rung.events import HalfMissing, RunPlanned, StepFinished, StepRan, StepStarted, Warned
from rung.execution import outcomes
from rung.execution.commit import (
    commit_with_retry,
    is_requested_end,
    redact_part,
    report_notices,
)
from rung.execution.history import record_failure
from rung.execution.outcomes import RunReport, StepReport
from rung.ledger import LedgerState, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.drivers.transaction import PartResult, StatementFailure
    from rung.events import Event
    from rung.execution.command import Context
    from rung.execution.preflight import PreparedStep
    from rung.planning.plan import Plan

ATOMIC = "atomic"
"""The mode of a step that is in one transaction with the others of its run."""
_NO_TRANSACTION = "leave --atomic out (this statement cannot run inside a transaction)"
_NEW_VALUE = "leave --atomic out (a new value of an enum can only be used after a commit)"


def run_atomic(context: Context, plan: Plan, prepared: Sequence[PreparedStep]) -> RunReport:
    """
    Run every step of a plan in one transaction.

    Args:
        context: the session that holds the lock, and the listener.
        plan: made under that lock.
        prepared: its steps, each of which can be in one transaction with the others.

    Raises:
        MigrationFailed, LedgerMoved, UnexpectedTransactionControl, ConnectionLost, Stopped: as for
            every run, with nothing of it committed.
        Exception: what the listener raised; nothing is committed then, if it was before the end.
    """
    run = _AtomicRun(context, plan, prepared)
    scripts = [item.script for item in prepared]
    versions = context.remaining = tuple(item.step.version for item in prepared)
    context.say(RunPlanned(versions, prepared[0].step.direction.value))
    try:
        result = commit_with_retry(context, versions[0], run.transaction, scripts, observer=run)
    except Disconnected as lost:
        _find_out(run, lost)
        result = ExecutionResult()
    if result.stopped:
        if context.listener_error is not None:
            raise context.listener_error
        raise outcomes.stopped((), plan.made_for, context.remaining)
    if result.failure:
        report_notices(context, run.item, result)
        _fail(run, result.failure)
    if result.transaction_control:
        report_notices(context, run.item, result)
        now = str(context.session.inspect().ledger)
        raise outcomes.unexpected_control((), run.item, now, result.transaction_control)
    return _finish(run)


class _AtomicRun:
    """All steps as one transaction; observes how far the try at it is."""

    def __init__(self, context: Context, plan: Plan, prepared: Sequence[PreparedStep]) -> None:
        self.context, self.plan, self.prepared = context, plan, prepared
        self.attempts = [context.recorder.attempt(item) for item in prepared]
        self.ran: list[StepReport] = []
        parts, state = [], plan.made_for
        for item, attempt in zip(prepared, self.attempts, strict=True):
            move = LedgerTransition(state, LedgerState(item.step.after))
            history = (AddAttempt(attempt, Outcome.DONE),)
            parts.append(Part(StatementRange.whole(item.script), move, history, starts_file=True))
            state = move.after
        self.transaction = Transaction(
            tuple(parts), durable=True, may_drop_ledger=prepared[-1].is_last_down
        )

    @property
    def item(self) -> PreparedStep:
        """The step that is sent now."""
        return self.prepared[min(len(self.ran), len(self.prepared) - 1)]

    @property
    def end(self) -> LedgerState:
        """The ledger after all steps."""
        return LedgerState(self.prepared[-1].step.after)

    # --- as `rung.drivers.transaction.Observer` -------------------------------------------

    def before_part(self, number: int) -> bool:
        """Announce a step; False where the run was asked to stop, or the listener raised."""
        context, total = self.context, len(self.prepared)
        del self.ran[number:]  # a retry begins with the first
        if context.stop.requested or context.listener_error is not None:
            return False
        item = self.prepared[number]
        step = item.step
        facts = (step.version, step.title, step.direction.value)
        context.say(StepStarted(*facts, ATOMIC, number + 1, total))
        if step.half is None and not step.passes:
            context.say(HalfMissing(step.version, step.direction.value))
        context.began = time.perf_counter()
        return True

    def sent(self) -> None:
        """Nothing: every record is made already."""

    def after_part(self, number: int, result: PartResult) -> None:
        """Report a step that ran; it is finished when all are committed."""
        context, item = self.context, self.prepared[number]
        report_notices(context, item, redact_part(result, item.script))
        if result.leaked_settings:
            context.say(Warned(outcomes.session_changed(item.file, result.leaked_settings)))
        self.add_report(item)
        ran = self.ran[-1]
        facts = (ran.version, ran.name, ran.direction)
        context.say(StepRan(*facts, ran.seconds, number + 1, len(self.prepared)))

    def report(self, event: Event) -> None:
        """Hand it on."""
        self.context.say(event)

    def add_report(self, item: PreparedStep) -> None:
        """Count a step as run."""
        seconds = time.perf_counter() - self.context.began
        facts = (item.step.version, item.step.title, item.step.direction.value)
        statements = len(item.script.statements)
        self.ran.append(StepReport(*facts, item.file, ATOMIC, statements, seconds, item.result))


def _finish(run: _AtomicRun) -> RunReport:
    """All is committed."""
    context, total = run.context, len(run.ran)
    for number, step in enumerate(run.ran, 1):
        context.done.append(step)
        facts = (step.version, step.name, step.direction)
        context.say(StepFinished(*facts, step.seconds, number, total, step.result))
    context.remaining = ()
    if context.listener_error is not None:
        raise context.listener_error
    return RunReport(tuple(context.done), run.end.version, run.plan.missing_steps)


def _fail(run: _AtomicRun, failure: StatementFailure) -> NoReturn:
    context, before = run.context, run.plan.made_for
    record_failure(context, run.attempts[failure.part], failure)
    if is_requested_end(context, failure):
        raise outcomes.stopped((), before, context.remaining)
    if failure.ledger_moved or failure.lock_lost:
        before = context.session.inspect().ledger
    if failure.needs_no_transaction:
        failure = replace(failure, remedy=_NO_TRANSACTION)
    elif failure.needs_commit_before:
        failure = replace(failure, remedy=_NEW_VALUE)
    raise outcomes.failed((), run.item, before, failure, kept=outcomes.NOTHING_OF_THE_RUN)


def _find_out(run: _AtomicRun, lost: Disconnected) -> None:
    """Learn what became of the transaction; return where all of it is committed."""
    context = run.context
    try:
        found = context.driver.recover(context.session, run.attempts[0].id)
    except (DatabaseError, Disconnected):
        found = None
    # By the history whether all is there, and without one by the ledger.
    is_committed = found is not None and (
        found.outcome is Outcome.DONE
        if found.outcome is not None or found.recorded
        else found.ledger == run.end != run.plan.made_for
    )
    if not is_committed:
        state = found.ledger if found else None
        places = (run.plan.made_for, run.end)
        raise outcomes.lost_in_atomic_run(run.item, places, lost.reason, state)
    if len(run.ran) < len(run.prepared):
        run.add_report(run.prepared[-1])
