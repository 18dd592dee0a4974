"""The commands that run migrations, as far as a database in memory will do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.fakes import FakeDriver, FakeSession

from rung.cli.main import main
from rung.errors import TableLocked
from rung.ledger import LedgerState

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_what_goes_down_waits_for_a_locked_ledger_as_a_run_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked about is planned as by a command that reads; the command still tries on."""
    (tmp_path / "1_a.up.sql").write_text("create table t (id int)")
    (tmp_path / "1_a.down.sql").write_text("drop table t")
    session = FakeSession()
    session.ledger = LedgerState(1)
    monkeypatch.setattr("rung.migrator.open_driver", lambda _: FakeDriver(session))
    session.failing_looks = [TableLocked(what="the ledger l", said="no answer in 30.0 s")]

    assert main(["down", "--yes", "-d", "postgres://h/x", "-s", str(tmp_path)]) == 0
    assert session.ledger == LedgerState(None)
