"""SQLite keeps the driver contract, and a few things that only SQLite has."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.contract.subject import EMPTY, ONE, Subject, attempt
from tests.contract.suite import DriverContract
from tests.contract.transactions import run_whole

from rung.cancellation import CancelToken
from rung.database import Database
from rung.drivers import open_driver
from rung.drivers.contract import LedgerTransition
from rung.script import Dialect, read

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    """Give the driver on a file that is not there yet, and plain connections beside it."""
    file = tmp_path / "chat.db"

    def ask(sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(file, isolation_level=None)) as beside:
            return beside.execute(sql).fetchall()

    def exists(table: str) -> bool:
        return file.exists() and ask(f"SELECT 1 FROM sqlite_master WHERE name = '{table}'") != []

    return Subject(open_driver(Database(f"sqlite://{file}")), ask, exists, Dialect.SQLITE)


class TestSqlite(DriverContract):
    """The contract."""

    @pytest.fixture
    def subject(self, subject: Subject) -> Subject:
        return subject


def test_a_fooled_reading_is_noticed(subject: Subject) -> None:
    """A COMMIT that the reading did not see is told, and our rows are written all the same."""
    script = subject.read("CREATE TABLE made (x);\nROLLBACK TO a;")
    seen = script.text.replace("ROLLBACK TO a", "COMMIT       ")
    fooled = replace(script, text=seen)
    with subject.driver.connect(CancelToken()) as session:
        session.prepare_tables()
        ran = run_whole(session, fooled, LedgerTransition(EMPTY, ONE), attempt())

    assert "transaction" in ran.transaction_control
    assert subject.ledger() == [(1, False)]


def test_a_session_in_memory_is_put_back() -> None:
    """The one connection is the database: what was changed in it is undone piece by piece."""
    driver = open_driver(Database("sqlite://:memory:?_fk=1"))
    script = read(
        "PRAGMA cache_size = 7; ATTACH ':memory:' AS b; CREATE TABLE a (x); "
        "CREATE TEMP TABLE c (x); CREATE TEMP VIEW d AS SELECT x FROM c;",
        Dialect.SQLITE,
    )
    with driver.connect(CancelToken()) as session:
        session.prepare_tables()
        assert run_whole(session, script, LedgerTransition(EMPTY, ONE), attempt()).failure is None
        assert session.reset() == ("cache_size", "temp.d", "temp.c", "ATTACH b")

        assert session.reset() == ()
        assert session.inspect().ledger == ONE
        assert session.capabilities.foreign_locks is None
