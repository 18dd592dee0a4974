"""Where statements begin and end."""

from __future__ import annotations

import pytest

from rung.errors import ScriptError
from rung.script import directives, read


def split(text: str) -> list[str]:
    """The texts of a script's statements."""
    return [text[one.start : one.end] for one in read(text).statements]


def data(text: str) -> list[str | None]:
    """The COPY data of a script's statements."""
    return [
        one.copy_data and text[one.copy_data[0] : one.copy_data[1]] for one in read(text).statements
    ]


@pytest.mark.parametrize("text", ["", " \n", ";;", "-- a", "/* a; */ ; -- b", "\ufeff"])
def test_nothing_to_run(text: str) -> None:
    """Comments, blanks and lone semicolons make no statement."""
    assert split(text) == []


def test_a_statement_is_its_tokens() -> None:
    """A statement begins at its first token and ends before its semicolon."""
    assert split("-- x\n a 'b' -- y\n;\n\nc /* d */ e\n-- z") == ["a 'b'", "c /* d */ e"]


def test_numbers_and_lines() -> None:
    """Statements are counted from 1 without the empty ones, lines from 1."""
    statements = read("a;;\r\n\r\n-- x\r\nb\r\nc; d").statements

    assert [(one.number, one.line) for one in statements] == [(1, 1), (2, 4), (3, 5)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Create Table if not exists a.b ()", ("CREATE", "TABLE", "IF", "NOT", "EXISTS", "A")),
        ('drop "table"', ("DROP",)),
        ("(select 1)", ()),
        ("a b c d e f g h i", tuple("ABCDEFGH")),
    ],
)
def test_leading_words(text: str, expected: tuple[str, ...]) -> None:
    """Up to eight leading unquoted words are given in upper case."""
    assert expected == read(text).statements[0].words


def test_semicolons_in_parentheses() -> None:
    """A semicolon in parentheses ends no statement, as in CREATE RULE."""
    rule = "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT (2))"

    assert [rule, "SELECT 3"] == split(f"{rule};SELECT 3")


def test_a_parenthesis_too_many() -> None:
    """A closing parenthesis too many does not swallow what follows."""
    assert split("a ); b") == ["a )", "b"]


BODY = "BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 1 end; SELECT 2 AS end; END"


@pytest.mark.parametrize(
    "head",
    [
        "CREATE FUNCTION f() RETURNS int",
        "create or replace function f(begin int) returns int",
        "CREATE PROCEDURE f(a int DEFAULT (1))",
        "CREATE OR REPLACE /* ; */ PROCEDURE f()",
    ],
)
def test_routine_bodies(head: str) -> None:
    """A BEGIN ATOMIC body ends at the END in a statement's place, and at no other."""
    assert [f"{head} {BODY}", "SELECT 3"] == split(f"{head} {BODY};\nSELECT 3;")


def test_an_empty_routine_body() -> None:
    """A body may be empty."""
    empty = "CREATE PROCEDURE f() BEGIN ATOMIC END"

    assert [empty, "SELECT 1"] == split(f"{empty}; SELECT 1")


@pytest.mark.parametrize(
    "text",
    [
        "CREATE FUNCTION f(begin atomic) RETURNS int RETURN 1",
        "CREATE TABLE begin (atomic int)",
        "CREATE VIEW v AS SELECT begin atomic FROM t",
    ],
)
def test_begin_atomic_that_is_no_body(text: str) -> None:
    """BEGIN ATOMIC is a body only in a routine, outside parentheses."""
    assert [text, "SELECT 1"] == split(f"{text}; SELECT 1")


def test_a_routine_body_without_its_end() -> None:
    """A body that never ends is one statement, for the server to refuse."""
    text = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2;"

    assert len(split(text)) == 1


@pytest.mark.parametrize(
    ("copy", "lines", "expected"),
    [
        ("COPY t FROM STDIN;\n", "1\n;'\n", "1\n;'\n"),
        ("COPY t FROM STDIN; -- x\r\n", "1\r\n", "1\r\n"),
        ("copy t (a, b) from stdin with (format csv); ; /* x */\n", "", ""),
        ("COPY t FROM STDOUT;\n", "a\\.\n\\.b\n", "a\\.\n\\.b\n"),
        ('COPY "from"."stdin" FROM STDIN;\n', "1\n", "1\n"),
    ],
)
def test_copy_data(copy: str, lines: str, expected: str) -> None:
    """Data stands on the lines behind COPY … FROM STDIN, up to a line of backslash-dot."""
    assert [expected, None] == data(f"{copy}{lines}\\.\nSELECT 1;")
    assert [expected, None] == data(f"{copy}{lines}\\.\r\nSELECT 1;")


def test_copy_data_to_the_end_of_the_text() -> None:
    """Without a line of backslash-dot all of the text is data."""
    assert data("COPY t FROM STDIN;\n1;\n2") == ["1;\n2"]
    assert data("COPY t FROM STDIN;\n1\n\\.") == ["1\n"]


@pytest.mark.parametrize(
    "text", ["COPY t FROM STDIN", "COPY t FROM STDIN;", "COPY t FROM STDIN;\n"]
)
def test_copy_without_data(text: str) -> None:
    """A COPY at the end of the text has no data, which is not the same as being no COPY."""
    assert data(text) == [""]


@pytest.mark.parametrize(
    "copy",
    [
        "COPY t FROM 'stdin'",
        "COPY t FROM PROGRAM 'stdin'",
        "COPY t TO STDOUT",
        "COPY (SELECT 1 FROM stdin) TO STDOUT",
        "COPY t /* FROM STDIN */ TO STDIN",
        'COPY t FROM "stdin"',
    ],
)
def test_copies_without_data(copy: str) -> None:
    """Only COPY … FROM STDIN outside quotes, comments and parentheses has data."""
    assert data(f"{copy};\nSELECT 1") == [None, None]


def test_sql_behind_a_copy_on_its_line() -> None:
    """SQL on the line of a COPY … FROM STDIN is refused, since data begins on the next."""
    with pytest.raises(ScriptError) as caught:
        read("\nCOPY t FROM STDIN; SELECT 1;\n1\n\\.\n")

    assert caught.value.line == 2


def test_two_copies() -> None:
    """Each COPY has its own data."""
    text = "COPY t FROM STDIN;\n1\n\\.\n\nCOPY u FROM STDIN;\n2\n\\.\n"

    assert data(text) == ["1\n", "2\n"]
    assert [one.line for one in read(text).statements] == [1, 5]


def test_directives() -> None:
    """Line comments that begin with rung: are directives, and are in the order of the text."""
    text = "-- rung: a b \nSELECT 1 --rung:c\n; -- see -- rung: d\n/* -- rung: e */ '-- rung: f'"

    assert directives(read(text)) == ("a b", "c")


def test_a_directive_is_no_part_of_a_statement() -> None:
    """A directive before a statement is not where it begins."""
    assert split("-- rung: x\nSELECT 1\n-- rung: y\n") == ["SELECT 1"]
