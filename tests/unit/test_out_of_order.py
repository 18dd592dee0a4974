"""Versions below the ledger that were never applied: refused, allowed, passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import SQL, migrations
from tests.unit.history import row
from tests.unit.test_plan import shown

from rung.errors import MissingMigrationFile, OutOfOrderMigrations, UsageError
from rung.ledger import LedgerState
from rung.planning.history_replay import reconcile
from rung.planning.plan import Down, Goal, Goto, Plan, Up, allows_out_of_order, make_plan
from rung.script.dialect import Dialect

if TYPE_CHECKING:
    from rung.planning.plan import IfAhead
    from rung.source import MigrationSet

HALVES = {f"{way}{version}": SQL for way in ("up", "down") for version in (1, 2, 3, 4, 5, 7)}
FILES = migrations(**HALVES)
APPLIED = (1, 3, 5)
ALLOWED = migrations(
    **HALVES
    | {"up2": f"-- rung: allow-out-of-order\n{SQL}", "up4": f"--rung:allow-out-of-order\n{SQL}"}
)


def planned(goal: Goal, files: MigrationSet = FILES, applied: tuple[int, ...] = APPLIED) -> Plan:
    """The plan for a database at 5 where 2 and 4 are late and 7 is pending."""
    ledger = LedgerState(max(applied))
    return make_plan(goal, files, ledger, reconcile([row(v) for v in applied], ledger, files))


@pytest.mark.parametrize("goal", [Up(), Up(0), Up(1), Goto(7), Goto(5), Goto(4), Up(None, (2,))])
def test_late_files_stop_an_up(goal: Goal) -> None:
    """They are named with what is newer, whatever else there is to run."""
    with pytest.raises(OutOfOrderMigrations) as caught:
        planned(goal)

    assert caught.value.out_of_order[-1] == 4
    assert caught.value.newer[-1] == 5


@pytest.mark.parametrize(
    ("goal", "steps", "target"),
    [
        (Up(None, (2, 4)), "2/u 4/u 7/u", 7),
        (Up(1, (2, 4)), "2/u", 5),
        (Up(None, (2, 4, 1, 7)), "2/u 4/u 7/u", 7),
        (Goto(5, (2, 4)), "2/u 4/u", 5),
        (Goto(7, (2, 4)), "2/u 4/u 7/u", 7),
        (Goto(3, (2,)), "2/u 5/d", 3),
        (Goto(4, (2, 4)), "2/u 4/u 5/d", 4),
    ],
)
def test_an_allowance(goal: Goal, steps: str, target: int) -> None:
    """Allowed ones run first, oldest first, and the ledger stays at its maximum."""
    plan = planned(goal)

    assert (shown(plan), plan.target) == (steps, target)
    assert all((step.before, step.after) == (5, 5) for step in plan.steps if step.version in (2, 4))
    assert plan.goes_down == ("d" in steps)


def test_an_allowance_in_the_file() -> None:
    """The directive in the up file allows it for everybody."""
    assert shown(planned(Up(), ALLOWED)) == "2/u 4/u 7/u"


def test_an_allowance_needs_its_directive() -> None:
    """The words alone, in a comment or a string, allow nothing; nor does a file with a fault."""
    for text in (
        "-- allow-out-of-order",
        "select '-- rung: allow-out-of-order'",
        "-- rung: allow-out-of-order\n'open",
    ):
        with pytest.raises(OutOfOrderMigrations):
            planned(Up(), migrations(**HALVES | {"up2": text, "up4": text}))


def test_an_allowance_of_nothing() -> None:
    """A version that nobody knows is refused; one that is not late is let pass."""
    with pytest.raises(MissingMigrationFile):
        planned(Up(None, (2, 4, 99)))

    assert shown(planned(Up(None, (1,)), applied=(1, 2, 3, 4, 5))) == "7/u"


@pytest.mark.parametrize(
    ("goal", "steps", "target"),
    [
        (Down(1), "5/d", 3),
        (Down(2), "5/d 3/d", 1),
        (Down(None), "5/d 3/d 1/d", None),
        (Goto(1), "5/d 3/d", 1),
    ],
)
def test_going_down_passes_over_them(goal: Goal, steps: str, target: int | None) -> None:
    """What was never applied is not undone, and the ledger moves to the next that is."""
    plan = planned(goal)

    assert (shown(plan), plan.target) == (steps, target)


def test_going_down_after_one_ran_late() -> None:
    """Newest version first, whatever was applied last."""
    assert shown(planned(Down(None), applied=(1, 3, 5, 4))) == "5/d 4/d 3/d 1/d"


def test_going_down_past_a_version_without_a_file() -> None:
    """An applied version whose file is gone is named, not skipped."""
    files = migrations(up1=SQL, up5=SQL, down5=SQL)
    with pytest.raises(MissingMigrationFile) as caught:
        planned(Down(None), files)

    assert caught.value.version == 3


def test_ahead() -> None:
    """A database ahead of the files is an error, or nothing to do where that is wished."""
    files = migrations(up1=SQL, up2=SQL)
    with pytest.raises(MissingMigrationFile) as caught:
        planned(Up(), files, (1, 2, 9))
    plan = planned(Up(if_ahead="ok"), files, (1, 2, 9))

    assert caught.value.ahead
    assert (plan.ahead, plan.steps, plan.target) == (True, (), 9)


@pytest.mark.parametrize("policy", ["compatible", "fail"])
def test_ahead_and_compatible(policy: IfAhead) -> None:
    """What is above the files is declared to suit them: that is heard, unless it is not wished."""
    files = migrations(up1=SQL, up2=SQL)
    goal, ledger = Up(if_ahead=policy), LedgerState(9)
    try:
        ahead = make_plan(goal, files, ledger, is_compatible=True).ahead
    except MissingMigrationFile as error:
        ahead = not error.compatible

    assert ahead is (policy == "compatible")


def test_a_gap_is_not_ahead() -> None:
    """Where higher files exist, the ledger's version without a file is an error all the same."""
    with pytest.raises(MissingMigrationFile):
        planned(Up(if_ahead="ok"), migrations(up1=SQL, up9=SQL), (1, 5))


def test_a_negative_allowance() -> None:
    """A number that no version can be is refused like one of the goal."""
    with pytest.raises((UsageError, MissingMigrationFile)):
        planned(Up(None, (-1,)))


def test_an_allowance_is_read_as_the_database_reads_it() -> None:
    """What is a comment in one dialect stands inside a string in another."""
    (migration,) = migrations(up1="select '\\';\n-- rung: allow-out-of-order\n--';").migrations

    assert allows_out_of_order(migration, Dialect.POSTGRES)
    assert not allows_out_of_order(migration, Dialect.POSTGRES_ESCAPES)
