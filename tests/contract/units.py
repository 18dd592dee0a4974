"""What every driver keeps for files that go on in the middle, and for files that run together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.contract.subject import DIRTY, EMPTY, FAILS, MAKES, ONE, Ground, attempt

from rung.drivers.contract import LedgerTransition
from rung.ledger import LedgerState

if TYPE_CHECKING:
    from tests.contract.subject import Subject

    from rung.drivers.contract import Session

TWO = LedgerState(2)


class ContinuingContract(Ground):
    """Inherit, and give `subject`."""

    def test_an_attempt_that_goes_on_with_another(self, subject: Subject, ready: Session) -> None:
        """The one that was cut off is ended with its statement named; the new one has its own."""
        subject.put([(2, True)])
        first = attempt(2, total=3)
        ready.begin_units(LedgerTransition(DIRTY, DIRTY), first)
        ran = ready.begin_units(
            LedgerTransition(DIRTY, DIRTY),
            replace(attempt(2), statements_done=1, continues=first.id),
        )

        assert ran.refusal is None
        assert subject.outcomes() == [("failed", 0, None), ("running", 1, None)]
        assert subject.ledger() == [(2, True)]

    def test_a_statement_that_may_run_again(self, subject: Subject, ready: Session) -> None:
        """What is harmless twice is not finished; what nothing tells of is not known."""
        script = subject.read(f"{subject.outside}\nINSERT INTO nowhere VALUES (1);")

        assert ready.finished(script, 1, ()) is False
        assert ready.finished(script, 2, ()) is None

    def test_scripts_together(self, subject: Subject, ready: Session) -> None:
        """Nothing is seen before the last has run; then all of it is there."""
        one, two = subject.read(MAKES), subject.read("CREATE TABLE more (x int);")
        ready.run_together(one, LedgerTransition(EMPTY, ONE), attempt(1), first=True, last=False)
        assert (subject.ledger(), subject.exists("made")) == ([], False)
        ran = ready.run_together(
            two, LedgerTransition(ONE, TWO), attempt(2), first=False, last=True
        )

        assert ran.refusal is None
        assert (subject.exists("made"), subject.exists("more")) == (True, True)
        assert (subject.ledger(), len(subject.outcomes())) == ([(2, False)], 2)

    def test_one_of_them_that_fails(self, subject: Subject, ready: Session) -> None:
        """All of them are undone, and the session can go on."""
        one, two = subject.read("CREATE TABLE first (x int);"), subject.read(FAILS)
        ready.run_together(one, LedgerTransition(EMPTY, ONE), attempt(1), first=True, last=False)
        ran = ready.run_together(
            two, LedgerTransition(ONE, TWO), attempt(2), first=False, last=True
        )

        assert ran.refusal is not None
        assert ran.refusal.statement == 2
        assert not subject.exists("first")
        assert (subject.ledger(), subject.outcomes()) == ([], [])

    def test_scripts_that_are_given_up(self, subject: Subject, ready: Session) -> None:
        """Rolled back between two of them, nothing stays."""
        one = subject.read(MAKES)
        ready.run_together(one, LedgerTransition(EMPTY, ONE), attempt(1), first=True, last=False)
        ready.roll_back()

        assert not subject.exists("made")
        assert (subject.ledger(), subject.outcomes()) == ([], [])

    def test_nothing_ails_a_fresh_database(self, subject: Subject, ready: Session) -> None:
        """The look for leftovers reads, and finds none."""
        assert [one for one in ready.ailments() if one.kind != "scratch database"] == []
        assert subject.outcomes() == []
