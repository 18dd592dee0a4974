"""
Compute figures from raw runs, and compare them with targets. Pure.

A ratio is computed within a round, and the median is reported: a machine that was slow for a minute
was slow for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from bench.contenders import GOLANG_MIGRATE, PSQL, RUNG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.lightness import Imported, Look
    from bench.measure import Bill, Counted, Load, Timed, Timing

SPARE_TRIPS = 10
"""Round trips and commits that a whole run may have beyond one for each migration."""

AT_MOST = {PSQL: 1.25, GOLANG_MIGRATE: 0.35}
"""Rung's wall time over another's, with the large load."""

LOOK_MS = 30.0
"""Milliseconds of `rung version` beyond the least process for it."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with its extremes."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Table:
    """The timed runs with one load on one server."""

    server: str
    load: Load
    rows: tuple[Timed, ...]


@dataclass(frozen=True, slots=True)
class Bills:
    """The counted runs with one load."""

    load: Load
    rows: tuple[Counted, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """A target, and the figure that was measured."""

    what: str
    wanted: str
    got: str
    reached: bool


def spread(values: Iterable[float]) -> Spread:
    """Return median, minimum and maximum of at least one value."""
    ordered = sorted(values)
    return Spread(median(ordered), ordered[0], ordered[-1])


def ratio(ours: Sequence[Timing], theirs: Sequence[Timing]) -> Spread:
    """Return Rung's wall time divided by the other's, for each round."""
    pairs = zip(ours, theirs, strict=True)
    return spread(mine.wall / other.wall for mine, other in pairs)


def ratios(table: Table, runs: Callable[[Timed], Sequence[Timing]]) -> dict[str, Spread]:
    """Return Rung's ratio to each other program; `runs` selects full or idle runs."""
    timings = {row.contender: runs(row) for row in table.rows if runs(row)}
    ours = timings.pop(RUNG, None)
    return {} if ours is None else {name: ratio(ours, other) for name, other in timings.items()}


def extra_ms(look: Look) -> Spread:
    """Return the milliseconds of `rung version` beyond the minimal process, for each round."""
    pairs = zip(look.rung, look.least, strict=True)
    return spread(1000 * (mine.wall - least.wall) for mine, least in pairs)


def count_targets(bills: Iterable[Bills]) -> list[Target]:
    """Compare Rung's round trips and commits with their targets."""
    targets = []
    for load, row in ((b.load, row) for b in bills for row in b.rows if row.contender == RUNG):
        targets += _full_targets(load, row.full)
        if row.idle is not None:
            trips = row.idle.counts.round_trips
            what = f"{load.name}, nothing pending: round trips after connect"
            targets.append(Target(what, "1", str(trips), trips == 1))
    return targets


def _full_targets(load: Load, bill: Bill) -> list[Target]:
    most = load.size + SPARE_TRIPS
    got = {"round trips": bill.counts.round_trips, "commits": bill.xids}
    return [
        Target(f"{load.name}: {what}", f"at most {most:,}", f"{figure:,}", figure <= most)
        for what, figure in got.items()
    ]


def time_targets(tables: Iterable[Table]) -> list[Target]:
    """Compare Rung's wall time with the others', with everything pending."""
    return [
        Target(
            f"{table.load.name}, {table.server}: wall time over {name}'s",
            f"at most {AT_MOST[name]:.2f}",
            f"{figure.median:.2f}",
            figure.median <= AT_MOST[name],
        )
        for table in tables
        for name, figure in ratios(table, lambda row: row.full).items()
    ]


def start_targets(imported: Iterable[Imported], look: Look) -> list[Target]:
    """Compare the cost of starting with its targets."""
    targets = [
        Target(
            f"{one.what} loads a driver", "none", ", ".join(one.drivers) or "none", not one.drivers
        )
        for one in imported
    ]
    extra = extra_ms(look).median
    what = "rung version: ms above the least Python process"
    return [*targets, Target(what, f"at most {LOOK_MS:.0f}", f"{extra:.0f}", extra <= LOOK_MS)]
