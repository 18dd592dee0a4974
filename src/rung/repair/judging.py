"""
Compares the live schema with the states that files could have left, and weighs the rest.

The schema is the first witness. Where several states are equal to it (a change of rows leaves
no trace in the schema), the history's count decides, which is exact for what it saw commit; else
a person's word. Only objects that a file touches are compared: other drift is counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.repair.model import Finding, State, Suspect, Tried
from rung.snapshot import Difference, Snapshot, differences

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rung.statements import Statement

_AGAIN = frozenset({"VACUUM", "ANALYZE", "REINDEX", "CLUSTER", "CHECKPOINT", "REFRESH", "PRAGMA"})
"""What may be run a second time without harm."""


def judge(groups: Sequence[Sequence[Tried]], live: Snapshot, said: int | None = None) -> Finding:
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
    drift = _drift(tried, live, touched)
    for group in groups:
        for one in group:
            if equal := [s for s in one.states if _same(s.snapshot, live, touched)]:
                return _weighed(one, equal, said, drift)
    return _nearest(tried, live.only(touched), touched, drift)


def _touched(tried: Iterable[Tried]) -> frozenset[str]:
    """Every object that is not the same in all states of a file."""
    names: set[str] = set()
    for one in tried:
        first = one.states[0].snapshot
        for state in one.states[1:]:
            names |= {d.identity for d in differences(first, state.snapshot)}
    return frozenset(names)


def _same(state: Snapshot, live: Snapshot, touched: frozenset[str]) -> bool:
    return state.only(touched) == live.only(touched)


def _drift(tried: Sequence[Tried], live: Snapshot, touched: frozenset[str]) -> int:
    if not tried:
        return 0
    found = differences(tried[0].states[0].snapshot, live)
    return sum(one.identity not in touched for one in found)


def _nearest(
    tried: Sequence[Tried], live: Snapshot, touched: frozenset[str], drift: int
) -> Finding:
    if not tried:
        return Finding(None, reason="there is no file that could have left it")

    def apart(of: tuple[Tried, State]) -> tuple[Difference, ...]:
        return differences(of[1].snapshot.only(touched), live)

    pairs = [(one, state) for one in tried for state in one.states]
    nearest = min(pairs, key=lambda pair: len(apart(pair)))
    one, state = nearest
    file = one.suspect.file
    near = f"{state.done} of {one.total} statements of {file}"
    reason = f"the schema is none that {file} could have left; nearest is that behind {near}"
    return Finding(one, reason=reason, differences=apart(nearest), drift=drift)


def _weighed(tried: Tried, equal: Sequence[State], said: int | None, drift: int) -> Finding:
    points = [(state.done, state.half) for state in equal]
    evidence = [_of_schema(tried, points)]
    if said is not None:
        told = [point for point in points if point[0] == said]
        if not told:
            reason = f"the schema is not that behind {said} statements of {tried.suspect.file}"
            return Finding(tried, evidence=tuple(evidence), reason=reason, drift=drift)
        evidence.append(f"{said} statements are done, by your word")
        return Finding(tried, *told[0], tuple(evidence), drift=drift)
    recorded = _recorded(tried.suspect, points)
    if tried.suspect.attempt is not None:
        evidence.append(_of_history(tried.suspect, agrees=bool(recorded)))
    return _decided(tried, recorded or points, tuple(evidence), drift)


def _decided(
    tried: Tried, points: Sequence[tuple[int, int | None]], evidence: tuple[str, ...], drift: int
) -> Finding:
    first, last = points[0], points[-1]
    between = [tried.script.statements[number - 1] for number in range(first[0] + 1, last[0] + 1)]
    open_ = tuple(one.number for one in between if not _is_nothing(one))
    if all(_may_run_again(tried.script.statements[number - 1]) for number in open_):
        if open_:
            evidence = (*evidence, "what is not known may be run again without harm")
        return Finding(tried, *first, evidence, drift=drift)
    reason = "the schema is the same whether these statements ran or not"
    return Finding(tried, evidence=evidence, reason=reason, open=open_, drift=drift)


def _recorded(
    suspect: Suspect, points: Sequence[tuple[int, int | None]]
) -> list[tuple[int, int | None]]:
    """The states that the history allows: what it saw commit, and what was under way."""
    attempt = suspect.attempt
    if attempt is None:
        return []
    allowed = {attempt.statements_done}
    if attempt.in_flight is not None:
        allowed |= {attempt.in_flight - 1, attempt.in_flight}
    return [point for point in points if point[0] in allowed]


def _is_nothing(statement: Statement) -> bool:
    """Whether it leaves nothing behind at all."""
    return statement.session_only or statement.control is not None


def _may_run_again(statement: Statement) -> bool:
    return statement.words[:1] != () and statement.words[0] in _AGAIN


def _of_schema(tried: Tried, points: Sequence[tuple[int, int | None]]) -> str:
    where = " or ".join(
        f"{done}" + (f" and a half-made index of statement {half}" if half else "")
        for done, half in points
    )
    return f"the schema is that behind {where} of {tried.total} statements of {tried.suspect.file}"


def _of_history(suspect: Suspect, *, agrees: bool) -> str:
    attempt = suspect.attempt
    assert attempt is not None
    count = f"{attempt.statements_done} of {attempt.statements_total} statements are committed"
    if attempt.in_flight is not None:
        count += f", and statement {attempt.in_flight} was under way"
    return f"the history says that {count}" + (
        "" if agrees else "; the schema is another, so somebody was there since"
    )
