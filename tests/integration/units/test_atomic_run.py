"""`up --atomic`: all that is pending in one transaction, or none of it."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing, wait_for

from rung.cancellation import CancelToken
from rung.errors import AtomicRefused, ConnectionLost, MigrationFailed, Stopped, UsageError
from rung.events import LockRefused, StepFinished, StepRan, StepStarted
from rung.migrator import Migrator

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.engine.sites import Site

    from rung.events import Event

_REFUSED = {
    "units": ("SELECT 1;\nVACUUM;", "VACUUM on line 2"),
    "own": ("BEGIN;\nSELECT 1;\nCOMMIT;", "its own BEGIN and COMMIT"),
    "mode": ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;", "SET TRANSACTION on line 1"),
    "asked": ("-- rung: no-transaction\nSELECT 1;", "no-transaction"),
}
_AT_RUN_TIME = {
    "call": "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$; CALL p();",
    "enum": "ALTER TYPE mood ADD VALUE 'ok'; CREATE TABLE m AS SELECT 'ok'::mood;",
}


def _up(site: Site) -> tuple[int, ...]:
    return tuple(step.version for step in site.migrator().up(atomic=True).steps)


def _transactions(site: Site) -> list[tuple[int]]:
    """The transaction that wrote each row of the history."""
    return site.ask("SELECT xmin::text FROM schema_migrations_history ORDER BY id")


def test_all_of_it_is_one_transaction(site: Site) -> None:
    """Every row of the history is of one transaction, with times of its own; so is the ledger."""
    site.add_tables(1, 2, 3).add("2_t2", "SELECT pg_sleep(0.05); CREATE TABLE t2 (x int);")

    assert _up(site) == (1, 2, 3)
    assert len(set(_transactions(site))) == 1
    assert (site.ledger(), site.tables()) == ([(3, False)], {"t1", "t2", "t3"})
    assert site.ask(
        "SELECT bool_and(started < finished), count(DISTINCT started) "
        "FROM schema_migrations_history"
    ) == [(True, 3)]


def test_none_of_it_is_kept_where_one_fails(site: Site) -> None:
    """The ledger is where it was, and only the attempt that failed is recorded."""
    site.add_tables(1).up()
    site.add_tables(2).add("3_bad", "CREATE TABLE t3 ();\nSELECT 1/0;").add_tables(4)
    error = failing(MigrationFailed, lambda: site.migrator().up(atomic=True))

    assert (error.applied, error.version, error.place.line) == ((), 3, 2)
    assert error.now == "clean at version 1; the whole run was rolled back"
    assert (site.ledger(), site.tables()) == ([(1, False)], {"t1"})
    assert site.history() == [(1, "up", "done"), (3, "up", "failed")]
    assert [event.version for event in site.heard(StepRan)] == [2]
    assert [event.version for event in site.heard(StepFinished)] == [1]


@pytest.mark.parametrize(("text", "said"), _REFUSED.values(), ids=_REFUSED)
def test_a_file_that_forbids_it(site: Site, text: str, said: str) -> None:
    """Before anything runs, with the file and the reason; its plan is refused alike."""
    site.add_tables(1).add("2_bad", text)
    error = failing(AtomicRefused, lambda: site.migrator().up(atomic=True))
    failing(AtomicRefused, site.migrator(atomic=True).plan)

    assert (error.version, error.file) == (2, "2_bad.up.sql")
    assert said in error.reason
    assert site.tables() == set()


@pytest.mark.parametrize("text", _AT_RUN_TIME.values(), ids=_AT_RUN_TIME)
def test_what_only_the_server_knows_is_explained(site: Site, text: str) -> None:
    """It is never run otherwise: nothing is kept, and the error says what is in the way."""
    site.add("1_t", "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE t1 ();").up()
    site.add_tables(2).add("3_x", text)
    error = failing(MigrationFailed, lambda: site.migrator().up(atomic=True))

    assert error.hint.startswith("leave --atomic out")
    assert (site.ledger(), site.tables()) == ([(1, False)], {"t1"})


def test_a_files_session_does_not_reach_the_next(site: Site) -> None:
    """Settings, role and temporary tables of a file do not exist for the next one."""
    site.add("1_a", "CREATE SCHEMA s; SET search_path = s; CREATE TEMP TABLE x ();")
    site.add("2_b", "CREATE TABLE here (); CREATE TEMP TABLE x ();").migrator().up(atomic=True)

    assert site.tables() == {"here"}


def test_a_stop_in_the_middle_undoes_it(site: Site) -> None:
    """Asked to stop behind a file, the run ends with nothing of it kept."""
    stop = CancelToken()

    def listener(event: Event) -> None:
        if isinstance(event, StepRan):
            stop.set()

    site.add_tables(1, 2)
    error = failing(Stopped, lambda: site.migrator(listener=listener, stop=stop).up(atomic=True))

    assert (error.applied, error.remaining) == ((), (1, 2))
    assert (site.ledger(), site.tables()) == ([], set())


def test_a_lost_connection_is_all_or_nothing(site: Site) -> None:
    """The connection lost in the middle: nothing is there, and the error says so."""
    dies = "SELECT pg_terminate_backend(pg_backend_pid());"
    site.add_tables(1).add("2_dies", dies)
    error = failing(ConnectionLost, lambda: site.migrator().up(atomic=True))

    assert error.committed is False
    assert error.now == "clean at no version; the whole run was rolled back"
    assert site.tables() == set()


def test_it_does_not_go_with_resume(site: Site) -> None:
    """A file that stopped in the middle is no part of one transaction."""
    site.add("1_a", "VACUUM;\nSELECT 1/0;").up_fails(MigrationFailed)
    error = failing(UsageError, lambda: site.migrator().up(atomic=True, resume=True))

    assert "rung up 1 --resume" in error.hint


def test_sqlite_does_it_too(tmp_path: Path) -> None:
    """All or none, in SQLite's own transaction."""
    (tmp_path / "1_a.up.sql").write_text("CREATE TABLE a (x);")
    (tmp_path / "2_b.up.sql").write_text("CREATE TABLE b (x); SELECT nothing;")
    migrator = Migrator(f"sqlite://{tmp_path}/x.db", tmp_path, atomic=True)
    failing(MigrationFailed, migrator.up)
    assert migrator.version().row is None
    (tmp_path / "2_b.up.sql").write_text("CREATE TABLE b (x);")

    assert [step.mode for step in migrator.up().steps] == ["atomic", "atomic"]
    assert [entry.outcome.value for entry in migrator.history()] == ["failed", "done", "done"]


def test_a_lock_in_the_way_has_all_of_it_tried_again(site: Site) -> None:
    """Where the second file is refused its lock the first is undone with it, and both run again."""
    site.add_tables(1).up()
    site.add_tables(2).add("3_more", "ALTER TABLE t1 ADD COLUMN y int;")
    with site.database.connect() as reader:
        reader.execute("BEGIN; SELECT FROM t1")
        run = Thread(target=_up, args=(site,))
        run.start()
        assert wait_for(lambda: site.heard(LockRefused))
        reader.execute("ROLLBACK")
        run.join()

    assert {step.version for step in site.heard(StepFinished)[1:]} == {2, 3}
    assert len(site.heard(StepStarted)) == 1 + 2 * (1 + len(site.heard(LockRefused)))
    assert (site.ledger(), len(set(_transactions(site)))) == ([(3, False)], 2)
