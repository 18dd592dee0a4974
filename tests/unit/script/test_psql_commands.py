"""Lines that only psql or SQLite's shell reads are refused, and pg_dump's two passed over."""

from __future__ import annotations

import pytest

from rung.drivers.postgres.message import Message, file_pieces
from rung.errors import ClientCommand
from rung.script import Dialect, checksum, read

COMMANDS = [
    (r"\connect other", r"\connect", "runs in one database"),
    (r"\c other", r"\c", "runs in one database"),
    (r"\set ON_ERROR_STOP on", r"\set", "the value itself"),
    (r"\i other.sql", r"\i", "that file"),
    (r"\ir 'other file.sql'", r"\ir", "that file"),
    (r"\copy a from 'x.csv' csv", r"\copy", "COPY … FROM STDIN"),
    (r"select 1 \gexec", r"\gexec", "EXECUTE"),
    (r"select 1 as a \gset", r"\gset", "the value itself"),
    (r"select 1 \g", r"\g", "semicolon"),
    (r"select 1 \; select 2", r"\;", "without the backslash"),
    (r"\d+ a", r"\d+", "remove"),
    (r"\echo it's done", r"\echo", "remove"),
    (r'\prompt "name', r"\prompt", "the value itself"),
    (r"\! rm -rf x", r"\!", "cannot run programs"),
    (r"\.", r"\.", "COPY"),
    (r"\if :x", r"\if", "DO $$"),
    (r"\restrict", r"\restrict", "remove"),
    (r"select 1 \restrict abc", r"\restrict", "remove"),
    ("\\", "\\", "remove"),
]


@pytest.mark.parametrize(("line", "name", "way"), COMMANDS)
@pytest.mark.parametrize("dialect", [Dialect.POSTGRES, Dialect.POSTGRES_ESCAPES])
def test_commands_of_psql(dialect: Dialect, line: str, name: str, way: str) -> None:
    """Refused with name, place and what to write instead, before anything is sent."""
    with pytest.raises(ClientCommand) as caught:
        read(f"CREATE TABLE b (id int);\n{line}\nSELECT 1;", dialect)

    error = caught.value.in_file("1_x.up.sql")
    assert error.located == f"1_x.up.sql:2:{line.index(name) + 1}: {error.problem}"
    assert error.problem == f"`{name}` is a command of psql, which no server executes"
    assert way in error.hint


@pytest.mark.parametrize(
    "text",
    [
        r"SELECT 'a \connect b'",
        r"SELECT E'\n\\'",
        r'SELECT 1 AS "\d"',
        "DO $$ BEGIN\n\\connect\nEND $$",
        "-- \\connect other\nSELECT 1",
        "/* \\i x\n\\set */ SELECT 1",
        "COPY a FROM STDIN;\n1\\t2\n\\N\n\\.\nSELECT 1",
        "COPY a FROM STDIN;\n\\connect other\n\\.\n",
    ],
)
def test_backslashes_that_are_text(text: str) -> None:
    """In strings, names, comments and COPY data they are nobody's command."""
    assert read(text).statements


DUMP = (
    "--\n-- dump\n--\n\n\\restrict aB9\n\nSET a = 1;\nCOPY t FROM stdin;\n1\n\\.\n\n"
    "SELECT 1;\n\n\\unrestrict aB9\n\n"
)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_two_lines_of_pg_dump(end: str) -> None:
    """They are not sent, all else is, byte for byte; places stay those of the file."""
    text = DUMP.replace("\n", end)
    script = read(text)
    pieces = tuple(file_pieces(script, 1, 3))

    sent = "".join(piece.sql for piece in pieces)
    assert "restrict" not in sent
    kept = text.replace("\\restrict aB9", "").replace("\\unrestrict aB9", "")
    assert (
        sent.replace("\r", "") == kept.replace(f"1{end}\\.", "").replace("\r", "").rstrip() + "\n\n"
    )
    assert [piece.statements for piece in pieces] == [0, 2, 1]
    message = Message(pieces, script=script)
    offset = message.file_offset(sent.index("SELECT"))
    assert offset == text.index("SELECT")
    assert message.statement_running(2) == 3


def test_they_do_not_count() -> None:
    """A dump made again has another key, and is no edit."""
    plain = DUMP.replace("\\restrict aB9", "").replace("\\unrestrict aB9", "")

    assert (
        checksum(read(DUMP)) == checksum(read(DUMP.replace("aB9", "Zz0"))) == checksum(read(plain))
    )


@pytest.mark.parametrize("text", ["\\restrict a\n", "\\unrestrict a", " \\restrict a\r\n-- x\n"])
def test_a_dump_of_nothing(text: str) -> None:
    """It holds no statement."""
    assert not read(text).statements


@pytest.mark.parametrize(
    ("text", "name", "line", "way"),
    [
        (".headers on\nCREATE TABLE t (a);\n", ".headers", 1, "remove"),
        ("CREATE TABLE t (a);\n.read other.sql\n", ".read", 2, "that file"),
        ("-- x\n\n  .mode csv", ".mode", 3, "remove"),
        ("SELECT 1;\n.print it's\n", ".print", 2, "remove"),
        ("SELECT 1; .import a b", ".import", 1, "INSERT"),
        ("SELECT 1;\n\\connect x", "\\connect", 2, "remove"),
    ],
)
def test_commands_of_sqlites_shell(text: str, name: str, line: int, way: str) -> None:
    """They begin a statement with a dot, as no SQL does."""
    with pytest.raises(ClientCommand, match=r"shell|psql") as caught:
        read(text, Dialect.SQLITE)

    assert (caught.value.line, caught.value.problem.split("`")[1]) == (line, name)
    assert way in caught.value.hint


@pytest.mark.parametrize(
    "text",
    ["SELECT a\n.b FROM a", "SELECT\n.5", "SELECT '\n.read x'", "-- x\nSELECT 1 /*\n.read x*/"],
)
def test_dots_that_are_sql(text: str) -> None:
    """In a statement, a string or a comment a dot is what it is."""
    assert len(read(text, Dialect.SQLITE).statements) == 1
