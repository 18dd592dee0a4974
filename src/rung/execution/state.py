"""
Database state: one inspection compared with the files; and the plan for a goal on it.

Reads only. Owns what is applied, edited and missing in the history, whether a database that is
ahead is compatible with the files, and the errors that need both files and database: an edited
file with its diff, tables without a ledger, a version that only the history has.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from rung.drivers.inspection import History
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
from rung.execution.resume_evidence import find_resume_point, is_overwritten, resume_command
from rung.execution.stored_sql import check_downs, choose_downs, stored_text
from rung.ledger import Outcome
from rung.options import RUNG
from rung.planning.edits import differences, edits, renamed, uncompared
from rung.planning.history_replay import Applied, described, reconcile, replay, unknown_rows
from rung.planning.plan import Down, Redo, Up, make_plan, versions_down
from rung.script import read, redacted_sql, suits
from rung.source import Direction, MigrationSet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rung.drivers.contract import Session
    from rung.drivers.inspection import Inspection
    from rung.options import RunOptions
    from rung.planning.down_choice import DownChoice
    from rung.planning.edits import Edit, Renamed
    from rung.planning.plan import Goal, Plan
    from rung.planning.resume import ResumePoint


@dataclass(frozen=True)
class DatabaseState:
    """The files, one inspection, and what is applied by both."""

    migrations: MigrationSet
    inspection: Inspection
    applied: Applied
    is_compatible: bool = False
    """Whether the database is ahead, and by its history suits a build of these files."""

    @cached_property
    def edits(self) -> tuple[Edit, ...]:
        """The files that were edited since they were applied."""
        return edits(self.applied, self.migrations, self.inspection.place.dialect)

    @property
    def edited_ups(self) -> tuple[Edit, ...]:
        """Those of them that have run."""
        return tuple(edit for edit in self.edits if edit.direction is Direction.UP)

    @property
    def edited_downs(self) -> tuple[int, ...]:
        """The versions of which only the down was edited."""
        ups = {edit.version for edit in self.edited_ups}
        return tuple(edit.version for edit in self.edits if edit.version not in ups)

    @property
    def needs_baseline(self) -> bool:
        """Whether the history lags behind the ledger, and may be written."""
        place, at = self.inspection.place, self.inspection.ledger
        may = self.inspection.writable and not self.inspection.missing_grant
        if not self.applied.unrecorded or at.dirty or not may:
            return False
        has_file = at.version is None or at.version in self.migrations.by_version
        return has_file and not place.read_only

    @cached_property
    def renamed(self) -> tuple[Renamed, ...]:
        """The files that have another title than what was applied, and the same text."""
        return renamed(self.applied, self.migrations, self.inspection.place.dialect)

    @property
    def uncompared(self) -> tuple[int, ...]:
        """The versions whose files can be called neither edited nor unedited."""
        return uncompared(self.applied, self.migrations)

    def plan(
        self,
        goal: Goal,
        resume_point: ResumePoint | None = None,
        downs: Mapping[int, DownChoice] | None = None,
        *,
        passes_empty: bool = False,
    ) -> Plan:
        """Plan the way to a goal; raise what `rung.planning.plan.make_plan` raises."""
        return make_plan(
            goal,
            self.migrations,
            self.inspection.ledger,
            self.applied,
            self.inspection.place.dialect,
            resume_point,
            is_compatible=self.is_compatible,
            downs=downs,
            passes_empty=passes_empty,
        )


def read_state(
    session: Session, migrations: MigrationSet, *, briefly: bool = False
) -> DatabaseState:
    """
    Inspect the database once, and compare it with the files.

    The version that a dirty ledger names is not applied unless the history says so. What is stored
    of the versions above every file is read, where there are any: it says whether the database is
    compatible with these files.
    """
    read = History.CURRENT if briefly else History.ALL
    inspection = session.inspect(briefly=briefly, history=read)
    ledger, history, dialect = inspection.ledger, inspection.history, inspection.place.dialect
    if ledger.dirty and history is not None:
        applied = Applied(replay(history)).lone_downs(migrations, ledger)
        return DatabaseState(migrations, inspection, applied)
    applied = reconcile(history, ledger, migrations, dialect)
    newest = max(migrations.versions, default=None)
    above = [] if newest is None else [v for v in applied.versions if v > newest]
    ups = [(v, up) for v in above if (up := applied.versions[v].up) is not None]
    is_compatible = False
    if newest is not None and above and len(ups) == len(above):
        stored = session.stored_sql(above)
        texts = [stored_text(stored, v, Direction.UP, up.checksum) for v, up in ups]
        is_compatible = suits(newest, texts, dialect)
    return DatabaseState(migrations, inspection, applied, is_compatible)


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
    downs = {} if isinstance(goal, Up) else choose_downs(goal, state, session, options)
    try:
        point = None
        if inspection.ledger.dirty and isinstance(goal, Up | Down) and goal.resume:
            way = Direction.DOWN if isinstance(goal, Down) else Direction.UP
            point = find_resume_point(state, session, way, downs)
        plan = state.plan(goal, point, downs, passes_empty=options.passes_empty)
    except DirtyLedger:
        raise dirty_ledger(state, session) from None
    except MissingMigrationFile as missing:
        raise _missing(missing, state) from None
    if downs:
        check_downs(plan, downs, state.migrations)
    if plan.steps and not plan.goes_down and not options.takes_tables:
        _check_versioned(state, session)
    _check_unedited(plan, state, session)
    return plan


def _check_unedited(plan: Plan, state: DatabaseState, session: Session) -> None:
    """Refuse edited files; going down is a way out of an edit, and so is a redo of its version."""
    redoes = isinstance(plan.goal, Redo)
    if not redoes and (isinstance(plan.goal, Down) or plan.ahead or plan.goes_down):
        return
    redone = {step.version for step in plan.steps} if redoes else set()
    if edited := [edit for edit in state.edited_ups if edit.version not in redone]:
        newest = max(state.applied.versions, default=None)
        raise EditedMigrations(edited_files(edited, state, session), newest)


def _missing(missing: MissingMigrationFile, state: DatabaseState) -> MissingMigrationFile:
    """The error of a missing file, with when and from where its version was applied."""
    held, text = state.applied.versions.get(missing.version), ""
    if held and held.has_files and held.entry and not missing.lone_down:
        entry = held.entry
        when = f" at {entry.finished:%Y-%m-%d %H:%M:%S %Z}" if entry.finished else ""
        text = f"The history has it: {held.name}, applied{when} from {entry.host}."
    return MissingMigrationFile(
        missing.version,
        missing.role,
        missing.versions,
        text,
        compatible=missing.compatible,
        lone_down=missing.lone_down,
        # Whether the stored down may run is decided by the run itself.
        reversible=held is not None and held.ran and held.down is not None,
    )


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


def edited_files(
    edits: Sequence[Edit], state: DatabaseState, session: Session
) -> tuple[EditedFile, ...]:
    """Return the edited files, each with its difference from the stored text."""
    stored = session.stored_sql(sorted({edit.version for edit in edits}))
    files = []
    for edit in edits:
        file, checksum = edit.half.file, edit.recorded.checksum if edit.recorded else None
        before = stored_text(stored, edit.version, edit.direction, checksum)
        difference = ""
        if before is not None:
            try:
                now = redacted_sql(read(edit.half.text, state.inspection.place.dialect))
            except ScriptError as error:
                difference = f"{file} cannot be parsed now: {error.cause}"
            else:
                only_a_secret = f"{file} differs only in a secret, which is not stored."
                difference = differences(before, now, file) or only_a_secret
        files.append(EditedFile(edit.version, file, difference, edit.applied_as))
    return tuple(files)


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
