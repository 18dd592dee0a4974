"""A run behind a pooler that dies or sleeps loses its lease in time, and can do nothing after."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from tests.integration.engine.sites import failing, wait_for
from tests.integration.pooled.conftest import SHORT

from rung.errors import LockNotAcquired

if TYPE_CHECKING:
    from tests.integration.pooled.conftest import Behind


def _is_at(behind: Behind, words: str) -> bool:
    """Whether such a statement is under way."""
    asked = "SELECT query FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
    return any(words in row[0] for row in behind.site.ask(asked))


def test_one_that_was_killed(behind: Behind) -> None:
    """What it was at is rolled back at once; the lease ends when it is silent for too long."""
    behind.site.add("1_n", "CREATE TABLE n ();").add("2_s", "CREATE TABLE s (); SELECT pg_sleep(9)")
    run = behind.begin(SHORT)
    assert wait_for(lambda: _is_at(behind, "pg_sleep(9)"))
    run.kill()
    run.communicate()
    behind.site.add("2_s", "CREATE TABLE s ();")

    assert "behind a pooler" in failing(LockNotAcquired, behind.migrator(wait_for_lock=0).up).holder
    assert behind.up() == (2,)
    assert behind.site.ledger() == [(2, False)]


def test_one_that_slept(behind: Behind) -> None:
    """Stopped between two files and overtaken, it finds its lock lost when it wakes up."""
    behind.site.add("1_n", "CREATE TABLE n (v int); SELECT pg_sleep(1);")
    behind.site.add("2_n", "INSERT INTO n VALUES (2);")
    run = behind.begin(SHORT)
    assert wait_for(lambda: _is_at(behind, "pg_sleep(1)"))
    run.send_signal(signal.SIGSTOP)
    behind.site.add("2_n", "INSERT INTO n VALUES (3);")
    assert behind.up() == (2,)
    run.send_signal(signal.SIGCONT)
    _, error = run.communicate(timeout=30)

    assert "LockLost: the lock was lost before the next transaction of 2_n.up.sql" in error
    assert behind.site.ask("SELECT v FROM n") == [(3,)]
    assert behind.site.ledger() == [(2, False)]


def test_one_that_works_for_long(behind: Behind) -> None:
    """Signs of life come while a statement runs, outside a transaction too."""
    behind.site.add("1_n", "CREATE TABLE n (v int);")
    behind.site.add("2_i", "CREATE INDEX CONCURRENTLY i ON n (v);")
    with behind.site.database.connect() as old:
        behind.site.add_tables(0).migrator().goto(0)
        old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        run = behind.begin(SHORT)
        assert wait_for(lambda: _is_at(behind, "CREATE INDEX CONCURRENTLY"))
        time.sleep(2 * SHORT)
        failing(LockNotAcquired, behind.site.migrator(wait_for_lock=0).up)
        old.execute("COMMIT")

    assert run.communicate(timeout=30) == ("1 2\n", "")


def test_one_whose_connection_is_lost(behind: Behind) -> None:
    """What became of it is learned, though its server process is not known; the lease is freed."""
    behind.site.add("1_n", "CREATE TABLE n ();").add("2_s", "CREATE TABLE s (); SELECT pg_sleep(9)")
    run = behind.begin()
    assert wait_for(lambda: _is_at(behind, "pg_sleep(9)"))
    behind.site.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE query LIKE '%pg_sleep(9)%' AND pid <> pg_backend_pid()"
    )
    _, error = run.communicate(timeout=30)

    assert "ConnectionLost" in error
    assert "database: clean at version 1; migration 2 was rolled back" in error
    assert behind.lease()[0][0] is False
