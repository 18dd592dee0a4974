"""Words and flags, as Go takes them apart."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.gostd.recordings import recorded

from rung.golang_migrate.gostd.flags import (
    FlagSet,
    FlagsRefused,
    HelpWanted,
    boolean,
    int64,
    string,
    uint64,
)

FLAGS = FlagSet(
    "up",
    boolean("verbose", "x"),
    boolean("f", default=True),
    string("path"),
    uint64("prefetch", 10),
    int64("digits", 6),
)
ROWS = recorded("flags")


def outcome(words: list[str]) -> dict[str, Any] | str:
    """The flags and the words after them, or Go's line for the first flag that is wrong."""
    try:
        parsed = FLAGS.parse(words)
    except HelpWanted:
        return ""
    except FlagsRefused as error:
        return str(error)
    return {**parsed.values, "words": list(parsed.words)}


def test_every_line_of_words() -> None:
    """As Go reads it; `-h` and `-help` need not be declared, whatever their value."""
    assert [[row[0], outcome(row[0])] for row in ROWS] == [[row[0], row[1]] for row in ROWS]
    assert {type(row[1]) for row in ROWS} == {dict, str}
    assert "" in {row[1] for row in ROWS if isinstance(row[1], str)}


def test_help_that_is_declared() -> None:
    """A declared `-help` is a flag like any other, and `-h` stays the built-in one."""
    flags = FlagSet("up", boolean("help"))

    assert flags.parse(["-help"]).yes("help")
    with pytest.raises(HelpWanted):
        flags.parse(["-h"])


def test_values_by_their_kind() -> None:
    """A value is asked for as what it was declared."""
    parsed = FLAGS.parse(["-path", "p", "-digits", "0x10", "-f=F"])

    assert (parsed.text("path"), parsed.number("digits"), parsed.yes("f")) == ("p", 16, False)


USAGE = """\
Usage of up:
  -digits
    \ta  b (default -6)
  -f\tforce
  -format string
    \tone ` only (default "2006\\t\\"x\\"")
  -g\tgood (default true)
  -i int
    \tzero
  -n uint
    \tcount (default 10)
  -path DIR
    \twhere DIR is, `not` this
  -s string
    \t
  -verbose
    \tsay more
    \tand more
  -x name
    \twith a name
"""


@pytest.mark.parametrize(("name", "head"), [("up", "Usage of up:"), ("", "Usage:")])
def test_usage(name: str, head: str) -> None:
    """Sorted by name, defaults only where they say something, as Go 1.26 prints it."""
    flags = FlagSet(
        name,
        boolean("verbose", "say more\nand more"),
        boolean("f", "force"),
        boolean("g", "good", default=True),
        boolean("x", "with a `name`"),
        string("path", "", "where `DIR` is, `not` this"),
        string("format", '2006\t"x"', "one ` only"),
        string("s"),
        uint64("n", 10, "count"),
        int64("i", 0, "zero"),
        int64("digits", -6, "a `` b"),
    )

    assert flags.usage() == USAGE.replace("Usage of up:", head)
    assert flags.defaults() == USAGE.partition("\n")[2]
