"""
Carries a plan out, under the lock: with `units`, the only module that has users' SQL run.

A transactional migration is one round trip and one commit: body, ledger and history
together. What cannot be so runs in `units`. Says what happens through events, returns a
report, or raises an error that carries how far it got and what is true now.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from rung.drivers.base import Attempt, Disconnected, Move
from rung.errors import DatabaseError, QueryFailed, Stopped
from rung.events import RunPlanned, StepFinished, StepStarted, Warned
from rung.ledger import LedgerState, Outcome
from rung.runner import failures
from rung.runner.context import Steady
from rung.runner.report import RunReport, StepReport
from rung.runner.units import run_units
from rung.statements import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.drivers.base import Ran, Refusal
    from rung.plan import Plan
    from rung.runner.context import Context
    from rung.runner.preparation import Prepared


def run_plan(context: Context, plan: Plan, prepared: Sequence[Prepared]) -> RunReport:
    """
    Run every step of a plan.

    Args:
        context: the session that holds the lock, and whom to tell.
        plan: made under that lock.
        prepared: its steps with their SQL read.

    Raises:
        MigrationFailed: the database refused a file.
        LedgerMoved: the ledger was not what the plan was made for.
        LexerFooled: a file controls transactions unseen.
        ConnectionLost: the connection was lost; what became of the step is told.
        Stopped: the run was asked to stop.
        Exception: what the listener raised, once the migration under way is finished.
    """
    heard = context.listener = Steady(context.listener)
    steps = [item.step for item in prepared]
    versions = tuple(step.version for step in steps)
    context.listener(RunPlanned(versions, steps[0].direction.value))
    state = plan.made_for
    for number, item in enumerate(prepared, 1):
        _raise_heard(context, heard)
        if context.stop.requested:
            _stop(context, state, versions[number - 1 :])
        _step(context, item, state, number, len(prepared))
        state = LedgerState(item.step.after)
    _raise_heard(context, heard)
    return RunReport(tuple(context.done), state.version, plan.short)


def _raise_heard(context: Context, heard: Steady) -> None:
    if heard.error is not None:
        if context.done:
            context.session.flush()
        raise heard.error


def _stop(context: Context, state: LedgerState, remaining: Sequence[int]) -> None:
    if context.done:
        context.session.flush()
    raise Stopped(context.applied, failures.where(state), remaining)


def _step(context: Context, item: Prepared, before: LedgerState, number: int, total: int) -> None:
    step = item.step
    facts = (step.version, step.title, step.direction.value)
    context.listener(StepStarted(*facts, item.script.mode.value, number, total))
    if step.half is None:
        context.listener(Warned(failures.missing_half(step)))
    began = time.perf_counter()
    attempt = _attempt(item)
    move = Move(before, LedgerState(step.after))
    try:
        _run(context, item, move, attempt, last=number == total)
    except Disconnected as lost:
        _find_out(context, item, attempt, lost, last=number == total)
    seconds = time.perf_counter() - began
    mode, statements = item.script.mode.value, len(item.script.statements)
    context.done.append(StepReport(*facts, item.file, mode, statements, seconds))
    context.listener(StepFinished(*facts, seconds, number, total))
    if item.script.touches_session and number < total:
        _restore(context, item)


def _run(context: Context, item: Prepared, move: Move, attempt: Attempt, *, last: bool) -> None:
    if item.script.mode is Mode.UNITS:
        run_units(context, item, move, attempt)
        return
    ran = context.session.run_whole(item.script, move, attempt, last=last)
    context.tell(item, ran)
    if ran.refusal is None:
        _check_control(context, item, ran)
    elif ran.refusal.needs_no_transaction and item.script.mode is Mode.TRANSACTIONAL:
        run_units(context, item, move, attempt)
    else:
        _fail(context, item, move.before, attempt, ran.refusal)


def _check_control(context: Context, item: Prepared, ran: Ran) -> None:
    if ran.control_warning:
        now = failures.where(context.session.look().ledger)
        raise failures.fooled(context.applied, item, now, ran.control_warning)


def _fail(
    context: Context, item: Prepared, before: LedgerState, attempt: Attempt, refusal: Refusal
) -> None:
    try:
        context.session.record_failure(attempt, refusal)
    except (Disconnected, QueryFailed) as error:
        context.listener(Warned(f"The failed attempt could not be recorded: {error}"))
    if refusal.cancelled and context.stop.cancelling:
        raise Stopped(context.applied, failures.where(before), (item.step.version,))
    if refusal.ledger_moved:
        before = context.session.look().ledger
    raise failures.failed(context.applied, item, before, refusal)


def _find_out(
    context: Context, item: Prepared, attempt: Attempt, lost: Disconnected, *, last: bool
) -> None:
    """Learn what became of a step whose connection was lost; return where the run is done."""
    try:
        found = context.driver.aftermath(attempt.id, context.session)
    except (DatabaseError, Disconnected):
        found = None
    if not (last and found and found.outcome is Outcome.DONE):
        raise failures.lost(context.applied, item, lost.reason, found)


def _restore(context: Context, item: Prepared) -> None:
    carried = context.session.restore_session()
    if carried.names:
        context.listener(Warned(failures.carried_over(item.file, carried.names)))


def _attempt(item: Prepared) -> Attempt:
    return Attempt(
        id=str(uuid.uuid4()),
        version=item.step.version,
        name=item.step.title,
        direction=item.step.direction.value,
        up_checksum=item.up_checksum,
        down_checksum=item.down_checksum,
        up_sql=item.up_sql,
        down_sql=item.down_sql,
        statements_total=len(item.script.statements),
    )
