"""
Check what must hold after every fault: from observed facts to a list of violations. Pure.

There are six invariants, each a function; they state the promises P1, P2 and P3. They compare with
an undisturbed run, so nothing here knows any SQL.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from rung.certify.observations import CompletedStep
from rung.ledger import Outcome
from rung.snapshot import differences, in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rung.certify.observations import FaultFacts, ObservedDatabase, UndisturbedRun
    from rung.ledger import Attempt

_RUNS = ("up", "down")
"""The directions of history rows in which SQL ran."""
_LISTED = 5
"""The most differences of a schema that are listed."""
_CLAIMS = ("clean at", "dirty at")
"""A sentence with one of these states the ledger: see `LedgerState`."""
_REPAIR = "repair"


class Invariant(Enum):
    """The invariants, in the words of the report."""

    LEDGER = "ledger true to the catalog"
    HISTORY = "history true"
    LOCK = "lock free"
    END = "the next run ends like a run without faults"
    SAID = "what the run reported is true"
    ONCE = "no statement run twice or lost"


class Violation(NamedTuple):
    """One violation of an invariant."""

    invariant: Invariant
    told: str


def judge(way: UndisturbedRun, facts: FaultFacts) -> tuple[Violation, ...]:
    """
    Return every violation after a fault.

    Args:
        way: the undisturbed run.
        facts: what was observed after the fault.
    """
    return (
        *_violations(Invariant.LEDGER, check_ledger(way, facts.left)),
        *_violations(Invariant.HISTORY, check_history(way, facts.left)),
        *_violations(Invariant.LOCK, check_lock(facts)),
        *_violations(Invariant.END, check_end(way, facts)),
        *_violations(Invariant.SAID, check_claim(way, facts)),
        *_violations(Invariant.ONCE, check_rows(way, facts)),
    )


def _violations(invariant: Invariant, texts: Iterator[str]) -> Iterator[Violation]:
    return (Violation(invariant, text) for text in texts)


def check_ledger(way: UndisturbedRun, left: ObservedDatabase) -> Iterator[str]:
    """Clean at V has the schema of V; dirty at V has a history row that names the file."""
    steps = way.at(left.ledger.version)
    if steps is None:
        yield f"the ledger is {left.ledger}, a state that no run has"
    elif left.ledger.dirty:
        yield from _check_dirty(way, left, steps)
    else:
        yield from _schema(way.states[steps], left, f"the ledger is {left.ledger}, but")


def check_history(way: UndisturbedRun, left: ObservedDatabase) -> Iterator[str]:
    """The history has one done row for each applied migration, in order, and no others."""
    steps = way.at(left.ledger.version)
    if steps is None:
        return
    passed = max(steps - 1, 0) if left.ledger.dirty else steps
    expected = (*way.earlier, *way.steps[:passed])
    if (actual := _done(left)) != expected:
        yield f"the ledger is {left.ledger}, the history has done {_list(actual)}"
    running = [entry for entry in _ran(left) if entry.outcome is Outcome.RUNNING]
    if running and not left.ledger.dirty:
        yield f"the ledger is {left.ledger}, the history has {_name(running[-1])} as running"


def check_lock(facts: FaultFacts) -> Iterator[str]:
    """No session of the run is left, and a new session takes the lock at once."""
    if facts.sessions:
        yield f"{facts.sessions} sessions of the run are left on the server"
    if not facts.lock_free:
        yield "a new session does not get the lock"


def check_end(way: UndisturbedRun, facts: FaultFacts) -> Iterator[str]:
    """
    The recovery succeeds, and leaves ledger, schema and history of an undisturbed run.

    A recovery that ends with a question to the user is no violation.
    """
    if facts.refused:
        yield f"{', '.join(facts.tried)}: {facts.refused}"
    if facts.end is None or facts.refused or facts.undecided:
        return
    end = facts.end
    if end.ledger != way.end.ledger:
        yield f"in the end the ledger is {end.ledger}, without faults {way.end.ledger}"
    yield from _schema(way.end, end, "in the end")
    expected = (*way.earlier, *way.steps)
    if not any(_REPAIR in command for command in facts.tried) and _done(end) != expected:
        yield f"in the end the history has done {_list(_done(end))}"


def check_claim(way: UndisturbedRun, facts: FaultFacts) -> Iterator[str]:
    """A run that returned is complete; a run that states the ledger states the right one."""
    claim, ledger = facts.claim, facts.left.ledger
    if claim is None:
        return
    if claim.fault:
        yield f"the run ended with an internal error: {claim.fault}"
    if claim.finished and ledger != way.end.ledger:
        yield f"the run reported success, but the ledger is {ledger}"
    if any(word in claim.state for word in _CLAIMS) and str(ledger) not in claim.state:
        yield f'the run reported "{claim.state}", but the ledger is {ledger}'


def check_rows(way: UndisturbedRun, facts: FaultFacts) -> Iterator[str]:
    """Each table has the rows of the undisturbed run, after the fault and at the end."""
    steps = way.at(facts.left.ledger.version)
    if steps is not None and not facts.left.ledger.dirty:
        yield from _rows(way.states[steps].rows, facts.left.rows, f"{facts.left.ledger}")
    if facts.end is not None and not (facts.refused or facts.undecided):
        yield from _rows(way.end.rows, facts.end.rows, "in the end")


def _check_dirty(way: UndisturbedRun, left: ObservedDatabase, steps: int) -> Iterator[str]:
    """A dirty ledger has the version that the interrupted step leads to."""
    step = way.steps[steps - 1] if steps else None
    last = next(iter(_ran(left)[::-1]), None)
    if last is None:
        yield f"the ledger is {left.ledger}, and the history has no row for it"
        return
    unfinished = last.outcome in (Outcome.RUNNING, Outcome.FAILED)
    if step is None or CompletedStep(last.version, last.direction) != step or not unfinished:
        row = f"{_name(last)}, {last.outcome.value}"
        yield f"the ledger is {left.ledger}, and the newest row of the history is {row}"
    elif not 0 <= last.statements_done <= last.statements_total:
        done = f"{last.statements_done} of {last.statements_total}"
        yield f"the history has {_name(last)} with {done} statements done"


def _schema(expected: ObservedDatabase, actual: ObservedDatabase, where: str) -> Iterator[str]:
    diff = differences(expected.schema, actual.schema)
    sentences = in_words(diff, "a run without faults", "the database")
    yield from (f"{where} {sentence}" for sentence in sentences[:_LISTED])
    if len(sentences) > _LISTED:
        yield f"{where} {len(sentences) - _LISTED} more objects differ"


def _rows(expected: Mapping[str, int], actual: Mapping[str, int], where: str) -> Iterator[str]:
    for table in sorted(expected.keys() & actual.keys()):
        if expected[table] != actual[table]:
            yield f"{where}: {table} has {actual[table]} rows, without faults {expected[table]}"


def _ran(seen: ObservedDatabase) -> tuple[Attempt, ...]:
    return tuple(entry for entry in seen.history or () if entry.direction in _RUNS)


def _done(seen: ObservedDatabase) -> tuple[CompletedStep, ...]:
    ran = _ran(seen)
    return tuple(CompletedStep(e.version, e.direction) for e in ran if e.outcome is Outcome.DONE)


def _name(entry: Attempt) -> str:
    return f"{entry.direction} {entry.version}"


def _list(done: tuple[CompletedStep, ...]) -> str:
    return ", ".join(f"{direction} {version}" for version, direction in done) or "nothing"
