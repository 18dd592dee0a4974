"""A real standby: reading works there, being up to date is no error, and work pending is told."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.integration.connections.machine import Machine, made
from tests.integration.engine.sites import failing, wait_for

from rung.errors import ReadOnlyDatabase
from rung.migrator import Migrator

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["made"]


@pytest.fixture
def primary(made: Machine) -> Iterator[Machine]:
    """Start a primary that can be copied."""
    made.start(wal_level="replica", max_wal_senders="4", hot_standby="on")
    made.await_answer()
    yield made
    made.stop()


@pytest.fixture
def standby(primary: Machine) -> Iterator[Machine]:
    """Copy it, and start the copy as its standby."""
    folder = Path(tempfile.mkdtemp(prefix="rung-standby-", dir="/tmp"))
    folder.chmod(0o777)
    copy = Machine(primary.binaries, folder)
    copy.copy_of(primary)
    copy.start(hot_standby="on")
    copy.await_answer()
    yield copy
    copy.stop()
    shutil.rmtree(folder)


def _migrator(machine: Machine, folder: Path) -> Migrator:
    return Migrator(machine.conninfo, folder)


def test_a_standby(primary: Machine, standby: Machine, tmp_path: Path) -> None:
    """Version, status, history and plan are read there; up is told why it cannot run."""
    (tmp_path / "1_a.up.sql").write_text("CREATE TABLE a ();")
    there = _migrator(standby, tmp_path)
    assert there.status().pending == (1,)
    failing(ReadOnlyDatabase, there.up)

    _migrator(primary, tmp_path).up()
    assert wait_for(lambda: there.version().version == 1)
    assert (there.up().nothing_to_do, len(there.history())) == (True, 1)
    (tmp_path / "2_b.up.sql").write_text("CREATE TABLE b ();")
    assert [step.version for step in there.plan().plan.steps] == [2]
    error = failing(ReadOnlyDatabase, there.up)
    assert "is read-only" in error.cause
    assert "primary" in error.hint
    for work in (lambda: there.force(1), there.drop):
        failing(ReadOnlyDatabase, work)


def test_a_ledger_of_another_tool_on_a_standby(
    primary: Machine, standby: Machine, tmp_path: Path
) -> None:
    """Up to date is nothing to do there, though no history can be written."""
    (tmp_path / "1_a.up.sql").write_text("CREATE TABLE a ();")
    primary.ask("DROP TABLE IF EXISTS schema_migrations, schema_migrations_history")
    primary.ask("CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean)")
    primary.ask("INSERT INTO schema_migrations VALUES (1, false)")
    there = _migrator(standby, tmp_path)

    assert wait_for(lambda: there.version().version == 1)
    assert there.up().nothing_to_do
