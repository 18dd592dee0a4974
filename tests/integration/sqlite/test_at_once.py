"""Many processes on one file: one applies, the others wait, nothing is done twice."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from threading import Thread

import pytest
from tests.integration.engine.sites import failing, wait_for
from tests.integration.sqlite.sites import Site, spin

from rung.cancellation import CancelToken
from rung.errors import DatabaseBusy, LockNotAcquired, MigrationFailed
from rung.events import LockWaiting

PROCESSES = 20


@pytest.mark.parametrize(
    "slow",
    [
        f"INSERT INTO a VALUES (1); {spin(2_000_000)}",
        f"BEGIN; INSERT INTO a VALUES (1); {spin(2_000_000)} COMMIT;",
        f"INSERT INTO a VALUES (1); VACUUM; {spin(2_000_000)}",
    ],
    ids=["ours", "its own", "units"],
)
def test_many_processes(site: Site, slow: str) -> None:
    """Each body runs once, and every process ends well."""
    site.add("1_a", "CREATE TABLE a (x);").add("2_b", slow).add("3_c", "CREATE TABLE c (x);")
    runs = [site.begin_up() for _ in range(PROCESSES)]
    told = [(*run.communicate(timeout=120), run.returncode) for run in runs]

    assert [(err, code) for _, err, code in told] == [("", 0)] * PROCESSES
    assert sorted(out.strip() for out, _, _ in told) == [""] * (PROCESSES - 1) + ["1 2 3"]
    assert (site.ask("SELECT x FROM a"), site.ledger()) == ([(1,)], [(3, 0)])


def test_a_file_that_fills_memory_and_locks_readers_out(site: Site) -> None:
    """A writer that spills keeps readers out for longer than SQLite waits; who waits goes on."""
    site.add("1_a", "CREATE TABLE a (x);")
    site.up()
    site.add(
        "2_b",
        "PRAGMA cache_size = 1;\nINSERT INTO a WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL "
        f"SELECT n + 1 FROM c WHERE n < 20000) SELECT hex(randomblob(200)) FROM c;\n"
        f"{spin(4_000_000)}",
    )
    first = site.begin_up()
    assert wait_for(lambda: _is_locked(site))
    report = site.migrator("?_timeout=20").up()

    assert (first.wait(60), first.communicate()[0].strip()) == (0, "2")
    assert (report.steps, report.version, site.ledger()) == ((), 2, [(2, 0)])


def test_who_holds_the_lock_is_told(site: Site) -> None:
    """A bounded wait ends with the lock holder's name; an unbounded one reports the holder."""
    site.add("1_a", spin(10**9))
    first = site.begin_up()
    lock = site.file.with_name("chat.db-rung-lock")
    assert wait_for(lambda: lock.exists() and str(first.pid) in lock.read_text())
    error = failing(LockNotAcquired, site.migrator(wait_for_lock=0.1).up)

    assert f"The lock is held by process {first.pid}, user " in error.holder
    assert f"process {first.pid}" in site.heard(LockWaiting)[0].holder


def test_another_program_writes(site: Site) -> None:
    """After SQLite's own patience the run fails, clean, and what to do is to wait."""
    site.add_tables(1).up()
    site.add_tables(2)
    with closing(sqlite3.connect(site.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        failed = failing(MigrationFailed, site.migrator("?_timeout=50").up)
        busy = failing(DatabaseBusy, lambda: site.migrator("?_timeout=50").force(1))

    assert "database is locked" in failed.cause
    assert failed.hint.startswith("wait for the program that writes there")
    assert "_busy_timeout" in busy.hint
    assert (site.up(), site.ledger()) == ((2,), [(2, 0)])


def test_a_cancelled_statement(site: Site) -> None:
    """Asked twice to stop, a run interrupts its statement and takes the file back."""
    stop = CancelToken()
    site.add_tables(1).add("2_b", f"CREATE TABLE b (x); {spin(10**9)}")
    told: list[Exception] = []
    run = Thread(target=lambda: _keep(told, site, stop))
    run.start()
    assert wait_for(lambda: site.file.exists() and site.tables() == {"t1"})
    stop.set()
    stop.set()
    run.join(20)

    assert [type(error).__name__ for error in told] == ["Stopped"]
    assert (site.ledger(), site.tables()) == ([(1, 0)], {"t1"})
    assert site.progress()[-1][:2] == (2, "failed")


def _keep(told: list[Exception], site: Site, stop: CancelToken) -> None:
    try:
        site.migrator(stop=stop).up()
    except Exception as error:  # noqa: BLE001 - the test says which it has to be
        told.append(error)


def _is_locked(site: Site) -> bool:
    with closing(sqlite3.connect(site.file, timeout=0)) as other:
        try:
            other.execute("SELECT count(*) FROM sqlite_master").fetchall()
        except sqlite3.OperationalError:
            return True
        return False
