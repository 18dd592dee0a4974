"""
What every database driver keeps: the contract of `rung.drivers.contract`, as tests to inherit.

A driver's own module subclasses `DriverContract` and gives a fixture `subject`: its driver on
an empty database, and a way to ask that database without it. The SQL here is what all know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.contract.snapshots import SnapshotContract
from tests.contract.subject import (
    BEFORE,
    EMPTY,
    FAILS,
    MAKES,
    MOVES,
    ONE,
    TEXT,
    Subject,
    attempt,
    failure,
    rows_of,
    state_of,
)
from tests.contract.tables import TablesContract
from tests.contract.transactions import (
    begin_units,
    end_units,
    flush,
    force,
    record_failure,
    run_unit,
    run_whole,
)
from tests.contract.units import ContinuingContract
from tests.contract.unrecorded import TryingContract

from rung.cancellation import CancelToken
from rung.drivers.contract import Disconnected, LedgerTransition, Ping
from rung.errors import LedgerUnreadable
from rung.ledger import HISTORY_TABLE, LEDGER_TABLE, LedgerState, Outcome
from rung.script import Unit
from rung.script.data_loss import DataLoss

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.drivers.contract import Session


class RunContract(TablesContract):
    """What a run asks of a driver."""

    # --- looking -------------------------------------------------------------------------

    def test_a_fresh_database(self, subject: Subject, session: Session) -> None:
        """A look at an empty database finds no ledger, no history, and writes nothing."""
        look = session.inspect()

        assert (look.ledger, look.ledger_exists, look.history) == (EMPTY, False, None)
        assert not look.place.read_only
        assert not subject.exists(LEDGER_TABLE)

    def test_a_server_that_answers(self, subject: Subject, session: Session) -> None:
        """A ping is answered, and a connection straight to the server is not pooled."""
        assert subject.driver.ping() is Ping.ANSWERS
        assert not session.inspect().place.pooled
        assert not session.locate().pooled

    def test_a_look_finds_the_place_too(self, session: Session) -> None:
        """To locate gives the same place as to look."""
        assert session.locate() == session.inspect().place

    def test_tables_are_made_once(self, subject: Subject, ready: Session) -> None:
        """To ensure the tables a second time changes nothing."""
        subject.put([(3, False)])
        ready.prepare_tables()
        look = ready.inspect()

        assert (look.ledger, look.ledger_exists, look.history) == (LedgerState(3), True, ())

    @pytest.mark.parametrize("rows", BEFORE.values(), ids=BEFORE)
    def test_a_look_reads_the_ledger(
        self, subject: Subject, ready: Session, rows: list[tuple[int, bool]]
    ) -> None:
        """Each state of the ledger is read as it is; two rows are an error that names them."""
        subject.put(rows)
        if state_of(rows) is None:
            with pytest.raises(LedgerUnreadable, match="2 and 7"):
                ready.inspect()
        else:
            assert ready.inspect().ledger == state_of(rows)

    # --- locking -------------------------------------------------------------------------

    def test_a_lock_excludes_a_second_session(self, open_one: Callable[[], Session]) -> None:
        """While one session holds the lock no other gets it, and may see who it is."""
        first, second = open_one(), open_one()

        assert first.try_lock()
        assert not second.try_lock()
        holder = second.lock_holder()
        assert holder is not None
        assert holder.pid == first.locate().process

    def test_a_lock_given_back_can_be_taken(self, open_one: Callable[[], Session]) -> None:
        """After unlock another session gets the lock, and nobody is seen to hold it before."""
        first, second = open_one(), open_one()
        lock = first.try_lock()
        assert lock is not None
        assert not second.try_lock()
        lock.release()

        assert second.lock_holder() is None
        assert second.try_lock()

    def test_a_lock_ends_with_its_session(self, subject: Subject) -> None:
        """A session that closes gives its lock back."""
        with subject.driver.connect(CancelToken()) as first:
            assert first.try_lock()
        with subject.driver.connect(CancelToken()) as second:
            assert second.try_lock()

    def test_foreign_keys_alone(self, open_one: Callable[[], Session]) -> None:
        """With the foreign keys given up our own still keeps other runs out."""
        first, second = open_one(), open_one()
        assert first.try_lock()
        locks = first.capabilities.foreign_locks
        if locks is not None:
            locks.release_foreign_locks()

        assert not second.try_lock()
        assert locks is None or locks.try_foreign_locks()

    def test_a_lock_that_is_released_twice(self, session: Session) -> None:
        """To give back what one does not hold does nothing."""
        lock = session.try_lock()
        assert lock is not None
        lock.release()
        lock.release()

        assert session.try_lock()

    # --- a whole file --------------------------------------------------------------------

    @pytest.mark.parametrize("last", [False, True])
    def test_a_whole_run(self, subject: Subject, ready: Session, *, last: bool) -> None:
        """Body, ledger and history are there together."""
        tried = attempt()
        ran = run_whole(ready, subject.read(MAKES), LedgerTransition(EMPTY, ONE), tried, last=last)

        assert ran.failure is None
        assert subject.ask("SELECT x FROM made") == [(1,)]
        (entry,) = ready.inspect().history or ()
        assert (entry.attempt, entry.version, entry.name) == (tried.id, 1, tried.name)
        assert (entry.outcome, entry.statements_done, entry.in_flight) == (Outcome.DONE, 2, None)
        assert entry.finished is not None
        assert entry.started <= entry.finished
        assert subject.ledger() == [(1, False)]

    @pytest.mark.parametrize("sql", [MAKES, FAILS, ""])
    def test_meanwhile(self, subject: Subject, ready: Session, sql: str) -> None:
        """What is to be done while the server works is done once, however that ends."""
        called: list[int] = []
        script, move = subject.read(sql), LedgerTransition(EMPTY, ONE)
        run_whole(ready, script, move, attempt(), meanwhile=lambda: called.append(1))

        assert called == [1]

    def test_a_whole_run_keeps_the_texts(self, subject: Subject, ready: Session) -> None:
        """The SQL of both halves is kept to the letter."""
        run_whole(ready, subject.read(MAKES), LedgerTransition(EMPTY, ONE), attempt())

        assert subject.ask(f"SELECT up_sql, down_sql FROM {HISTORY_TABLE}") == [(TEXT, TEXT)]

    def test_a_failure_rolls_back_whole(self, subject: Subject, ready: Session) -> None:
        """A statement that fails leaves nothing, and is named with its place."""
        ran = run_whole(ready, subject.read(FAILS), LedgerTransition(EMPTY, ONE), attempt())

        assert ran.failure is not None
        assert (ran.failure.statement, ran.failure.statements_done) == (2, 1)
        assert ran.failure.offset in (None, FAILS.index("nowhere"))
        assert not ran.failure.ledger_moved
        assert not subject.exists("made")
        assert (subject.ledger(), subject.outcomes()) == ([], [])

    @pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
    @pytest.mark.parametrize("rows", BEFORE.values(), ids=BEFORE)
    def test_compare_and_set(
        self, subject: Subject, ready: Session, rows: list[tuple[int, bool]], move: LedgerTransition
    ) -> None:
        """The ledger moves from exactly the state that was planned for, else nothing happens."""
        subject.put(rows)
        ran = run_whole(ready, subject.read(MAKES), move, attempt())

        if state_of(rows) == move.before:
            assert ran.failure is None
            assert subject.ledger() == rows_of(move.after)
        else:
            assert ran.failure is not None
            assert ran.failure.ledger_moved
            assert (subject.ledger(), subject.outcomes()) == (rows, [])
        assert subject.exists("made") == (ran.failure is None)

    @pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
    @pytest.mark.parametrize("rows", BEFORE.values(), ids=BEFORE)
    def test_compare_and_set_of_units(
        self, subject: Subject, ready: Session, rows: list[tuple[int, bool]], move: LedgerTransition
    ) -> None:
        """The dirty mark of a file of units is set from exactly the planned state, too."""
        subject.put(rows)
        ran = begin_units(ready, move, attempt())

        if state_of(rows) == move.before:
            assert (ran.failure, subject.ledger()) == (None, rows_of(move.after))
            assert subject.outcomes() == [("running", 0, None)]
        else:
            assert ran.failure is not None
            assert ran.failure.ledger_moved
            assert (subject.ledger(), subject.outcomes()) == (rows, [])

    def test_a_recorded_failure(self, subject: Subject, ready: Session) -> None:
        """A failed attempt has its statement and the database's words, and nothing committed."""
        record_failure(ready, attempt(), failure("it's no"), 0.5)

        (entry,) = ready.inspect().history or ()
        assert (entry.outcome, entry.statements_done) == (Outcome.FAILED, 0)
        assert entry.error == "statement 2: it's no (SQLSTATE XX000)"
        assert subject.ledger() == []

    # --- a file of units -----------------------------------------------------------------

    def test_units(self, subject: Subject, ready: Session) -> None:
        """Dirty from before the first unit to behind the last, with progress at each."""
        script, tried = subject.read(f"{MAKES}\n{subject.outside}"), attempt(total=3)
        told = [
            begin_units(ready, LedgerTransition(EMPTY, LedgerState(1, dirty=True)), tried),
            run_unit(ready, script, Unit(1, 2, "ours"), tried.id),
        ]
        assert (subject.ledger(), subject.outcomes()) == ([(1, True)], [("running", 2, None)])
        told += [
            run_unit(ready, script, Unit(3, 3, "none"), tried.id),
            end_units(ready, LedgerTransition(LedgerState(1, dirty=True), ONE), tried.id, None),
        ]

        assert [ran.failure for ran in told] == [None] * 4
        assert (subject.ledger(), subject.outcomes()) == ([(1, False)], [("done", 3, None)])

    def test_a_unit_that_fails(self, subject: Subject, ready: Session) -> None:
        """A refused unit is rolled back, those before it are kept, and the end says so."""
        script, tried = subject.read(f"{MAKES}\nINSERT INTO nowhere VALUES (1);"), attempt(total=3)
        begin_units(ready, LedgerTransition(EMPTY, LedgerState(1, dirty=True)), tried)
        run_unit(ready, script, Unit(1, 1, "ours"), tried.id)
        ran = run_unit(ready, script, Unit(2, 3, "ours"), tried.id)
        assert ran.failure is not None
        assert ran.failure.statement == 3
        end_units(ready, None, tried.id, ran.failure)

        assert subject.ask("SELECT x FROM made") == []
        assert (subject.ledger(), subject.outcomes()) == ([(1, True)], [("failed", 1, None)])

    def test_a_unit_that_refuses_a_transaction(self, subject: Subject, ready: Session) -> None:
        """What runs only outside a transaction is refused in one, and says that it would run."""
        script, tried = subject.read(subject.outside), attempt(total=1)
        begin_units(ready, LedgerTransition(EMPTY, LedgerState(1, dirty=True)), tried)
        ran = run_unit(ready, script, Unit(1, 1, "ours"), tried.id)

        assert ran.failure is not None
        assert ran.failure.needs_no_transaction
        assert run_unit(ready, script, Unit(1, 1, "none"), tried.id).failure is None

    def test_the_statement_in_flight(self, subject: Subject, ready: Session) -> None:
        """A statement that fails outside a transaction stays named as the one in flight."""
        script, tried = subject.read("DROP TABLE nowhere;"), attempt(total=1)
        begin_units(ready, LedgerTransition(EMPTY, LedgerState(1, dirty=True)), tried)
        ran = run_unit(ready, script, Unit(1, 1, "none"), tried.id)

        assert ran.failure is not None
        assert subject.outcomes() == [("running", 0, 1)]

    # --- the rest ------------------------------------------------------------------------

    @pytest.mark.parametrize("rows", BEFORE.values(), ids=BEFORE)
    @pytest.mark.parametrize("version", [None, 0, 5])
    def test_force(
        self,
        subject: Subject,
        ready: Session,
        rows: list[tuple[int, bool]],
        version: int | None,
    ) -> None:
        """Whatever stood there, force leaves one clean row or none, with its history row."""
        subject.put(rows)
        force(ready, version, attempt(version, "force", 0))

        assert subject.ledger() == ([] if version is None else [(version, False)])
        assert subject.outcomes() == [("done", 0, None)]

    def test_restoring_an_untouched_session(self, ready: Session) -> None:
        """A session that nothing was done to has carried nothing over."""
        assert ready.reset() == ()

    def test_restoring_keeps_the_lock(self, open_one: Callable[[], Session]) -> None:
        """To put a session back does not give its lock away."""
        first, second = open_one(), open_one()
        assert first.try_lock()
        first.reset()

        assert not second.try_lock()

    def test_flush_changes_nothing(self, subject: Subject, ready: Session) -> None:
        """A flush leaves ledger and history as they are."""
        subject.put([(2, False)])
        flush(ready)

        assert (subject.ledger(), subject.outcomes()) == ([(2, False)], [])

    def test_estimates(self, subject: Subject, ready: Session) -> None:
        """Each loss comes back in its place; what is not there has no estimate."""
        subject.ask("CREATE TABLE made (x int)")
        asked = [DataLoss("table", "nowhere"), DataLoss("column", "made", "x")]
        told = ready.estimate(asked)

        assert [(loss.table, loss.column) for loss in told] == [("nowhere", ""), ("made", "x")]
        assert told[0].rows is None
        assert ready.estimate([]) == ()

    def test_drop(self, subject: Subject, ready: Session) -> None:
        """All that was listed is gone, the ledger too, and the next look is at a fresh database."""
        subject.ask("CREATE TABLE made (x int)")
        subject.ask("CREATE VIEW seen AS SELECT x FROM made")
        assert len(ready.objects()) >= 4
        ready.drop()

        assert ready.objects() == ()
        assert not ready.inspect().ledger_exists

    def test_what_became_of_an_attempt(self, subject: Subject, ready: Session) -> None:
        """After the session is gone the attempt's outcome and the ledger are read again."""
        kept, lost = attempt(), attempt()
        run_whole(ready, subject.read(MAKES), LedgerTransition(EMPTY, ONE), kept, last=True)
        ready.close()

        found = subject.driver.recover(ready, kept.id)
        assert (found.outcome, found.ledger) == (Outcome.DONE, ONE)
        assert subject.driver.recover(ready, lost.id).outcome is None

    def test_close_twice(self, session: Session) -> None:
        """To close again is quiet, and a closed session says that it is lost."""
        session.close()
        session.close()

        with pytest.raises(Disconnected):
            session.inspect()


class DriverContract(RunContract, SnapshotContract, TryingContract, ContinuingContract):
    """All of it. Inherit, and give `subject`."""
