"""PostgreSQL keeps the driver contract, and a few things that only PostgreSQL has."""

from __future__ import annotations

from threading import Thread
from time import sleep
from typing import TYPE_CHECKING, Any

import pytest
from psycopg.errors import UniqueViolation
from tests.contract.subject import EMPTY, MAKES, ONE, TWO, Subject, attempt
from tests.contract.suite import DriverContract
from tests.contract.transactions import force, run_whole

from rung import database as databases
from rung.cancellation import CancelToken
from rung.drivers import open_driver
from rung.drivers.contract import LedgerTransition
from rung.options import RunOptions
from rung.script import Dialect, read
from rung.snapshot import differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Database

    from rung.drivers.contract import ExecutionResult, Session


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


_HIDES = "SELECT 'a\\''; COMMIT; SELECT ' -- '\n;"
"""One statement for who takes a backslash as it is, three for who reads it as an escape."""


def test_a_fooled_reading_is_noticed(subject: Subject, database: Database) -> None:
    """A COMMIT that the reading did not see makes the server warn, and the warning is told."""
    for setting in ("standard_conforming_strings", "escape_string_warning"):
        subject.ask(f"ALTER DATABASE {database.name} SET {setting} = off")
    script = read(_HIDES)
    with subject.driver.connect(CancelToken()) as session:
        _prepare(session)
        ran = run_whole(session, script, LedgerTransition(EMPTY, ONE), attempt())

    assert (len(script.statements), ran.failure) == (1, None)
    assert "transaction" in ran.transaction_control


def test_a_stale_snapshot_does_not_move_the_ledger(subject: Subject) -> None:
    """A serializable file whose snapshot is older than another run's step applies nothing."""
    script = read("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nSELECT pg_sleep(0.6);")
    told: list[ExecutionResult] = []
    with subject.driver.connect(CancelToken()) as session:
        _prepare(session)
        subject.put([(1, False)])

        def run() -> None:
            told.append(run_whole(session, script, LedgerTransition(ONE, TWO), attempt()))

        later = Thread(target=run)
        later.start()
        sleep(0.2)
        subject.put([(2, False)])
        later.join()

    assert [ran.failure.ledger_moved for ran in told if ran.failure] == [True]
    assert subject.ledger() == [(2, False)]


def test_a_stale_snapshot_does_not_make_a_second_first_row(subject: Subject) -> None:
    """On an empty ledger another run's two steps come before the snapshot or after our end."""
    script = read("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nSELECT pg_sleep(0.6);")
    told: list[ExecutionResult] = []
    with subject.driver.connect(CancelToken()) as session:
        _prepare(session)
        move = LedgerTransition(EMPTY, ONE)
        later = Thread(target=lambda: told.append(run_whole(session, script, move, attempt())))
        later.start()
        sleep(0.2)
        with pytest.raises(UniqueViolation):
            subject.ask("INSERT INTO schema_migrations VALUES (1, false)")
        later.join()

    assert [ran.failure for ran in told] == [None]
    assert subject.ledger() == [(1, False)]


def _prepare(*sessions: Session) -> None:
    for session in sessions:
        session.inspect()
        session.prepare_tables()


def test_a_drop_of_the_current_schema(subject: Subject, database: Database) -> None:
    """By golang-migrate's convention that is what goes; a ledger elsewhere only loses its row."""
    subject.ask("CREATE SCHEMA s2; CREATE TABLE kept (x int); ALTER TABLE kept SET SCHEMA s2")
    subject.ask("CREATE TABLE made (x int)")
    driver = open_driver(databases.Database(database.conninfo, ledger_table="s2.mig"))
    with driver.connect(CancelToken(), RunOptions(drops_current_schema=True)) as session:
        _prepare(session)
        force(session, 3)
        session.drop()

    assert subject.ask("SELECT * FROM s2.mig") == []
    assert subject.ask("SELECT tablename FROM pg_tables WHERE schemaname = 's2'") == [
        ("kept",),
        ("mig",),
    ]
    assert not subject.exists("made")


def test_a_time_limit(subject: Subject) -> None:
    """What takes longer is cancelled on the server and rolled back; what is quick is not."""
    slow, quick = read(f"{MAKES}\nSELECT pg_sleep(60);"), read("SELECT pg_sleep(0.01);")
    with subject.driver.connect(CancelToken(), RunOptions(time_limit=0.3)) as session:
        _prepare(session)
        told = [
            run_whole(session, one, LedgerTransition(EMPTY, ONE), attempt())
            for one in (slow, quick)
        ]

    assert [ran.failure is not None and ran.failure.cancelled for ran in told] == [True, False]
    assert (subject.exists("made"), subject.ledger()) == (False, [(1, False)])


@pytest.mark.parametrize("carries", [True, False])
def test_a_session_that_is_carried(subject: Subject, *, carries: bool) -> None:
    """By golang-migrate's convention the next file finds the settings of the one before."""
    set_, use = read("SET search_path = s2;"), read("CREATE TABLE made (x int);")
    subject.ask("CREATE SCHEMA s2")
    with subject.driver.connect(CancelToken(), RunOptions(carries_session=carries)) as session:
        _prepare(session)
        run_whole(session, set_, LedgerTransition(EMPTY, ONE), attempt())
        run_whole(session, use, LedgerTransition(ONE, TWO), attempt())

    assert subject.ask("SELECT schemaname FROM pg_tables WHERE tablename = 'made'") == [
        ("s2" if carries else "public",)
    ]


