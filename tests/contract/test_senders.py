"""
Two ways of sending to PostgreSQL, held against each other: one message, and one for a statement.

Every scenario runs both ways on the same empty schema; result, ledger, history and what the file
made must be the same, and a failure must have the same place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from tests.contract.subject import BEFORE, EMPTY, MOVES, ONE, TWO, attempt
from tests.contract.suite import RunContract
from tests.contract.test_postgres import subject
from tests.contract.transactions import begin_units, end_units, run_together, run_unit, run_whole
from tests.contract.units import ContinuingContract

from rung import database as databases
from rung.cancellation import CancelToken
from rung.drivers import open_driver
from rung.drivers.contract import LedgerTransition
from rung.drivers.postgres.wire import Reply, Wire
from rung.errors import UsageError
from rung.ledger import HISTORY_TABLE, LEDGER_TABLE, LedgerState
from rung.script import read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.contract.subject import Subject
    from tests.servers import Database

    from rung.drivers.contract import ExecutionResult, Session

__all__ = ["subject"]

_TABLE = "CREATE TABLE made (x int PRIMARY KEY);\n"
_FILES = {
    "whole": _TABLE + "INSERT INTO made VALUES (1), (2);",
    "empty": "-- nothing\n",
    "comments between": "-- one\n" + _TABLE + "/* two */ INSERT INTO made\n VALUES (7) -- three\n;",
    "a place in the second line": _TABLE + "INSERT INTO made VALUES ('é', nowhere);",
    "a duplicate": _TABLE + "INSERT INTO made VALUES (1);\nINSERT INTO made VALUES (1);",
    "copied rows": _TABLE + "COPY made FROM stdin;\n1\n2\n\\.\nSELECT count(*) FROM made;",
    "copied rows that do not fit": _TABLE + "COPY made FROM stdin;\na\n\\.\n",
    "its own transaction": f"BEGIN;\n{_TABLE}INSERT INTO made VALUES (1);\nCOMMIT;",
    "its own, failing": f"BEGIN;\n{_TABLE}INSERT INTO nowhere VALUES (1);\nCOMMIT;",
    "its own, serializable": f"BEGIN ISOLATION LEVEL SERIALIZABLE;\n{_TABLE}COMMIT;",
    "its own, read only": "BEGIN READ ONLY;\nSELECT 1;\nCOMMIT;",
    "settings": "SET search_path = pg_catalog; SET lock_timeout = '1s';\n"
    "CREATE TABLE public.made ();",
    "another role": "SET ROLE pg_monitor; SELECT 1;",
    "reset all": "RESET ALL; CREATE TABLE made (x int);",
    "transaction first": "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\n" + _TABLE,
    "notices": "DO $$ BEGIN RAISE WARNING 'one'; RAISE NOTICE 'two'; END $$;\n" + _TABLE,
    "deferred": "CREATE TABLE made (x int UNIQUE DEFERRABLE INITIALLY DEFERRED);\n"
    "INSERT INTO made VALUES (1), (1);",
    "outside only": _TABLE + "VACUUM;",
    "a procedure that commits": "CREATE PROCEDURE p() LANGUAGE plpgsql AS "
    "'BEGIN COMMIT; END';\nCALL p();",
    "an enum's new value": "CREATE TYPE mood AS ENUM ('a');\nALTER TYPE mood ADD VALUE 'b';\n"
    "SELECT 'b'::mood;",
    "the ledger dropped": f"DROP TABLE {LEDGER_TABLE};",
    "a division in the file": "SELECT 1/0;",
    "inner position": "DO $$ BEGIN PERFORM nowhere(); END $$;",
    "many rows": "SELECT * FROM generate_series(1, 5000);\n" + _TABLE,
}


class Seen(NamedTuple):
    """What came of a scenario."""

    results: tuple[object, ...]
    ledger: object
    history: object
    made: object


def _result(result: ExecutionResult) -> object:
    parts = [(one.notices, one.transaction_control, one.leaked_settings) for one in result.parts]
    return parts, result.failure, result.stopped


def _run(
    subject: Subject, url: str, scenario: Callable[[Session], Sequence[ExecutionResult]], rows: str
) -> Seen:
    driver = open_driver(databases.Database(url))
    with driver.connect(CancelToken()) as session:
        session.inspect()
        assert session.try_lock()
        session.prepare_tables()
        subject.put(BEFORE[rows])
        results = tuple(map(_result, scenario(session)))
    columns = "version, direction, outcome, statements_done, statements_total, in_flight, error"
    seen = Seen(
        results,
        subject.ask(f"SELECT version, dirty FROM {LEDGER_TABLE}"),
        subject.ask(f"SELECT {columns} FROM {HISTORY_TABLE} ORDER BY id"),
        subject.ask("SELECT relname, reltuples FROM pg_class WHERE relname LIKE 'made%'"),
    )
    subject.ask("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return seen


def _single(database: Database) -> str:
    return f"{database.url}{'&' if '?' in database.url else '?'}statement_mode=single"


def _both(
    subject: Subject,
    database: Database,
    scenario: Callable[[Session], Sequence[ExecutionResult]],
    rows: str = "empty",
) -> Seen:
    """Run it both ways; the same must come of it."""
    message = _run(subject, database.url, scenario, rows)
    assert _run(subject, _single(database), scenario, rows) == message
    return message


@pytest.mark.parametrize("text", _FILES.values(), ids=_FILES)
def test_a_whole_file(subject: Subject, database: Database, text: str) -> None:
    """In its transaction, ours or its own; and in two that commit together."""
    script, more = read(text), read("CREATE TABLE made_too (x int);")
    moves = LedgerTransition(EMPTY, ONE), LedgerTransition(ONE, TWO)
    _both(subject, database, lambda one: [run_whole(one, script, moves[0], attempt())])
    if script.mode.value == "transactional":
        files = (script, moves[0], attempt(1)), (more, moves[1], attempt(2))
        _both(subject, database, lambda one: [run_together(one, *files)])


@pytest.mark.parametrize("text", _FILES.values(), ids=_FILES)
def test_unit_by_unit(subject: Subject, database: Database, text: str) -> None:
    """Each of a file's statements by itself, as `each_statement` and MySQL's DDL would have it."""
    script = read(text)
    tried = attempt(total=len(script.statements))
    dirty = LedgerState(1, dirty=True)

    def scenario(session: Session) -> list[ExecutionResult]:
        told = [begin_units(session, LedgerTransition(EMPTY, dirty), tried)]
        for unit in script.units:
            told.append(run_unit(session, script, unit, tried.id))
            if told[-1].failure:
                return [*told, end_units(session, None, tried.id, told[-1].failure)]
        return [*told, end_units(session, LedgerTransition(dirty, ONE), tried.id, None)]

    _both(subject, database, scenario)


@pytest.mark.parametrize("rows", BEFORE)
@pytest.mark.parametrize("move", MOVES)
def test_the_ledgers_moves(subject: Subject, database: Database, rows: str, move: str) -> None:
    """From each state to each; both refuse the same."""
    if rows == "two rows":
        pytest.skip("no session opens on it")
    script = read(_FILES["whole"])
    _both(subject, database, lambda one: [run_whole(one, script, MOVES[move], attempt())], rows)


def test_a_last_down_that_drops_our_tables(subject: Subject, database: Database) -> None:
    """They are made again in the same transaction."""
    script = read(f"DROP TABLE {LEDGER_TABLE};\nDROP TABLE {HISTORY_TABLE};")
    move, down = LedgerTransition(TWO, EMPTY), attempt(2, "down")
    seen = _both(subject, database, lambda one: [run_whole(one, script, move, down)], "row")

    assert (seen.ledger, seen.history) == ([], [])


def test_a_mode_that_is_not_recognized(database: Database) -> None:
    """A typing error does not fall back to the other way."""
    wrong = _single(database).replace("single", "sinlge")

    with pytest.raises(UsageError, match='"sinlge"'):
        open_driver(databases.Database(wrong))


@pytest.mark.parametrize(("way", "messages"), [(str, 1), (_single, 18)])
def test_how_many_messages(
    subject: Subject,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    way: Callable[[object], str],
    messages: int,
) -> None:
    """One for a file, or one for each statement of it and of ours."""
    sent: list[str] = []
    ask = Wire.ask

    def counted(wire: Wire, *facts: Any, **more: Any) -> Reply:  # noqa: ANN401
        sent.append(str(facts[0]))
        return ask(wire, *facts, **more)

    script = read(_FILES["whole"])
    url = database.url if way is str else way(database)
    with open_driver(databases.Database(url)).connect(CancelToken()) as session:
        session.inspect()
        assert session.try_lock()
        session.prepare_tables()
        session.inspect()
        monkeypatch.setattr(Wire, "ask", counted)
        run_whole(session, script, LedgerTransition(EMPTY, ONE), attempt(), last=False)

    assert len(sent) == messages


class TestSingleStatements(RunContract, ContinuingContract):
    """The contract, with each statement sent by itself."""

    # `test_the_ledgers_moves` compares every one of these cases with the other way of sending.
    test_compare_and_set = None  # type: ignore[assignment]

    @pytest.fixture
    def subject(self, subject: Subject, database: Database) -> Subject:
        driver = open_driver(databases.Database(_single(database)))
        return subject.__class__(driver, subject.ask, subject.exists, subject.dialect)

    @pytest.mark.parametrize("move", [MOVES["up"], MOVES["from empty"]], ids=["up", "from empty"])
    @pytest.mark.parametrize("rows", [BEFORE["row"], BEFORE["empty"]], ids=["row", "empty"])
    def test_compare_and_set_of_units(
        self, subject: Subject, ready: Session, rows: list[tuple[int, bool]], move: LedgerTransition
    ) -> None:
        """The dirty mark of a file of units is set with single statements, too."""
        super().test_compare_and_set_of_units(subject, ready, rows, move)
