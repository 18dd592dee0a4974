"""Lines and columns of offsets."""

from __future__ import annotations

import pytest

from rung.script import place_of


@pytest.mark.parametrize(
    ("text", "offset", "expected"),
    [
        ("", 0, (1, 1, "")),
        ("ab\ncd", 0, (1, 1, "ab")),
        ("ab\ncd", 2, (1, 3, "ab")),
        ("ab\ncd", 3, (2, 1, "cd")),
        ("ab\r\ncd\r\n", 5, (2, 2, "cd")),
        ("ab\r\ncd\r\n", 3, (1, 4, "ab")),
        ("a\rb\nc", 2, (1, 3, "a\rb")),
        ("äö\nßx", 4, (2, 2, "ßx")),
        ("ab\n", 3, (2, 1, "")),
        ("ab", 99, (1, 3, "ab")),
        ("ab", -1, (1, 1, "ab")),
    ],
)
def test_place(text: str, offset: int, expected: tuple[int, int, str]) -> None:
    """A place is a line, a column in characters and the line without its line end."""
    assert expected == place_of(text, offset)
