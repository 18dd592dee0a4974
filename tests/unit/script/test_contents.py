"""Whether a file holds a statement, and what it declares of itself."""

from __future__ import annotations

import pytest

from rung.errors import DeclarationUnusable, ScriptError
from rung.script import checksum, contents_of, declared, read
from rung.script.dialect import Dialect

EMPTY = [
    "",
    "\n\t",
    "\ufeff",
    "-- later",
    "/* a /* b */ c */",
    ";;",
    "-- rung: allow-out-of-order",
    "--",
]


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("text", EMPTY[:4] + EMPTY[5:])
def test_empty_means_no_statement(text: str, dialect: Dialect) -> None:
    """Comments, blanks, semicolons, a byte order mark and directives are no statement."""
    assert contents_of(text, dialect).is_undeclared


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("text", ["", "select 1", "--a", "/* a */", "/* /* b */", "-- a\rb", "\\r"])
@pytest.mark.parametrize("before", ["-- a\r", "--\n", "/* /* */ a */", "/* a */ ", "/**/\t", "/*"])
def test_the_lexer_agrees(before: str, text: str, dialect: Dialect) -> None:
    """A file that is seen to hold a statement without the lexer holds one for the lexer too."""
    try:
        lexed = not read(before + text, dialect).statements
    except ScriptError:
        lexed = False

    assert contents_of(before + text, dialect).is_empty == lexed


@pytest.mark.parametrize("text", ["SELECT 1", "-- a\nSELECT 1", "BEGIN; COMMIT", "SELECT 'open"])
def test_anything_else_is_not_empty(text: str) -> None:
    """A text that cannot be read is refused where it runs, and never counts as empty."""
    assert not contents_of(text).is_empty


def test_declarations() -> None:
    """The reason is all behind the word; both may stand in one file."""
    found = declared(read("-- rung: empty  by 7\n--rung: irreversible rows are gone"))

    assert found == ("by 7", "rows are gone")
    assert not contents_of("-- rung: empty by 7").is_undeclared


@pytest.mark.parametrize(
    "text", ["-- rung: empty", "-- rung: irreversible  ", "-- rung: empty by 7\nSELECT 1"]
)
def test_a_declaration_has_a_reason_and_is_true(text: str) -> None:
    """Else it is refused with its place, before anything runs."""
    with pytest.raises(DeclarationUnusable) as caught:
        declared(read(f"-- a file\n{text}"))

    assert caught.value.line == 2


@pytest.mark.parametrize(
    "line",
    [
        "-- RUNG: irreversible rows are gone",
        "-- rung irreversible rows are gone",
        "-- rung: irreversable rows are gone",
        "-- rung: irreversible: rows are gone",
        "--- rung: irreversible rows are gone",
        "-- rung: Empty by 7",
        "-- rung: notransaction",
        "-- rung: alow-late",
        "-- rung: something-new",
    ],
)
def test_a_misspelt_directive_is_refused(line: str) -> None:
    """It would be passed over as a comment, and a down run that declares it cannot be."""
    with pytest.raises(DeclarationUnusable) as caught:
        declared(read(f"-- a file\n{line}\nDROP TABLE a"))

    assert caught.value.line == 2
    assert "-- rung: " in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "-- rung is what runs this",
        "SELECT '\n-- rung irreversible x\n'",
        "DO $$\n-- rung: irreversable x\n$$",
        "/*\n-- rungs of a ladder\n*/ SELECT 1",
        "-- rung: no-transaction\nVACUUM",
        "-- rung: compatible-with 7\nSELECT 1",
    ],
)
def test_what_is_no_misspelt_directive(text: str) -> None:
    """A sentence, and what stands in a string or a body, are left alone."""
    assert declared(read(text)) == ("", "")


@pytest.mark.parametrize("said", ["empty by 7", "irreversible rows are gone"])
def test_a_declaration_is_no_edit(said: str) -> None:
    """It may be added to a file that is applied."""
    assert checksum(read(f"-- rung: {said}\nSELECT 1")) == checksum(read("SELECT 1"))
    assert checksum(read("-- rung: emptyish\nSELECT 1")) != checksum(read("SELECT 1"))
