"""Leases that no run keeps: taken over, found by `doctor`, broken by `rung unlock`, never twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing

from rung.errors import LedgerUnreadable, LockNotAcquired, PlanChanged

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site

LEASE = """
CREATE TABLE schema_migrations_lease (one bool {key}, owner uuid, taken timestamptz,
    heartbeat timestamptz, expires timestamptz, process integer, host text,
    database_user text, tool text)
"""
ROW = """
INSERT INTO schema_migrations_lease
SELECT true, gen_random_uuid(), now(), now() - interval '1 minute', {expires}, 77, 'box', 'ada',
       'rung 0'
"""
IMPOSSIBLE = ["'infinity'", "NULL", "now() + interval '1 hour'", "'290000-01-01'"]
STALE = [*IMPOSSIBLE, "now() - interval '1 second'", "'-infinity'"]
ALIVE = "now() + interval '29 seconds'"


def leased(site: Site, expires: str, times: int = 1) -> Site:
    """Have a run behind a pooler hold the lease so long, in so many rows."""
    site.add_tables(1).up()
    site.ask(LEASE.format(key="PRIMARY KEY" if times == 1 else ""))
    for _ in range(times):
        site.ask(ROW.format(expires=expires))
    return site.add_tables(2)


@pytest.mark.parametrize("expires", STALE)
def test_a_stale_lease_stops_nobody(site: Site, expires: str) -> None:
    """One that expires at no time that a run gives it is stale; `doctor` says until when it is."""
    leased(site, expires)
    (found,) = site.migrator().doctor().problems
    assert (found.kind, found.fix) == ("expired lease", "rung unlock")

    assert site.up() == (2,)
    assert site.ask("SELECT owner FROM schema_migrations_lease") == [(None,)]


def test_two_leases_are_an_error(site: Site) -> None:
    """Nobody can tell which one counts: runs are refused, and `doctor` has the remedy."""
    leased(site, ALIVE, times=2)
    error = failing(LedgerUnreadable, site.migrator().up)
    assert "schema_migrations_lease has 2 rows" in error.cause
    failing(LedgerUnreadable, site.migrator().unlock)

    (found,) = site.migrator().doctor().problems
    assert found.kind == "several leases"
    site.ask(found.fix)
    assert site.up() == (2,)


@pytest.mark.parametrize("expires", STALE)
def test_a_stale_lease_is_broken(site: Site, expires: str) -> None:
    """Whose it was is told; the next look finds nobody."""
    migrator = leased(site, expires).migrator()
    holder = migrator.unlock(expected=migrator.lock_holder())

    assert holder is not None
    assert (holder.pid, holder.user, holder.address, holder.stale) == (77, "ada", "box", True)
    assert (migrator.lock_holder(), migrator.unlock()) == (None, None)


def test_a_lease_of_a_run_that_is_alive(site: Site) -> None:
    """It is broken only if that is asked for; another's since then is left alone."""
    migrator = leased(site, ALIVE).migrator()
    shown = migrator.lock_holder()
    failing(LockNotAcquired, migrator.unlock)
    site.ask("UPDATE schema_migrations_lease SET owner = gen_random_uuid()")
    failing(PlanChanged, lambda: migrator.unlock(expected=shown, allow_live_holder=True))

    assert migrator.unlock(allow_live_holder=True) is not None
    assert site.up() == (2,)


def test_a_lock_of_a_session_is_not_broken(site: Site) -> None:
    """Who holds it, for how long it has been idle and what ends it is said; it is not done."""
    site.add_tables(1).up()
    with site.migrator()._target.connected() as session:
        assert session.try_lock()
        error = failing(LockNotAcquired, lambda: site.migrator().unlock(allow_live_holder=True))

    assert "idle for " in error.detail
    assert "To end it: `SELECT pg_terminate_backend(" in error.detail
