"""PostgreSQL keeps the driver contract, and a few things that only PostgreSQL has."""

from __future__ import annotations

from threading import Thread
from time import sleep
from typing import TYPE_CHECKING, Any

import pytest
from psycopg.errors import UniqueViolation
from tests.contract.subject import EMPTY, MAKES, ONE, TWO, Subject, attempt, run_whole
from tests.contract.suite import DriverContract

from rung import database as databases
from rung.conventions import Conventions
from rung.drivers import open_driver
from rung.drivers.base import Move
from rung.statements import Dialect, read
from rung.stopping import Stop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Database

    from rung.drivers.base import Ran, Session


@pytest.fixture
def subject(database: Database) -> Iterator[Subject]:
    """Give the driver on an empty database, and one plain connection beside it."""
    with database.connect() as beside:

        def ask(sql: str) -> list[tuple[Any, ...]]:
            cursor = beside.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

        def exists(table: str) -> bool:
            return ask(f"SELECT to_regclass('public.{table}')") != [(None,)]

        driver = open_driver(databases.Database(database.conninfo))
        yield Subject(driver, ask, exists, Dialect.POSTGRES)


class TestPostgres(DriverContract):
    """The contract."""

    @pytest.fixture
    def subject(self, subject: Subject) -> Subject:
        return subject


_HIDES = "SELECT 'a\\' '; COMMIT; SELECT 'b\\' ';"
"""One statement for who takes a backslash as it is, three for who reads it as an escape."""


def test_a_fooled_reading_is_noticed(subject: Subject, database: Database) -> None:
    """A COMMIT that the reading did not see makes the server warn, and the warning is told."""
    for setting in ("standard_conforming_strings", "escape_string_warning"):
        subject.ask(f"ALTER DATABASE {database.name} SET {setting} = off")
    script = read(_HIDES)
    with subject.driver.connect(Stop()) as session:
        _prepare(session)
        ran = run_whole(session, script, Move(EMPTY, ONE), attempt())

    assert (len(script.statements), ran.refusal) == (1, None)
    assert "transaction" in ran.control_warning


def test_a_stale_snapshot_does_not_move_the_ledger(subject: Subject) -> None:
    """A serializable file whose snapshot is older than another run's step applies nothing."""
    script = read("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nSELECT pg_sleep(0.6);")
    told: list[Ran] = []
    with subject.driver.connect(Stop()) as session:
        _prepare(session)
        subject.put([(1, False)])

        def run() -> None:
            told.append(run_whole(session, script, Move(ONE, TWO), attempt()))

        later = Thread(target=run)
        later.start()
        sleep(0.2)
        subject.put([(2, False)])
        later.join()

    assert [ran.refusal.ledger_moved for ran in told if ran.refusal] == [True]
    assert subject.ledger() == [(2, False)]


def test_a_stale_snapshot_does_not_make_a_second_first_row(subject: Subject) -> None:
    """On an empty ledger another run's two steps come before the snapshot or after our end."""
    script = read("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nSELECT pg_sleep(0.6);")
    told: list[Ran] = []
    with subject.driver.connect(Stop()) as session:
        _prepare(session)
        move = Move(EMPTY, ONE)
        later = Thread(target=lambda: told.append(run_whole(session, script, move, attempt())))
        later.start()
        sleep(0.2)
        with pytest.raises(UniqueViolation):
            subject.ask("INSERT INTO schema_migrations VALUES (1, false)")
        later.join()

    assert [ran.refusal for ran in told] == [None]
    assert subject.ledger() == [(1, False)]


def _prepare(*sessions: Session) -> None:
    for session in sessions:
        session.look()
        session.ensure_tables()


def test_a_drop_of_the_current_schema(subject: Subject, database: Database) -> None:
    """By golang-migrate's convention that is what goes; a ledger elsewhere only loses its row."""
    subject.ask("CREATE SCHEMA s2; CREATE TABLE kept (x int); ALTER TABLE kept SET SCHEMA s2")
    subject.ask("CREATE TABLE made (x int)")
    driver = open_driver(databases.Database(database.conninfo, ledger_table="s2.mig"))
    with driver.connect(Stop(), Conventions(drops_current_schema=True)) as session:
        _prepare(session)
        session.force(3, ())
        session.drop_everything()

    assert subject.ask("SELECT * FROM s2.mig") == []
    assert subject.ask("SELECT tablename FROM pg_tables WHERE schemaname = 's2'") == [
        ("kept",),
        ("mig",),
    ]
    assert not subject.exists("made")


def test_a_time_limit(subject: Subject) -> None:
    """What takes longer is cancelled on the server and rolled back; what is quick is not."""
    slow, quick = read(f"{MAKES}\nSELECT pg_sleep(60);"), read("SELECT pg_sleep(0.01);")
    with subject.driver.connect(Stop(), Conventions(time_limit=0.3)) as session:
        _prepare(session)
        told = [run_whole(session, one, Move(EMPTY, ONE), attempt()) for one in (slow, quick)]

    assert [ran.refusal is not None and ran.refusal.cancelled for ran in told] == [True, False]
    assert (subject.exists("made"), subject.ledger()) == (False, [(1, False)])


@pytest.mark.parametrize("carries", [True, False])
def test_a_session_that_is_carried(subject: Subject, *, carries: bool) -> None:
    """By golang-migrate's convention the next file finds the settings of the one before."""
    set_, use = read("SET search_path = s2;"), read("CREATE TABLE made (x int);")
    subject.ask("CREATE SCHEMA s2")
    with subject.driver.connect(Stop(), Conventions(carries_session=carries)) as session:
        _prepare(session)
        run_whole(session, set_, Move(EMPTY, ONE), attempt())
        run_whole(session, use, Move(ONE, TWO), attempt())

    assert subject.ask("SELECT schemaname FROM pg_tables WHERE tablename = 'made'") == [
        ("s2" if carries else "public",)
    ]
