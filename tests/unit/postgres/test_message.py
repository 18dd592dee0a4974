"""Messages put together, and the server's positions and counts read back into the file."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.drivers.postgres.message import (
    CLOSING,
    Message,
    Piece,
    copy_blocks,
    file_pieces,
    inner_offset,
    ours,
)
from rung.drivers.postgres.quoting import Sql
from rung.script import read

COPIES = """create table t (a text);
copy t from stdin;
x
y
\\.
select 1;
copy t from stdin;
\\.
select 2"""


def message(text: str, first: int = 1, last: int | None = None) -> Message:
    """A file's statements between a BEGIN and a COMMIT of ours."""
    script = read(text)
    last = len(script.statements) if last is None else last
    begin, commit = ours("begin", Sql("BEGIN")), ours("commit", Sql("COMMIT"))
    pieces = (begin, *file_pieces(script, first, last), commit)
    return Message(pieces, copy_blocks(script, first, last))


def test_statements_of_ours_are_closed() -> None:
    """Each statement of ours gets its semicolon and is counted."""
    assert ours("x", Sql("A"), Sql("B")) == Piece("A;\nB;\n", 2, "x")


@pytest.mark.parametrize(
    "text", ["", "-- nothing\n", "  select 1 ; -- a\r\n\tselect 2\n\n", "select 1;;"]
)
def test_a_whole_file_is_sent_as_it_is(text: str) -> None:
    """Comments, white space and line ends go with the file, byte for byte."""
    assert message(text).sql == f"BEGIN;\n{text}COMMIT;\n"


def test_a_part_of_a_file() -> None:
    """A unit begins at its first statement and ends behind its last."""
    text = "select 1; -- one\nselect 'č' ;\nselect 3; select 4"

    assert message(text, 2, 3).sql == "BEGIN;\nselect 'č' ;\nselect 3COMMIT;\n"


def test_copy_data_is_cut_out() -> None:
    """The data of each COPY go apart, with the line that ends them left out altogether."""
    made = message(COPIES)

    assert made.copy_data == ("x\ny\n", "")
    assert made.sql.split() == (
        [
            "BEGIN;",
            "create",
            "table",
            "t",
            "(a",
            "text);",
            "copy",
            "t",
            "from",
            "stdin;",
            "select",
            "1;",
            "copy",
            "t",
            "from",
            "stdin;",
            "select",
            "2COMMIT;",
        ]
    )


def test_completed_statements_are_counted() -> None:
    """After any number of completed statements it is known which one runs, and whose it is."""
    made = message(COPIES)

    assert [made.statement_running(done) for done in range(8)] == [None, 1, 2, 3, 4, 5, None, None]
    assert [made.file_done(done) for done in range(8)] == [0, 0, 1, 2, 3, 4, 5, 5]
    assert [made.running(done).label for done in (0, 1, 5, 6, 7)] == [
        "begin",
        "",
        "",
        "commit",
        "commit",
    ]


def test_counting_in_a_part() -> None:
    """In a unit the numbers are the file's."""
    made = message("select 1; select 2; select 3; select 4", 2, 3)

    assert [made.statement_running(done) for done in range(4)] == [None, 2, 3, None]


@pytest.mark.parametrize("word", ["create", "copy", "select 1", "select 2"])
def test_positions_are_the_files(word: str) -> None:
    """A character of the message is the same character of the file, before and behind data."""
    made = message(COPIES)
    position = made.sql.index(word)

    assert made.file_offset(position) == COPIES.index(word)


def test_positions_of_ours_are_nowhere() -> None:
    """A position in a statement of ours, or behind the end, is no place of the file."""
    made = message("select 1")

    assert [made.file_offset(at) for at in (0, 6, 7, 15, 99)] == [None, None, 0, None, None]


def test_the_end_of_a_file() -> None:
    """The semicolon with which we close a file stands for the file's end."""
    script = read("select \n")
    pieces = (*file_pieces(script, 1, 1), CLOSING, ours("commit", Sql("COMMIT")))
    made = Message(pieces)

    assert made.file_offset(made.sql.index(";")) == len("select")


@given(
    st.lists(st.sampled_from(["select 1", "copy t from stdin", "select 'č;'", "/*;*/"]), max_size=6)
)
def test_every_character_leads_back(parts: list[str]) -> None:
    """Every character of the file that is sent is found again where it stands."""
    text = "".join(f"{part};\n" + "a\tb\n\\.\n" * part.startswith("copy") for part in parts)
    made = message(text)
    offsets = [made.file_offset(at) for at in range(len(made.sql))]

    found = [(at, off) for at, off in enumerate(offsets) if off is not None]
    assert all(made.sql[at] == text[off] for at, off in found)
    assert len(found) == len(text) - len("a\tb\n\\.") * len(made.copy_data)


@pytest.mark.parametrize(
    ("sql", "inner", "at"),
    [
        ("DO $$ BEGIN PERFORM nope; END $$;", ("BEGIN PERFORM nope; END ", 14), 20),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT x $$;", (" SELECT x ", 8), 58),
        ("DO E'BEGIN PERFORM ''a''; END';", ("BEGIN PERFORM 'a'; END", 14), None),
        ("DO $$ BEGIN x(); x(); END $$;", ("x()", 0), None),
        ("SELECT abc();", ("ab", 0), None),
        ("SELECT f();", ("SELECT nope", 7), None),
    ],
)
def test_a_place_inside_a_body(sql: str, inner: tuple[str, int], at: int | None) -> None:
    """Where the body stands byte for byte and once; else no place, rather than a wrong one."""
    assert inner_offset(read(sql), 1, inner) == at
    assert inner_offset(read(sql), None, inner) is None


@pytest.mark.parametrize(
    ("text", "size", "apart"),
    [
        ("SELECT 1; SELECT 2", 10, False),
        ("SELECT 1; SELECT 2", 2_000_000, True),
        ("SELECT 1; BEGIN; SELECT 2; COMMIT", 2_000_000, True),
        ("SELECT 1; SELECT 2; COMMIT", 2_000_000, False),
        ("SELECT 1; VACUUM", 2_000_000, False),
    ],
)
def test_a_large_record_is_sent_apart(text: str, size: int, apart: bool) -> None:  # noqa: FBT001 - a row
    """The second copy of a file's text follows in another message, where a BEGIN holds both."""
    sent = replace(message(text), script=read(text))
    begin, file, commit = sent.pieces
    record = ours("record", Sql("x" * size))
    whole = replace(sent, pieces=(begin, file, CLOSING, record, commit))
    first, more = whole.split()

    assert "".join((*first, *more)) == whole.sql
    assert (more == (record.sql, commit.sql)) is apart
    assert not replace(sent, pieces=(begin, record, file, commit)).split()[1]
