"""
The states that a file could have left, out of the snapshots taken while it was run through.

Inside a transaction of the file's own nothing is left by who is cut off there, so only the
ends of such count. An index build that fails or dies behind its first transaction leaves an
index that is not valid, and so does a removal that is cut off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.repair.model import State
from rung.snapshot import Snapshot
from rung.statements import Control

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rung.statements import Script, Statement

_INVALID = "invalid"


def states_of(
    script: Script, snapshots: Mapping[int, Snapshot], broken: Snapshot | None = None
) -> tuple[State, ...]:
    """
    Every state, in order.

    Args:
        script: the file's.
        snapshots: of the schema after so many of its statements; 0 is the one before it.
        broken: behind the statement that was refused, where it left something.
    """
    states = tuple(_states(script, snapshots))
    last = max(snapshots)
    if broken is None or broken == snapshots[last]:
        return states
    return (*states, State(last, broken, last + 1))


def _states(script: Script, snapshots: Mapping[int, Snapshot]) -> Iterator[State]:
    for number in sorted(_ends(script) & snapshots.keys()):
        yield State(number, snapshots[number])
        if number + 1 in snapshots and number < len(script.statements):
            statement = script.statements[number]
            yield from _half(statement, snapshots[number], snapshots[number + 1])


def _ends(script: Script) -> set[int]:
    """The numbers of statements behind which no transaction of the file's own is open."""
    found, inside = {0}, False
    for statement in script.statements:
        if statement.control is Control.BEGIN:
            inside = True
        elif statement.control in (Control.COMMIT, Control.ROLLBACK, Control.PREPARE):
            inside = False
        if not inside:
            found.add(statement.number)
    return found


def _half(statement: Statement, before: Snapshot, after: Snapshot) -> Iterator[State]:
    if not statement.concurrent_build:
        return
    made = _indexes(after, before) or _indexes(before, after)
    if made:
        invalid = {name: _invalid(text) for name, text in made.items()}
        snapshot = Snapshot.of((dict(before.objects) | invalid).items())
        yield State(statement.number - 1, snapshot, statement.number)


def _indexes(one: Snapshot, other: Snapshot) -> dict[str, str]:
    """The indexes that the one has and the other has not."""
    return {
        name: text
        for name, text in one.objects.items()
        if name.startswith("index ") and name not in other.objects
    }


def _invalid(text: str) -> str:
    first, *rest = text.split("\n")
    return "\n".join((first, _INVALID, *rest))
