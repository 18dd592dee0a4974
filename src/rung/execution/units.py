"""
Runs a file that cannot be one transaction: unit by unit, with the ledger dirty meanwhile.

The server parses the file first, so that none is begun that can never reach its end. The dirty
mark and a history row are committed before the first unit; each unit commits with its progress;
the clean mark and the outcome are committed after the last. Where the server refuses a statement
inside a transaction, its unit is cut around it, and it is sent again without one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rung.cancellation import CancelToken
from rung.drivers.transaction import ExecutionResult, LedgerTransition
from rung.events import StepResumed, UnitFinished
from rung.execution import outcomes
from rung.execution.command import wait_until
from rung.execution.lock_retry import ends_as_asked, may_be_tried_again, tried
from rung.execution.redact_result import redact_result
from rung.ledger import NO_VERSION, LedgerState
from rung.script import (
    Control,
    cut_after_value,
    cut_around,
    in_block,
    leaves_nothing_before,
    session_before,
    units_after,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.drivers.transaction import NewAttempt, StatementFailure
    from rung.execution.command import Context
    from rung.execution.prepare import PreparedStep
    from rung.script import Script, Unit


_REJECTED_CLASSES = ("42", "3D", "3F")
_NOT_SUPPORTED = "0A000"
_MAY_COMMIT = (("CALL",), ("DO",))


def run_units(
    context: Context,
    item: PreparedStep,
    move: LedgerTransition,
    attempt: NewAttempt,
    units: Sequence[Unit] | None = None,
) -> None:
    """
    Run a file unit by unit, behind the statements of it that are done.

    Args:
        context: the run.
        item: the step; its `done` ends one of the file's units.
        move: from where the ledger is to where the step leaves it.
        attempt: the record of it.
        units: what commits together; left out, as the file has it.

    Raises:
        MigrationFailed: a unit was refused; clean where nothing of the file is left behind,
            else dirty.
        LedgerMoved, UnexpectedTransactionControl, Stopped: as for every run.
    """
    _check_syntax(context, item, move.before, attempt)
    dirty = LedgerState(NO_VERSION if move.after.row is None else move.after.row, dirty=True)
    first = LedgerTransition(move.before, dirty)
    begun = tried(context, item.step.version, lambda: context.session.begin_units(first, attempt))
    if begun.refusal and ends_as_asked(context, begun.refusal):
        way = item.step.direction.value
        raise outcomes.stopped(context.applied, move.before, context.remaining, way)
    _insist(context, item, move.before, begun)
    _go_on(context, item, dirty, attempt)
    for unit in units or units_after(item.script, item.step.done):
        _run_unit(context, item, unit, LedgerTransition(dirty, move.before), attempt)
    ended = context.session.end_units(LedgerTransition(dirty, move.after), attempt.id, None)
    _insist(context, item, dirty, ended)


def _check_syntax(
    context: Context, item: PreparedStep, before: LedgerState, attempt: NewAttempt
) -> None:
    """End the run here, before anything of the file ran, where it can never be parsed."""
    refusal = redact_result(context.session.check_syntax(item.script), item.script).refusal
    if refusal is None:
        return
    if not attempt.continues:
        context.record_failure(attempt, refusal)
    raise outcomes.failed(context.applied, item, before, refusal)


def _run_unit(
    context: Context, item: PreparedStep, unit: Unit, back: LedgerTransition, attempt: NewAttempt
) -> None:
    """One unit to its end; `back` leads from the dirty ledger to where the file began."""
    script = item.script
    ran = tried(
        context,
        item.step.version,
        lambda: redact_result(_send(context, item, unit, attempt), script),
        again=may_be_tried_again(script, unit),
    )
    if ran.refusal and (smaller := _smaller(item.script, unit, ran.refusal)):
        for one in smaller:
            _run_unit(context, item, one, back, attempt)
        return
    context.tell(item, ran)
    if ran.refusal:
        _fail(context, item, unit, back, attempt, ran.refusal)
    if ran.control_warning:
        now = str(back.before)
        raise outcomes.fooled(context.applied, item, now, ran.control_warning)
    total = len(item.script.statements)
    context.say(UnitFinished(item.step.version, unit.last, total))


def cut_at_value(script: Script, unit: Unit, refusal: StatementFailure) -> tuple[Unit, ...]:
    """A unit in two, behind the value of an enum that it uses; none where that is not safe."""
    if refusal.statement is None:
        return ()
    last = cut_after_value(script, unit.first, refusal.statement)
    if last is None or in_block(script, unit.first, last):
        return ()
    return (replace(unit, last=last, transaction="ours"), replace(unit, first=last + 1))


def _go_on(context: Context, item: PreparedStep, dirty: LedgerState, attempt: NewAttempt) -> None:
    """Have the session as the statements left it that are done."""
    done = item.step.done
    if not done:
        return
    ran = redact_result(
        context.session.replay(item.script, session_before(item.script, done)), item.script
    )
    if ran.refusal:
        context.session.end_units(None, attempt.id, ran.refusal)
        raise outcomes.failed(context.applied, item, dirty, ran.refusal, committed=done)
    total = len(item.script.statements)
    context.say(StepResumed(item.step.version, item.step.direction.value, done, total))


def _smaller(script: Script, unit: Unit, refusal: StatementFailure) -> tuple[Unit, ...]:
    """What to send in place of a unit that was refused for its transaction; none if for more."""
    if refusal.needs_commit_before:
        return cut_at_value(script, unit, refusal)
    if not refusal.needs_no_transaction or refusal.statement is None:
        return ()
    return cut_around(script, unit, refusal.statement)


def _send(context: Context, item: PreparedStep, unit: Unit, attempt: NewAttempt) -> ExecutionResult:
    statement = item.script.statements[unit.first - 1]
    if unit.transaction == "none" and statement.concurrent_build:
        return _run_without_foreign_keys(context, item, unit, attempt)
    return context.session.run_unit(item.script, unit, attempt.id)


def _run_without_foreign_keys(
    context: Context, item: PreparedStep, unit: Unit, attempt: NewAttempt
) -> ExecutionResult:
    """
    Another tool queueing on its key would hold the snapshot that this statement awaits.

    It finds the ledger dirty and goes, so the keys are awaited without a bound: to give up
    here would leave that ledger behind.
    """
    session, stop = context.session, context.stop
    session.release_foreign_locks()
    ran = session.run_unit(item.script, unit, attempt.id)
    policy = replace(context.policy, bound=None)
    taken = wait_until(
        session.try_foreign_locks,
        session,
        policy,
        context.say,
        CancelToken(),
        lambda: stop.cancelling,
    )
    if not taken:
        state = session.look().ledger
        way = item.step.direction.value
        raise outcomes.stopped(context.applied, state, context.remaining, way)
    return ran


def _fail(
    context: Context,
    item: PreparedStep,
    unit: Unit,
    back: LedgerTransition,
    attempt: NewAttempt,
    refusal: StatementFailure,
) -> None:
    nothing_left = _leaves_nothing(context, item.script, unit, attempt, refusal)
    settled = back if nothing_left else None
    ended = context.session.end_units(settled, attempt.id, refusal)
    now = back.after if nothing_left else back.before
    if ended.refusal:
        now = context.session.look().ledger
    if ends_as_asked(context, refusal):
        way = item.step.direction.value
        raise outcomes.stopped(context.applied, now, context.remaining, way)
    alone = unit.transaction == "none"
    recorded = context.session.keeps_history()
    raise outcomes.failed(
        context.applied,
        item,
        now,
        refusal,
        alone=alone,
        recorded=recorded,
        committed=unit.first - 1,
    )


def _leaves_nothing(
    context: Context, script: Script, unit: Unit, attempt: NewAttempt, refusal: StatementFailure
) -> bool:
    """
    Whether nothing of the file is left where a unit was refused.

    The unit is one transaction, ours or its own, or a statement that the server rejected and
    that left no trace; and before it only the session was changed.
    """
    if not leaves_nothing_before(script, unit.first):
        return False
    if unit.transaction == "none":
        rejected = refusal.statement == unit.first and _rejects(refusal.server.sqlstate)
        may_commit = script.statements[unit.first - 1].words[:1] in _MAY_COMMIT
        return rejected and not may_commit and context.session.left_nothing(attempt.id)
    inside = script.statements[unit.first - 1 : unit.last]
    ends = [s for s in inside if s.control not in (None, Control.BEGIN)]
    return len(ends) <= 1


def _rejects(sqlstate: str) -> bool:
    """Whether the server says so before it does anything: a name, a right, a form is not there."""
    return sqlstate[:2] in _REJECTED_CLASSES or sqlstate == _NOT_SUPPORTED


def _insist(
    context: Context, item: PreparedStep, before: LedgerState, ran: ExecutionResult
) -> None:
    if ran.refusal:
        refusal = ran.refusal
        if refusal.ledger_moved or refusal.ledger_dropped or refusal.lock_lost:
            before = context.session.look().ledger
        raise outcomes.failed(context.applied, item, before, ran.refusal)
