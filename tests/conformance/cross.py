"""
Generated scenarios: every command, from every state of a ledger, over several sets of files.

Nothing is expected here: golang-migrate's outcome is recorded, and `rules` says where ours
differs.
"""

from __future__ import annotations

import shlex
from functools import cache
from typing import TYPE_CHECKING

from tests.conformance.scenario import SCHEMES, Files, Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

FAILS = "insert into nowhere values (1);"
"""What makes a body fail on every database."""

_COMMANDS = (
    *("up", "up 0", "up 1", "up 2", "up 9"),
    *("down 0", "down 1", "down 2", "down 9", "down -all", "down <y", "down <n"),
    *("goto 0", "goto 1", "goto 2", "goto 3", "goto 4", "goto 99"),
    *("force 3", "force 8", "force -- -1", "version", "drop -f"),
)
_FROM_SOME = (
    *("goto 18446744073709551615", "down 9223372036854775808"),
    *("force -1", "drop <y", "drop <n"),
    *("up x", "down x", "goto", "goto x", "force", "force x", "down -all 1", "down 1 1"),
)
"""Commands of which the state matters little."""
_SOME = {"none", "(3,f)", "(3,t)"}
_MOVING = tuple(each for each in _COMMANDS if each.startswith(("up", "down", "goto")))


def _files(ups: str, downs: str, failing: str = "") -> Files:
    """Make bodies for versions; `failing` names those that fail, such as 2u."""
    found = []
    for version in ups.split():
        fails = FAILS if f"{version}u" in failing.split() else ""
        body = f"create table t{version} (id int); insert into t{version} values (1); {fails}"
        found.append((f"{version}_m.up.sql", body))
    for version in downs.split():
        fails = FAILS if f"{version}d" in failing.split() else ""
        found.append((f"{version}_m.down.sql", f"drop table if exists t{version}; {fails}"))
    return tuple(found)


SETS: dict[str, Files] = {
    "contiguous": _files("1 2 3", "1 2 3"),
    "gapped": _files("1 3 4", "1 3 4"),
    "halves": _files("1 3 4 7", "1 4 5 7"),
    "zero": _files("0 1 2", "0 1 2"),
    "empty": (),
    "broken up": _files("1 2 3", "1 2 3", "2u"),
    "broken first up": _files("1 2", "1 2", "1u"),
    "broken down": _files("1 2 3", "1 2 3", "2d"),
    "broken last down": _files("1 2", "1 2", "1d"),
}
_SHORTENED = {"contiguous", "zero"}
"""The sets with fewer states, and none of them for pgx5, whose engine is that of postgres."""


@cache
def generated() -> tuple[Scenario, ...]:
    """Give all generated scenarios, in a certain order."""
    return tuple(
        _scenario(name, files, start, command)
        for name, files in SETS.items()
        for start in _starts(name, files)
        for command in _commands(name, start)
    )


def _starts(name: str, files: Files) -> Iterator[str]:
    versions = versions_of(files)
    if name.startswith("broken"):
        yield from ("nil", *(f"({version},f)" for version in versions))
        return
    yield "nil"
    if name not in _SHORTENED:
        yield from ("none", "(99,f)", "(-1,f)", "(-1,t)")
    if name == "empty":
        yield from ("(1,f)", "(1,t)")
    if name == "gapped":
        yield from ("(2,f)", "(2,t)")
    for version in versions:
        yield from (f"({version},f)", f"({version},t)")


def _commands(name: str, start: str) -> tuple[str, ...]:
    if name.startswith("broken"):
        return _MOVING
    return _COMMANDS + (_FROM_SOME if start in _SOME else ())


def _scenario(name: str, files: Files, start: str, command: str) -> Scenario:
    words, _, stdin = command.partition(" <")
    step = Step(
        ("-path", "{dir}", "-database", "{url}", *shlex.split(words)),
        stdin=f"{stdin}\n" if stdin else "",
    )
    return Scenario(
        id=f"{name}: {start} {command}",
        tells=f"`{command}` at {start}, files {name}",
        schemes=tuple(s for s in SCHEMES if s != "pgx5" or name not in _SHORTENED),
        files=files,
        start=start,
        steps=(step,),
        generated=True,
    )


def versions_of(files: Files) -> list[int]:
    """List the versions of a set."""
    return sorted({int(name.split("_")[0]) for name, _ in files})
