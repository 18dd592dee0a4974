"""
Runs all steps of a plan in one transaction: all of them are there in the end, or none.

Each step is a part of one `Transaction`, with its move of the ledger and its row of the history.
Nothing is committed before the end, so a step is reported as run when it has run, and as
finished when all are.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from rung.drivers.inspection import Disconnected
from rung.drivers.transaction import (
    AddAttempt,
    ExecutionResult,
    LedgerTransition,
    Part,
    StatementRange,
    Transaction,
)
from rung.errors import AtomicRefused, DatabaseError
from rung.events import HalfMissing, RunPlanned, StepFinished, StepRan, StepStarted, Warned
from rung.execution import outcomes
from rung.execution.lock_retry import ends_as_asked, tried
from rung.execution.redact_result import redact_part, redact_result
from rung.execution.report import RunReport, StepReport
from rung.execution.step_outcome import is_last_down, record_failure, report_notices
from rung.ledger import LedgerState, Outcome
from rung.script import Mode
from rung.script.dialect import Dialect
from rung.script.sqlite.foreign_keys import turned_off_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.drivers.transaction import PartResult, RecoveryInfo, StatementFailure
    from rung.events import Event
    from rung.execution.command import Context
    from rung.execution.prepare import PreparedStep
    from rung.planning.plan import Plan

ATOMIC = "atomic"
"""The mode of a step that is in one transaction with the others of its run."""
_NO_TRANSACTION = "leave --atomic out (this statement cannot run inside a transaction)"
_NEW_VALUE = "leave --atomic out (a new value of an enum can only be used after a commit)"


def check_together(prepared: Sequence[PreparedStep]) -> None:
    """
    Refuse a file that cannot be in one transaction with others.

    Raises:
        AtomicRefused: with the file and the reason.
    """
    for number, item in enumerate(prepared, 1):
        if reason := _forbids(item, number == len(prepared), len(prepared) > 1):
            raise AtomicRefused(item.step.version, item.file, reason)


def _forbids(item: PreparedStep, last: bool, several: bool) -> str:  # noqa: FBT001 - two facts
    script = item.script
    if several and script.dialect is Dialect.SQLITE and (one := turned_off_by(script)):
        return (
            f"PRAGMA foreign_keys on line {one.line} turns foreign keys off, which SQLite does "
            "only before a transaction"
        )
    if script.mode is not Mode.TRANSACTIONAL:
        return script.reason
    for one in script.statements:
        if one.words[:2] == ("SET", "TRANSACTION"):
            return f"SET TRANSACTION on line {one.line} is for a transaction of its own"
    if script.dialect is Dialect.SQLITE and script.touches_session and not last:
        return "it changes its session, which cannot be reset inside a transaction"
    return ""


def run_together(context: Context, plan: Plan, prepared: Sequence[PreparedStep]) -> RunReport:
    """
    Run every step of a plan in one transaction.

    Args:
        context: the session that holds the lock, and the listener.
        plan: made under that lock.
        prepared: its steps, as `check_together` lets them pass.

    Raises:
        MigrationFailed, LedgerMoved, UnexpectedTransactionControl, ConnectionLost, Stopped: as for
            every run, with nothing of it kept.
        Exception: what the listener raised; nothing is kept then, if it was before the end.
    """
    run = _AtomicRun(context, plan, prepared)
    scripts = [item.script for item in prepared]
    context.remaining = tuple(item.step.version for item in prepared)
    context.say(RunPlanned(context.remaining, prepared[0].step.direction.value))
    try:
        result = tried(
            context,
            context.remaining[0],
            lambda: redact_result(context.session.commit(run.transaction, run), *scripts),
        )
    except Disconnected as lost:
        _find_out(run, lost)
        result = ExecutionResult()
    if result.stopped:
        _stop(run)
    if result.failure:
        report_notices(context, run.item, result)
        _fail(run, result.failure)
    if result.transaction_control:
        report_notices(context, run.item, result)
        now = str(context.session.inspect().ledger)
        raise outcomes.fooled((), run.item, now, result.transaction_control)
    return _finish(run)


class _AtomicRun:
    """All steps as one transaction; observes how far the try at it is."""

    def __init__(self, context: Context, plan: Plan, prepared: Sequence[PreparedStep]) -> None:
        self.context, self.plan, self.prepared = context, plan, prepared
        self.attempts = [context.recorder.attempt(item) for item in prepared]
        self.transaction = self._transaction()
        self.ran: list[StepReport] = []

    @property
    def item(self) -> PreparedStep:
        """The step that is sent now."""
        return self.prepared[min(len(self.ran), len(self.prepared) - 1)]

    @property
    def end(self) -> LedgerState:
        """The ledger after all steps."""
        return LedgerState(self.prepared[-1].step.after)

    def _transaction(self) -> Transaction:
        parts, state = [], self.plan.made_for
        for item, attempt in zip(self.prepared, self.attempts, strict=True):
            after = LedgerState(item.step.after)
            span = StatementRange.whole(item.script)
            history = (AddAttempt(attempt, Outcome.DONE),)
            move = LedgerTransition(state, after)
            parts.append(Part(span, move, history, starts_file=True))
            state = after
        last_down = is_last_down(self.prepared[-1])
        return Transaction(tuple(parts), durable=True, may_drop_ledger=last_down)

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
            context.say(Warned(outcomes.carried_over(item.file, result.leaked_settings)))
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


def _stop(run: _AtomicRun) -> None:
    """End a run of which nothing is kept: the listener raised, or it was asked to stop."""
    context = run.context
    if context.listener_error is not None:
        raise context.listener_error
    raise outcomes.stopped((), run.plan.made_for, context.remaining)


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


def _fail(run: _AtomicRun, failure: StatementFailure) -> None:
    context, before = run.context, run.plan.made_for
    record_failure(context, run.attempts[failure.part], failure)
    if ends_as_asked(context, failure):
        raise outcomes.stopped((), before, context.remaining)
    if failure.ledger_moved or failure.lock_lost:
        before = context.session.inspect().ledger
    explained = _explained(failure)
    raise outcomes.failed((), run.item, before, explained, kept=outcomes.NOTHING_OF_THE_RUN)


def _explained(failure: StatementFailure) -> StatementFailure:
    if failure.needs_no_transaction:
        return replace(failure, remedy=_NO_TRANSACTION)
    return replace(failure, remedy=_NEW_VALUE) if failure.needs_commit_before else failure


def _find_out(run: _AtomicRun, lost: Disconnected) -> None:
    """Learn what became of the transaction; return where all of it is committed."""
    context = run.context
    try:
        found = context.driver.recover(context.session, run.attempts[0].id)
    except (DatabaseError, Disconnected):
        found = None
    if found is None or not _committed(run, found):
        state = found.ledger if found else None
        places = (run.plan.made_for, run.end)
        raise outcomes.lost_together(run.item, places, lost.reason, state)
    if len(run.ran) < len(run.prepared):
        run.add_report(run.prepared[-1])


def _committed(run: _AtomicRun, found: RecoveryInfo) -> bool:
    """Whether all is there: by the history, and without one by the ledger."""
    if found.outcome is not None or found.recorded:
        return found.outcome is Outcome.DONE
    return found.ledger == run.end != run.plan.made_for
