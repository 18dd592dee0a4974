"""Killed at any moment: clean where the file was whole, dirty and explained where it was not."""

from __future__ import annotations

import pytest
from tests.integration.engine.sites import failing, wait_for
from tests.integration.sqlite.sites import Site, spin

from rung.errors import DirtyLedger
from rung.ledger import LedgerState

LONG = spin(10**9)


def kill_when(site: Site, fact: object) -> None:
    """Run up in a process and kill it -9 once something is so."""
    run = site.begin_up()
    assert callable(fact)
    assert wait_for(fact), run.poll()
    run.kill()
    run.communicate()


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "BEGIN; {} COMMIT;",
        "PRAGMA foreign_keys=OFF; BEGIN; {} COMMIT; PRAGMA foreign_keys=ON;",
    ],
    ids=["ours", "its own", "rebuilding"],
)
def test_in_the_middle_of_a_file(site: Site, around: str) -> None:
    """Nothing of it stays, nothing has to be repaired, and the next run continues."""
    body = f"CREATE TABLE b (x); INSERT INTO b VALUES (1); {LONG}"
    site.add_tables(1).add("2_b", around.format(body))
    journal = site.file.with_name("chat.db-journal")
    kill_when(site, lambda: site.file.exists() and journal.exists() and site.tables() == {"t1"})

    assert site.migrator().version() == LedgerState(1)
    assert (site.ledger(), site.tables()) == ([(1, 0)], {"t1"})
    site.add("2_b", "CREATE TABLE b (x);")
    assert site.up() == (2,)


def test_between_units(site: Site) -> None:
    """The ledger is dirty, the history names the statement, and a force goes on from there."""
    site.add("1_a", f"CREATE TABLE a (x); VACUUM; {LONG} CREATE TABLE b (x);")
    kill_when(site, lambda: site.file.exists() and _done(site) == 2)

    assert (site.ledger(), site.tables()) == ([(1, 1)], {"a"})
    assert site.progress() == [(1, "running", 2, None)]
    told = failing(DirtyLedger, site.migrator().up).detail
    assert "2 of 4 statements are committed" in told
    site.migrator().force(1)
    assert site.ledger() == [(1, 0)]


def test_in_a_statement_outside_a_transaction(site: Site) -> None:
    """It is named as the one under way."""
    site.add("1_a", f"-- rung: no-transaction\nCREATE TABLE a (x); PRAGMA journal_mode=WAL; {LONG}")
    kill_when(site, lambda: site.file.exists() and _done(site) == 2)

    assert site.ledger() == [(1, 1)]
    assert site.ask("PRAGMA journal_mode") == [("wal",)]


def test_the_lock_is_free_again(site: Site) -> None:
    """A killed run holds nobody up."""
    site.add("1_a", LONG)
    kill_when(site, site.file.with_name("chat.db-rung-lock").exists)
    site.add("1_a", "CREATE TABLE a (x);")

    assert site.migrator(wait_for_lock=0).up().version == 1
    assert not site.file.with_name("chat.db-rung-lock").exists()


def _done(site: Site) -> int:
    if not site.ask("SELECT 1 FROM sqlite_master WHERE name = 'schema_migrations_history'"):
        return 0
    return sum(row[2] for row in site.progress())
