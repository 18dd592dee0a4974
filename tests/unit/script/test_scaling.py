"""Reading takes time in proportion to the text, whatever the text."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from rung.errors import ScriptError
from rung.script import Dialect, checksum, read

if TYPE_CHECKING:
    from types import FrameType

SHAPES = {
    "statements": "CREATE TABLE größe (a int, b text DEFAULT 'it''s'); -- note\n",
    "comments": "-- note\n",
    "nested comments": "/* /* a */ */ ",
    "escape strings": "E'a\\'b'\n",
    "dollar quotes": "$a$ $$;$$ $a$ ",
    "bodies": "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END;\n",
    "rules": "(a;b);\n",
    "copies": "COPY t FROM STDIN;\n\\.b\n\\.\n",
    "operators": "+-",
    "blocks": "BEGIN; COMMIT;\n",
    "directives": "-- rung: a\n",
}
# Text of which each piece could begin what only the end of the text disproves.
OPEN_ENDED = {
    "body": ("CREATE FUNCTION f() BEGIN ATOMIC ", "SELECT 1;"),
    "parentheses": ("(", "a;"),
    "data": ("COPY t FROM STDIN;\n", "\\.x\n"),
    "string": ("'", "''"),
    "comment": ("", "/*"),
}


SQLITE = {
    "statements": ("", "CREATE TABLE `größe` (a int, [b] text DEFAULT 'it''s'); -- note\n"),
    "comments": ("", "/* a /* */ -- b\n"),
    "triggers": ("", "CREATE TRIGGER t BEGIN SELECT 1; END;\n"),
    "blocks": ("", "BEGIN; COMMIT;\n"),
    "pragmas": ("-- rung: no-transaction\n", "PRAGMA main.foreign_keys = 1;"),
    "body": ("CREATE TRIGGER t BEGIN ", "SELECT 1;"),
    "string": ("'", "''"),
    "name": ("[", "["),
    "comment": ("", "/*"),
    "operators": ("", "-"),
}


def calls(text: str) -> int:
    """How many function calls, C functions included, reading a text takes."""
    count = 0

    def watch(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(watch)
    try:
        checksum(read(text))
    finally:
        sys.setprofile(None)
    return count


def seconds(text: str, dialect: Dialect = Dialect.POSTGRES) -> float:
    """The processor time that reading a text takes, the best of three."""
    times = []
    for _ in range(3):
        begun = time.process_time()
        with suppress(ScriptError):
            checksum(read(text, dialect))
        times.append(time.process_time() - begun)
    return min(times)


@pytest.mark.parametrize("piece", SHAPES.values(), ids=SHAPES)
def test_twice_the_text_takes_twice_the_calls(piece: str) -> None:
    """The number of calls grows in proportion to the text."""
    once, twice = (calls(piece * times) for times in (200, 400))

    assert 2.1 * once > twice


@pytest.mark.parametrize(
    ("head", "piece"), [*OPEN_ENDED.values(), *(("", one) for one in SHAPES.values())]
)
def test_four_times_the_text_takes_four_times_the_time(head: str, piece: str) -> None:
    """No text takes time in proportion to its square, an unfinished one neither."""
    size = 15_000 // len(piece)
    once, four = (seconds(head + piece * times) for times in (size, 4 * size))

    assert 9 * once + 0.01 > four


@pytest.mark.parametrize(("head", "piece"), SQLITE.values(), ids=SQLITE)
def test_sqlite_text_too(head: str, piece: str) -> None:
    """SQLite's SQL is read in proportion to its length as well."""
    size = 15_000 // len(piece)
    once, four = (seconds(head + piece * times, Dialect.SQLITE) for times in (size, 4 * size))

    assert 9 * once + 0.01 > four


def test_many_files_take_no_more_calls_than_one() -> None:
    """A thousand small files take about the calls of one file as long as all of them."""
    small = SHAPES["statements"] * 3
    apart, together = 100 * calls(small), calls(small * 100)

    assert 1.5 * together > apart


@pytest.mark.parametrize("content", ["x" * 20_000_000, "''" * 5_000_000, "é" * 10_000_000])
def test_one_great_string(content: str) -> None:
    """A string of many megabytes is one token, found in a few calls."""
    text = f"INSERT INTO t VALUES ('{content}')"

    assert len(read(text).tokens) == 7
    assert calls(text) < 1000
