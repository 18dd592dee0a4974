"""
Carries a plan out, under the lock: the only module that has users' SQL run.

A transactional migration is one round trip and one commit: body, ledger and history
together. What cannot be so runs in `units`. Says what happens through events, returns a
report, or raises an error that carries how far it got and what is true now.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from rung.runner import failures
from rung.drivers.base import Attempt, Disconnected, Move, Ran
from rung.errors import DatabaseError, QueryFailed, Stopped
from rung.events import Notice, RunPlanned, StepFinished, StepStarted, Warned
from rung.ledger import LedgerState, Outcome
from rung.runner.report import RunReport, StepReport
from rung.statements import Mode
from rung.runner.units import run_units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.drivers.base import Driver, Refusal, Session
    from rung.events import Listener
    from rung.locks import Patience
    from rung.plan import Plan
    from rung.runner.preparation import Prepared
    from rung.stopping import Stop


class Runner:
    """
    One run on one session that holds the lock.

    Args:
        driver: to connect anew where the connection is lost.
        session: the connection.
        listener: told of events.
        stop: looked at between migrations, and while one runs.
        patience: how to wait for keys that were given up during a concurrent index build.
    """

    def __init__(
        self, driver: Driver, session: Session, listener: Listener, stop: Stop, patience: Patience
    ) -> None:
        self.driver, self.session = driver, session
        self.listener, self.stop, self.patience = listener, stop, patience
        self.done: list[StepReport] = []

    def run(self, plan: Plan, prepared: Sequence[Prepared]) -> RunReport:
        """
        Run every step of a plan.

        Raises:
            MigrationFailed: the database refused a file.
            LedgerMoved: the ledger was not what the plan was made for.
            LexerFooled: a file controls transactions unseen.
            ConnectionLost: the connection was lost; what became of the step is told.
            Stopped: the run was asked to stop.
        """
        steps = [item.step for item in prepared]
        versions = tuple(step.version for step in steps)
        self.listener(RunPlanned(versions, steps[0].direction.value))
        state = plan.made_for
        for number, item in enumerate(prepared, 1):
            if self.stop.requested:
                self._stop(state, versions[number - 1 :])
            self._step(item, state, number, len(prepared))
            state = LedgerState(item.step.after)
        return RunReport(tuple(self.done), state.version, plan.short)

    @property
    def applied(self) -> tuple[int, ...]:
        """The versions finished so far."""
        return tuple(step.version for step in self.done)

    def _stop(self, state: LedgerState, remaining: Sequence[int]) -> None:
        if self.done:
            self.session.flush()
        raise Stopped(self.applied, failures.where(state), remaining)

    def _step(self, item: Prepared, before: LedgerState, number: int, total: int) -> None:
        step = item.step
        facts = (step.version, step.title, step.direction.value)
        self.listener(StepStarted(*facts, item.script.mode.value, number, total))
        if step.half is None:
            self.listener(Warned(failures.missing_half(step)))
        began = time.perf_counter()
        attempt = _attempt(item)
        try:
            self._run(item, Move(before, LedgerState(step.after)), attempt, last=number == total)
        except Disconnected as lost:
            self._find_out(item, before, attempt, lost, last=number == total)
        seconds = time.perf_counter() - began
        mode, statements = item.script.mode.value, len(item.script.statements)
        self.done.append(StepReport(*facts, item.file, mode, statements, seconds))
        self.listener(StepFinished(*facts, seconds, number, total))
        if item.script.touches_session and number < total:
            self._restore(item)

    def _run(self, item: Prepared, move: Move, attempt: Attempt, *, last: bool) -> None:
        if item.script.mode is Mode.UNITS:
            run_units(self, item, move, attempt)
            return
        ran = self.session.run_whole(item.script, move, attempt, last=last)
        self.tell(item, ran)
        if ran.refusal is None:
            self._check_control(item, ran)
        elif _refused_transaction(item, ran.refusal):
            run_units(self, item, move, attempt)
        else:
            self._fail(item, move.before, attempt, ran.refusal)

    def tell(self, item: Prepared, ran: Ran) -> None:
        """Hand the server's notices on."""
        for notice in ran.notices:
            self.listener(Notice(item.step.version, notice.severity, notice.message))

    def _check_control(self, item: Prepared, ran: Ran) -> None:
        if ran.control_warning:
            now = failures.where(self.session.look().ledger)
            raise failures.fooled(self.applied, item, now, ran.control_warning)

    def _fail(
        self, item: Prepared, before: LedgerState, attempt: Attempt, refusal: Refusal
    ) -> None:
        try:
            self.session.record_failure(attempt, refusal)
        except (Disconnected, QueryFailed) as error:
            self.listener(Warned(f"The failed attempt could not be recorded: {error}"))
        if refusal.cancelled and self.stop.cancelling:
            raise Stopped(self.applied, failures.where(before), (item.step.version,))
        if refusal.ledger_moved:
            before = self.session.look().ledger
        raise failures.failed(self.applied, item, before, refusal)

    def _find_out(
        self, item: Prepared, before: LedgerState, attempt: Attempt, lost: Disconnected, *, last: bool
    ) -> None:
        """Learn what became of a step whose connection was lost; return if the run is done."""
        try:
            outcome = self.driver.outcome_of(attempt.id, self.session)
        except (DatabaseError, Disconnected):
            raise failures.lost(self.applied, item, lost.reason) from None
        if outcome is Outcome.DONE and last:
            return
        raise failures.lost(self.applied, item, lost.reason, before, outcome)

    def _restore(self, item: Prepared) -> None:
        carried = self.session.restore_session()
        if carried.names:
            self.listener(Warned(failures.carried_over(item.file, carried.names)))


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


def _refused_transaction(item: Prepared, refusal: Refusal) -> bool:
    """Whether the server said that a statement runs only outside a transaction of ours."""
    if not refusal.needs_no_transaction or item.script.mode is not Mode.TRANSACTIONAL:
        return False
    failing = item.script.statements[(refusal.statement or 1) - 1]
    return failing.words[:1] != ("SET",)
