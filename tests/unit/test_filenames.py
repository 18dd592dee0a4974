"""Which file names are migrations: golang-migrate's rule to the letter, and what comes near it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.errors import VersionTooLarge
from rung.source import MAX_VERSION
from rung.source.filenames import is_near_miss, parse


@pytest.mark.parametrize(
    ("file", "version", "title", "direction"),
    [
        ("1_a.up.sql", 1, "a", "up"),
        ("000008_add_user_roles.down.sql", 8, "add_user_roles", "down"),
        ("3_.up.sql", 3, "", "up"),
        ("1_foo bar.up.sql", 1, "foo bar", "up"),
        ("1_foo.up.sql.up.txt", 1, "foo.up.sql", "up"),
        ("2_a.down.up.sql", 2, "a.down", "up"),
        ("5_a.up.b.down.sql", 5, "a.up.b", "down"),
        ("4_x.up.", 4, "x", "up"),
        ("4_x.up.SQL", 4, "x", "up"),
        ("1_foo.down.txt", 1, "foo", "down"),
        ("0_a.up.sql", 0, "a", "up"),
        ("0011_c.up.sql", 11, "c", "up"),
        ("20260101120000_c.up.pgsql", 20260101120000, "c", "up"),
        (f"{MAX_VERSION}_a.up.sql", MAX_VERSION, "a", "up"),
    ],
)
def test_names_of_migrations(file: str, version: int, title: str, direction: str) -> None:
    """Zeros in front do not count; title and extension may be anything or nothing."""
    name = parse(file)

    assert name is not None
    assert (name.file, name.version, name.title) == (file, version, title)
    assert name.direction.value == direction


@pytest.mark.parametrize(
    "file",
    [
        "foo.sql",
        "1.up.sql",
        "1_a.up",
        "-1_x.up.sql",
        "1_a.UP.sql",
        "1_a.Down.sql",
        "1-a.up.sql",
        "\N{ARABIC-INDIC DIGIT ONE}_a.up.sql",
        "1_a\nb.up.sql",
        "1_a.up.sql\n",
        "_a.up.sql",
        "1_foo.upp.sql",
        "",
    ],
)
def test_other_names(file: str) -> None:
    """Everything else is no migration: signs, other digits, capitals and line ends included."""
    assert parse(file) is None


@pytest.mark.parametrize("digits", [str(MAX_VERSION + 1), str(2**64), "0" + "9" * 20])
def test_a_version_too_large(digits: str) -> None:
    """A number that no ledger can hold is an error, not a file to pass over."""
    with pytest.raises(VersionTooLarge) as caught:
        parse(f"{digits}_b.up.sql")

    assert caught.value.file == f"{digits}_b.up.sql"


def test_very_many_digits() -> None:
    """More digits than Python turns into a number are counted before they are read."""
    seven = parse(f"{'0' * 9000}7_a.up.sql")

    assert seven is not None
    assert seven.version == 7
    with pytest.raises(VersionTooLarge):
        parse(f"{'9' * 9000}_a.up.sql")


@pytest.mark.parametrize(
    "file",
    ["1_a.sql", "1.up.sql", "1_a.up", "-1_x.up.sql", "1_a.UP.sql", "7-x.sql", "a.down.sql"],
)
def test_near_misses_are_named(file: str) -> None:
    """A name that looks meant is told from others."""
    assert is_near_miss(file)


@pytest.mark.parametrize("file", ["foo.sql", "README.md", "__init__.py", "seed.txt"])
def test_far_names_are_not_mentioned(file: str) -> None:
    """What lies beside the migrations on purpose is nobody's business."""
    assert not is_near_miss(file)


@given(st.integers(0, MAX_VERSION), st.integers(0, 5), st.text(), st.sampled_from(["up", "down"]))
def test_what_was_put_in_is_read(version: int, zeros: int, title: str, direction: str) -> None:
    """Any title without a line end, and any number that fits, comes back as it was."""
    name = parse(f"{'0' * zeros}{version}_{title}.{direction}.sql")

    found = None if name is None else (name.version, name.title, name.direction.value)
    assert found == (None if "\n" in title else (version, title, direction))
