"""Files, ledger and history side by side."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.fakes import PLACE, migrations

from rung.drivers.base import Look
from rung.ledger import HistoryEntry, LedgerState, Outcome
from rung.status import Status, make_status

FILES = migrations(up1="", up2="", down3="")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def entry(
    version: int | None, direction: str = "up", outcome: Outcome = Outcome.DONE, hour: int = 0
) -> HistoryEntry:
    """An attempt of two seconds."""
    began = NOON + timedelta(hours=hour)
    return HistoryEntry(
        1, "a", version, f"n{version}", direction, outcome, 1, 1, None, began,
        began + timedelta(seconds=2), None, "sum", None, 1, "rung", "0", "ada", "box",
    )  # fmt: skip


def status(ledger: LedgerState, *history: HistoryEntry) -> Status:
    """The status of three files."""
    return make_status(FILES, Look(PLACE, ledger, ledger_exists=True, history=history))


@pytest.mark.parametrize(
    ("ledger", "states"),
    [
        (LedgerState(), "pending pending pending"),
        (LedgerState(-1), "pending pending pending"),
        (LedgerState(2), "applied applied pending"),
        (LedgerState(3), "applied applied applied"),
        (LedgerState(2, dirty=True), "applied dirty pending"),
        (LedgerState(-1, dirty=True), "pending pending pending"),
        (LedgerState(9), "applied applied applied missing"),
        (LedgerState(0), "missing pending pending pending"),
    ],
)
def test_states(ledger: LedgerState, states: str) -> None:
    """What is at or below the ledger's version is applied; a version without a file is missing."""
    found = status(ledger)

    assert " ".join(line.state for line in found.lines) == states
    assert [line.version for line in found.lines] == sorted(line.version for line in found.lines)


def test_pending() -> None:
    """Pending is what an up would apply."""
    assert status(LedgerState(1)).pending == (2, 3)


def test_what_the_history_adds() -> None:
    """The last move up that ended well tells when, how long and by whom."""
    found = status(
        LedgerState(2),
        entry(1),
        entry(1, "down"),
        entry(1, hour=5),
        entry(2, outcome=Outcome.FAILED),
        entry(None, "force"),
    )

    first, second, _ = found.lines
    assert (first.finished, first.seconds) == (NOON + timedelta(hours=5, seconds=2), 2)
    assert (first.checksum, first.tool) == ("sum", "rung")
    assert (second.state, second.finished, second.seconds) == ("applied", None, None)


def test_a_version_gone_down_and_brought_back_by_another_tool() -> None:
    """What the history knows ended with the down; the ledger alone says that it is applied."""
    found = status(LedgerState(1), entry(1), entry(1, "down"))

    assert (found.lines[0].state, found.lines[0].finished) == ("applied", None)


def test_the_name_of_a_missing_version() -> None:
    """A version without a file is called what the history calls it."""
    assert status(LedgerState(9), entry(9)).lines[-1].name == "n9"
    assert status(LedgerState(9)).lines[-1].name == ""


def test_the_whole_picture() -> None:
    """Database, schema, server and source are named, and a missing history is told."""
    found = make_status(FILES, Look(PLACE, LedgerState(), ledger_exists=False, history=None))

    assert (found.database, found.schema, found.server, found.source) == (
        "chatapp",
        "public",
        "Fake 1",
        "folder",
    )
    assert (found.ledger_exists, found.history_exists) == (False, False)
