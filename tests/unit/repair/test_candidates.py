"""Which files may have left a ledger dirty."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.fakes import migrations
from tests.unit.history import row

from rung.ledger import LedgerState, Outcome
from rung.planning.resume import unfinished
from rung.repair import find_candidates

FILES = migrations(up1="a", down1="a", up2="b", down2="b", up3="c", down3="c")
DIRTY = {version: LedgerState(version, dirty=True) for version in (-1, 1, 2, 3)}
CUT_OFF = replace(row(2, outcome=Outcome.RUNNING), statements_done=1)


def told(*rows: object, ledger: int) -> list[list[tuple[int, str, int | None, int | None]]]:
    """Version, direction and the ledger's way of each candidate, in groups."""
    found = find_candidates(rows, DIRTY[ledger], FILES, unfinished(rows, DIRTY[ledger]))  # type: ignore[arg-type]
    return [[(s.version, s.direction.value, s.before, s.after) for s in group] for group in found]


@pytest.mark.parametrize(
    ("ledger", "expected"),
    [
        (2, [[(2, "up", 1, 2)], [(3, "down", 3, 2)]]),
        (1, [[(1, "up", None, 1)], [(2, "down", 2, 1)]]),
        (3, [[(3, "up", 2, 3)]]),
        (-1, [[(1, "down", 1, None)]]),
    ],
)
def test_another_tool(ledger: int, expected: object) -> None:
    """Dirty at V is the up of V, or the down of the next above it; at -1 it is the last down."""
    assert told(ledger=ledger) == expected


def test_what_the_history_knows_above_the_ledger_went_down() -> None:
    """A version that is known to be applied above the ledger is the likelier one."""
    rows = (row(1), row(2), row(3))

    assert told(*rows, ledger=2) == [[(3, "down", 3, 2)], [(2, "up", 1, 2)]]


def test_our_own_attempt() -> None:
    """An attempt that was cut off, and fits the ledger, is the only candidate."""
    assert told(row(1), CUT_OFF, ledger=2) == [[(2, "up", 1, 2)]]


def test_our_own_late_attempt() -> None:
    """A late one leaves the ledger where it is."""
    assert told(row(1), row(3), CUT_OFF, ledger=3) == [[(2, "up", 3, 3)]]


def test_our_own_down() -> None:
    """It goes to the version below."""
    down = replace(CUT_OFF, direction="down")

    assert told(row(1), row(2), down, ledger=1) == [[(2, "down", 2, 1)]]


@pytest.mark.parametrize(("version", "ledger"), [(2, 1), (2, 3)], ids=["newest", "late"])
def test_a_roll_back_that_stopped(version: int, ledger: int) -> None:
    """What is there is a part of the up that it was taking away, though it was a down."""
    cut = replace(CUT_OFF, version=version, direction="down")
    rows = (row(1), row(3), cut) if ledger > version else (row(1), cut)

    assert told(*rows, ledger=ledger) == [[(version, "up", ledger, max(version, ledger))]]


def test_a_failure_that_was_rolled_back_left_nothing_dirty() -> None:
    """It is another tool that did."""
    failed = replace(row(2, outcome=Outcome.FAILED), statements_done=0)

    assert told(row(1), failed, ledger=2)[0] == [(2, "up", 1, 2)]
    assert unfinished((row(1), failed), DIRTY[2]) is None


def test_what_was_applied_before() -> None:
    """By the history in its order, then by the files that another tool went through."""
    assert find_candidates((row(2), row(1)), DIRTY[3], FILES, None)[0][0].base == (2, 1)
    assert find_candidates((row(1),), DIRTY[3], FILES, None)[0][0].base == (1, 2)
