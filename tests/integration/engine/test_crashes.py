"""The server itself goes down in the middle: what is true afterwards, and what is said."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import psycopg
import pytest
from tests.integration.engine.sites import Site, wait_for
from tests.servers import Database

from rung.embedded import start
from rung.errors import ConnectionLost

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CRASH = "COPY (SELECT 1) TO PROGRAM 'kill -9 $PPID';"
_SETTINGS = {"wal_writer_delay": "10s", "synchronous_commit": "on", "restart_after_crash": "on"}


@pytest.fixture
def frail(tmp_path: Path) -> Iterator[Site]:
    """Give a site on a server of its own that writes asynchronous commits down late."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    with start(settings=_SETTINGS) as server:
        yield Site(Database("postgres", server), folder)


def _answers(site: Site) -> bool:
    try:
        return site.ask("SELECT 1") == [(1,)]
    except psycopg.Error:
        return False


def _agree(site: Site) -> int:
    """The version of the ledger, whose tables and history have to be there and no others."""
    ledger = site.ledger()
    version = ledger[0][0] if ledger else 0
    assert ledger in ([], [(version, False)])
    assert site.tables() == {f"t{number}" for number in range(1, version + 1)}
    assert [row[0] for row in site.history() if row[2] == "done"] == list(range(1, version + 1))
    return version


@pytest.mark.slow
def test_a_crash_in_the_middle_of_a_run(frail: Site) -> None:
    """Commits that were not on disk are gone as wholes, and the error tells what is left."""
    frail.add_tables(1, 2, 3, 4).add("5_crash", f"CREATE TABLE t5 ();\n{_CRASH}\nSELECT 1;")
    error = frail.up_fails(ConnectionLost)
    assert wait_for(lambda: _answers(frail), 30)

    version = _agree(frail)
    assert f"clean at {f'version {version}' if version else 'no version'}" in error.now
    assert error.committed is False
    assert error.applied == tuple(range(1, version + 1))

    frail.add("5_crash", "CREATE TABLE t5 ();").up()
    assert _agree(frail) == 5


@pytest.mark.slow
def test_a_crash_in_a_unit(frail: Site) -> None:
    """The dirty mark and the progress were on disk before the unit that crashed the server."""
    frail.add_tables(1).add("2_crash", f"CREATE TABLE t2 ();\nVACUUM;\n{_CRASH}\nSELECT 1;")
    error = frail.up_fails(ConnectionLost)
    assert wait_for(lambda: _answers(frail), 30)

    assert "dirty at version 2" in error.now
    assert (frail.ledger(), frail.tables()) == ([(2, True)], {"t1", "t2"})
    assert frail.progress()[-1] == ("running", 2, 4, None)


@pytest.mark.slow
def test_a_finished_run_survives_a_crash(frail: Site) -> None:
    """Once a run has returned nothing of it is lost."""
    frail.add_tables(1, 2, 3).up()
    with contextlib.suppress(psycopg.Error):
        frail.ask(_CRASH)
    assert wait_for(lambda: _answers(frail), 30)

    assert _agree(frail) == 3
