"""Names as SQL spells them, in parts and without their quotes."""

from __future__ import annotations

import pytest

from rung.script.identifiers import folded, parts_of, unquoted


@pytest.mark.parametrize(
    ("name", "parts", "kept"),
    [
        ("Users", ["Users"], "users"),
        ("public.Users", ["public", "Users"], "users"),
        ('public."Us.ers"', ["public", '"Us.ers"'], "Us.ers"),
        ('"a""b"', ['"a""b"'], 'a"b'),
        ("main.[Odd one]", ["main", "[Odd one]"], "Odd one"),
        ("`a``b`", ["`a``b`"], "a`b"),
    ],
)
def test_the_last_part(name: str, parts: list[str], kept: str) -> None:
    """A point within quotes is none between parts; quoted letters keep their case."""
    assert (parts_of(name), folded(parts_of(name)[-1])) == (parts, kept)


@pytest.mark.parametrize(("part", "bare"), [("'a''b'", "a'b"), ("'", "'"), ("", ""), ("[", "[")])
def test_what_is_quoted_otherwise(part: str, bare: str) -> None:
    """SQLite takes a string for a name; a quote by itself stays."""
    assert unquoted(part) == bare
