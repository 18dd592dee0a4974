"""Characters that cannot be seen, or look like others, are named where SQL has no use for them."""

from __future__ import annotations

import pytest

from rung.script import read, strange_character


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("CREATE TABLE b (i int);\u200b\n", "line 1 has the invisible character U+200B"),
        ("SELECT 1;\nSELECT\u00a01", "line 2 has the invisible character U+00A0 (NO-BREAK SPACE)"),
        (
            "\ufeffSELECT 1;",
            "line 1 has the invisible character U+FEFF (ZERO WIDTH NO-BREAK SPACE) ",
        ),
        ("SELECT 1;\ufeff", "U+FEFF (ZERO WIDTH NO-BREAK SPACE) outside quotes, at column 10"),
        ("SELECT \u202e1", "U+202E (RIGHT-TO-LEFT OVERRIDE)"),
        ("SELECT a\u2028, b", "U+2028 (LINE SEPARATOR)"),
        ("SELECT \u2018x\u2019", "U+2018 (LEFT SINGLE QUOTATION MARK), which is not ',"),
        ("SELECT \u201cx\u201d", 'U+201C (LEFT DOUBLE QUOTATION MARK), which is not ",'),
        ("SELECT 1 \u2212 1", "U+2212 (MINUS SIGN), which is not -,"),
        ("\u2013\u2013 a comment", "U+2013 (EN DASH), which is not -,"),
        ("SELECT 1\uff1b", "U+FF1B (FULLWIDTH SEMICOLON), which is not ;,"),
        ("SELECT\u00851", "U+0085 (a control character)"),
    ],
)
def test_they_are_named_with_their_place(text: str, named: str) -> None:
    """By code point, so that an editor can find what nobody sees."""
    assert named in strange_character(read(text))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT '\u200b'",
        'SELECT "\u00a0"',
        "SELECT $$\u2018$$",
        "-- \u2014\nSELECT 1",
        "SELECT 'ü' AS ü",
    ],
)
def test_data_comments_and_letters_are_not(text: str) -> None:
    """In quotes anything may stand, and names may be in any language."""
    assert strange_character(read(text)) == ""


def test_of_one_statement() -> None:
    """Those of others are not why it fails."""
    script = read("SELECT\u00a01; SELECT\u200b2")

    assert "U+00A0" in strange_character(script, 1)
    assert "U+200B" in strange_character(script, 2)
