"""What every driver keeps for trying things out, and for settling a ledger; tests to inherit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.snapshots import MADE
from tests.contract.subject import DIRTY, MAKES, ONE, Ground, attempt
from tests.contract.transactions import settle

from rung.drivers.contract import LedgerTransition
from rung.ledger import HISTORY_TABLE
from rung.scratch import scratch_of

if TYPE_CHECKING:
    from tests.contract.subject import Subject

    from rung.drivers.contract import Session


class TryingContract(Ground):
    """Inherit, and give `subject`."""

    def test_a_move_without_a_file(self, subject: Subject, ready: Session) -> None:
        """The ledger moves and the rows are written, together."""
        subject.put([(2, True)])
        ran = settle(ready, LedgerTransition(DIRTY, ONE), attempt(1, "force"))

        assert ran.failure is None
        assert (subject.ledger(), subject.outcomes()) == ([(1, False)], [("done", 2, None)])

    def test_a_move_from_elsewhere(self, subject: Subject, ready: Session) -> None:
        """From another state than the one that was looked at nothing is written."""
        subject.put([(2, False)])
        ran = settle(ready, LedgerTransition(DIRTY, ONE), attempt(1, "force"))

        assert ran.failure is not None
        assert ran.failure.ledger_moved
        assert (subject.ledger(), subject.outcomes()) == ([(2, False)], [])

    def test_statements_tried_out(self, subject: Subject, ready: Session) -> None:
        """They run as they stand, and nothing is recorded of them."""
        script = subject.read(f"{MAKES}\nINSERT INTO nowhere VALUES (1);")
        ran = [ready.run_unrecorded(script, number, number).failure for number in (1, 2, 3)]

        assert [failure is None for failure in ran] == [True, True, False]
        assert ran[2] is not None
        assert (ran[2].statement, subject.ask("SELECT x FROM made")) == (3, [(1,)])
        assert subject.ask(f"SELECT * FROM {HISTORY_TABLE}") == []

    def test_a_snapshot_inside_a_transaction(self, subject: Subject, ready: Session) -> None:
        """It sees what the transaction made, and changes nothing for what follows in it."""
        script = subject.read(f"BEGIN;\n{MADE}\nCREATE TABLE behind (x int);\nROLLBACK;")
        ready.run_unrecorded(script, 1, 4)
        inside = ready.snapshot()
        ready.run_unrecorded(script, 5, 5)
        later = ready.snapshot()
        ready.run_unrecorded(script, 6, 6)

        assert len(inside.objects) < len(later.objects)
        assert len(ready.snapshot().objects) < len(inside.objects)

    def test_scratch(self, subject: Subject, ready: Session) -> None:
        """A copy has what its original had, the live database has nothing of either."""
        script = subject.read(MADE)
        with scratch_of(subject.driver, ready, None, lambda _: None) as scratch:
            first = scratch.new()
            with scratch.open(first) as session:
                session.prepare_tables()
                session.run_unrecorded(script, 1, 3)
                made = session.snapshot()
            with scratch.open(scratch.copy(first)) as session:
                copied = session.snapshot()

        assert copied == made
        assert not subject.exists("t")
