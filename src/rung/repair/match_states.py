"""
Compares the live schema with the states that files could have left, and weighs the rest.

The schema is the first witness. Where several states are equal to it (a change of rows leaves
no trace in the schema), the history's count decides, which is exact for what it saw commit; else
a person's word. Only objects that a file touches are compared: other drift is counted.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from rung.ledger import Outcome
from rung.repair.model import StateMatch
from rung.repair.progress import (
    lands_at,
    leaves_nothing,
    rows_counted_beyond,
    rows_not_counted,
)
from rung.snapshot import differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rung.repair.model import Candidate, State, TrialResult
    from rung.script import Statement
    from rung.snapshot import Difference, Snapshot

_Point = tuple[int, int | None]
"""How many statements are done, and which one is half done."""
_SCHEMA, _QUOTES = "schema ", '"'
_AGAIN = frozenset({"VACUUM", "ANALYZE", "REINDEX", "CLUSTER", "CHECKPOINT", "REFRESH", "PRAGMA"})
"""What may be run a second time without harm."""


def judge(
    groups: Sequence[Sequence[TrialResult]], live: Snapshot, said: int | None = None
) -> StateMatch:
    """
    What was found.

    Args:
        groups: what the suspects came to, the likelier ones first.
        live: the schema of the dirty database.
        said: how many statements are done, by a person's word.
    """
    live = live.without_owners()
    tried = [one for group in groups for one in group]
    touched = _touched(tried)
    equal = {at: points for at, one in enumerate(tried) if (points := _equal(one, live, touched))}
    if not equal:
        return _nearest(tried, live, touched)
    first = min(equal)
    others = [(tried[at], points) for at, points in equal.items() if at != first]
    found = _weighed(tried[first], equal[first], others, said)
    drift = _drift(tried[first].states[0].snapshot, live, touched)
    if (
        found.done is not None
        and said is None
        and (reason := _doubt(tried[first], equal[first], drift))
    ):
        found = replace(found, done=None, half=None, reason=reason)
    if said is None:
        found = _with_rows(found, tried[first])
    return replace(found, drift=len(drift))


def _with_rows(found: StateMatch, tried: TrialResult) -> StateMatch:
    """The schema tells nothing of rows: what no history counted is asked, not inferred."""
    done = found.done
    if done is None:
        return found
    if asked := rows_not_counted(tried, done):
        numbers = tuple(one.number for one in asked)
        reason = "the schema does not tell whether these statements changed rows"
        return replace(found, done=None, half=None, reason=reason, open=numbers, at_least=done)
    if counted := rows_counted_beyond(tried, done, tried.suspect.attempt):
        number = counted[0].number
        reason = (
            f"the schema is the one after {_statements(done)}, and by the history statement "
            f"{number} was run too: what it changed leaves no trace, and may still be so"
        )
        return replace(found, done=None, half=None, reason=reason)
    return found


def _equal(tried: TrialResult, live: Snapshot, touched: frozenset[str]) -> list[_Point]:
    """The states of a file that the schema is equal to."""
    wanted = live.only(touched)
    return [(s.done, s.half) for s in tried.states if s.snapshot.only(touched) == wanted]


def _touched(tried: Iterable[TrialResult]) -> frozenset[str]:
    """Every object that is not the same in all states of a file."""
    names: set[str] = set()
    for one in tried:
        first = one.states[0].snapshot
        for state in one.states[1:]:
            names |= {d.identity for d in differences(first, state.snapshot)}
    return frozenset(names)


def _drift(state: Snapshot, live: Snapshot, touched: frozenset[str]) -> list[Difference]:
    return [one for one in differences(state, live) if one.identity not in touched]


def _doubt(tried: TrialResult, points: Sequence[_Point], drift: Sequence[Difference]) -> str:
    """Why objects that no file makes may be this file's after all; empty where they are not."""
    more = [one.identity for one in drift if one.kind == "added"]
    for name in (one.removeprefix(_SCHEMA) for one in more if one.startswith(_SCHEMA)):
        if re.search(rf"\b{re.escape(name.strip(_QUOTES))}\b", tried.script.text):
            return f"{tried.suspect.file} names the schema {name}, which no file makes"
    if more and tried.suspect.attempt and not _recorded(tried.suspect, points):
        return (
            "by the history it is another part of the file that is there, and objects are "
            f"there that no file makes ({more[0]})"
        )
    return ""


