"""Numbers and booleans, as Go reads them."""

from __future__ import annotations

import pytest
from tests.unit.gostd.recordings import recorded

from rung.golang_migrate.gostd.integers import NumberRefused, atoi, parse_int, parse_uint, truth

NUMBERS = recorded("numbers")


@pytest.mark.parametrize(("text", "expected"), [(row[0], row[1]) for row in NUMBERS])
def test_unsigned(text: str, expected: int | None) -> None:
    """ASCII digits up to 2^64-1, and nothing else."""
    assert expected == parse_uint(text)


@pytest.mark.parametrize(("text", "expected"), [(row[0], row[2]) for row in NUMBERS])
def test_signed(text: str, expected: int | None) -> None:
    """ASCII digits with or without a sign, within 64 bits."""
    assert expected == parse_int(text)


@pytest.mark.parametrize(("text", "expected"), [(row[0], row[3]) for row in NUMBERS])
def test_atoi(text: str, expected: int | str) -> None:
    """The same numbers; for the others, Go's sentence."""
    if isinstance(expected, int):
        assert expected == atoi(text)
        return
    with pytest.raises(NumberRefused) as caught:
        atoi(text)

    assert expected == str(caught.value)


@pytest.mark.parametrize(("text", "expected"), [(row[0], row[4]) for row in NUMBERS])
def test_truth(text: str, expected: bool | str) -> None:  # noqa: FBT001 - as recorded
    """Twelve words are true or false; for the others, Go's sentence."""
    if isinstance(expected, bool):
        assert expected == truth(text)
        return
    with pytest.raises(NumberRefused) as caught:
        truth(text)

    assert expected == str(caught.value)


@pytest.mark.parametrize("read", [parse_uint, parse_int])
def test_thousands_of_digits(read: object) -> None:
    """A number of any length is too large, at once."""
    assert callable(read)
    assert read("9" * 100_000) is None
    assert read("0" * 100_000 + "5") == 5
