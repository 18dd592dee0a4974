"""What our own questions wait for is said, and ends on request, whatever the server does."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import psycopg
import pytest
from tests.integration.engine.sites import failing

from rung.cancellation import CancelToken
from rung.errors import ConnectionFailed, RungError, Stopped, TableLocked
from rung.events import LockAwaited, Warned
from rung.migrator import Migrator

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.connections.machine import Machine
    from tests.integration.engine.sites import Site

    from rung.events import Event


@pytest.fixture
def own_server(machine: Machine) -> Machine:
    """Give a server of our own with an empty database."""
    machine.start(max_prepared_transactions="2")
    machine.await_answer()
    machine.ask("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return machine


class Impatient:
    """Stops a run as soon as it is told of a wait."""

    def __init__(self) -> None:
        self.stop, self.waits, self.warnings = CancelToken(), [""], [""]

    def __call__(self, event: Event) -> None:
        if isinstance(event, LockAwaited):
            self.waits += map(str, event.blockers)
            self.stop.set()
        if isinstance(event, Warned):
            self.warnings.append(event.message)


@pytest.mark.parametrize("command", ["version", "status", "history", "plan", "up"])
def test_a_locked_ledger_is_waited_for_aloud(site: Site, command: str) -> None:
    """The holder is named, how long it has been idle, and one request ends the wait."""
    site.add_tables(1).up()
    told = Impatient()
    with psycopg.connect(site.database.conninfo, application_name="lunch") as other:
        other.execute("LOCK TABLE schema_migrations IN ACCESS EXCLUSIVE MODE")
        migrator, holder = site.migrator(listener=told, stop=told.stop), other.info.backend_pid
        failing(Stopped, getattr(migrator, command))

    assert f"process {holder} " in told.waits[-1]
    assert 'application "lunch"), idle in transaction for ' in told.waits[-1]


def test_a_prepared_transaction_is_named(own_server: Machine, tmp_path: Path) -> None:
    """It has no process: its name is told, and what ends it."""
    (tmp_path / "1_a.up.sql").write_text("SELECT 1;")
    Migrator(own_server.conninfo, tmp_path).up()
    with psycopg.connect(own_server.conninfo) as other:
        other.execute("LOCK TABLE schema_migrations IN ACCESS EXCLUSIVE MODE")
        other.execute("PREPARE TRANSACTION 'left'")
    told = Impatient()
    failing(Stopped, Migrator(own_server.conninfo, tmp_path, listener=told, stop=told.stop).version)
    hasty = f"{own_server.conninfo} options='-c lock_timeout=200ms'"
    error = failing(TableLocked, Migrator(hasty, tmp_path).version)
    own_server.ask("ROLLBACK PREPARED 'left'")

    assert 'the prepared transaction "left"' in told.waits[-1]
    assert "`ROLLBACK PREPARED 'left';`" in error.hint


def test_a_synchronous_standby_that_is_away(own_server: Machine, tmp_path: Path) -> None:
    """The commit that makes our tables is ended by one request; it holds, and that is said."""
    (tmp_path / "1_a.up.sql").write_text("CREATE TABLE a (x int);")
    own_server.ask("ALTER SYSTEM SET synchronous_standby_names = 's1'")
    own_server.ask("SELECT pg_reload_conf()")
    try:
        told = Impatient()
        failing(Stopped, Migrator(own_server.conninfo, tmp_path, listener=told, stop=told.stop).up)
    finally:
        own_server.ask("ALTER SYSTEM RESET synchronous_standby_names")
        own_server.ask("SELECT pg_reload_conf()")

    assert 'synchronous_standby_names is "s1", none is connected' in told.waits[-1]
    assert "synchronous replication" in told.warnings[-1]
    assert Migrator(own_server.conninfo, tmp_path).up().version == 1


def test_a_server_that_is_stopped(own_server: Machine, tmp_path: Path) -> None:
    """A bound holds on a server that takes the connection and never answers."""
    assert own_server.process is not None
    os.kill(own_server.process.pid, signal.SIGSTOP)
    try:
        error = failing(RungError, lambda: Migrator(own_server.conninfo, tmp_path).wait(1, 1.0))
    finally:
        os.kill(own_server.process.pid, signal.SIGCONT)

    assert isinstance(error, ConnectionFailed)