def _nearest(tried: Sequence[TrialResult], live: Snapshot, touched: frozenset[str]) -> StateMatch:
    if not tried:
        return StateMatch(None, reason="there is no file that could have left it")
    there = live.only(touched)

    def apart(of: tuple[TrialResult, State]) -> tuple[Difference, ...]:
        return differences(of[1].snapshot.only(touched), there)

    nearest = min(((one, state) for one in tried for state in one.states), key=_many(apart))
    one, state = nearest
    file = one.suspect.file
    near = f"{state.done} of {_statements(one.total)} of {file}"
    reason = f"the schema is none that {file} could have left; nearest is that behind {near}"
    drift = _drift(state.snapshot, live, touched)
    return StateMatch(one, reason=reason, differences=apart(nearest), drift=len(drift))


def _many(
    apart: Callable[[tuple[TrialResult, State]], tuple[Difference, ...]],
) -> Callable[[tuple[TrialResult, State]], int]:
    return lambda pair: len(apart(pair))


def _weighed(
    tried: TrialResult,
    points: Sequence[_Point],
    others: Sequence[tuple[TrialResult, list[_Point]]],
    said: int | None,
) -> StateMatch:
    evidence = [_of_schema(tried, points), *(_of_schema(*other) for other in others)]
    if said is not None:
        told = [point for point in points if point[0] == said]
        if not told:
            reason = f"the schema is not that behind {_statements(said)} of {tried.suspect.file}"
            return StateMatch(tried, evidence=tuple(evidence), reason=reason)
        attempt = tried.suspect.attempt
        if attempt is not None and attempt.statements_done != said:
            counted = f"{attempt.statements_done} of {_statements(attempt.statements_total)}"
            evidence.append(f"by the history {counted} committed, which is not what you say")
        evidence.append(f"{_statements(said)} done, by your word")
        return StateMatch(tried, *told[0], tuple(evidence))
    recorded = _recorded(tried.suspect, points)
    if tried.suspect.attempt is not None:
        evidence.append(_of_history(tried.suspect, agrees=bool(recorded)))
    if other := _means_another(tried, points, others):
        reason = (
            f"the schema does not tell whether {tried.suspect.file} was run or {other.suspect.file}"
        )
        return StateMatch(tried, evidence=tuple(evidence), reason=reason)
    return _decided(tried, recorded or points, tuple(evidence))


def _means_another(
    tried: TrialResult, points: Sequence[_Point], others: Sequence[tuple[TrialResult, list[_Point]]]
) -> TrialResult | None:
    """Another file, in a state that is no state of this one; None where there is no such."""
    here = {lands_at(tried, *point) for point in points}
    for other, theirs in others:
        if not {lands_at(other, *point) for point in theirs} <= here:
            return other
    return None


def _decided(tried: TrialResult, points: Sequence[_Point], evidence: tuple[str, ...]) -> StateMatch:
    first, last = points[0], points[-1]
    between = [tried.script.statements[number - 1] for number in range(first[0] + 1, last[0] + 1)]
    open_ = tuple(one.number for one in between if not leaves_nothing(one))
    if all(_may_run_again(tried.script.statements[number - 1]) for number in open_):
        if open_:
            evidence = (*evidence, "what is not known may be run again without harm")
        return StateMatch(tried, *first, evidence)
    reason = "the schema is the same whether these statements ran or not"
    return StateMatch(tried, evidence=evidence, reason=reason, open=open_, at_least=first[0])


def _recorded(suspect: Candidate, points: Sequence[_Point]) -> list[_Point]:
    """The states that the history allows: what it saw commit, and what was under way."""
    attempt = suspect.attempt
    if attempt is None:
        return []
    allowed = {attempt.statements_done}
    if attempt.in_flight is not None:
        allowed |= {attempt.in_flight - 1, attempt.in_flight}
    return [point for point in points if point[0] in allowed]


def _may_run_again(statement: Statement) -> bool:
    return statement.words[:1] != () and statement.words[0] in _AGAIN


def _of_schema(tried: TrialResult, points: Sequence[_Point]) -> str:
    where = " or ".join(
        f"{done}" + (f" and a half-made index of statement {half}" if half else "")
        for done, half in points
    )
    whole = f"{_statements(tried.total)} of {tried.suspect.file}"
    return f"the schema is that behind {where} of {whole}"


def _statements(number: int) -> str:
    return f"{number} statement" if number == 1 else f"{number} statements"


def _of_history(suspect: Candidate, *, agrees: bool) -> str:
    attempt = suspect.attempt
    assert attempt is not None
    total = _statements(attempt.statements_total)
    told = f"by the history {attempt.statements_done} of {total} committed"
    if attempt.in_flight is not None:
        how = "failed" if attempt.outcome is Outcome.FAILED else "was under way"
        told += f", and statement {attempt.in_flight} {how} outside a transaction"
    if attempt.error:
        told += f" ({attempt.error.splitlines()[0]})"
    return told + ("" if agrees else "; the schema is another, so somebody was there since")
