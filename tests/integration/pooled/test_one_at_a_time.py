"""Runs behind a pooler exclude each other, direct ones and golang-migrate, and are excluded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing, wait_for

from rung.drivers.postgres.lock import foreign_key
from rung.errors import LockNotAcquired

if TYPE_CHECKING:
    import subprocess

    from tests.integration.engine.golang import Golang
    from tests.integration.engine.sites import Site
    from tests.integration.pooled.conftest import Behind

_NAPS = "BEGIN COMMIT; PERFORM pg_sleep(20); END"
_NAPPING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
_NOTED = "INSERT INTO n VALUES ({}); SELECT pg_sleep(0.3);"


def _add_bodies(site: Site) -> None:
    """Three bodies that each leave a row; the last holds a statement outside a transaction."""
    site.add("1_n", "CREATE TABLE n (v int); INSERT INTO n VALUES (1); SELECT pg_sleep(0.3);")
    site.add("2_n", _NOTED.format(2))
    site.add("3_n", "INSERT INTO n VALUES (3);\nCREATE INDEX CONCURRENTLY nv ON n (v);")


def _ends(runs: list[subprocess.Popen[str]]) -> list[str]:
    """What each applied, sorted; all have to end well."""
    told = [run.communicate(timeout=60) for run in runs]

    assert [error for _, error in told] == [""] * len(runs)
    return sorted(out.strip() for out, _ in told)


def test_ten_through_the_pooler(behind: Behind) -> None:
    """Ten replicas start behind a pool of two: every body runs once and all end well."""
    _add_bodies(behind.site)

    assert _ends([behind.begin() for _ in range(10)]) == [""] * 9 + ["1 2 3"]
    assert behind.site.ask("SELECT v FROM n ORDER BY v") == [(1,), (2,), (3,)]
    assert behind.lease()[0][0] is False


def test_five_through_it_and_five_past_it(behind: Behind) -> None:
    """Runs behind the pooler and direct ones exclude each other."""
    _add_bodies(behind.site)
    past = behind.site.database.conninfo

    assert _ends([behind.begin(database=past * (n % 2)) for n in range(10)]) == (
        [""] * 9 + ["1 2 3"]
    )
    assert behind.site.ask("SELECT v FROM n ORDER BY v") == [(1,), (2,), (3,)]


@pytest.mark.parametrize("form", ["/", ""])
def test_golang_migrates_key_keeps_us_out(behind: Behind, form: str) -> None:
    """A golang-migrate at work, past the pooler, is waited for, and named."""
    behind.site.add_tables(1)
    key = foreign_key("public", "schema_migrations", f"{form}{behind.site.database.name}")
    with behind.site.database.connect(application_name="by hand") as other:
        other.execute(f"SELECT pg_advisory_lock({key})")
        error = failing(LockNotAcquired, behind.migrator(wait_for_lock=0).up)
        assert f"process {other.info.backend_pid}," in error.holder

    assert behind.up() == (1,)


def test_a_direct_run_waits_for_the_lease(behind: Behind) -> None:
    """While a run behind the pooler is outside a transaction no key is held, but the lease is."""
    behind.site.ask(f"CREATE PROCEDURE nap() LANGUAGE plpgsql AS '{_NAPS}'")
    behind.site.add("1_n", "VACUUM; CALL nap();")
    run = behind.begin()
    assert wait_for(lambda: behind.site.ask(_NAPPING) == [(1,)])
    error = failing(LockNotAcquired, behind.site.migrator(wait_for_lock=0).up)

    assert f'held by process {run.pid}, user "postgres", application "rung ' in error.holder
    assert "behind a pooler, last heartbeat " in error.holder


@pytest.mark.oracle
def test_golang_migrate_between_two_files(behind: Behind, golang: Golang) -> None:
    """Whoever of both comes first, and wherever the other comes in: no body runs twice."""
    for number in range(1, 9):
        behind.site.add(f"{number}_n", f"CREATE TABLE n{number} (); SELECT pg_sleep(0.1);")
    ours, theirs = behind.begin(), golang.begin("up")
    ours.communicate(timeout=60)
    theirs.communicate(timeout=60)
    behind.up()

    assert behind.site.ledger() == [(8, False)]
    assert behind.site.ask("SELECT count(*) FROM pg_tables WHERE tablename ~ 'n[0-9]'") == [(8,)]
