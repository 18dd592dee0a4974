"""The warnings of a run: what does not stop it, and what a person should know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.diagnostics import Problem
from rung.errors import QueryFailed
from rung.errors.base import listed
from rung.execution.history import new_in_baseline
from rung.planning.down_choice import NOT_REVERTED
from rung.planning.history_replay import is_lone_down
from rung.planning.plan import Down
from rung.script import NOT_COMPARED, contents
from rung.script.created_names import expected_names
from rung.source import Direction

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from rung.drivers.contract import Session
    from rung.execution.preflight import PreparedStep
    from rung.execution.state import DatabaseState
    from rung.planning.plan import Plan
    from rung.script.expected_names import ExpectedName, NotRead


_NAMES_SHOWN = 12


def plan_warnings(
    state: DatabaseState, plan: Plan, prepared: Sequence[PreparedStep], *, lone: bool = True
) -> Iterator[str]:
    """
    Yield what a person should know of a plan that is not refused for it.

    Args:
        state: the files and the database.
        plan: what runs.
        prepared: its steps with their SQL read.
        lone: whether versions that have only a down are passed over.
    """
    for item in prepared:
        if marker := item.foreign_marker:
            yield f"{marker.located}; the whole file runs, as in golang-migrate"
    edited = ", ".join(edit.half.file for edit in state.edited_ups)
    if plan.ahead:
        yield _ahead(state, plan, edited)
    if plan.goes_down and edited:
        yield f"edited after it was applied: {edited}"
    if not isinstance(plan.goal, Down):
        yield from _source_warnings(state, lone=lone)
    if state.uncompared:
        versions = _versions(state.uncompared)
        yield f"not compared, and treated as unedited: {versions}; {NOT_COMPARED}"
    yield from _empty_steps(prepared)


def _ahead(state: DatabaseState, plan: Plan, edited: str) -> str:
    """Name everything that is let pass together with a database ahead of the files."""
    said = (
        f"the database is ahead of the files: version {plan.made_for.version} has no file; the "
        "database is left unchanged"
    )
    if state.is_compatible:
        said += f". It is declared compatible with version {max(state.migrations.versions)}"
    if late := state.applied.out_of_order(state.migrations, plan.made_for):
        said += f". Never applied: {', '.join(str(one.version) for one in late)}"
    if edited:
        said += f". Edited after it was applied: {edited}"
    return said


def _source_warnings(state: DatabaseState, *, lone: bool) -> Iterator[str]:
    """Yield the warnings of files that no up runs, or runs under another title."""
    applied = state.applied.versions
    downs = (m for m in state.migrations.migrations if lone and m.up is None)
    passed = [m.version for m in downs if is_lone_down(m, applied.get(m.version))]
    if passed:
        has = "it has" if len(passed) == 1 else "they have"
        yield f"skipped {_versions(passed)}: {has} a down file and no up file"
    if state.renamed:
        names = [f'{one.version} from "{one.applied_as}" to "{one.name}"' for one in state.renamed]
        yield f"renamed since it was applied, with the same text: {_cut(names)}"


def _empty_steps(prepared: Sequence[PreparedStep]) -> Iterator[str]:
    """Yield the warnings of steps that run nothing, and do not declare that this is meant."""
    empty = [
        item.step.version
        for item in prepared
        if item.step.direction is Direction.UP and contents(item.script).is_undeclared
    ]
    if empty:
        many = "1 up" if len(empty) == 1 else f"{len(empty)} ups"
        yield (
            f"{many} without a statement: {_versions(empty)}; recorded as empty, not as "
            "applied; if that is meant, declare it in the file: -- rung: empty REASON"
        )
    left = [item.step.version for item in prepared if item.step.passes == NOT_REVERTED]
    if left:
        yield (
            f"not reverted, because the down is empty or missing: {_versions(left)}; what the "
            "up created still exists"
        )


def _versions(versions: Sequence[int]) -> str:
    return _cut([str(version) for version in versions])


def _cut(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more


_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Absent:
    """The names that files create and the database lacks."""

    version: int | None
    """The ledger's version."""
    names: tuple[ExpectedName, ...] = ()
    below: int | None = None
    """
    The version whose schema the database may have: every name that was looked up is there up to
    it, and none above it. -1 is the one before the first; None where nothing suggests one.
    """
    not_checked: tuple[str, ...] = ()
    """What was not checked, in phrases."""

    def __str__(self) -> str:
        named = listed([f"{name} ({name.file})" for name in self.names], _SHOWN)
        return (
            f"the ledger is at version {self.version}, but the database lacks objects of the "
            f"files up to it: {named}"
        )

    @property
    def advice(self) -> str:
        """What to do about missing names."""
        below = self.below
        if below is None:
            return (
                "They were never created, or dropped by hand: create what is missing by hand, "
                "or drop what is obsolete in a new migration. `rung doctor` lists all of it"
            )
        schema = f"that of version {below}" if below >= 0 else "the one before the first version"
        return (
            f"Inspect the schema; if it is {schema}, record that: `rung force {below}`. Then "
            "`rung up` applies the rest"
        )


