"""The command that an error names does the rest of a run, and no more."""

from __future__ import annotations

import pytest

from rung.ledger import LedgerState
from rung.planning.down_choice import DownOptions
from rung.planning.goal_command import command_for_rest
from rung.planning.plan import Down, Goal, Goto, Plan, Redo, Step, Up
from rung.source import Direction, Migration

_UP, _DOWN = Direction.UP, Direction.DOWN
_READ = Down(1, downs=DownOptions(stored_sql=("ab",)))


@pytest.mark.parametrize(
    ("goal", "directions", "done", "expected"),
    [
        (Up(), [_UP, _UP], 1, "rung up"),
        (Up(3), [_UP, _UP, _UP], 1, "rung up 2"),
        (Up(None, (2,)), [_UP], 0, "rung up --allow-out-of-order 2"),
        (Up(1, resume=True), [_UP], 0, "rung up 1"),
        (Up(2), [_UP, _UP], 2, ""),
        (Goto(7, (2,)), [_UP, _UP], 1, "rung goto 7 --allow-out-of-order 2"),
        (Goto(0, downs=DownOptions(use_edited=True)), [_DOWN], 0, "rung goto 0 --use-edited-down"),
        (Down(2), [_DOWN, _DOWN], 1, "rung down"),
        (Down(3), [_DOWN, _DOWN, _DOWN], 0, "rung down 3"),
        (Down(None), [_DOWN, _DOWN], 1, "rung down --all"),
        (
            Down(1, downs=DownOptions(stored_sql=("ab",))),
            [_DOWN],
            0,
            "rung down --run-stored-sql ab",
        ),
        (Down(1), [_DOWN], 1, ""),
        (Redo(2), [_DOWN, _DOWN, _UP, _UP], 0, "rung redo 2"),
        (Redo(2), [_DOWN, _DOWN, _UP, _UP], 1, "rung down"),
        (Redo(2), [_DOWN, _DOWN, _UP, _UP], 2, "rung up"),
    ],
)
def test_the_rest_of_a_run(
    goal: Goal, directions: list[Direction], done: int, expected: str
) -> None:
    """What is done is not counted again, and a redo that has reverted does not revert more."""
    steps = [Step(Migration(1), direction, None, None) for direction in directions]

    assert command_for_rest(Plan(goal, LedgerState(None), tuple(steps)), done) == expected


def test_a_run_in_one_transaction_stays_one() -> None:
    """Whatever it did was rolled back with the rest."""
    plan = Plan(Up(), LedgerState(None), (Step(Migration(1), _UP, None, None),))

    assert command_for_rest(plan, 0, atomic=True) == "rung up --atomic"
