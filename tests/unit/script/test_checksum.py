"""What counts as an edit of a script, and what does not."""

from __future__ import annotations

import pytest

from rung.script import CHECKSUM_FORMULA, checksum, read


def of(text: str) -> str:
    """The checksum of a text."""
    return checksum(read(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT a", "\ufeff-- licence\n/* x */ SELECT\r\n\ta -- y"),
        ("SELECT A FROM T", "select a from t"),
        ("1E5 0xFF", "1e5 0xff"),
        ("E'a' U&\"b\"", "e'a' u&\"b\""),
        ("'a\r\nb' $$c\r\n$$ \"d\r\n\"", "'a\nb' $$c\n$$ \"d\n\""),
        ("a=-1", "a = - 1"),
        ("COPY t FROM STDIN;\r\n1\r\n\\.\r\n", "copy t FROM stdin;\n1\n\\.\n"),
        ("a -- rung: x", "a\n--rung:x  "),
    ],
)
def test_what_does_not_count(one: str, other: str) -> None:
    """Comments, blanks, line ends, a byte order mark and letter case do not count."""
    assert of(one) == of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a b", "ab"),
        ("a 1", "a1"),
        ("a @ - 1", "a @- 1"),
        ("'a' 'b'", "'a''b'"),
        ("'a'", "'A'"),
        ("'a '", "'a'"),
        ("'a--b'", "'a'"),
        ('"a"', '"A"'),
        ('"a"', "a"),
        ("$$a$$", "$$A$$"),
        ("E'a'", "'a'"),
        ("Ä", "ä"),
        ("a;", "a"),
        ("a; b", "b; a"),
        ("a -- rung: x", "a -- rung: y"),
        ("a -- rung: x", "a"),
        ("COPY t FROM STDIN;\na\n\\.\n", "COPY t FROM STDIN;\nA\n\\.\n"),
        ("COPY t FROM STDIN;\na b\n\\.\n", "COPY t FROM STDIN;\na  b\n\\.\n"),
    ],
)
def test_what_counts(one: str, other: str) -> None:
    """Tokens, their bounds and all that quotes hold count."""
    assert of(one) != of(other)


def test_the_formula_stays_as_it_is() -> None:
    """Checksums are stored in databases, so formula 1 gives the same for ever."""
    expected = "b8b7eb5cd6dd1d400ec2dad800be25033b326a28b2b2996622987969ffe3945f"

    assert (1, expected) == (CHECKSUM_FORMULA, of("SELECT 'é' AS \"B\", 1E5; -- rung: x"))
