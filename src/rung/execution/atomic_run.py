"""
Runs all steps of a plan in one transaction: all of them are there in the end, or none.

Each step is a message; the first one opens the transaction, the last one commits it, and
ledger and history move within. Nothing is committed before the end, so a step is told of as
run when it has run, and as finished when all are.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rung.drivers.inspection import Disconnected
from rung.drivers.transaction import ExecutionResult, LedgerTransition
from rung.errors import AtomicRefused, DatabaseError, QueryFailed
from rung.events import HalfMissing, RunPlanned, StepFinished, StepRan, StepStarted, Warned
from rung.execution import outcomes
from rung.execution.lock_retry import ends_as_asked, tried
from rung.execution.redact_result import redact_result
from rung.execution.report import RunReport, StepReport
from rung.ledger import LedgerState, Outcome
from rung.script import Mode
from rung.script.dialect import Dialect
from rung.script.sqlite.foreign_keys import turned_off_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.drivers.transaction import NewAttempt, RecoveryInfo, StatementFailure
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
        context: the session that holds the lock, and whom to tell.
        plan: made under that lock.
        prepared: its steps, as `check_together` lets them pass.

    Raises:
        MigrationFailed, LedgerMoved, UnexpectedTransactionControl, ConnectionLost, Stopped: as for
            every run, with nothing of it kept.
        Exception: what the listener raised; nothing is kept then, if it was before the end.
    """
    run = _Together(context, plan, prepared)
    context.session.report_to(context.say)
    context.remaining = tuple(item.step.version for item in prepared)
    context.say(RunPlanned(context.remaining, prepared[0].step.direction.value))
    try:
        ran = tried(context, context.remaining[0], run.send)
    except Disconnected as lost:
        _find_out(run, lost)
        ran = ExecutionResult()
    if ran.refusal:
        _fail(run, ran.refusal)
    if ran.control_warning:
        now = str(context.session.look().ledger)
        raise outcomes.fooled((), run.item, now, ran.control_warning)
    return _finish(run)


@dataclass(slots=True)
class _Together:
    """All steps, and how far the try at them has come."""

    context: Context
    plan: Plan
    prepared: Sequence[PreparedStep]
    attempts: list[NewAttempt] = field(init=False)
    ran: list[StepReport] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.attempts = [self.context.recorder.attempt(item) for item in self.prepared]

    @property
    def item(self) -> PreparedStep:
        """The step under way."""
        return self.prepared[min(len(self.ran), len(self.prepared) - 1)]

    @property
    def end(self) -> LedgerState:
        """The ledger behind all steps."""
        return LedgerState(self.prepared[-1].step.after)

    def send(self) -> ExecutionResult:
        """Try all of it, from the beginning; what stands behind a refusal is undone."""
        self.ran.clear()
        state, ran = self.plan.made_for, ExecutionResult()
        for item in self.prepared:
            self._may_go_on()
            after = LedgerState(item.step.after)
            ran = self._step(item, LedgerTransition(state, after))
            if ran.refusal or ran.control_warning:
                return ran
            state = after
        return ran

    def _may_go_on(self) -> None:
        """End the run here, undone, where it was asked to stop or the listener raised."""
        context = self.context
        if not context.stop.requested and context.listener_error is None:
            return
        if self.ran:
            context.session.roll_back()
        if context.listener_error is not None:
            raise context.listener_error
        raise outcomes.stopped((), self.plan.made_for, context.remaining)

    def _step(self, item: PreparedStep, move: LedgerTransition) -> ExecutionResult:
        context, step, number = self.context, item.step, len(self.ran) + 1
        total = len(self.prepared)
        facts = (step.version, step.title, step.direction.value)
        context.say(StepStarted(*facts, ATOMIC, number, total))
        if step.half is None and not step.passes:
            context.say(HalfMissing(step.version, step.direction.value))
        context.began = time.perf_counter()
        attempt = self.attempts[number - 1]
        first, last = number == 1, number == total
        ran = context.session.run_together(item.script, move, attempt, first=first, last=last)
        ran = redact_result(ran, item.script)
        context.tell(item, ran)
        if ran.refusal or ran.control_warning:
            return ran
        if item.script.touches_session and not last:
            self._restore(item)
        seconds = time.perf_counter() - context.began
        statements = len(item.script.statements)
        report = StepReport(*facts, item.file, ATOMIC, statements, seconds, item.result)
        self.ran.append(report)
        context.say(StepRan(*facts, seconds, number, total))
        return ran

    def _restore(self, item: PreparedStep) -> None:
        try:
            carried = self.context.session.restore_session()
        except QueryFailed:
            self.context.session.roll_back()
            raise
        if carried.names:
            self.context.say(Warned(outcomes.carried_over(item.file, carried.names)))


def _finish(run: _Together) -> RunReport:
    """All is committed."""
    context, total = run.context, len(run.ran)
    for number, step in enumerate(run.ran, 1):
        context.done.append(step)
        facts = (step.version, step.name, step.direction)
        context.say(StepFinished(*facts, step.seconds, number, total, step.result))
    context.remaining = ()
    if context.listener_error is not None:
        raise context.listener_error
    return RunReport(tuple(context.done), run.end.version, run.plan.short)


def _fail(run: _Together, refusal: StatementFailure) -> None:
    context, before = run.context, run.plan.made_for
    attempt = run.attempts[len(run.ran)]
    context.record_failure(attempt, refusal)
    if ends_as_asked(context, refusal):
        raise outcomes.stopped((), before, context.remaining)
    if refusal.ledger_moved or refusal.lock_lost:
        before = context.session.look().ledger
    explained = _explained(refusal)
    raise outcomes.failed((), run.item, before, explained, kept=outcomes.NOTHING_OF_THE_RUN)


def _explained(refusal: StatementFailure) -> StatementFailure:
    if refusal.needs_no_transaction:
        return replace(refusal, remedy=_NO_TRANSACTION)
    return replace(refusal, remedy=_NEW_VALUE) if refusal.needs_commit_before else refusal


def _find_out(run: _Together, lost: Disconnected) -> None:
    """Learn what became of the transaction; return where all of it is committed."""
    context = run.context
    try:
        found = context.driver.aftermath(run.attempts[0].id, context.session)
    except (DatabaseError, Disconnected):
        found = None
    if found is None or not _committed(run, found):
        state = found.ledger if found else None
        places = (run.plan.made_for, run.end)
        raise outcomes.lost_together(run.item, places, lost.reason, state)
    if len(run.ran) < len(run.prepared):
        item = run.prepared[-1]
        seconds = time.perf_counter() - context.began
        facts = (item.step.version, item.step.title, item.step.direction.value)
        statements = len(item.script.statements)
        run.ran.append(StepReport(*facts, item.file, ATOMIC, statements, seconds, item.result))


def _committed(run: _Together, found: RecoveryInfo) -> bool:
    """Whether all is there: by the history, and without one by the ledger."""
    if found.outcome is not None or found.recorded:
        return found.outcome is Outcome.DONE
    return found.ledger == run.end != run.plan.made_for