def absent_names(session: Session, state: DatabaseState, versions: Collection[int]) -> Absent:
    """
    Look up the names that the files of some applied versions create.

    Args:
        session: asks.
        state: the files, and what is applied.
        versions: those of interest; an edited one is left out, for its file is not what ran.

    Raises:
        QueryFailed: the catalog could not be asked.
    """
    edited = {edit.version for edit in state.edited_ups}
    asked = set(versions) - edited
    ledger = state.inspection.ledger.version
    if not asked:
        return Absent(ledger, not_checked=tuple(_edited(edited & set(versions))))
    applied = state.applied.versions
    files = (one for one in state.migrations.migrations if one.version in applied)
    expected = expected_names(files, state.inspection.place.dialect)
    wanted = [name for name in expected.names if name.version in asked]
    gone = session.absent(wanted, anywhere=expected.anywhere)
    tables = {name.name for name in gone if not name.column}
    shown = tuple(name for name in gone if not (name.column and name.name in tables))
    left = [f"the {expected.left_out} oldest names"] if expected.left_out else []
    not_checked = (
        *map(str, _of_versions(expected.not_read, state, asked)),
        *_edited(edited & set(versions)),
        *left,
    )
    return Absent(ledger, shown, _below(state, wanted, gone), not_checked)


def taken_over(state: DatabaseState) -> tuple[int, ...]:
    """Return the versions that count as applied although no run of ours applied them."""
    return tuple(v for v, one in state.applied.versions.items() if not one.ran)


def ahead_warning(session: Session, state: DatabaseState) -> str:
    """
    What is to be said where another tool's ledger is ahead of its schema; empty where it is not.

    For the moment when a baseline is recorded: asks about what that counts as applied.
    """
    try:
        found = absent_names(session, state, new_in_baseline(state.applied))
    except QueryFailed as failed:
        return f"could not check whether the schema matches the ledger's version: {failed.cause}"
    return f"{found}. {found.advice}" if found.names else ""


def ledger_problems(session: Session, state: DatabaseState) -> Iterator[Problem]:
    """Yield the problems that `doctor` reports: every missing name, and what was not checked."""
    ledger = state.inspection.place.ledger
    if state.inspection.ledger.dirty:
        return
    try:
        found = absent_names(session, state, taken_over(state))
    except QueryFailed as failed:
        found = Absent(state.inspection.ledger.version, not_checked=(failed.cause,))
    if found.names:
        lacking = ", ".join(f"{name} ({name.file})" for name in found.names)
        said = (
            f"The ledger is at version {found.version}, but no run of Rung's applied these "
            f"files, and the database lacks their objects: {lacking}. {found.advice}."
        )
        below = found.below
        fix = "" if below is None else f"rung force {below}"
        yield Problem("ledger ahead of the schema", ledger, said, fix)
    if found.not_checked:
        said = "The schema was not compared with the ledger's version for "
        yield not_checked(ledger, f"{said}{listed(found.not_checked, _SHOWN)}.")


def not_checked(ledger: str, said: str) -> Problem:
    """Make the remark of `doctor` about what was not checked."""
    return Problem("schema not checked", ledger, said, harmless=True)


def _below(
    state: DatabaseState, wanted: Collection[ExpectedName], gone: Collection[ExpectedName]
) -> int | None:
    """Find `Absent.below`; a version above it that a run of ours applied contradicts it too."""
    lowest = min((name.version for name in gone), default=None)
    if lowest is None or any(n.version >= lowest and n not in gone for n in wanted):
        return None
    if any(v > lowest and one.ran for v, one in state.applied.versions.items()):
        return None
    return max((v for v in state.applied.versions if v < lowest), default=-1)


def _of_versions(
    not_read: Collection[NotRead], state: DatabaseState, versions: Collection[int]
) -> Iterator[NotRead]:
    by_version = state.migrations.by_version
    halves = (by_version[v].up for v in versions if v in by_version)
    files = {half.file for half in halves if half}
    return (one for one in not_read if one.file in files)


def _edited(versions: Collection[int]) -> Iterator[str]:
    if versions:
        yield f"edited versions: {listed([str(version) for version in sorted(versions)])}"
