"""What a migration says of older builds."""

from __future__ import annotations

import pytest

from rung.errors import DirectiveUnusable
from rung.script import minimum_compatible_version, read, suits
from rung.script.dialect import Dialect

_SAID = "-- rung: compatible-with 7\nALTER TABLE t ADD COLUMN c int;"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (_SAID, 7),
        ("SELECT 1; --rung:  compatible-with   0", 0),
        ("-- compatible-with 7\nSELECT 1;", None),
        ("SELECT '-- rung: compatible-with 7';", None),
        ("-- rung: no-transaction\nSELECT 1;", None),
    ],
)
def test_the_oldest_build(text: str, expected: int | None) -> None:
    """It is named by a directive, and by nothing else that looks like one."""
    assert minimum_compatible_version(read(text)) == expected


@pytest.mark.parametrize("said", ["", "seven", "-1", "7 8", "\u0667", "9" * 5000])
def test_a_version_is_a_number(said: str) -> None:
    """A directive that names no version is an error with its line."""
    with pytest.raises(DirectiveUnusable) as caught:
        minimum_compatible_version(read(f"SELECT 1;\n-- rung: compatible-with {said}\n"))

    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("build", "texts", "expected"),
    [
        (7, [_SAID], True),
        (8, [_SAID, _SAID], True),
        (6, [_SAID], False),
        (7, [_SAID, "SELECT 1;"], False),
        (7, [_SAID, None], False),
        (7, [_SAID, "SELECT 'never closed"], False),
        (7, ["-- rung: compatible-with seven"], False),
    ],
)
def test_every_migration_has_to_suit(build: int, texts: list[str | None], expected: object) -> None:
    """One that says nothing, another version, or cannot be read, does not suit."""
    assert suits(build, texts, Dialect.POSTGRES) is expected
