"""Numbers and durations, valid and invalid."""

from __future__ import annotations

import pytest

from rung.cli.values import MAX_VERSION, duration, forced_version, whole
from rung.errors import UsageError
from rung.source import MAX_VERSION as LEDGER_HOLDS


@pytest.mark.parametrize(
    ("text", "expected"), [("0", 0), ("7", 7), ("000012", 12), (str(MAX_VERSION), MAX_VERSION)]
)
def test_a_whole_number_is_read(text: str, expected: int) -> None:
    """Digits are a number, with or without leading zeros, up to what a ledger holds."""
    assert expected == whole(text, "version")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", 'invalid version: ""'),
        ("x", 'invalid version: "x"'),
        ("1.5", 'invalid version: "1.5"'),
        ("٣", 'invalid version: "٣"'),
        ("1\n", 'invalid version: "1\n"'),
        ("-3", 'invalid version: "-3" is negative'),
        (str(MAX_VERSION + 1), f'invalid version: "{MAX_VERSION + 1}" is too large'),
        ("9" * 5000, f'invalid version: "{"9" * 40}…" is too large'),
    ],
)
def test_an_invalid_number_has_its_reason(text: str, said: str) -> None:
    """Text, negative and too large numbers each get a sentence of their own."""
    with pytest.raises(UsageError) as caught:
        whole(text, "version")

    assert said == caught.value.cause


def test_the_largest_version_is_the_ledgers() -> None:
    """The command and the ledger agree on what is too large."""
    assert LEDGER_HOLDS == MAX_VERSION


def test_force_takes_minus_one_for_none() -> None:
    """-1 is the state before the first migration, as golang-migrate writes it."""
    assert [forced_version("-1"), forced_version("3")] == [None, 3]


@pytest.mark.parametrize("text", ["-2", "-01", "none"])
def test_force_takes_no_other_negative_version(text: str) -> None:
    """Only -1 means none."""
    with pytest.raises(UsageError):
        forced_version(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0), ("500ms", 0.5), ("30s", 30), ("5m", 300), ("1h30m", 5400), ("1.5s", 1.5)],
)
def test_a_duration_is_read_in_seconds(text: str, expected: float) -> None:
    """Units stand behind their numbers and add up."""
    assert expected == duration(text, "--wait-for-lock")


@pytest.mark.parametrize("text", ["", "30", "s", "30 s", "5x", "-5s", "1h30", "forever", "00"])
def test_an_invalid_duration(text: str) -> None:
    """A bare number is refused, because nobody knows its unit."""
    with pytest.raises(UsageError) as caught:
        duration(text, "--wait-for-lock")

    assert f'invalid duration for --wait-for-lock: "{text}"' == caught.value.cause
