"""Medians, ratios and targets, on made-up runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.figures import (
    Bills,
    Spread,
    Table,
    Target,
    count_targets,
    ratio,
    ratios,
    spread,
    start_targets,
    time_targets,
)
from bench.lightness import Imported, Look
from bench.measure import Bill, Counted, Load, Timed, Timing

from rung.certify.wire import Counts

LOAD = Load("ten migrations", Path("ten"), 10)


def walls(*seconds: float) -> tuple[Timing, ...]:
    """Runs that took so long by the clock."""
    return tuple(Timing(one, 0.0) for one in seconds)


def bill(round_trips: int, xids: int) -> Bill:
    """What a run cost."""
    return Bill(Counts(round_trips=round_trips), xids)


def table(**full: float) -> Table:
    """One round of some contenders."""
    rows = (Timed(name.replace("_", "-"), walls(wall), ()) for name, wall in full.items())
    return Table("a server", LOAD, tuple(rows))


def test_a_spread_is_a_median_with_its_extremes() -> None:
    """One outlier moves an extreme, not the middle."""
    assert Spread(2.0, 1.0, 50.0) == spread([50.0, 1.0, 2.0])


def test_a_ratio_is_taken_within_each_round() -> None:
    """A round that was slow for both changes nothing."""
    assert Spread(0.5, 0.5, 0.5) == ratio(walls(1, 1, 40), walls(2, 2, 80))


def test_without_rung_there_is_no_ratio() -> None:
    """The others are not compared with each other."""
    assert ratios(table(psql=1.0, golang_migrate=2.0), lambda row: row.full) == {}


def test_one_that_was_never_idle_has_no_idle_ratio() -> None:
    """What keeps no ledger is compared by its full runs only."""
    rows = (Timed("rung", walls(1), walls(1)), Timed("psql", walls(1), ()))

    assert ratios(Table("a server", LOAD, rows), lambda row: row.idle) == {}


@pytest.mark.parametrize(
    ("wall", "expected"), [(1.25, [True, True]), (1.3, [False, True]), (1.5, [False, False])]
)
def test_wall_times_are_held_against_both(wall: float, expected: list[bool]) -> None:
    """1.25 of psql's and 0.35 of golang-migrate's are just reached."""
    targets = time_targets([table(rung=wall, psql=1.0, golang_migrate=4.0)])

    assert expected == [target.reached for target in targets]


@pytest.mark.parametrize(
    ("trips", "xids", "idle", "expected"),
    [
        (20, 20, 1, [True, True, True]),
        (21, 20, 1, [False, True, True]),
        (20, 21, 1, [True, False, True]),
        (20, 20, 2, [True, True, False]),
    ],
)
def test_counts_may_have_ten_to_spare(
    trips: int, xids: int, idle: int, expected: list[bool]
) -> None:
    """A run has one round trip and commit for each migration and ten more; a look has one."""
    rows = (Counted("rung", bill(trips, xids), bill(idle, 0)),)

    targets = count_targets([Bills(LOAD, rows)])

    assert expected == [target.reached for target in targets]


def test_a_loaded_driver_misses_the_target() -> None:
    """It is named in what was got."""
    imported = [Imported("import rung", 40, ("psycopg",))]

    targets = start_targets(imported, Look(walls(0.2), walls(0.1)))

    assert targets == [
        Target("import rung loads a driver", "none", "psycopg", reached=False),
        Target(
            "rung version: ms above the least Python process", "at most 30", "100", reached=False
        ),
    ]
