"""
The plan for a goal on what is state of a database, or why there is none.

Reads only. Owns the errors that need both files and database: an edited file with its diff,
tables without a ledger, a version that is state to the history alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rung.errors import (
    DirtyLedger,
    EditedFile,
    EditedMigrations,
    LedgerUnreadable,
    MissingMigrationFile,
    RedoUnfinished,
    ScriptError,
    UnversionedDatabase,
)
from rung.execution.preflight import check_no_twin
from rung.execution.state import kept_text, resumed, way_on
from rung.execution.stored_downs import check_downs, choose_downs, with_choices
from rung.ledger import Outcome
from rung.options import RUNG
from rung.planning.edits import differences
from rung.planning.history_replay import Applied, described, replay, unknown_rows
from rung.planning.plan import Down, Goto, Redo, versions_down
from rung.script import read, redacted_sql
from rung.source import Direction

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rung.drivers.contract import Session
    from rung.drivers.inspection import Inspection
    from rung.drivers.transaction import StoredSql
    from rung.execution.state import DatabaseState
    from rung.options import RunOptions
    from rung.planning.edits import Edit
    from rung.planning.plan import Goal, Plan
    from rung.planning.resume import ResumePoint


def plan_for(
    goal: Goal, state: DatabaseState, session: Session, options: RunOptions = RUNG
) -> Plan:
    """
    Plan the way to a goal.

    Args:
        goal: where to go.
        state: the ground to plan on.
        session: asked for the stored texts of versions without files.
        options: whether tables without a ledger are taken as they are.

    Raises:
        PlanError: see `rung.planning.plan.make_plan`; and EditedMigrations, UnversionedDatabase,
            DownRefused, StoredSqlUnusable.
    """
    _check_understood(state.inspection)
    look = state.inspection
    _check_redone(goal, state)
    downs = choose_downs(goal, state, session, options)
    with_downs = replace(state, migrations=with_choices(state.migrations, downs))
    try:
        plan = state.plan(
            goal,
            _resumption(goal, with_downs, session),
            downs,
            passes_empty=options.passes_empty,
        )
    except DirtyLedger as dirty:
        way = way_on(state, session)
        raise DirtyLedger(dirty.version, *_told_of(look, session), way) from None
    except MissingMigrationFile as gone:
        record = "" if gone.lone_down else _recorded(gone.version, state.applied)
        raise MissingMigrationFile(
            gone.version,
            gone.role,
            gone.known,
            record,
            suited=gone.suited,
            lone_down=gone.lone_down,
            reversible=_is_reversible(gone.version, state),
        ) from None
    check_downs(plan, downs, state.migrations)
    if plan.steps and not (plan.goes_down or options.takes_tables):
        check_no_twin(session, state.migrations)
    unversioned = bool(look.tables) and not options.takes_tables
    if plan.steps and not plan.goes_down and unversioned:
        record = _left_history(look)
        raise UnversionedDatabase(look.place.schema, look.tables, record, empty=look.ledger_exists)
    if _minds_edits(goal, plan):
        redone = [s.version for s in plan.steps if isinstance(goal, Redo)]
        _check_edited(state, session, redone)
    return plan


def _is_reversible(version: int, state: DatabaseState) -> bool:
    """Whether the history holds a down of what ran; that it may run is asked by the run itself."""
    held = state.applied.versions.get(version)
    return held is not None and held.ran and held.down is not None


def _minds_edits(goal: Goal, plan: Plan) -> bool:
    """Whether edited files stop a plan: going back is a way out, and so is doing them again."""
    return isinstance(goal, Redo) or not (isinstance(goal, Down) or plan.ahead or plan.goes_down)


def _check_redone(goal: Goal, state: DatabaseState) -> None:
    """Refuse to revert what could not be applied again, or what nobody means to redo."""
    if isinstance(goal, Redo) and (left := _left_by_redo(state)) is not None:
        raise RedoUnfinished(left, state.migrations.by_version[left].name)
    applied = state.applied.lone_downs(state.migrations, state.inspection.ledger)
    for version in versions_down(goal, applied) if isinstance(goal, Redo) else ():
        if version not in state.migrations.by_version:
            raise MissingMigrationFile(version, "target", state.migrations.versions)


def _left_by_redo(state: DatabaseState) -> int | None:
    """
    The version that was reverted and whose up has failed since; None where there is none.

    Whoever repeats `redo` after such a failure means that version. By the rule of `redo` it would
    be the turn of the one before it, with the rows that its tables hold.
    """
    history = state.inspection.history or ()
    done = [row for row in history if row.outcome is Outcome.DONE and row.direction != "edit"]
    if not done or done[-1].direction != "down":
        return None
    version = done[-1].version
    tried = any(
        row.version == version and row.direction == "up" and row.id > done[-1].id for row in history
    )
    if version is None or version in state.applied.versions or not tried:
        return None
    return version if version in state.migrations.by_version else None


def _resumption(goal: Goal, state: DatabaseState, session: Session) -> ResumePoint | None:
    if isinstance(goal, Goto | Redo) or not (goal.resume and state.inspection.ledger.dirty):
        return None
    direction = Direction.DOWN if isinstance(goal, Down) else Direction.UP
    return resumed(state, session, direction)


def edited_files(
    found: Sequence[Edit], state: DatabaseState, session: Session
) -> tuple[EditedFile, ...]:
    """Edited halves with their differences from what is kept."""
    kept = session.stored(sorted({edit.version for edit in found}))
    return tuple(
        EditedFile(edit.version, edit.half.file, _difference(edit, kept, state), edit.applied_as)
        for edit in found
    )


def _check_understood(look: Inspection) -> None:
    if not look.history or not (found := unknown_rows(look.history)):
        return
    raise LedgerUnreadable(
        f"The history has a row that this Rung cannot read: {described(found[-1])}.",
        "Run this with the newer Rung that wrote it.",
    )


def _check_edited(state: DatabaseState, session: Session, redone: Collection[int]) -> None:
    if found := [edit for edit in state.edited_ups if edit.version not in redone]:
        newest = max((v for v in state.applied.versions), default=None)
        raise EditedMigrations(edited_files(found, state, session), newest)


def _difference(edit: Edit, kept: Sequence[StoredSql], state: DatabaseState) -> str:
    checksum = edit.kept.checksum if edit.kept else None
    before = kept_text(kept, edit.version, edit.direction, checksum)
    if before is None:
        return ""
    try:
        now = redacted_sql(read(edit.half.text, state.inspection.place.dialect))
    except ScriptError as error:
        return f"{edit.half.file} cannot be read now: {error.cause}"
    return differences(before, now, edit.half.file) or (
        f"{edit.half.file} differs in a secret only, which is not kept."
    )


def _recorded(version: int, applied: Applied) -> str:
    """What the history says of a version, in a sentence; empty where it says nothing."""
    found = applied.versions.get(version)
    if found is None or not found.kept or found.entry is None:
        return ""
    entry = found.entry
    when = f" at {entry.finished:%Y-%m-%d %H:%M:%S %Z}" if entry.finished else ""
    return f"The history knows it: {found.name}, applied{when} from {entry.host}."


def _left_history(look: Inspection) -> str:
    """What a history says that was left without its ledger."""
    newest = max(replay(look.history or ()), default=None)
    if newest is None:
        return ""
    return f"The history is still there: by it the database is at version {newest}."


def _told_of(look: Inspection, session: Session) -> tuple[str, int | None]:
    """What the history tells of a dirty ledger; nothing where another tool wrote it since."""
    if look.history and session.ledger_changed_since(look.history[-1]):
        return "", None
    return _unfinished(look), _late_and_dirty(look)


def _late_and_dirty(look: Inspection) -> int | None:
    """The version of an unfinished attempt that is not the ledger's: a late one."""
    last = look.history[-1] if look.history else None
    if last is None or last.outcome is Outcome.DONE or last.direction != "up":
        return None
    return last.version if last.version != look.ledger.version else None


def _unfinished(look: Inspection) -> str:
    """What the history knows of the attempt that left the ledger dirty."""
    last = look.history[-1] if look.history else None
    if last is None or last.outcome is Outcome.DONE:
        return ""
    place = f"{last.statements_done} of {last.statements_total} statements are committed"
    flight = f"; statement {last.in_flight} was under way" if last.in_flight else ""
    error = f"; {last.error}" if last.error else ""
    return (
        f"The history says: {last.direction} of version {last.version} ({last.name}) began "
        f"{last.started:%Y-%m-%d %H:%M:%S %Z} on {last.host}; {place}{flight}{error}."
    )
