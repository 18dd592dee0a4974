"""What is decided to run: golang-migrate's table of cases, row by row, and laws for all cases."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.fakes import SQL, migrations

from rung.errors import DirtyLedger, EmptySource, MissingMigrationFile, UsageError
from rung.ledger import LedgerState
from rung.planning.history_replay import Applied, AppliedVersion
from rung.planning.plan import Down, Goal, Goto, Plan, Redo, Up, make_plan
from rung.source import MAX_VERSION, Migration, MigrationFile, MigrationSet

GAPPED = migrations(up1=SQL, down1=SQL, up3=SQL, down3=SQL, up4=SQL, down4=SQL)
HALVES = migrations(up1=SQL, down1=SQL, up3=SQL, up4=SQL, down4=SQL, down5=SQL, up7=SQL, down7=SQL)
EMPTY = MigrationSet("folder")


def shown(plan: Plan) -> str:
    """A plan as golang-migrate would list it, a step without a file with a trailing `-`."""
    return " ".join(
        f"{step.version}/{step.direction.value[0]}{'' if step.half else '-'}" for step in plan.steps
    )


@pytest.mark.parametrize(
    ("row", "goal", "steps", "target", "short"),
    [
        (None, Up(), "1/u 3/u 4/u", 4, 0),
        (-1, Up(), "1/u 3/u 4/u", 4, 0),
        (4, Up(), "", 4, 0),
        (4, Up(1), "", 4, 1),
        (3, Up(2), "4/u", 4, 1),
        (None, Up(2), "1/u 3/u", 3, 0),
        (None, Up(MAX_VERSION), "1/u 3/u 4/u", 4, MAX_VERSION - 3),
        (1, Up(0), "", 1, 0),
        (None, Down(None), "", None, 0),
        (4, Down(None), "4/d 3/d 1/d", None, 0),
        (None, Down(1), "", None, 1),
        (-1, Down(1), "", None, 1),
        (4, Down(1), "4/d", 3, 0),
        (4, Down(), "4/d", 3, 0),
        (4, Down(4), "4/d 3/d 1/d", None, 1),
        (4, Down(0), "", 4, 0),
        (None, Goto(3), "1/u 3/u", 3, 0),
        (4, Goto(3), "4/d", 3, 0),
        (1, Goto(3), "3/u", 3, 0),
        (3, Goto(3), "", 3, 0),
        (4, Goto(1), "4/d 3/d", 1, 0),
    ],
)
def test_gapped_source(
    row: int | None, goal: Goal, steps: str, target: int | None, short: int
) -> None:
    """A source of 1, 3, 4 is walked from file to file; what was asked beyond it is told."""
    plan = make_plan(goal, GAPPED, LedgerState(row))

    assert (shown(plan), plan.target, plan.missing_steps) == (steps, target, short)


@pytest.mark.parametrize(
    ("row", "goal", "steps", "target"),
    [
        (None, Up(), "1/u 3/u 4/u 7/u", 7),
        (7, Goto(1), "7/d 4/d 3/d-", 1),
        (4, Goto(3), "4/d", 3),
        (5, Goto(3), "5/d- 4/d", 3),
        (4, Up(2), "7/u", 7),
        (3, Up(1), "4/u", 4),
        (7, Down(1), "7/d", 4),
        (5, Down(1), "5/d- 4/d", 3),
        (5, Down(0), "", 5),
        (5, Redo(), "5/d- 4/d 4/u", 4),
        (5, Goto(5), "", 5),
        (7, Down(3), "7/d 4/d 3/d-", 1),
        (3, Down(1), "3/d-", 1),
        (7, Down(None), "7/d 4/d 3/d- 1/d", None),
    ],
)
def test_a_missing_up_is_passed_over(
    row: int | None, goal: Goal, steps: str, target: int | None
) -> None:
    """The ledger never stops at a version with only a down, and leaves it with the first step."""
    plan = make_plan(goal, HALVES, LedgerState(row))

    assert (shown(plan), plan.target) == (steps, target)


@pytest.mark.parametrize(
    ("row", "goal", "steps", "target"),
    [
        (None, Goto(5), "1/u 3/u 4/u 5/u-", 5),
        (7, Goto(5), "7/d", 5),
        (7, Down(1), "7/d", 5),
        (5, Down(1), "5/d", 4),
        (7, Down(None), "7/d 5/d 4/d 3/d- 1/d", None),
    ],
)
@pytest.mark.parametrize("recorded", [True, False])
def test_golang_migrate_stops_at_a_lone_down(
    row: int | None, goal: Goal, steps: str, target: int | None, *, recorded: bool
) -> None:
    """By its rules a version with only a down is one like any other, recorded or not."""
    at = LedgerState(row)
    ran = [version for version in (1, 3, 4, 7) if row is not None and version <= row]
    applied = Applied({version: AppliedVersion(version) for version in ran}) if recorded else None
    plan = make_plan(goal, HALVES, at, applied, passes_empty=True)

    assert (shown(plan), plan.target) == (steps, target)


@pytest.mark.parametrize("row", [None, 4, 7])
def test_a_lone_down_is_no_target(row: int | None) -> None:
    """It is said that there is a down and no up, not that there is no migration."""
    with pytest.raises(MissingMigrationFile) as caught:
        make_plan(Goto(5), HALVES, LedgerState(row))

    assert str(caught.value).endswith("version 5: it has a down file and no up file")


def test_a_single_lone_down_has_no_nearest() -> None:
    """Nothing is called the nearest where there is nothing else."""
    with pytest.raises(MissingMigrationFile) as caught:
        make_plan(Goto(0), migrations(down0=SQL), LedgerState())

    assert "nearest" not in caught.value.detail


@pytest.mark.parametrize("goal", [Up(), Up(0), Up(1), Down(), Down(None), Goto(3), Goto(99)])
@pytest.mark.parametrize("row", [-1, 1, 99])
def test_dirty_comes_first(row: int, goal: Goal) -> None:
    """A dirty ledger stops every plan before the files are compared."""
    with pytest.raises(DirtyLedger) as caught:
        make_plan(goal, GAPPED, LedgerState(row, dirty=True))

    assert caught.value.version == (None if row == -1 else row)


@pytest.mark.parametrize("goal", [Up(), Up(2), Down(1), Down(None), Goto(3)])
@pytest.mark.parametrize(("row", "ahead"), [(2, False), (99, True)])
def test_a_ledger_without_a_file(row: int, goal: Goal, *, ahead: bool) -> None:
    """A database at a version that has no file is left alone, and one ahead is told apart."""
    with pytest.raises(MissingMigrationFile) as caught:
        make_plan(goal, GAPPED, LedgerState(row))

    assert (caught.value.version, caught.value.role, caught.value.ahead) == (row, "ledger", ahead)


@pytest.mark.parametrize("row", [None, 4])
def test_a_target_without_a_file(row: int | None) -> None:
    """A goto to a version without a file runs nothing and names the nearest ones."""
    with pytest.raises(MissingMigrationFile) as caught:
        make_plan(Goto(2), GAPPED, LedgerState(row))

    assert caught.value.role == "target"
    assert "the nearest: 1 and 3" in caught.value.detail


def test_the_ledger_is_compared_before_the_target() -> None:
    """Where neither the ledger's version nor the goal's has a file, the ledger's is named."""
    with pytest.raises(MissingMigrationFile) as caught:
        make_plan(Goto(2), GAPPED, LedgerState(99))

    assert caught.value.version == 99


