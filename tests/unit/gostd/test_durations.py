"""Durations, as Go writes them."""

from __future__ import annotations

import pytest
from tests.unit.gostd.recordings import recorded

from rung.golang_migrate.gostd.durations import duration


@pytest.mark.parametrize(("nanoseconds", "expected"), recorded("durations"))
def test_durations(nanoseconds: int, expected: str) -> None:
    """Every digit that there is, and no zero at the end."""
    assert expected == duration(nanoseconds)


def test_the_sign_of_microseconds() -> None:
    """It is the micro sign, not the Greek letter that looks the same."""
    assert duration(26476) == "26.476\u00b5s"
