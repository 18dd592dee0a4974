"""What is applied, by the history and by where the ledger stands."""

from __future__ import annotations

import pytest
from tests.unit.fakes import migrations
from tests.unit.history import row

from rung.ledger import Attempt, LedgerState, Outcome
from rung.planning.history_replay import Applied, reconcile, replay

FILES = migrations(up1="", up2="", up3="", up5="")


def account(at: int | None, *history: Attempt) -> Applied:
    """What is applied in a database with four files."""
    return reconcile(history, LedgerState(at), FILES)


@pytest.mark.parametrize(
    ("history", "applied"),
    [
        ([], []),
        ([row(1), row(2)], [1, 2]),
        ([row(1), row(2, outcome=Outcome.FAILED), row(3, outcome=Outcome.RUNNING)], [1]),
        ([row(1), row(2), row(2, "down")], [1]),
        ([row(1), row(5), row(2)], [1, 2, 5]),
        ([row(1), row(2), row(3), row(2, "force")], [1, 2]),
        ([row(1), row(3, "force")], [1, 3]),
        ([row(1), row(2), row(None, "force")], []),
        ([row(2, "baseline"), row(3, "baseline")], [2, 3]),
        ([row(1), row(2), row(1, "baseline")], [1]),
        ([row(2, "edit")], []),
        ([row(2, "down")], []),
    ],
)
def test_replay(history: list[Attempt], applied: list[int]) -> None:
    """Each row adds, takes away or places; attempts that did not end well do neither."""
    assert sorted(replay(history)) == applied


@pytest.mark.parametrize(
    ("at", "history", "applied", "unrecorded"),
    [
        (None, [], [], ()),
        (2, [row(1), row(2)], [1, 2], ()),
        (3, [], [1, 2, 3], (1, 2, 3)),
        (5, [row(1), row(2)], [1, 2, 3, 5], (3, 5)),
        (1, [row(1), row(2)], [1], (1,)),
        (None, [row(1), row(2)], [], (None,)),
        (9, [row(1)], [1, 2, 3, 5, 9], (2, 3, 5, 9)),
        (5, [row(1), row(3)], [1, 3, 5], (5,)),
        (2, [row(1), row(5)], [1, 2], (2,)),
    ],
)
def test_a_ledger_moved_by_another_tool(
    at: int | None, history: list[Attempt], applied: list[int], unrecorded: tuple[int, ...]
) -> None:
    """What it must have run going up counts as applied; a late file below stays late."""
    found = account(at, *history)

    assert (list(found.ascending), found.unrecorded) == (applied, unrecorded)


def test_the_baseline_says_what_was_found() -> None:
    """With the rows of a baseline at its end, a history is where the ledger is."""
    before = account(5, row(1), row(2))
    rows = [row(version, "baseline") for version in before.unrecorded]
    after = account(5, row(1), row(2), *rows)

    assert (after.ascending, after.unrecorded) == (before.ascending, ())


@pytest.mark.parametrize(
    ("at", "history", "late"),
    [(5, [1, 2, 5], [3]), (5, [5], [1, 2, 3]), (3, [1, 2, 3], []), (None, [], []), (2, [2], [1])],
)
def test_late(at: int | None, history: list[int], late: list[int]) -> None:
    """Late is what stands at or below the ledger and is not in the history."""
    found = account(at, *map(row, history))

    assert [one.version for one in found.out_of_order(FILES, LedgerState(at))] == late


def test_nothing_is_late_without_a_history() -> None:
    """Where there is nothing to go by, every file at or below the ledger counts as applied."""
    found = reconcile(None, LedgerState(3), FILES)

    assert (found.recorded, found.ascending) == (False, (1, 2, 3))
    assert not found.out_of_order(FILES, LedgerState(3))


def test_missing() -> None:
    """An applied version without its up file is missing; one with another half too."""
    halves = migrations(up1="", down2="")
    found = reconcile((row(1), row(2), row(4)), LedgerState(4), halves)

    assert found.missing(halves) == (2, 4)


def test_an_edit_row_replaces_what_is_held() -> None:
    """The texts are the new ones; when and by which role it was applied stays."""
    first, edit = row(1, up="select 1"), row(1, "edit", up="select 2", hour=3)
    found = replay([first, edit])[1]

    assert found.up
    assert (found.up.checksum, found.entry) == (edit.up_checksum, first)


def test_an_edit_row_without_a_half() -> None:
    """A half whose file was not there when an edit was taken over stays what it was."""
    found = replay([row(1, up="select 1", down="select 2"), row(1, "edit", up=None, down="x")])[1]

    assert found.up
    assert found.up.checksum == row(1, up="select 1").up_checksum


def test_placing_a_version_that_is_applied() -> None:
    """A force to where the database is keeps the texts that ran: an edit is not slipped in."""
    first = row(1, up="select 1")
    found = replay([first, row(1, "force", up="select 2")])[1]

    assert found.entry == first


def test_a_version_that_was_forced_without_a_file() -> None:
    """It is where the ledger was put: another version that is forced takes its place."""
    history = (row(2, "force", up=None), row(3, "force"))

    assert sorted(replay(history)) == [3]


@pytest.mark.parametrize("direction", ["baseline", "force", "mark-applied"])
@pytest.mark.parametrize(("up", "expected"), [("-- no more\n", True), ("SELECT 1;", False)])
def test_what_was_only_recorded_is_empty_as_its_file_was(
    direction: str, up: str, *, expected: bool
) -> None:
    """Nobody saw it run; an empty file cannot have made anything that a down would revert."""
    assert replay([row(1, direction, up=up)])[1].is_empty is expected