@pytest.mark.parametrize(
    ("goal", "row"), [(Up(), None), (Up(1), None), (Goto(1), None), (Down(), 1), (Down(None), 1)]
)
def test_an_empty_source(goal: Goal, row: int | None) -> None:
    """Without files there is nothing to go by."""
    with pytest.raises(EmptySource):
        make_plan(goal, EMPTY, LedgerState(row))


def test_nothing_down_of_nothing() -> None:
    """All the way down from before the first migration needs no files."""
    assert make_plan(Down(None), EMPTY, LedgerState()).steps == ()


@pytest.mark.parametrize("number", [-1, MAX_VERSION + 1, 2**64 - 1])
@pytest.mark.parametrize("kind", [Up, Down, Goto])
def test_numbers_that_no_ledger_holds(kind: type[Up | Down | Goto], number: int) -> None:
    """Negative numbers and those above 2^63-1 are refused, never taken for all the way down."""
    with pytest.raises(UsageError, match=str(number)):
        make_plan(kind(number), GAPPED, LedgerState(4))


def test_version_zero() -> None:
    """Version 0 is a version like any other."""
    files = migrations(up0=SQL, down0=SQL, up1=SQL, down1=SQL)

    assert shown(make_plan(Up(), files, LedgerState())) == "0/u 1/u"
    assert shown(make_plan(Up(), files, LedgerState(0))) == "1/u"
    assert shown(make_plan(Down(None), files, LedgerState(1))) == "1/d 0/d"
    assert make_plan(Goto(0), files, LedgerState(1)).target == 0


