"""Numbers and booleans, as Go reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.gostd.recordings import recorded

from rung.golang_migrate.gostd.integers import NumberRefused, atoi, parse_int, parse_uint, truth

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBERS = recorded("numbers")


def test_unsigned() -> None:
    """ASCII digits up to 2^64-1, and nothing else."""
    assert [(row[0], parse_uint(row[0])) for row in NUMBERS] == [
        (row[0], row[1]) for row in NUMBERS
    ]


def test_signed() -> None:
    """ASCII digits with or without a sign, within 64 bits."""
    assert [(row[0], parse_int(row[0])) for row in NUMBERS] == [(row[0], row[2]) for row in NUMBERS]


def outcome(read: Callable[[str], int], text: str) -> tuple[type, int | str]:
    """What a reader returns, or Go's sentence; with its type, since True equals 1."""
    try:
        value: int | str = read(text)
    except NumberRefused as error:
        value = str(error)
    return type(value), value


@pytest.mark.parametrize(("read", "column"), [(atoi, 3), (truth, 4)])
def test_a_number_or_a_sentence(read: Callable[[str], int], column: int) -> None:
    """The same numbers, twelve words for true and false; Go's sentence for every other text."""
    expected = [(row[0], (type(row[column]), row[column])) for row in NUMBERS]

    assert [(row[0], outcome(read, row[0])) for row in NUMBERS] == expected


@pytest.mark.parametrize("read", [parse_uint, parse_int])
def test_thousands_of_digits(read: object) -> None:
    """A number of any length is too large, at once."""
    assert callable(read)
    assert read("9" * 100_000) is None
    assert read("0" * 100_000 + "5") == 5
