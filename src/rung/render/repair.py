"""A diagnosis and what is proposed, as lines of text. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.render.text import aligned, count
from rung.repair import StatementState
from rung.script import redacted_definition
from rung.snapshot import in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.render.terminal import Style
    from rung.repair import Action, Diagnosis

_COLOURS = {
    StatementState.APPLIED: "green",
    StatementState.PARTLY_APPLIED: "red",
    StatementState.UNKNOWN: "yellow",
}
_MANY = 20
"""Differences that are listed; more are counted."""


def diagnosis_lines(found: Diagnosis, style: Style) -> Iterator[str]:
    """Yield what a dirty database holds: the evidence, and each statement of the file."""
    yield f"The database is {found.ledger}."
    candidate = found.candidate
    if candidate is not None:
        whose = (
            "by the history" if candidate.attempt or candidate.undo else ("left by another tool")
        )
        yield (
            f"Candidate: {candidate.file}, {candidate.direction.value} of version "
            f"{candidate.version} ({whose}), run on scratch ({found.scratch})."
        )
    for sentence in found.finding.evidence:
        yield f"{sentence[0].upper()}{sentence[1:]}."
    yield from _statements(found, style)
    different = found.finding.differences
    for sentence in in_words(different[:_MANY], "that state", "the database"):
        yield f"  {redacted_definition(sentence)}"
    if len(different) > _MANY:
        yield f"  and {count(len(different) - _MANY, 'other')} more"
    if found.finding.drift:
        yield (
            "Other drift, not caused by this file and left alone: "
            f"{count(found.finding.drift, 'object')}."
        )
    if found.rollback is not None:
        because = f" because {found.rollback.reason}" if found.rollback.reason else ""
        yield f"A rollback affects nothing else: {found.rollback.proof.value}{because}."


def proposal_lines(action: Action, style: Style) -> Iterator[str]:
    """Yield the proposed action, with its SQL."""
    yield style.paint(f"Proposed: {action.description}.", "bold")
    for line in action.sql.splitlines():
        yield f"    {line}"
    if action.caution:
        yield action.caution
    if action.losses:
        yield style.paint("It loses:", "bold")
        yield from (f"  {loss}" for loss in action.losses)


def _statements(found: Diagnosis, style: Style) -> Iterator[str]:
    rows = []
    for one in found.statements:
        known = one.state in (StatementState.APPLIED, StatementState.NOT_APPLIED)
        state = f"{one.state.value} (no trace)" if known and not one.trace else one.state.value
        rows.append((str(one.number), f"line {one.line}", state, one.sql))
    for one, cells in zip(found.statements, aligned(rows, right=(0,)) if rows else (), strict=True):
        number, line, state, sql = cells
        colour = _COLOURS.get(one.state)
        painted = style.paint(state, colour) if colour else state
        yield f"  {number}  {line}  {painted}  {sql}".rstrip()
