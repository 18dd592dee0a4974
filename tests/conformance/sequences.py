"""
Random folders, starts and commands, for both tools.

Bodies only note in a table that they ran, so that any order of them is possible; what makes a
file fail is in the file, and not in what ran before.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from tests.conformance.cross import FAILS

HIGHEST = 7
NOWHERE = 99
"""A version that has no file, and is above all that have one."""
_MISSING, _COMMENT = "missing", "comment"
_KINDS = ("plain", "plain", "plain", "own", _COMMENT, _MISSING, "fails", "own fails")


@dataclass(frozen=True, slots=True)
class Command:
    """
    The words of a command, and what it reads.

    `#3` stands for the version of the fourth file, counted round where there are fewer.
    """

    words: tuple[str, ...]
    stdin: str = ""


@dataclass(frozen=True, slots=True)
class Add:
    """A pair of files above all others appears."""

    up: str
    down: str


@dataclass(frozen=True, slots=True)
class ComeLate:
    """A file below the ledger appears, both tools go up, and it is taken away again."""


Event = Command | Add | ComeLate


@dataclass(frozen=True, slots=True)
class Story:
    """
    What happens, in order.

    Attributes:
        files: of each version the kinds of its up and its down.
        start: the ledger at first.
        events: what happens then.
    """

    files: dict[int, tuple[str, str]]
    start: str
    events: list[Event]


def body(version: int, half: str, kind: str) -> str | None:
    """Write the body of a half; None where it is missing."""
    if kind == _MISSING:
        return None
    if kind == _COMMENT:
        return "-- nothing\n"
    note = (
        f"create table if not exists ran (what text); insert into ran values ('{version}{half}');"
    )
    inner = f"{note} {FAILS}" if kind.endswith("fails") else note
    return f"begin; {inner} commit;" if kind.startswith("own") else inner


def _halves(*, own: bool) -> st.SearchStrategy[tuple[str, str]]:
    kinds = st.sampled_from([kind for kind in _KINDS if own or not kind.startswith("own")])
    return st.tuples(kinds, kinds).filter(lambda both: both != (_MISSING, _MISSING))


def _commands() -> st.SearchStrategy[Event]:
    few, version = st.integers(0, 3), st.integers(0, HIGHEST + 1)
    return st.one_of(
        st.sampled_from([("up",), ("version",), ("down", "-all"), ("force", "--", "-1")]).map(
            Command
        ),
        few.map(lambda n: Command(("up", str(n)))),
        few.map(lambda n: Command(("down", str(n)))),
        version.map(lambda v: Command(("goto", str(v)))),
        version.map(lambda v: Command(("force", f"#{v}"))),
        st.just(Command(("force", str(NOWHERE)))),
        st.sampled_from(["y\n", "n\n"]).map(lambda answer: Command(("down",), answer)),
    )


def _starts() -> st.SearchStrategy[str]:
    clean = st.integers(0, HIGHEST).map(lambda version: f"({version},f)")
    return st.one_of(st.just("nil"), clean, st.just("nil"), st.sampled_from(["(2,t)", "(-1,t)"]))


def stories(*, own: bool) -> st.SearchStrategy[Story]:
    """
    Draw stories.

    Args:
        own: files may have transactions of their own.
    """
    adding = _halves(own=own).map(lambda both: Add(*both))
    events = st.one_of(_commands(), _commands(), _commands(), adding, st.just(ComeLate()))
    dropping = st.just(Command(("drop", "-f")))
    return st.builds(
        Story,
        st.dictionaries(st.integers(0, HIGHEST), _halves(own=own), min_size=1, max_size=5),
        _starts(),
        st.lists(st.one_of(events, events, events, events, dropping), min_size=1, max_size=8),
    )
