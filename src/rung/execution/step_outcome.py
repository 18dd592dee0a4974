"""What every way of running a step shares: observe it, report notices, record a failure."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.drivers.inspection import Disconnected
from rung.drivers.transaction import AddAttempt, Unobserved
from rung.errors import QueryFailed
from rung.events import Notice, Warned
from rung.execution.history_records import of_records
from rung.ledger import Outcome
from rung.source import Direction

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.drivers.transaction import (
        ExecutionResult,
        NewAttempt,
        PartResult,
        StatementFailure,
    )
    from rung.execution.command import Context
    from rung.execution.prepare import PreparedStep


@dataclass(frozen=True, slots=True)
class StepObserver(Unobserved):
    """Observes a step that commits by itself; whether it may be sent was asked before."""

    prepare_next: Callable[[], None] = lambda: None
    """Makes the next step's record while the server works."""

    def sent(self) -> None:
        """Use the time."""
        self.prepare_next()


def is_last_down(item: PreparedStep) -> bool:
    """Whether a step leads down to no version, and may drop our tables."""
    return item.step.after is None and item.step.direction is Direction.DOWN


def report_notices(
    context: Context, item: PreparedStep, result: ExecutionResult | PartResult
) -> None:
    """Hand the server's notices on, with the step's version."""
    for notice in result.notices:
        context.say(Notice(item.step.version, notice.severity, notice.message))


def record_failure(context: Context, attempt: NewAttempt, failure: StatementFailure) -> None:
    """
    Write the history's row of an attempt that was rolled back; a warning where it cannot.

    Where a rule of the database rejects that row too, the attempt's own error says enough.
    """
    seconds = time.perf_counter() - context.began
    row = AddAttempt(attempt, Outcome.FAILED, failure, seconds)
    error: Exception | None
    try:
        failed = context.session.commit(of_records((row,)), Unobserved(context.say)).failure
        error = failed.error if failed and not failed.own_table else None
    except Disconnected as lost:
        error = lost
    if error is None:
        return
    if not isinstance(error, (Disconnected, QueryFailed)):
        raise error
    context.say(Warned(f"could not record the failed attempt: {error}"))
