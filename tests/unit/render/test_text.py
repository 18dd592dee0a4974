"""Durations, times, columns and sentences."""

from __future__ import annotations

import pytest
from tests.unit.render.samples import REPORT, WHEN

from rung.escaping import columns
from rung.execution.outcomes import RunReport, StepReport
from rung.render.text import aligned, count, duration, moment, outcome


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "<1 ms"),
        (0.0123, "12 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (125, "2 min 5 s"),
        (3600, "1 h 0 min"),
        (3725, "1 h 2 min"),
    ],
)
def test_a_duration_is_said_in_its_own_unit(seconds: float, expected: str) -> None:
    """Never `1000 ms` or `60.0 s`."""
    assert expected == duration(seconds)


def test_a_time_is_utc_for_machines() -> None:
    """Whatever zone the server told it in."""
    assert moment(WHEN) == "2026-03-04T03:06:07Z"


def test_a_time_is_the_readers_own_on_a_terminal() -> None:
    """With the zone's name."""
    assert f"{WHEN.astimezone():%Y-%m-%d %H:%M:%S %Z}" == moment(WHEN, local=True)


def test_things_are_counted_in_the_plural() -> None:
    """But for one."""
    assert [count(n, "migration") for n in (0, 1, 2)] == [
        "0 migrations",
        "1 migration",
        "2 migrations",
    ]


def test_columns_are_as_wide_as_they_look() -> None:
    """East Asian letters take two columns, combining marks none."""
    assert [columns(text) for text in ("abc", "größe", "表", "e\u0301")] == [3, 5, 2, 1]


def test_a_table_is_aligned() -> None:
    """Numbers to the right, texts to the left."""
    rows = (("n", "name"), ("10", "表"), ("9", "xyz"))

    expected = ((" n", "name"), ("10", "表  "), (" 9", "xyz "))
    assert expected == aligned(rows, (0,))


def test_a_run_ends_with_a_sentence() -> None:
    """It says how many, which way, and where the database is."""
    down = StepReport(1, "users", "down", "f", "transactional", 1, 0.1, "reverted")

    done = [outcome(each) for each in (REPORT, RunReport((down, down), None, 3), RunReport((), 7))]
    assert done[0] == "at version 1; applied 1 migration"
    assert done[1].startswith("at no version; reverted 2 migrations, 3 fewer than requested ")
    assert done[1].endswith("because there are no more")
    assert done[2] == "at version 7; nothing to do"
