"""
Runs a file that cannot be one transaction: unit by unit, with the ledger dirty meanwhile.

The server parses the file first, so that none is begun that can never reach its end. The dirty
mark and a history row are committed before the first unit; each unit commits with its progress;
the clean mark and the outcome are committed after the last. Where the server refuses a statement
inside a transaction, its unit is cut around it, and it is sent again without one.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from rung.cancellation import CancelToken
from rung.drivers.transaction import (
    AddAttempt,
    ExecutionResult,
    LedgerTransition,
    Part,
    StatementRange,
    Transaction,
    Unobserved,
    UpdateAttempt,
    Wrap,
    error_text,
)
from rung.errors import sqlstate
from rung.events import StepResumed, UnitFinished
from rung.execution import outcomes
from rung.execution.command import wait_until
from rung.execution.commit import (
    commit_with_retry,
    is_requested_end,
    is_retryable,
    redact_result,
    report_notices,
)
from rung.execution.history import of_records, record_failure
from rung.ledger import CUT_OFF, NO_VERSION, LedgerState, Outcome
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

    from rung.drivers.contract import ForeignLocks
    from rung.drivers.transaction import HistoryWrite, NewAttempt, Observer, StatementFailure
    from rung.execution.command import Context
    from rung.execution.preflight import PreparedStep
    from rung.script import Script, Unit


_REJECTED_CLASSES = (
    sqlstate.CLASS_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION,
    sqlstate.CLASS_INVALID_CATALOG_NAME,
    sqlstate.CLASS_INVALID_SCHEMA_NAME,
)
_MAY_COMMIT = (("CALL",), ("DO",))
_WRAPS = {"ours": Wrap.OURS, "own": Wrap.OWN, "none": Wrap.NONE}


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
    before = move.before
    assert before is not None
    _check_syntax(context, item, before, attempt)
    dirty = LedgerState(NO_VERSION if move.after.row is None else move.after.row, dirty=True)
    # The dirty mark and the row of this attempt; one that it resumes is ended as failed.
    history: tuple[HistoryWrite, ...] = (AddAttempt(attempt, Outcome.RUNNING),)
    if attempt.continues:
        cut_off = UpdateAttempt(
            attempt.continues, outcome=Outcome.FAILED, error=CUT_OFF, if_still_running=True
        )
        history = (cut_off, *history)
    begin = Part(ledger=LedgerTransition(before, dirty), history=history, starts_file=True)
    begun = commit_with_retry(context, item.step.version, Transaction((begin,), durable=True))
    if begun.failure and is_requested_end(context, begun.failure):
        way = item.step.direction.value
        raise outcomes.stopped(context.applied, before, context.remaining, way)
    _insist(context, item, before, begun.failure)
    if item.step.done:
        total, done = len(item.script.statements), item.step.done
        context.say(StepResumed(item.step.version, item.step.direction.value, done, total))
    replays = session_before(item.script, item.step.done) if item.step.done else ()
    for unit in units or units_after(item.script, item.step.done):
        _run_unit(context, item, unit, LedgerTransition(dirty, before), attempt, replays)
        replays = ()
    end = UpdateAttempt(attempt.id, outcome=Outcome.DONE)
    ending = of_records((end,), LedgerTransition(dirty, move.after))
    ended = context.session.commit(ending, Unobserved(context.say))
    _insist(context, item, dirty, ended.failure)


def _check_syntax(
    context: Context, item: PreparedStep, before: LedgerState, attempt: NewAttempt
) -> None:
    """End the run here, before anything of the file ran, where it can never be parsed."""
    completion = context.session.capabilities.completion
    if completion is None:
        return
    failure = redact_result(completion.check_syntax(item.script), item.script).failure
    if failure is None:
        return
    if not attempt.continues:
        record_failure(context, attempt, failure)
    raise outcomes.failed(context.applied, item, before, failure)


def _run_unit(
    context: Context,
    item: PreparedStep,
    unit: Unit,
    back: LedgerTransition,
    attempt: NewAttempt,
    replays: tuple[int, ...] = (),
) -> None:
    """One unit to its end; `back` leads from the dirty ledger to where the file began."""
    script = item.script
    transaction = _of_unit(script, unit, attempt.id, replays)
    result = _send(context, item, unit, transaction)
    if result.failure and result.failure.read_only:
        transaction = _with_records_after(transaction, script, unit, attempt.id)
        result = _send(context, item, unit, transaction)
    if result.failure and (smaller := _smaller(script, unit, result.failure)):
        for one in smaller:
            _run_unit(context, item, one, back, attempt)
        return
    report_notices(context, item, result)
    if result.failure:
        _fail(context, item, unit, back, attempt, result.failure)
    assert back.before is not None
    if result.transaction_control:
        now = str(back.before)
        raise outcomes.unexpected_control(context.applied, item, now, result.transaction_control)
    total = len(script.statements)
    context.say(UnitFinished(item.step.version, unit.last, total))


def _of_unit(
    script: Script, unit: Unit, attempt_id: str, replays: tuple[int, ...] = ()
) -> Transaction:
    """A unit and its progress, which commits with it where the unit commits."""
    progress = UpdateAttempt(attempt_id, statements_done=unit.last)
    span = StatementRange(script, unit.first, unit.last)
    in_flight = (UpdateAttempt(attempt_id, in_flight=unit.first),)
    own = unit.transaction == "own"
    return Transaction(
        (Part(span, history=(progress,), replays=replays),),
        wrap=_WRAPS[unit.transaction],
        announce=in_flight if unit.transaction == "none" else (),
        records_follow=own and script.statements[unit.last - 1].control is Control.ROLLBACK,
        durable=True,
    )


def _with_records_after(
    transaction: Transaction, script: Script, unit: Unit, attempt_id: str
) -> Transaction:
    """
    The same for a transaction in which nobody may write: its progress follows it.

    It is announced before, unless it can write nothing: then it may run twice.
    """
    begin = script.statements[unit.first - 1]
    may_run_twice = ("READ", "ONLY") in set(pairwise(begin.words))
    in_flight = (UpdateAttempt(attempt_id, in_flight=unit.first),)
    announce = () if may_run_twice else in_flight
    return replace(transaction, announce=announce, records_follow=True)


def cut_at_value(script: Script, unit: Unit, failure: StatementFailure) -> tuple[Unit, ...]:
    """A unit in two, behind the value of an enum that it uses; none where that is not safe."""
    if failure.statement is None:
        return ()
    last = cut_after_value(script, unit.first, failure.statement)
    if last is None or in_block(script, unit.first, last):
        return ()
    return (replace(unit, last=last, transaction="ours"), replace(unit, first=last + 1))


def _smaller(script: Script, unit: Unit, failure: StatementFailure) -> tuple[Unit, ...]:
    """What to send in place of a unit that was refused for its transaction; none if for more."""
    if failure.needs_commit_before:
        return cut_at_value(script, unit, failure)
    if not failure.needs_no_transaction or failure.statement is None:
        return ()
    return cut_around(script, unit, failure.statement)


def _send(
    context: Context, item: PreparedStep, unit: Unit, transaction: Transaction
) -> ExecutionResult:
    statement = item.script.statements[unit.first - 1]
    locks = context.session.capabilities.foreign_locks
    send = None
    if locks and unit.transaction == "none" and statement.concurrent_build:
        send = partial(_send_without_foreign_locks, context, locks, item)
    may_retry = is_retryable(item.script, unit)
    return commit_with_retry(
        context,
        item.step.version,
        transaction,
        [item.script],
        is_retryable=may_retry,
        send=send,
    )


def _send_without_foreign_locks(
    context: Context,
    locks: ForeignLocks,
    item: PreparedStep,
    transaction: Transaction,
    observer: Observer,
) -> ExecutionResult:
    """
    Another tool queueing on its key would hold the snapshot that this statement awaits.

    It finds the ledger dirty and exits, so the keys are awaited without a bound: to give up
    here would leave that ledger behind.
    """
    session, stop = context.session, context.stop
    locks.release_foreign_locks()
    result = session.commit(transaction, observer)
    policy = replace(context.policy, bound=None)
    taken = wait_until(
        lambda: locks.try_foreign_locks() or None,
        session,
        policy,
        context.say,
        CancelToken(),
        lambda: stop.cancelling,
    )
    if not taken:
        state = session.inspect().ledger
        way = item.step.direction.value
        raise outcomes.stopped(context.applied, state, context.remaining, way)
    return result


def _fail(
    context: Context,
    item: PreparedStep,
    unit: Unit,
    back: LedgerTransition,
    attempt: NewAttempt,
    failure: StatementFailure,
) -> None:
    nothing_left = _leaves_nothing(context, item.script, unit, attempt, failure)
    end = UpdateAttempt(attempt.id, outcome=Outcome.FAILED, error=error_text(failure))
    ending = of_records((end,), back if nothing_left else None)
    ended = context.session.commit(ending, Unobserved(context.say))
    now = back.after if nothing_left else back.before
    assert now is not None
    if ended.failure:
        now = context.session.inspect().ledger
    if is_requested_end(context, failure):
        way = item.step.direction.value
        raise outcomes.stopped(context.applied, now, context.remaining, way)
    alone = unit.transaction == "none"
    recorded = context.session.capabilities.records_history
    raise outcomes.failed(
        context.applied,
        item,
        now,
        failure,
        alone=alone,
        recorded=recorded,
        committed=unit.first - 1,
    )


def _leaves_nothing(
    context: Context, script: Script, unit: Unit, attempt: NewAttempt, failure: StatementFailure
) -> bool:
    """
    Whether nothing of the file is left where a unit was refused.

    The unit is one transaction, ours or its own, or a statement that the server rejected and
    that left no trace; and before it only the session was changed.
    """
    is_replay = failure.statement is not None and failure.statement < unit.first
    if is_replay or not leaves_nothing_before(script, unit.first):
        return False
    if unit.transaction == "none":
        # The server says so before it does anything: a name, a right, a form is not there.
        state = failure.server.sqlstate
        is_early = state[:2] in _REJECTED_CLASSES or state == sqlstate.FEATURE_NOT_SUPPORTED
        rejected = failure.statement == unit.first and is_early
        may_commit = script.statements[unit.first - 1].words[:1] in _MAY_COMMIT
        completion = context.session.capabilities.completion
        if completion is None or not rejected or may_commit:
            return False
        return completion.left_nothing(attempt.id)
    inside = script.statements[unit.first - 1 : unit.last]
    ends = [s for s in inside if s.control not in (None, Control.BEGIN)]
    return len(ends) <= 1


def _insist(
    context: Context, item: PreparedStep, before: LedgerState, failure: StatementFailure | None
) -> None:
    if failure:
        if failure.ledger_moved or failure.ledger_dropped or failure.lock_lost:
            before = context.session.inspect().ledger
        raise outcomes.failed(context.applied, item, before, failure)
