"""
Compare the live schema with the states that files could have left, and weigh other evidence.

The schema comes first. Where several states are equal to it (a change of rows leaves no trace in
the schema), the history's count decides, which is exact for what it saw commit, or the user's
statement. Only objects that a file touches are compared: other drift is counted.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from rung.ledger import Outcome
from rung.repair.completeness import (
    counted_row_changes_after,
    has_no_effect,
    outcome_key,
    uncounted_row_changes,
)
from rung.repair.model import StateMatch, comparable
from rung.script import may_run_twice
from rung.snapshot import differences

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rung.ledger import Attempt
    from rung.repair.model import Candidate, TrialResult
    from rung.snapshot import Difference, Snapshot

_Point = tuple[int, int | None]
"""The number of complete statements, and the number of one that left an invalid index."""
_SCHEMA, _QUOTES = "schema ", '"'


def judge(
    groups: Sequence[Sequence[TrialResult]], live: Snapshot, stated_done: int | None = None
) -> StateMatch:
    """
    Decide which file ran, and how many of its statements are done.

    Args:
        groups: the trials of the candidates, the likelier ones first.
        live: the schema of the dirty database.
        stated_done: how many statements are done, as the user states.
    """
    live = comparable(live)
    trials = [trial for group in groups for trial in group]
    touched = _touched_objects(trials)
    wanted = live.only(touched)
    equal = [
        (trial, [(s.done, s.partial) for s in trial.states if s.snapshot.only(touched) == wanted])
        for trial in trials
    ]
    matches = [(trial, points) for trial, points in equal if points]
    if not matches:
        return _nearest(trials, live, touched)
    (trial, points), *others = matches
    finding = _weigh(trial, points, others, stated_done)
    drift = _drift(trial.states[0].snapshot, live, touched)
    if stated_done is None:
        reason = _why_uncertain(trial, points, drift)
        if finding.done is not None and reason:
            finding = replace(finding, done=None, partial=None, reason=reason)
        finding = _check_rows(finding, trial)
    return replace(finding, drift=len(drift))


def _check_rows(finding: StateMatch, trial: TrialResult) -> StateMatch:
    """
    Leave undecided what the schema cannot show: statements that may have changed rows.

    The user is asked about those that the history did not count; they are never inferred.
    """
    done = finding.done
    if done is None:
        return finding
    if uncounted := uncounted_row_changes(trial, done):
        numbers = tuple(one.number for one in uncounted)
        reason = "the schema does not show whether these statements changed rows"
        return replace(
            finding, done=None, partial=None, reason=reason, undecided=numbers, at_least=done
        )
    if counted := counted_row_changes_after(trial, done, trial.candidate.attempt):
        number = counted[0].number
        reason = (
            f"the schema matches the state after {_statements(done)}, and by the history "
            f"statement {number} ran too: what it changed leaves no trace in the schema"
        )
        return replace(finding, done=None, partial=None, reason=reason)
    return finding


def _touched_objects(trials: Iterable[TrialResult]) -> frozenset[str]:
    """Return every object that differs between the states of a file."""
    names: set[str] = set()
    for trial in trials:
        first = trial.states[0].snapshot
        for state in trial.states[1:]:
            names |= {d.identity for d in differences(first, state.snapshot)}
    return frozenset(names)


def _drift(state: Snapshot, live: Snapshot, touched: frozenset[str]) -> list[Difference]:
    return [one for one in differences(state, live) if one.identity not in touched]


def _why_uncertain(
    trial: TrialResult, points: Sequence[_Point], drift: Sequence[Difference]
) -> str:
    """Return why an object that no file creates may belong to this file; else an empty text."""
    added = [one.identity for one in drift if one.kind == "added"]
    for name in (one.removeprefix(_SCHEMA) for one in added if one.startswith(_SCHEMA)):
        if re.search(rf"\b{re.escape(name.strip(_QUOTES))}\b", trial.script.text):
            return f"{trial.candidate.file} names schema {name}, which no file creates"
    if added and trial.candidate.attempt and not _points_by_history(trial.candidate, points):
        return (
            "by the history another part of the file ran, and objects exist that no file "
            f"creates ({added[0]})"
        )
    return ""


def _nearest(trials: Sequence[TrialResult], live: Snapshot, touched: frozenset[str]) -> StateMatch:
    """Return the state with the fewest differences from the live schema, as no match."""
    if not trials:
        return StateMatch(None, reason="no file could have left this state")
    present = live.only(touched)
    trial, state, diff = min(
        (
            (trial, state, differences(state.snapshot.only(touched), present))
            for trial in trials
            for state in trial.states
        ),
        key=lambda one: len(one[2]),
    )
    file = trial.candidate.file
    near = f"{state.done} of {_statements(trial.total)} of {file}"
    reason = f"the schema matches no state of {file}; the nearest is the one after {near}"
    drift = _drift(state.snapshot, live, touched)
    return StateMatch(trial, reason=reason, differences=diff, drift=len(drift))


def _weigh(
    trial: TrialResult,
    points: Sequence[_Point],
    others: Sequence[tuple[TrialResult, list[_Point]]],
    stated_done: int | None,
) -> StateMatch:
    """Choose one of the states that are equal to the live schema, by the other evidence."""
    candidate, attempt = trial.candidate, trial.candidate.attempt
    evidence = [_schema_evidence(trial, points), *(_schema_evidence(*other) for other in others)]
    if stated_done is not None:
        point = next((point for point in points if point[0] == stated_done), None)
        if point is None:
            reason = (
                f"the schema does not match the state after {_statements(stated_done)} of "
                f"{trial.candidate.file}"
            )
            return StateMatch(trial, evidence=tuple(evidence), reason=reason)
        if attempt is not None and attempt.statements_done != stated_done:
            counted = f"{attempt.statements_done} of {_statements(attempt.statements_total)}"
            evidence.append(f"by the history {counted} committed, which contradicts --done")
        evidence.append(f"{_statements(stated_done)} done, as given with --done")
        return StateMatch(trial, *point, tuple(evidence))
    recorded = _points_by_history(candidate, points)
    if attempt is not None:
        evidence.append(_history_evidence(attempt, agrees=bool(recorded)))
    outcomes = {outcome_key(trial, *point) for point in points}
    for other, other_points in others:
        if {outcome_key(other, *point) for point in other_points} <= outcomes:
            continue
        reason = f"the schema does not show whether {candidate.file} ran or {other.candidate.file}"
        return StateMatch(trial, evidence=tuple(evidence), reason=reason)
    return _decide(trial, recorded or points, tuple(evidence))


def _decide(trial: TrialResult, points: Sequence[_Point], evidence: tuple[str, ...]) -> StateMatch:
    """Choose the first state where the statements up to the last one may be run twice."""
    first, last = points[0], points[-1]
    open_statements = [
        statement
        for statement in trial.script.statements[first[0] : last[0]]
        if not has_no_effect(statement)
    ]
    if all(may_run_twice(one) for one in open_statements):
        if open_statements:
            evidence = (*evidence, "the unknown statements can be run again without harm")
        return StateMatch(trial, *first, evidence)
    reason = "the schema is the same whether these statements ran or not"
    numbers = tuple(one.number for one in open_statements)
    return StateMatch(trial, evidence=evidence, reason=reason, undecided=numbers, at_least=first[0])


def _points_by_history(candidate: Candidate, points: Sequence[_Point]) -> list[_Point]:
    """Return the states that the history allows: its count, and the statement in flight."""
    attempt = candidate.attempt
    if attempt is None:
        return []
    allowed = {attempt.statements_done}
    if attempt.in_flight is not None:
        allowed |= {attempt.in_flight - 1, attempt.in_flight}
    return [point for point in points if point[0] in allowed]


def _schema_evidence(trial: TrialResult, points: Sequence[_Point]) -> str:
    where = " or ".join(
        f"{done}" + (f" and an unfinished index of statement {partial}" if partial else "")
        for done, partial in points
    )
    whole = f"{_statements(trial.total)} of {trial.candidate.file}"
    return f"the schema matches the state after {where} of {whole}"


def _statements(number: int) -> str:
    return f"{number} statement" if number == 1 else f"{number} statements"


def _history_evidence(attempt: Attempt, *, agrees: bool) -> str:
    total = _statements(attempt.statements_total)
    text = f"by the history {attempt.statements_done} of {total} committed"
    if attempt.in_flight is not None:
        how = "failed" if attempt.outcome is Outcome.FAILED else "was running"
        text += f", and statement {attempt.in_flight} {how} outside a transaction"
    if attempt.error:
        text += f" ({attempt.error.splitlines()[0]})"
    return text + ("" if agrees else "; the schema differs, so somebody has changed it since")
