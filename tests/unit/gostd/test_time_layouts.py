"""Moments, as Go's layouts write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from tests.unit.gostd.recordings import recorded

from rung.golang_migrate.gostd.time_layouts import Moment, formatted


def test_layouts() -> None:
    """Every piece of the reference time is written, and everything else stays as it is."""
    rows, written = recorded("layouts"), []
    for layout, seconds, nanosecond, offset, zone, _ in rows:
        clock = timezone(timedelta(seconds=offset), zone)
        moment = Moment.at(seconds * 10**9 + nanosecond, clock)
        written.append([layout, seconds, nanosecond, offset, zone, formatted(moment, layout)])

    assert written == rows


def test_a_zone_without_a_name() -> None:
    """Where a zone has no abbreviation, its offset stands for it."""

    class Nameless(tzinfo):
        def utcoffset(self, _: datetime | None) -> timedelta:
            return timedelta(hours=-3, minutes=-30)

        def dst(self, _: datetime | None) -> timedelta:
            return timedelta()

        def tzname(self, _: datetime | None) -> str | None:
            return None

    assert formatted(Moment.at(0, Nameless()), "2006 MST") == "1969 -0330"


@pytest.mark.parametrize("nanoseconds", [0, 1, -1, 1772514419_000000005, -(10**18)])
def test_seconds_since_1970(nanoseconds: int) -> None:
    """A moment knows both of its numbers, also before 1970 and wherever it is shown."""
    moment = Moment.at(nanoseconds, timezone(timedelta(hours=9)))

    assert moment.unix_nano == nanoseconds
    assert moment.unix == nanoseconds // 10**9


def test_a_moment_of_a_datetime() -> None:
    """A fraction of the datetime is not looked at: the nanoseconds say it."""
    moment = Moment(datetime(2026, 3, 4, 5, 6, 59, 250000, tzinfo=UTC), 7)

    assert moment.unix_nano % 10**9 == 7
    assert formatted(moment, "05.000000000") == "59.000000007"
