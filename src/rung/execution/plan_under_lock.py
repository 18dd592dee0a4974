"""
The plan for a goal on what is state of a database, or why there is none.

Reads only. Owns the errors that need both files and database: an edited file with its diff,
tables without a ledger, a version that is state to the history alone.
"""

from __future__ import annotations

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
from rung.execution.state import find_resume_point, is_overwritten, resume_command, stored_text
from rung.execution.stored_downs import check_downs, choose_downs
from rung.ledger import Outcome
from rung.options import RUNG
from rung.planning.edits import differences
from rung.planning.history_replay import described, replay, unknown_rows
from rung.planning.plan import Down, Goto, Redo, versions_down
from rung.script import read, redacted_sql
from rung.source import Direction

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rung.drivers.contract import Session
    from rung.drivers.transaction import StoredSql
    from rung.execution.state import DatabaseState
    from rung.execution.stored_downs import Choices
    from rung.options import RunOptions
    from rung.planning.edits import Edit
    from rung.planning.history_replay import AppliedVersion
    from rung.planning.plan import Goal, Plan
    from rung.planning.resume import ResumePoint


def plan_for(
    goal: Goal, state: DatabaseState, session: Session, options: RunOptions = RUNG
) -> Plan:
    """
    Plan the way to a goal.

    Args:
        goal: where to go.
        state: the database and the files.
        session: read for the stored SQL of versions without files.
        options: whether tables without a ledger are migrated as they are.

    Raises:
        PlanError: see `rung.planning.plan.make_plan`; and EditedMigrations, UnversionedDatabase,
            DownRefused, StoredSqlUnusable.
    """
    inspection = state.inspection
    if unknown := unknown_rows(inspection.history or ()):
        raise LedgerUnreadable(
            f"the history has a row that this Rung cannot read: {described(unknown[-1])}",
            "use the newer Rung that wrote it",
        )
    if isinstance(goal, Redo):
        _check_redo(goal, state)
    downs = choose_downs(goal, state, session, options)
    try:
        point = _resume_point(goal, state, session, downs)
        plan = state.plan(goal, point, downs, passes_empty=options.passes_empty)
    except DirtyLedger:
        raise dirty_ledger(state, session) from None
    except MissingMigrationFile as missing:
        held = state.applied.versions.get(missing.version)
        raise MissingMigrationFile(
            missing.version,
            missing.role,
            missing.versions,
            "" if missing.lone_down else _recorded(held),
            compatible=missing.compatible,
            lone_down=missing.lone_down,
            # Whether the stored down may run is decided by the run itself.
            reversible=held is not None and held.ran and held.down is not None,
        ) from None
    check_downs(plan, downs, state.migrations)
    if plan.steps and not plan.goes_down and not options.takes_tables:
        _check_versioned(state, session)
    # Going down is a way out of an edit, and so is a redo of the edited versions.
    redoes = isinstance(goal, Redo)
    if redoes or not (isinstance(goal, Down) or plan.ahead or plan.goes_down):
        redone = {step.version for step in plan.steps} if redoes else set()
        _check_unedited(state, session, redone)
    return plan


def _check_versioned(state: DatabaseState, session: Session) -> None:
    """Refuse tables of which nothing says which migrations made them."""
    inspection = state.inspection
    check_no_twin(session, state.migrations)
    if inspection.tables:
        newest = max(replay(inspection.history or ()), default=None)
        left = f"The history is still there: by it the database is at version {newest}."
        raise UnversionedDatabase(
            inspection.place.schema,
            inspection.tables,
            "" if newest is None else left,
            empty=inspection.ledger_exists,
        )


def _check_unedited(state: DatabaseState, session: Session, redone: Collection[int]) -> None:
    if edited := [edit for edit in state.edited_ups if edit.version not in redone]:
        newest = max(state.applied.versions, default=None)
        raise EditedMigrations(edited_files(edited, state, session), newest)


