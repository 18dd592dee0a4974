"""
Holds our outcome of a step against golang-migrate's: equal, better as listed, or unexplained.

A listed difference must be one: where it is stated and does not show, that is unexplained too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.conformance.scenario import Better, Outcome, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conformance.runner import Seen

_NOISE = ("pg_advisory_unlock", "pg_advisory_lock")


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What came of the comparison.

    Attributes:
        difference: the id of the listed difference; empty where both are equal.
        faults: what nothing explains, a line for each.
    """

    difference: str = ""
    faults: tuple[str, ...] = ()


def judge(theirs: Outcome, ours: Seen, better: Better | None) -> Verdict:
    """
    Compare one step.

    Args:
        theirs: golang-migrate's outcome.
        ours: what came of it here.
        better: the difference that is meant; None: both must be equal.
    """
    if better is None:
        return Verdict(faults=tuple(_unequal(theirs, ours.outcome)))
    faults = tuple(_not_as_stated(theirs, ours, better))
    if not faults and theirs == ours.outcome:
        faults = (f"the difference {better.difference} does not show",)
    return Verdict(better.difference, faults)


def _unequal(theirs: Outcome, ours: Outcome) -> Iterator[str]:
    yield from _differs("exit", theirs.said.exit, ours.said.exit)
    yield from _differs("stderr", theirs.said.stderr, ours.said.stderr)
    yield from _common(theirs, ours)


def _not_as_stated(theirs: Outcome, ours: Seen, better: Better) -> Iterator[str]:
    said = ours.outcome.said
    code = theirs.said.exit if better.exit is None else better.exit
    yield from _differs("exit", code, said.exit)
    yield from _words(theirs.said.stderr, said.stderr, better)
    state = _stated(theirs.state, ours.before, better)
    made = theirs.made if better.made is None else better.made
    yield from _common(replace(theirs, state=state, made=made), ours.outcome)


def _common(theirs: Outcome, ours: Outcome) -> Iterator[str]:
    yield from _differs("stdout", theirs.said.stdout, ours.said.stdout)
    yield from _differs("ledger", theirs.state.ledger, ours.state.ledger)
    yield from _differs("schema", theirs.state.schema, ours.state.schema)
    yield from _differs("data", theirs.state.data, ours.state.data)
    yield from _differs("files", theirs.made, ours.made)


def _words(theirs: str, ours: str, better: Better) -> Iterator[str]:
    if better.more:
        begins = without_noise(theirs) if better.stderr is None else better.stderr
        if not ours.startswith(begins) or len(ours) <= len(begins):
            yield f"stderr does not begin with this and go on:\n    {begins!r}\n    {ours!r}"
    elif better.stderr is not None or not better.has:
        yield from _differs("stderr", theirs if better.stderr is None else better.stderr, ours)
    missing = [text for text in better.has if text not in ours]
    present = [text for text in better.lacks if text in ours]
    if missing or present:
        yield f"stderr must have {missing}, and must not have {present}:\n    {ours!r}"


def without_noise(text: str) -> str:
    """Leave out the lines of golang-migrate about its own lock, which hide the error."""
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not any(word in line for word in _NOISE))


def _stated(theirs: State, before: State, better: Better) -> State:
    base = before if better.state == "before" else theirs
    ledger = base.ledger if better.ledger is None else better.ledger
    return State(
        ledger, _changed(base.schema, better, "schema"), _changed(base.data, better, "data")
    )


def _changed(lines: tuple[str, ...], better: Better, part: str) -> tuple[str, ...]:
    kept = [line for line in lines if not line.startswith(better.loses or ("\0",))]
    gained = [line for line in better.gains if _part(line) == part]
    return tuple(sorted([*kept, *gained]))


def _part(line: str) -> str:
    """Tell rows of tables from lines of the schema."""
    return "data" if ': {"' in line or ": (" in line else "schema"


def _differs(what: str, theirs: object, ours: object) -> Iterator[str]:
    if theirs == ours:
        return
    if isinstance(theirs, tuple) and isinstance(ours, tuple):
        lost = [each for each in theirs if each not in ours]
        new = [each for each in ours if each not in theirs]
        yield f"{what}: not ours: {lost}; only ours: {new}"
    else:
        yield f"{what}:\n    expected {theirs!r}\n    ours     {ours!r}"