def test_a_late_file_does_not_run() -> None:
    """Up looks above the ledger's version only, as golang-migrate does."""
    files = migrations(up1=SQL, down1=SQL, up2=SQL, down2=SQL, up3=SQL, down3=SQL)

    assert shown(make_plan(Up(), files, LedgerState(3))) == ""


def test_the_title_of_a_missing_half() -> None:
    """A step that runs nothing is called by its other half, as golang-migrate has them."""
    (step,) = make_plan(Up(), migrations(down5=SQL), LedgerState(), passes_empty=True).steps

    assert (step.half, step.title) == (None, "m5")


halves = st.none() | st.just(MigrationFile("f", "t", SQL))
sets = st.dictionaries(st.integers(0, 9), st.tuples(halves, halves), min_size=1).map(
    lambda pairs: MigrationSet(
        "folder", tuple(Migration(v, up, down) for v, (up, down) in sorted(pairs.items()))
    )
)
limits = st.none() | st.integers(0, 12)


def moves_of(files: MigrationSet) -> st.SearchStrategy[list[Goal]]:
    """Any goals that the files allow, in any order."""
    ups = [m.version for m in files.migrations if m.up is not None]
    goals: st.SearchStrategy[Goal] = limits.map(Up) | limits.map(Down)
    if ups:
        goals |= st.sampled_from(ups).map(Goto)
    return st.lists(goals, max_size=8)


@given(st.data())
def test_any_walk_stays_on_the_files(data: st.DataObject) -> None:
    """Whatever plans follow each other, steps chain and the ledger names a file or none."""
    files = data.draw(sets)
    at: int | None = None
    for goal in data.draw(moves_of(files)):
        plan = make_plan(goal, files, LedgerState(at))
        links = [at, *(v for s in plan.steps for v in (s.before, s.after))]
        assert all(links[i] == links[i + 1] for i in range(0, len(links) - 1, 2))
        at = plan.target
        assert at is None or at in files.by_version


@given(sets)
def test_up_and_down_again(files: MigrationSet) -> None:
    """All the way up runs every version once, and all the way down undoes each in reverse."""
    up = make_plan(Up(), files, LedgerState())
    down = make_plan(Down(None), files, LedgerState(up.target))

    ups = [m.version for m in files.migrations if m.up is not None]
    assert [step.version for step in up.steps] == ups
    assert [step.version for step in down.steps if step.migration.up is not None] == ups[::-1]
    assert down.target is None


@given(sets, st.integers(0, 12))
def test_asked_is_planned_and_short(files: MigrationSet, limit: int) -> None:
    """What was asked is either a step of the plan or counted as short."""
    plan = make_plan(Up(limit), files, LedgerState())

    assert len(plan.steps) + plan.missing_steps == limit
    assert all(a.version < b.version for a, b in pairwise(plan.steps))