def _check_redo(goal: Redo, state: DatabaseState) -> None:
    """
    Refuse to revert what could not be applied again, or what nobody means to redo.

    Whoever repeats a `redo` whose up has failed means the version that was reverted. By the rule
    of `redo` the one before it would be next, with the rows that its tables hold.
    """
    files, applied = state.migrations.by_version, state.applied
    history = state.inspection.history or ()
    done = [row for row in history if row.outcome is Outcome.DONE and row.direction != "edit"]
    reverted = done[-1].version if done and done[-1].direction == "down" else None
    if reverted is not None and reverted in files and reverted not in applied.versions:
        tried = [row for row in history if row.version == reverted and row.direction == "up"]
        if any(row.id > done[-1].id for row in tried):
            raise RedoUnfinished(reverted, files[reverted].name)
    for version in versions_down(
        goal, applied.lone_downs(state.migrations, state.inspection.ledger)
    ):
        if version not in files:
            raise MissingMigrationFile(version, "target", state.migrations.versions)


def _resume_point(
    goal: Goal, state: DatabaseState, session: Session, downs: Choices
) -> ResumePoint | None:
    if isinstance(goal, Goto | Redo) or not (goal.resume and state.inspection.ledger.dirty):
        return None
    return find_resume_point(
        state, session, Direction.DOWN if isinstance(goal, Down) else Direction.UP, downs
    )


def edited_files(
    edits: Sequence[Edit], state: DatabaseState, session: Session
) -> tuple[EditedFile, ...]:
    """Return the edited files, each with its difference from the stored text."""
    stored = session.stored_sql(sorted({edit.version for edit in edits}))
    return tuple(
        EditedFile(edit.version, edit.half.file, _difference(edit, stored, state), edit.applied_as)
        for edit in edits
    )


def _difference(edit: Edit, stored: Sequence[StoredSql], state: DatabaseState) -> str:
    checksum = edit.recorded.checksum if edit.recorded else None
    before = stored_text(stored, edit.version, edit.direction, checksum)
    if before is None:
        return ""
    try:
        now = redacted_sql(read(edit.half.text, state.inspection.place.dialect))
    except ScriptError as error:
        return f"{edit.half.file} cannot be parsed now: {error.cause}"
    return differences(before, now, edit.half.file) or (
        f"{edit.half.file} differs only in a secret, which is not stored."
    )


def _recorded(held: AppliedVersion | None) -> str:
    """Say when and from where a version was applied; empty where the history does not tell."""
    if held is None or not held.has_files or held.entry is None:
        return ""
    entry = held.entry
    when = f" at {entry.finished:%Y-%m-%d %H:%M:%S %Z}" if entry.finished else ""
    return f"The history has it: {held.name}, applied{when} from {entry.host}."


def dirty_ledger(state: DatabaseState, session: Session) -> DirtyLedger:
    """
    Return the error of a dirty ledger, with what the history has of the attempt that left it so.

    An out-of-order attempt is named, because the ledger does not name it. Where another tool has
    written the ledger since, the history says nothing of it.
    """
    inspection = state.inspection
    at = inspection.ledger.version
    last = inspection.history[-1] if inspection.history else None
    if last is None or last.outcome is Outcome.DONE or is_overwritten(session, last):
        return DirtyLedger(at, resume=resume_command(state, session))
    place = f"{last.statements_done} of {last.statements_total} statements are committed"
    flight = f"; statement {last.in_flight} was running" if last.in_flight else ""
    error = f"; {last.error}" if last.error else ""
    text = (
        f"The history says: {last.direction} of version {last.version} ({last.name}) began "
        f"{last.started:%Y-%m-%d %H:%M:%S %Z} on {last.host}; {place}{flight}{error}."
    )
    is_other = last.direction == "up" and last.version != at
    out_of_order = last.version if is_other else None
    return DirtyLedger(at, text, out_of_order, resume_command(state, session))
