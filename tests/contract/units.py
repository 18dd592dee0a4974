"""What every driver keeps for files that go on in the middle, and for files that run together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.contract.subject import DIRTY, EMPTY, FAILS, MAKES, ONE, Ground, attempt
from tests.contract.transactions import begin_units, run_together, run_whole, whole_file

from rung.drivers.contract import (
    ExecutionResult,
    LedgerTransition,
    Part,
    PartResult,
    StatementRange,
    Transaction,
    Unobserved,
    UpdateAttempt,
)
from rung.ledger import LedgerState

if TYPE_CHECKING:
    from tests.contract.subject import Subject

    from rung.drivers.contract import Session

TWO = LedgerState(2)


class _Raises(Unobserved):
    def after_part(self, number: int, result: PartResult) -> None:
        raise LookupError


class ContinuingContract(Ground):
    """Inherit, and give `subject`."""

    def test_an_attempt_that_goes_on_with_another(self, subject: Subject, ready: Session) -> None:
        """The one that was cut off is ended with its statement named; the new one has its own."""
        subject.put([(2, True)])
        first = attempt(2, total=3)
        begin_units(ready, LedgerTransition(DIRTY, DIRTY), first)
        ran = begin_units(
            ready,
            LedgerTransition(DIRTY, DIRTY),
            replace(attempt(2), statements_done=1, continues=first.id),
        )

        assert ran.failure is None
        assert subject.outcomes() == [("failed", 0, None), ("running", 1, None)]
        assert subject.ledger() == [(2, True)]

    def test_a_statement_that_may_run_again(self, subject: Subject, ready: Session) -> None:
        """What is harmless twice is not finished; what nothing tells of is not known."""
        script = subject.read(f"{subject.outside}\nINSERT INTO nowhere VALUES (1);")

        completion = ready.capabilities.completion

        assert completion is None or completion.completed(script, 1, ()) is False
        assert completion is None or completion.completed(script, 2, ()) is None

    def test_files_in_one_transaction(self, subject: Subject, ready: Session) -> None:
        """Nothing is seen before the last has run; then all of it is there."""
        one, two = subject.read(MAKES), subject.read("CREATE TABLE more (x int);")
        moves = LedgerTransition(EMPTY, ONE), LedgerTransition(ONE, TWO)
        result = run_together(ready, (one, moves[0], attempt(1)), (two, moves[1], attempt(2)))

        assert (result.failure, len(result.parts)) == (None, 2)
        assert (subject.exists("made"), subject.exists("more")) == (True, True)
        assert (subject.ledger(), len(subject.outcomes())) == ([(2, False)], 2)

    def test_one_of_them_that_fails(self, subject: Subject, ready: Session) -> None:
        """All of them are rolled back, its part is named, and the session goes on."""
        one, two = subject.read("CREATE TABLE first (x int);"), subject.read(FAILS)
        moves = LedgerTransition(EMPTY, ONE), LedgerTransition(ONE, TWO)
        result = run_together(ready, (one, moves[0], attempt(1)), (two, moves[1], attempt(2)))

        assert result.failure is not None
        assert (result.failure.part, result.failure.statement) == (1, 2)
        assert not subject.exists("first")
        assert (subject.ledger(), subject.outcomes()) == ([], [])
        assert run_whole(ready, one, moves[0], attempt(1)).failure is None

    def test_files_that_are_stopped_between(self, subject: Subject, ready: Session) -> None:
        """An observer that sends no further part leaves nothing of those before."""
        one, two = subject.read(MAKES), subject.read("CREATE TABLE more (x int);")
        moves = LedgerTransition(EMPTY, ONE), LedgerTransition(ONE, TWO)
        files = (one, moves[0], attempt(1)), (two, moves[1], attempt(2))
        result = run_together(ready, *files, ends_before=1)

        assert (result.stopped, result.failure) == (True, None)
        assert not subject.exists("made")
        assert (subject.ledger(), subject.outcomes()) == ([], [])

    def test_records_that_follow(self, subject: Subject, ready: Session) -> None:
        """The statements commit first, and their progress by itself."""
        script, tried = subject.read(FAILS), attempt(total=2)
        begin_units(ready, LedgerTransition(EMPTY, LedgerState(1, dirty=True)), tried)

        def send(first: int, last: int) -> ExecutionResult:
            progress = (UpdateAttempt(tried.id, statements_done=last),)
            part = Part(StatementRange(script, first, last), history=progress)
            announce = (UpdateAttempt(tried.id, in_flight=first),)
            transaction = Transaction((part,), announce=announce, records_follow=True)
            return ready.commit(transaction, Unobserved())

        assert send(1, 1).failure is None
        assert subject.outcomes() == [("running", 1, None)]
        assert send(2, 2).failure is not None
        assert (subject.exists("made"), subject.outcomes()) == (True, [("running", 1, 2)])

    def test_an_observer_that_raises(self, subject: Subject, ready: Session) -> None:
        """What it raises is raised by the commit, and nothing is kept."""
        one, two = subject.read(MAKES), subject.read("CREATE TABLE more (x int);")
        parts = (
            whole_file(one, LedgerTransition(EMPTY, ONE), attempt(1)),
            whole_file(two, LedgerTransition(ONE, TWO), attempt(2)),
        )

        with pytest.raises(LookupError):
            ready.commit(Transaction(parts, durable=True), _Raises())
        assert not subject.exists("made")
        assert (subject.ledger(), subject.outcomes()) == ([], [])

    def test_nothing_ails_a_fresh_database(self, subject: Subject, ready: Session) -> None:
        """The look for leftovers reads, and finds none."""
        finder = ready.capabilities.problems
        found = finder.problems() if finder else ()
        assert [one for one in found if one.kind != "scratch database"] == []
        assert subject.outcomes() == []
