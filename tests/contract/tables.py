"""The part of the contract that is about the tables: made, dropped under us, left behind."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from tests.contract.subject import (
    BEFORE,
    EMPTY,
    MAKES,
    ONE,
    TEXT,
    TWO,
    Ground,
    Subject,
    attempt,
    state_of,
)
from tests.contract.transactions import begin_units, force, record, run_unit, run_whole

from rung.cancellation import CancelToken
from rung.drivers.contract import LedgerTransition
from rung.drivers.inspection import History, OtherWriters
from rung.ledger import DIRECTIONS, HISTORY_TABLE, LEDGER_TABLE, LedgerState
from rung.planning.history_replay import replay
from rung.script import Unit
from rung.script.expected_names import ExpectedName

if TYPE_CHECKING:
    from rung.drivers.contract import Session


class TablesContract(Ground):
    """See `DriverContract`."""

    # --- names that files make -----------------------------------------------------------

    def test_names_that_are_not_there(self, subject: Subject, session: Session) -> None:
        """Those that are not there are given back, in their order; asking writes nothing."""
        subject.ask("CREATE TABLE made (x int)")
        subject.ask("CREATE VIEW seen AS SELECT 1 AS y")
        subject.ask("CREATE INDEX found ON made (x)")
        asked = [("made", "z"), ("seen", ""), ("lost", ""), ("found", ""), ("made", "x")]
        names = [ExpectedName("?", "", name, column, 1, "f") for name, column in asked]

        for anywhere in (False, True):
            gone = session.absent(names, anywhere=anywhere)
            assert [(one.name, one.column) for one in gone] == [("made", "z"), ("lost", "")]
        assert session.absent([], anywhere=False) == ()
        assert not subject.exists(LEDGER_TABLE)

    # --- dropped by a file ---------------------------------------------------------------

    @pytest.mark.parametrize("table", [LEDGER_TABLE, HISTORY_TABLE])
    @pytest.mark.parametrize(
        "move", [LedgerTransition(TWO, LedgerState(3)), LedgerTransition(TWO, ONE)]
    )
    def test_a_script_that_drops_our_tables(
        self, subject: Subject, ready: Session, table: str, move: LedgerTransition
    ) -> None:
        """A script that drops ledger or history is undone, and that is told."""
        subject.put([(2, False)])
        script = subject.read(f"{MAKES}\nDROP TABLE {table};")
        ran = run_whole(ready, script, move, attempt(2, "down"))

        assert ran.failure is not None
        assert (ran.failure.ledger_dropped, ran.failure.ledger_moved) == (True, False)
        assert (subject.ledger(), subject.outcomes()) == ([(2, False)], [])
        assert not subject.exists("made")

    @pytest.mark.parametrize("rows", BEFORE.values(), ids=BEFORE)
    @pytest.mark.parametrize("tables", [[LEDGER_TABLE], [HISTORY_TABLE, LEDGER_TABLE]])
    def test_a_last_down_that_drops_our_tables(
        self, subject: Subject, ready: Session, rows: list[tuple[int, bool]], tables: list[str]
    ) -> None:
        """They are made again, empty, where the ledger was where it should have been before."""
        subject.put(rows)
        script = subject.read(MAKES + "".join(f"\nDROP TABLE {table};" for table in tables))
        ran = run_whole(ready, script, LedgerTransition(TWO, EMPTY), attempt(2, "down"))

        if state_of(rows) == TWO:
            assert (ran.failure, subject.ledger(), subject.outcomes()) == (None, [], [])
        else:
            assert ran.failure is not None
            assert (ran.failure.ledger_moved, ran.failure.ledger_dropped) == (True, False)
            assert subject.ledger() == rows
        assert subject.exists("made") == (ran.failure is None)

    @pytest.mark.parametrize("table", [LEDGER_TABLE, HISTORY_TABLE])
    def test_a_unit_that_drops_our_tables(
        self, subject: Subject, ready: Session, table: str
    ) -> None:
        """The unit is undone, and what was before it stays."""
        script, tried = subject.read(f"{MAKES}\nDROP TABLE {table};"), attempt(total=3)
        begin_units(ready, LedgerTransition(EMPTY, LedgerState(1, dirty=True)), tried)
        run_unit(ready, script, Unit(1, 2, "ours"), tried.id)
        ran = run_unit(ready, script, Unit(3, 3, "ours"), tried.id)

        assert ran.failure is not None
        assert ran.failure.ledger_dropped
        assert (subject.ledger(), subject.outcomes()) == ([(1, True)], [("running", 2, None)])

    def test_tables_that_were_dropped_while_we_waited(
        self, subject: Subject, ready: Session
    ) -> None:
        """What was seen before the lock is looked at again under it, before tables are made."""
        for table in (LEDGER_TABLE, HISTORY_TABLE):
            subject.ask(f"DROP TABLE {table}")
        assert ready.try_lock()
        ready.prepare_tables()

        assert (subject.ledger(), subject.outcomes()) == ([], [])

    # --- closed to others ----------------------------------------------------------------

    def test_new_tables_are_closed_to_others(self, session: Session) -> None:
        """Nobody else may write them, and nobody could since the first row."""
        assert session.try_lock()
        session.prepare_tables()

        assert session.inspect().other_writers == OtherWriters(closed_after=0)

    def test_they_are_closed_when_they_were_made_again(
        self, subject: Subject, session: Session
    ) -> None:
        """By a last down that drops them: the history's first row is as safe as before."""
        lock = session.try_lock()
        assert lock is not None
        session.prepare_tables()
        subject.put([(2, False)])
        script = subject.read(f"DROP TABLE {LEDGER_TABLE};\nDROP TABLE {HISTORY_TABLE};")
        run_whole(session, script, LedgerTransition(TWO, EMPTY), attempt(2, "down"))
        lock.release()
        with subject.driver.connect(CancelToken()) as later:
            assert later.try_lock()
            later.prepare_tables()
            found = later.inspect().other_writers

        assert found == OtherWriters(closed_after=0)

    # --- what they hold ------------------------------------------------------------------

    def test_rows_of_what_ran_no_sql(self, subject: Subject, ready: Session) -> None:
        """They are written in order, and the ledger stays."""
        subject.put([(2, False)])
        record(ready, attempt(1, "baseline", 0), attempt(2, "edit", 0))
        history = ready.read_history() or ()

        assert [(entry.version, entry.direction) for entry in history] == [
            (1, "baseline"),
            (2, "edit"),
        ]
        assert subject.ledger() == [(2, False)]

    def test_the_texts_that_are_kept(self, ready: Session) -> None:
        """Both halves come back to the letter; of other versions, and of none, nothing does."""
        record(ready, attempt(1, "baseline", 0), attempt(2, "baseline", 0))

        assert [(half.version, half.direction, half.sql) for half in ready.stored_sql([2])] == [
            (2, "up", TEXT),
            (2, "down", TEXT),
        ]
        assert (ready.stored_sql([]), ready.stored_sql([9])) == ((), ())

    def test_what_is_read_of_the_history(self, subject: Subject, ready: Session) -> None:
        """The current rows of a history replay as all of them do, and none are read unasked."""
        record(ready, attempt(1, "baseline", 0))
        chosen = random.Random(14)
        for _ in range(30):
            for _ in range(5):
                subject.ask(_another_row(chosen.choice(DIRECTIONS), chosen))
            every = ready.inspect().history or ()
            current = ready.inspect(history=History.CURRENT).history or ()
            assert replay(current) == replay(every)

        assert len(current) < len(every) / 2
        assert ready.inspect(history=History.NONE).history is None

    def test_a_history_without_its_ledger(self, subject: Subject, ready: Session) -> None:
        """What is left of the history is read where the ledger is gone."""
        record(ready, attempt(1, "baseline", 0))
        subject.ask(f"DROP TABLE {LEDGER_TABLE}")
        look = ready.inspect()

        assert (look.ledger_exists, len(look.history or ())) == (False, 1)

    def test_tables_without_a_ledger(self, subject: Subject, session: Session) -> None:
        """The tables are named until something says which migrations they come from."""
        subject.ask("CREATE TABLE made (x int)")
        assert session.inspect().tables == ("made",)
        assert session.try_lock()
        assert session.inspect().tables == ("made",)
        session.prepare_tables()
        assert session.inspect().tables == ("made",)
        force(session, None, attempt(None, "force", 0))
        assert session.inspect().tables == ()


def _another_row(direction: str, chosen: random.Random) -> str:
    """The first row of the history once more, as another attempt."""
    same = "attempt, name, statements_total, started, finished, up_checksum, down_checksum"
    same += ", checksum_formula, up_digest, down_digest, tool, tool_version, database_user, host"
    outcome = chosen.choice(["done", "done", "failed", "running"])
    values = f"{chosen.randint(1, 4)}, '{direction}', '{outcome}', {chosen.randint(0, 1)}"
    return (
        f"INSERT INTO {HISTORY_TABLE} ({same}, version, direction, outcome, statements_done)"
        f" SELECT {same}, {values} FROM {HISTORY_TABLE} WHERE id = 1"
    )
