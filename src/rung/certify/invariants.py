"""
What has to hold behind every fault: from observed facts to a list of violations. Pure.

Six invariants, each a function of its own; promises P1, P2 and P3 in a form that can fail.
They are told what an undisturbed run does (`Way`), so nothing here knows any SQL.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from rung.certify.observations import Done
from rung.ledger import Outcome
from rung.snapshot import differences, in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rung.certify.observations import Facts, Seen, Way
    from rung.ledger import Attempt

_RUNS = ("up", "down")
"""The directions of history rows in which SQL ran."""
_SHOWN = 5
"""How many differences of a schema are told."""
_CLAIMS = ("clean at", "dirty at")
"""Where a sentence has one of these it says where the database is: see `LedgerState`."""
_REPAIR = "repair"


class Invariant(Enum):
    """What was violated, in the words of the report."""

    LEDGER = "ledger true to the catalog"
    HISTORY = "history true"
    LOCK = "lock free"
    END = "the next run ends as an undisturbed one"
    SAID = "what the run said is true"
    ONCE = "no statement done twice or lost"


class Violation(NamedTuple):
    """One thing that should not be."""

    invariant: Invariant
    told: str


def judge(way: Way, facts: Facts) -> tuple[Violation, ...]:
    """
    Everything that is wrong behind a fault.

    Args:
        way: the undisturbed run.
        facts: what was found.
    """
    return (
        *_under(Invariant.LEDGER, ledger_true(way, facts.left)),
        *_under(Invariant.HISTORY, history_true(way, facts.left)),
        *_under(Invariant.LOCK, lock_free(facts)),
        *_under(Invariant.END, ends_alike(way, facts)),
        *_under(Invariant.SAID, told_true(way, facts)),
        *_under(Invariant.ONCE, done_once(way, facts)),
    )


def _under(invariant: Invariant, found: Iterator[str]) -> Iterator[Violation]:
    return (Violation(invariant, told) for told in found)


def ledger_true(way: Way, left: Seen) -> Iterator[str]:
    """Clean at V has the schema of V; dirty at V has a history row that names what was run."""
    steps = way.at(left.ledger.version)
    if steps is None:
        yield f"the ledger is {left.ledger}, where the run never is"
    elif left.ledger.dirty:
        yield from _dirty_told(way, left, steps)
    else:
        yield from _schema(way.stations[steps], left, f"the ledger is {left.ledger}, but")


def history_true(way: Way, left: Seen) -> Iterator[str]:
    """The history has rows of what is applied as done, each once, in order, and no others."""
    steps = way.at(left.ledger.version)
    if steps is None:
        return
    passed = max(steps - 1, 0) if left.ledger.dirty else steps
    wanted = (*way.earlier, *way.steps[:passed])
    if (found := _done(left)) != wanted:
        yield f"the ledger is {left.ledger}, the history has done {_list(found)}"
    running = [entry for entry in _ran(left) if entry.outcome is Outcome.RUNNING]
    if running and not left.ledger.dirty:
        yield f"the ledger is {left.ledger}, the history has {_name(running[-1])} as running"


def lock_free(facts: Facts) -> Iterator[str]:
    """No session of the run is left, and a new one takes the lock at once."""
    if facts.sessions:
        yield f"{facts.sessions} sessions of the run are left on the server"
    if not facts.lock_free:
        yield "a new session does not get the lock"


def ends_alike(way: Way, facts: Facts) -> Iterator[str]:
    """
    The recovery goes through, and leaves ledger, schema and history of an undisturbed run.

    Where it ends with a question to a person nothing can be held against it.
    """
    if facts.refused:
        yield f"{', '.join(facts.tried)}: {facts.refused}"
    if facts.end is None or facts.refused or facts.undecided:
        return
    end = facts.end
    if end.ledger != way.end.ledger:
        yield f"in the end the ledger is {end.ledger}, undisturbed {way.end.ledger}"
    yield from _schema(way.end, end, "in the end")
    wanted = (*way.earlier, *way.steps)
    if not any(_REPAIR in command for command in facts.tried) and _done(end) != wanted:
        yield f"in the end the history has done {_list(_done(end))}"


def told_true(way: Way, facts: Facts) -> Iterator[str]:
    """A run that returned is done; one that says where the database is says where it is."""
    said, ledger = facts.said, facts.left.ledger
    if said is None:
        return
    if said.fault:
        yield f"the run ended with a fault of its own: {said.fault}"
    if said.finished and ledger != way.end.ledger:
        yield f"the run says that it is done, and the ledger is {ledger}"
    if any(word in said.state for word in _CLAIMS) and str(ledger) not in said.state:
        yield f"the run says: {said.state} The ledger is {ledger}"


def done_once(way: Way, facts: Facts) -> Iterator[str]:
    """Each table has the rows that it has undisturbed, behind the fault and in the end."""
    steps = way.at(facts.left.ledger.version)
    if steps is not None and not facts.left.ledger.dirty:
        yield from _rows(way.stations[steps].rows, facts.left.rows, f"{facts.left.ledger}")
    if facts.end is not None and not (facts.refused or facts.undecided):
        yield from _rows(way.end.rows, facts.end.rows, "in the end")


def _dirty_told(way: Way, left: Seen, steps: int) -> Iterator[str]:
    """A dirty ledger stands at the version to which the step under way leads."""
    step = way.steps[steps - 1] if steps else None
    last = next(iter(_ran(left)[::-1]), None)
    if last is None:
        yield f"the ledger is {left.ledger}, and no row of the history tells of it"
        return
    unfinished = last.outcome in (Outcome.RUNNING, Outcome.FAILED)
    if step is None or Done(last.version, last.direction) != step or not unfinished:
        told = f"{_name(last)}, {last.outcome.value}"
        yield f"the ledger is {left.ledger}, and the newest row of the history is {told}"
    elif not 0 <= last.statements_done <= last.statements_total:
        done = f"{last.statements_done} of {last.statements_total}"
        yield f"the history has {_name(last)} with {done} statements done"


def _schema(wanted: Seen, found: Seen, where: str) -> Iterator[str]:
    told = in_words(differences(wanted.schema, found.schema), "an undisturbed run", "the database")
    yield from (f"{where} {sentence}" for sentence in told[:_SHOWN])
    if len(told) > _SHOWN:
        yield f"{where} {len(told) - _SHOWN} more objects differ"


def _rows(wanted: Mapping[str, int], found: Mapping[str, int], where: str) -> Iterator[str]:
    for table in sorted(wanted.keys() & found.keys()):
        if wanted[table] != found[table]:
            yield f"{where}: {table} has {found[table]} rows, undisturbed {wanted[table]}"


def _ran(seen: Seen) -> tuple[Attempt, ...]:
    return tuple(entry for entry in seen.history or () if entry.direction in _RUNS)


def _done(seen: Seen) -> tuple[Done, ...]:
    ran = _ran(seen)
    return tuple(Done(e.version, e.direction) for e in ran if e.outcome is Outcome.DONE)


def _name(entry: Attempt) -> str:
    return f"{entry.direction} {entry.version}"


def _list(done: tuple[Done, ...]) -> str:
    return ", ".join(f"{direction} {version}" for version, direction in done) or "nothing"
