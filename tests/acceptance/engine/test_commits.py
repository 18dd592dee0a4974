"""All commits of a run but the last may be asynchronous; the last one flushes those before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.acceptance.engine.sites import failing

from rung.errors import MigrationFailed, Stopped
from rung.events import StepFinished
from rung.stopping import Stop

if TYPE_CHECKING:
    from rung.events import Event
    from tests.acceptance.engine.sites import Site

_NOTE = "INSERT INTO noted SELECT {}, current_setting('synchronous_commit');"


def _noting(site: Site, *versions: int) -> Site:
    site.add("1_table", "CREATE TABLE noted (v int, setting text);")
    for version in versions:
        form = "BEGIN;{}COMMIT;" if version % 2 else "{}"
        site.add(f"{version}_n", form.format(_NOTE.format(version)))
    return site


def _unflushed(site: Site) -> bool:
    """Whether some commit so far is not on disk."""
    rows = site.ask("SELECT pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn()")
    return bool(rows[0][0])


def test_only_the_last_commit_waits_for_the_disk(site: Site) -> None:
    """synchronous_commit is off in every file but the last, own transactions too."""
    _noting(site, 2, 3, 4, 5).up()

    assert site.ask("SELECT v, setting FROM noted ORDER BY v") == [
        (2, "off"),
        (3, "off"),
        (4, "off"),
        (5, "on"),
    ]


def test_a_finished_run_is_on_disk(site: Site) -> None:
    """When a run returns all of its commits are flushed."""
    _noting(site, 2, 3, 4).up()
    position = "(SELECT max(xmin::text::bigint) FROM schema_migrations_history)"

    assert site.ask(f"SELECT {position} > 0, NOT pg_current_wal_flush_lsn() < '0/1'") == [
        (True, True)
    ]
    assert not _unflushed(site)


def test_a_file_cannot_put_the_last_flush_off(site: Site) -> None:
    """A last file that turns synchronous_commit off is on disk all the same when it is done."""
    site.add_tables(1).add("2_b", "SET synchronous_commit = off; CREATE TABLE b ();")

    site.up()
    assert not _unflushed(site)


def test_a_failure_flushes_what_was_before(site: Site) -> None:
    """The history row of a failure is a synchronous commit."""
    _noting(site, 2, 3).add("4_bad", "SELECT 1/0;").up_fails(MigrationFailed)

    assert not _unflushed(site)


def test_a_stop_flushes_what_was_before(site: Site) -> None:
    """A run that stops early has flushed what it did."""
    stop = Stop()

    def listener(event: Event) -> None:
        if isinstance(event, StepFinished) and event.version == 2:
            stop.set()

    failing(Stopped, _noting(site, 2, 3, 4).migrator(stop=stop, listener=listener).up)
    assert not _unflushed(site)
    assert site.ledger() == [(2, False)]


@pytest.mark.parametrize("default", ["off", "on"])
def test_the_session_keeps_its_own_setting(site: Site, default: str) -> None:
    """What a file sees last is the database's own setting, whatever that is."""
    site.ask(f"ALTER DATABASE {site.database.name} SET synchronous_commit = {default}")
    _noting(site, 2).up()

    assert site.ask("SELECT setting FROM noted") == [(default,)]