_MANY_KINDS = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE TYPE pair AS (a int, b text);
CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, m mood, e email);
CREATE TABLE p (d date) PARTITION BY RANGE (d);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX i ON t (e);
CREATE SEQUENCE s;
CREATE VIEW v AS SELECT id FROM t;
CREATE MATERIALIZED VIEW mv AS SELECT 1 AS x;
CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION g();
CREATE POLICY po ON t USING (id > 1);
CREATE STATISTICS st ON m, e FROM t;
CREATE FOREIGN DATA WRAPPER w;
CREATE SERVER sv FOREIGN DATA WRAPPER w;
CREATE FUNCTION h() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
"""
_SEEN = {
    "ALTER TYPE mood ADD VALUE 'new' BEFORE 'sad'": "enum public.mood",
    "ALTER DOMAIN email SET DEFAULT 'a@b'": "domain public.email",
    "ALTER TYPE pair ADD ATTRIBUTE c int": "composite type public.pair",
    "ALTER TABLE t ALTER e SET NOT NULL": "column public.t.e",
    "ALTER TABLE t ALTER e SET STORAGE PLAIN": "column public.t.e",
    "ALTER TABLE t ALTER e SET STATISTICS 7": "column public.t.e",
    "ALTER TABLE t ALTER id SET GENERATED BY DEFAULT": "column public.t.id",
    "ALTER TABLE t SET (fillfactor = 50)": "table public.t",
    "ALTER TABLE t ENABLE ROW LEVEL SECURITY": "table public.t",
    "ALTER TABLE t DISABLE TRIGGER tr": "trigger tr on public.t",
    "ALTER TABLE p DETACH PARTITION p1": "table public.p1",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0) NOT VALID": "constraint c on public.t",
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass": "index public.i",
    "ALTER SEQUENCE s INCREMENT 5": "sequence public.s",
    "ALTER VIEW v SET (security_barrier = true)": "view public.v",
    "REFRESH MATERIALIZED VIEW mv WITH NO DATA": "materialized view public.mv",
    "ALTER FUNCTION f SECURITY DEFINER": "function public.f(integer)",
    "ALTER FUNCTION f SET work_mem = '1MB'": "function public.f(integer)",
    "ALTER POLICY po ON t USING (id > 2)": "policy po on public.t",
    "ALTER STATISTICS st SET STATISTICS 9": "statistics public.st",
    "COMMENT ON COLUMN t.e IS 'x'": "comment on column public.t.e",
    "GRANT SELECT ON t TO PUBLIC": "privileges on table public.t",
    "REVOKE EXECUTE ON FUNCTION f FROM PUBLIC": "privileges on function public.f(integer)",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC": "default privileges of",
    "CREATE RULE r AS ON INSERT TO v DO INSTEAD NOTHING": "rule r on public.v",
    "CREATE PUBLICATION pub FOR TABLE t": "publication pub",
    "CREATE EVENT TRIGGER et ON sql_drop EXECUTE FUNCTION h()": "event trigger et",
    "CREATE CAST (mood AS int) WITH INOUT": "cast public.mood as integer",
    "ALTER SERVER sv OPTIONS (host 'h', password 'x')": "server sv",
    "CREATE USER MAPPING FOR PUBLIC SERVER sv OPTIONS (password 'x')": "user mapping of public",
    "CREATE AGGREGATE ag (int) (sfunc = int4pl, stype = int)": "aggregate public.ag(integer)",
    "CREATE OPERATOR === (leftarg=int, rightarg=int, function=int4eq)": "operator public.===",
    "CREATE TEXT SEARCH CONFIGURATION tc (COPY = english)": "text search configuration",
    "CREATE SCHEMA s2": "schema s2",
    "ALTER TABLE t REPLICA IDENTITY FULL": "table public.t",
    "CREATE TYPE fr AS RANGE (subtype = float8)": "range public.fr",
}


def test_every_kind_of_object_is_seen(subject: Subject) -> None:
    """Each change is told by exactly the object that it is about, and no secret is in the text."""
    subject.ask(_MANY_KINDS)
    missed = []
    with subject.driver.connect(CancelToken()) as session:
        before = session.snapshot()
        for change, identity in _SEEN.items():
            subject.ask(change)
            after = session.snapshot()
            found = [one.identity for one in differences(before, after)]
            missed += [] if any(name.startswith(identity) for name in found) else [(change, found)]
            before = after

    assert missed == []
    assert "password=x" not in before.text


_SETTINGS = (
    "SET DateStyle = 'German'; SET IntervalStyle = 'iso_8601'; SET TimeZone = 'Asia/Tokyo'; "
    "SET bytea_output = 'escape'; SET extra_float_digits = 0; SET quote_all_identifiers = on"
)


def test_a_sessions_settings_do_not_change_a_snapshot(subject: Subject) -> None:
    """Its text is the same under each of them, and they are as before afterwards."""
    subject.ask(
        "CREATE TABLE t (a date DEFAULT '2020-02-01', b interval DEFAULT '3 days', "
        "c timestamptz DEFAULT '2020-02-01 00:00Z', d bytea DEFAULT '\\x00ff', "
        "e float8 DEFAULT '0.1'::float8 + '0.2'::float8)"
    )
    with subject.driver.connect(CancelToken()) as session:
        before = session.snapshot()
        session.run_unrecorded(read(f"BEGIN; {_SETTINGS}; COMMIT"), 1, 7)
        after = session.snapshot()
        shown = session.run_unrecorded(read("SELECT '2020-02-01'::date::text::int"), 1, 1)

    assert after.text == before.text
    assert shown.failure is not None
    assert '"01.02.2020"' in shown.failure.server.message
