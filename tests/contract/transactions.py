"""The transactions that the executor sends, made for the contract's tests and sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rung.drivers.contract import (
    AddAttempt,
    LedgerTransition,
    Part,
    StatementRange,
    Transaction,
    Unobserved,
    UpdateAttempt,
    Wrap,
)
from rung.drivers.transaction import error_text
from rung.ledger import CUT_OFF, LedgerState, Outcome
from rung.script import Control, Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rung.drivers.contract import (
        ExecutionResult,
        HistoryWrite,
        NewAttempt,
        PartResult,
        Session,
        StatementFailure,
    )
    from rung.script import Script, Unit

WRAPS = {"ours": Wrap.OURS, "own": Wrap.OWN, "none": Wrap.NONE}


@dataclass(slots=True)
class Meanwhile(Unobserved):
    """Calls something while the server works, and ends the transaction before a part."""

    meanwhile: Callable[[], None] = lambda: None
    ends_before: int = 99
    results: list[PartResult] = field(default_factory=list)

    def before_part(self, number: int) -> bool:
        return number < self.ends_before

    def sent(self) -> None:
        self.meanwhile()

    def after_part(self, number: int, result: PartResult) -> None:
        assert number == len(self.results)
        self.results.append(result)


def whole_file(script: Script, move: LedgerTransition, tried: NewAttempt) -> Part:
    """A file with its move and its row."""
    history = (AddAttempt(tried, Outcome.DONE),)
    return Part(StatementRange.whole(script), move, history, starts_file=True)


def run_whole(
    session: Session,
    script: Script,
    move: LedgerTransition,
    tried: NewAttempt,
    *,
    last: bool = True,
    meanwhile: Callable[[], None] = lambda: None,
) -> ExecutionResult:
    """A file as one transaction."""
    transaction = Transaction(
        (whole_file(script, move, tried),),
        Wrap.OWN if script.mode is Mode.OWN_TRANSACTION else Wrap.OURS,
        durable=last,
        may_drop_ledger=tried.direction == "down" and move.after.row is None,
    )
    return session.commit(transaction, Meanwhile(meanwhile=meanwhile))


def run_together(
    session: Session, *files: tuple[Script, LedgerTransition, NewAttempt], ends_before: int = 99
) -> ExecutionResult:
    """Several files as one transaction."""
    parts = tuple(whole_file(*file) for file in files)
    return session.commit(Transaction(parts, durable=True), Meanwhile(ends_before=ends_before))


def begin_units(session: Session, move: LedgerTransition, tried: NewAttempt) -> ExecutionResult:
    """The dirty mark and the row of a file that runs unit by unit."""
    history: tuple[HistoryWrite, ...] = (AddAttempt(tried, Outcome.RUNNING),)
    if tried.continues:
        cut_off = UpdateAttempt(
            tried.continues, outcome=Outcome.FAILED, error=CUT_OFF, if_still_running=True
        )
        history = (cut_off, *history)
    part = Part(ledger=move, history=history, starts_file=True)
    return session.commit(Transaction((part,), durable=True), Unobserved())


def run_unit(
    session: Session, script: Script, unit: Unit, attempt_id: str, replays: Sequence[int] = ()
) -> ExecutionResult:
    """One unit of such a file, with its progress."""
    progress = UpdateAttempt(attempt_id, statements_done=unit.last)
    span = StatementRange(script, unit.first, unit.last)
    alone = unit.transaction == "none"
    undone = script.statements[unit.last - 1].control is Control.ROLLBACK
    transaction = Transaction(
        (Part(span, history=(progress,), replays=tuple(replays)),),
        WRAPS[unit.transaction],
        announce=(UpdateAttempt(attempt_id, in_flight=unit.first),) if alone else (),
        records_follow=unit.transaction == "own" and undone,
        durable=True,
    )
    return session.commit(transaction, Unobserved())


def end_units(
    session: Session,
    move: LedgerTransition | None,
    attempt_id: str,
    failure: StatementFailure | None,
) -> ExecutionResult:
    """The outcome of such a file."""
    outcome = Outcome.FAILED if failure else Outcome.DONE
    end = UpdateAttempt(attempt_id, outcome=outcome, error=error_text(failure))
    return _write(session, (end,), move)


def record(session: Session, *attempts: NewAttempt) -> None:
    """Rows of what ran no SQL."""
    result = settle(session, None, *attempts)
    assert result.failure is None


def settle(
    session: Session, move: LedgerTransition | None, *attempts: NewAttempt
) -> ExecutionResult:
    """A move of the ledger that runs no SQL, with rows."""
    return _write(session, tuple(AddAttempt(one, Outcome.DONE) for one in attempts), move)


def force(session: Session, version: int | None, *attempts: NewAttempt) -> None:
    """The ledger clean at a version, whatever it holds."""
    result = settle(session, LedgerTransition(None, LedgerState(version)), *attempts)
    assert result.failure is None


def record_failure(
    session: Session, tried: NewAttempt, failure: StatementFailure, seconds: float
) -> None:
    """The row of an attempt that was rolled back after so long."""
    result = _write(session, (AddAttempt(tried, Outcome.FAILED, failure, seconds),), None)
    assert result.failure is None


def flush(session: Session) -> None:
    """Every commit so far is on disk."""
    assert session.commit(Transaction(durable=True), Unobserved()).failure is None


def _write(
    session: Session, history: tuple[HistoryWrite, ...], move: LedgerTransition | None
) -> ExecutionResult:
    part = Part(ledger=move, history=history)
    return session.commit(Transaction((part,), durable=True, cancellable=False), Unobserved())
