"""What is judged behind a fault: each invariant passes the truth and finds each lie."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.history import row

from rung.certify.invariants import Invariant, judge
from rung.certify.observations import (
    CompletedStep,
    FaultFacts,
    ObservedDatabase,
    RunClaim,
    UndisturbedRun,
)
from rung.ledger import LedgerState, Outcome
from rung.snapshot import Snapshot

SCHEMAS = [Snapshot.of((f"table t{n}", "") for n in range(1, v + 1)) for v in range(4)]
UPS = (CompletedStep(1, "up"), CompletedStep(2, "up"), CompletedStep(3, "up"))


def at(version: int, *, direction: str = "up") -> ObservedDatabase:
    """A truthful database of three migrations, each with a table and a row for each before."""
    history = [row(n) for n in range(1, version + 1)]
    if direction == "down":
        history = [row(n) for n in (1, 2, 3)]
        history += [row(n, "down") for n in range(3, version, -1)]
    rows = {f"t{n}": n for n in range(1, version + 1)}
    ledger = LedgerState(version or None)
    return ObservedDatabase(ledger, tuple(history), SCHEMAS[version], rows)


UP = UndisturbedRun("up", tuple(at(version) for version in range(4)))
DOWN = UndisturbedRun("down", tuple(at(version, direction="down") for version in (3, 2, 1, 0)), UPS)
DIRTY = replace(
    at(1),
    ledger=LedgerState(2, dirty=True),
    history=(row(1), replace(row(2, outcome=Outcome.RUNNING), statements_done=0)),
    schema=SCHEMAS[2],
)
DIRTY_DOWN = replace(
    at(3),
    ledger=LedgerState(-1, dirty=True),
    history=(*(DOWN.states[2].history or ()), row(1, "down", outcome=Outcome.RUNNING)),
    schema=SCHEMAS[1],
)


def facts(left: ObservedDatabase, way: UndisturbedRun = UP) -> FaultFacts:
    """FaultFacts of a fault that left this, and of a recovery that went well."""
    return FaultFacts(left, 0, lock_free=True, tried=("rung up",), end=way.end)


TRUTHS = {
    "before the first": (UP, facts(UP.states[0])),
    "in between": (UP, facts(UP.states[2])),
    "at the end": (UP, facts(UP.end)),
    "no tables yet": (UP, facts(replace(UP.states[0], history=None))),
    "on the way down": (DOWN, facts(DOWN.states[1], DOWN)),
    "dirty": (UP, facts(DIRTY)),
    "dirty, failed": (
        UP,
        facts(replace(DIRTY, history=(row(1), row(2, outcome=Outcome.FAILED)))),
    ),
    "dirty on the way down": (DOWN, facts(DIRTY_DOWN, DOWN)),
    "finished and said so": (UP, replace(facts(UP.end), claim=RunClaim(finished=True))),
    "said where it is": (
        UP,
        replace(facts(UP.states[1]), claim=RunClaim(state="The database is clean at version 1.")),
    ),
    "left to a person": (
        UP,
        replace(facts(DIRTY), tried=("rung repair",), undecided="It is open.", end=DIRTY),
    ),
    "repaired by repair": (
        UP,
        replace(facts(DIRTY), tried=("rung repair",), end=replace(UP.end, history=())),
    ),
}


@pytest.mark.parametrize("name", TRUTHS)
def test_the_truth_passes(name: str) -> None:
    """What an undisturbed run leaves at each version, or a dirty one with its row, is right."""
    way, actual = TRUTHS[name]

    assert judge(way, actual) == ()


def _left(**changes: object) -> FaultFacts:
    return facts(replace(UP.states[2], **changes))  # type: ignore[arg-type]


def _end(**changes: object) -> FaultFacts:
    return replace(facts(UP.states[2]), end=replace(UP.end, **changes))  # type: ignore[arg-type]


def _dirty(*history: object) -> FaultFacts:
    return facts(replace(DIRTY, history=history))  # type: ignore[arg-type]


TWICE = {"t1": 1, "t2": 2, "t3": 6}
LIES = {
    "clean with more": ({Invariant.LEDGER}, UP, _left(schema=SCHEMAS[3])),
    "clean with less": ({Invariant.LEDGER}, UP, _left(schema=SCHEMAS[1])),
    "where it never is": ({Invariant.LEDGER}, UP, _left(ledger=LedgerState(9))),
    "dirty, no history": ({Invariant.LEDGER, Invariant.HISTORY}, UP, _dirty()),
    "dirty, untold": ({Invariant.LEDGER}, UP, _dirty(row(1))),
    "dirty, told as done": ({Invariant.LEDGER, Invariant.HISTORY}, UP, _dirty(row(1), row(2))),
    "dirty, told of another": (
        {Invariant.LEDGER},
        UP,
        _dirty(row(1), row(3, outcome=Outcome.RUNNING)),
    ),
    "dirty, more than all": (
        {Invariant.LEDGER},
        UP,
        _dirty(row(1), replace(row(2, outcome=Outcome.RUNNING), statements_done=2)),
    ),
    "history short": ({Invariant.HISTORY}, UP, _left(history=(row(1),))),
    "history ahead": ({Invariant.HISTORY}, UP, _left(history=(row(1), row(2), row(3)))),
    "history twice": ({Invariant.HISTORY}, UP, _left(history=(row(1), row(2), row(2)))),
    "history gone": ({Invariant.HISTORY}, UP, _left(history=None)),
    "history without the downs": (
        {Invariant.HISTORY},
        DOWN,
        facts(replace(DOWN.states[1], history=at(3).history), DOWN),
    ),
    "running for ever": (
        {Invariant.HISTORY},
        UP,
        _left(history=(row(1), row(2), row(3, outcome=Outcome.RUNNING))),
    ),
    "a session left": ({Invariant.LOCK}, UP, replace(facts(UP.end), sessions=1)),
    "lock held": ({Invariant.LOCK}, UP, replace(facts(UP.end), lock_free=False)),
    "does not go on": ({Invariant.END}, UP, replace(facts(UP.end), refused="DirtyLedger: it is")),
    "ends elsewhere": ({Invariant.END}, UP, _end(ledger=LedgerState(2))),
    "ends dirty": ({Invariant.END}, UP, _end(ledger=LedgerState(3, dirty=True))),
    "ends otherwise": ({Invariant.END}, UP, _end(schema=SCHEMAS[2])),
    "ends with a short history": ({Invariant.END}, UP, _end(history=(row(1), row(3)))),
    "claims to be done": (
        {Invariant.SAID},
        UP,
        replace(facts(UP.states[2]), claim=RunClaim(finished=True)),
    ),
    "claims another version": (
        {Invariant.SAID},
        UP,
        replace(facts(UP.states[2]), claim=RunClaim(state="The database is clean at version 1.")),
    ),
    "a fault of its own": (
        {Invariant.SAID},
        UP,
        replace(facts(UP.end), claim=RunClaim(fault="KeyError: 'x'")),
    ),
    "done twice at once": ({Invariant.ONCE}, UP, _left(rows={"t1": 2, "t2": 2})),
    "done twice in the end": ({Invariant.ONCE}, UP, _end(rows=TWICE)),
    "lost in the end": ({Invariant.ONCE}, UP, _end(rows={"t1": 0, "t2": 2, "t3": 3})),
}


@pytest.mark.parametrize("name", LIES)
def test_each_lie_is_found(name: str) -> None:
    """A lie is found under its invariant, and nothing true is found beside it."""
    expected, way, actual = LIES[name]

    assert {violation.invariant for violation in judge(way, actual)} == expected


def test_a_violation_is_told_with_what_is_there() -> None:
    """The violation names the version and the object."""
    (violation,) = judge(UP, _left(schema=SCHEMAS[1]))

    assert violation.told == (
        "the ledger is clean at version 2, but the database does not have table t2, a run without "
        "faults does"
    )
