"""Another tool's down marker in a file is found where that tool would read it."""

from __future__ import annotations

import pytest

from rung.script import Dialect, foreign_marker, read

MARKERS = [
    ("-- +goose Down", "goose"),
    ("--+goose   DOWN", "goose"),
    ("  -- +goose\tdown ", "goose"),
    ("-- migrate:down", "dbmate"),
    ("--migrate:down transaction:false", "dbmate"),
    ("-- +migrate Down notransaction", "sql-migrate"),
    ("-- +micrate Down", "micrate"),
    ("-- rambler down", "rambler"),
    ("-- Down Migration", "node-pg-migrate"),
    ("---- create above / drop below ----", "tern"),
    ("-- //@UNDO", "MyBatis Migrations"),
    ("-- ==== DOWN ====", "shmig"),
    ("# --- !Downs\n-- !Downs", "Play"),
]


@pytest.mark.parametrize("dialect", [Dialect.POSTGRES, Dialect.SQLITE])
@pytest.mark.parametrize(("mark", "tool"), MARKERS)
def test_both_directions_in_one_file(mark: str, tool: str, dialect: Dialect) -> None:
    """The tool is named, with the place and what to do; with or without a semicolon before."""
    for end in (";", ""):
        text = f"-- up\nCREATE TABLE a (id int){end}\n{mark}\nDROP TABLE a;\n"
        found = foreign_marker(read(text, dialect), down=False)

        assert found
        last = mark.splitlines()[-1]
        assert (found.line, found.column) == (2 + len(mark.splitlines()), last.index("--") + 1)
        assert f"`{last.strip()}` is {tool}'s marker" in found.problem
        assert ".down.sql" in found.way


@pytest.mark.parametrize(
    "text",
    [
        "SELECT '\n-- +goose Down\n'",
        "DO $$ BEGIN\n-- +goose Down\nEND $$",
        "/* x\n-- +goose Down\n*/ SELECT 1",
        "/* /* x */\n-- migrate:down\n*/ SELECT 1",
        "SELECT 1; -- +goose Down",
        "-- see what -- +goose Down did\nSELECT 1",
        "-- +goose Up\nSELECT 1",
        "-- the down migration is in the other file\nSELECT 1",
        "-- Down Migrations are in the other file\nSELECT 1",
        "-- rung: allow-out-of-order\n-- migrate:downs\nSELECT 1",
        "COPY a FROM STDIN;\n-- +goose Down\n\\.\n",
    ],
)
def test_what_only_looks_like_one(text: str) -> None:
    """In a string, a body, a block comment, data or a sentence it is no marker."""
    assert foreign_marker(read(text), down=False) is None


def test_a_down_file_may_keep_its_heading() -> None:
    """Before all statements it changes nothing; behind one, what precedes it is an up."""
    alone = read("-- +goose Down\nDROP TABLE a;")
    both = read("-- +goose Up\nCREATE TABLE a ();\n-- +goose Down\nDROP TABLE a;")

    assert foreign_marker(alone, down=True) is None
    assert foreign_marker(alone, down=False)
    found = foreign_marker(both, down=True)
    assert found
    assert "remove it and all above it" in found.way
