"""
Plan which migrations run. Opens no file and no connection.

In: the migrations, what is applied, the ledger, and a goal. Out: a `Plan`, or an error that names
the version that prevents it. `rung.execution` runs plans.

golang-migrate's rules hold where they do no harm: version 0 is a version like any other. These
rules are ours. Going up stops at an out-of-order version, one below the ledger that was never
applied, unless it is allowed; then it runs first and the ledger stays. Going up stops at an up file
that is not written yet, passes over a version that has only a down file, and runs a version that
was applied while its file was empty and that has SQL now. Going down reverts what is applied,
newest version first; `rung.planning.down_choice` chooses what each version runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from rung.errors import (
    DirtyLedger,
    EmptySource,
    MissingMigrationFile,
    OutOfOrderMigrations,
    ScriptError,
    UnwrittenMigration,
    UsageError,
)
from rung.ledger import LedgerState
from rung.planning.down_choice import EMPTY, STRICT, DownOptions
from rung.planning.history_replay import Applied, AppliedVersion, reconcile
from rung.script import ALLOW_OUT_OF_ORDER, Dialect, contents_of, directives, read
from rung.source import MAX_VERSION, Direction, Migration, MigrationSet

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from rung.planning.down_choice import DownChoice, StoredDownSql
    from rung.planning.resume import ResumePoint
    from rung.source import MigrationFile

IfAhead = Literal["compatible", "fail", "ok"]
"""
How a goal that goes up treats a database that is ahead of the files.

compatible: nothing to do if the migrations without a file here are declared compatible with this
build (`-- rung: compatible-with N`), else an error. fail: an error. ok: nothing to do.
"""


@dataclass(frozen=True, slots=True)
class Up:
    """
    Apply what is pending, oldest first: at most `limit` of it, None for all.

    `allow_out_of_order` names out-of-order versions that may run after newer ones; `if_ahead` says
    how to treat a database ahead of the files. With `resume` an interrupted up is resumed first,
    and counts as one.
    """

    limit: int | None = None
    allow_out_of_order: tuple[int, ...] = ()
    if_ahead: IfAhead = "compatible"
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Down:
    """
    Go down, newest first: at most `limit` steps, None for all.

    With `resume` an interrupted down is resumed, as the first of them; without one, nothing is
    done.
    """

    limit: int | None = 1
    resume: bool = False
    downs: DownOptions = STRICT


@dataclass(frozen=True, slots=True)
class Goto:
    """Go up or down to exactly this version; out-of-order versions up to it as for `Up`."""

    version: int
    allow_out_of_order: tuple[int, ...] = ()
    downs: DownOptions = STRICT


@dataclass(frozen=True, slots=True)
class Redo:
    """Revert the last `limit` applied versions, and apply them again from their files."""

    limit: int = 1
    downs: DownOptions = STRICT


Goal = Up | Down | Goto | Redo


@dataclass(frozen=True, slots=True)
class Step:
    """One file of one migration, and the ledger transition that belongs to it."""

    migration: Migration
    direction: Direction
    before: int | None
    """The version that the ledger names before the step; None before the first."""
    after: int | None
    done: int = 0
    """How many statements of its file an earlier attempt has committed; it resumes after them."""
    continues: str = ""
    """Our id of that attempt, if the history has a row of it."""
    passes: str = ""
    """Why a down runs nothing although its version is applied; empty where it runs."""
    stored: StoredDownSql | None = None
    """The down that runs, if it is stored in the history."""

    @property
    def version(self) -> int:
        """The migration's version, whichever way it runs."""
        return self.migration.version

    @property
    def half(self) -> MigrationFile | None:
        """The file that runs; None where nothing does."""
        return None if self.passes else self.migration.half(self.direction)

    @property
    def title(self) -> str:
        """The title of the file that runs, or of the other file where it is missing."""
        return self.half.title if self.half else self.migration.name


@dataclass(frozen=True, slots=True)
class Plan:
    """
    The ordered steps from the database's version to the goal.

    `made_for` is the ledger that it was computed from; a run refuses it if the ledger has changed.
    `missing_steps` is how many of the requested steps there were no migrations for. `ahead` is
    whether the database is ahead of the files and the goal accepts that.
    """

    goal: Goal
    made_for: LedgerState
    steps: tuple[Step, ...] = ()
    missing_steps: int = 0
    ahead: bool = False

    @property
    def target(self) -> int | None:
        """The version after the last step."""
        return self.steps[-1].after if self.steps else self.made_for.version

    @property
    def goes_down(self) -> bool:
        """Whether it reverts migrations; a goto may run out-of-order ones first."""
        return any(step.direction is Direction.DOWN for step in self.steps)


def make_plan(  # noqa: PLR0913 - facts, each named where it is given
    goal: Goal,
    migrations: MigrationSet,
    ledger: LedgerState,
    applied: Applied | None = None,
    dialect: Dialect = Dialect.POSTGRES,
    resume_point: ResumePoint | None = None,
    *,
    is_compatible: bool = False,
    downs: Mapping[int, DownChoice] | None = None,
    passes_empty: bool = False,
) -> Plan:
    """
    Plan the way to a goal.

    Args:
        goal: where to go.
        migrations: the files.
        ledger: where the database is.
        applied: what is applied; left out, every file at or below the ledger.
        dialect: the SQL dialect in which a file may allow that it runs out of order.
        resume_point: where the file that left the ledger dirty resumes, for a goal that resumes.
        is_compatible: whether the applied versions above every file are declared compatible with
            the newest file.
        downs: what reverting a version runs; left out, its down file.
        passes_empty: whether ups that are not written and lone downs are steps that run nothing.

    Raises:
        UnwrittenMigration: the newest up holds no statement.
        UsageError: a number of the goal is negative or above 2^63-1.
        DirtyLedger: an earlier run did not finish.
        EmptySource: there is nothing to go up with.
        MissingMigrationFile: the ledger's version, or one of the goal's, has no file.
        OutOfOrderMigrations: versions below the ledger were never applied, and are not allowed to.
    """
    number = goal.version if isinstance(goal, Goto) else goal.limit
    if number is not None and not 0 <= number <= MAX_VERSION:
        what = "version" if isinstance(goal, Goto) else "number of steps"
        raise UsageError(f"invalid {what}: {number}", "give a number from 0 to 9223372036854775807")
    chosen = downs or {}
    if ledger.dirty and resume_point is None:
        raise DirtyLedger(ledger.version)
    if ledger.dirty and resume_point is not None:
        return _resume(
            goal, migrations, ledger, applied or Applied(), dialect, resume_point, chosen
        )
    if not (migrations.versions or chosen or (isinstance(goal, Down) and ledger.version is None)):
        raise EmptySource(migrations.source, ledger.version)
    if ledger.version is not None and not {*migrations.by_version, *chosen} & {ledger.version}:
        missing = MissingMigrationFile(
            ledger.version, "ledger", migrations.versions, compatible=is_compatible
        )
        policy = goal.if_ahead if isinstance(goal, Up) else "fail"
        allowed = policy == "ok" or (policy == "compatible" and is_compatible)
        if not (missing.ahead and allowed):
            raise missing
        return Plan(goal, ledger, ahead=True)
    applied = (applied or reconcile(None, ledger, migrations)).lone_downs(
        migrations, ledger, count=passes_empty
    )
    return _Planner(migrations, ledger, applied, dialect, chosen, passes_empty).plan(goal)


def versions_down(goal: Goal, applied: Applied) -> tuple[int, ...]:
    """Return the applied versions that a goal reverts where it goes down, newest first."""
    newest_first = applied.ascending[::-1]
    match goal:
        case Down(limit=limit) | Redo(limit=limit):
            return newest_first if limit is None else newest_first[:limit]
        case Goto(version=target):
            return tuple(version for version in newest_first if version > target)
    return ()


def _resume(
    goal: Goal,
    migrations: MigrationSet,
    ledger: LedgerState,
    applied: Applied,
    dialect: Dialect,
    point: ResumePoint,
    downs: Mapping[int, DownChoice],
) -> Plan:
    """Plan the rest of an interrupted file first, then what else the goal asks for."""
    assert isinstance(goal, Up | Down)
    choice = downs.get(point.migration.version) if point.direction is Direction.DOWN else None
    first = Step(
        point.migration,
        point.direction,
        point.before,
        point.after,
        point.done,
        point.continues,
        stored=choice.stored if choice else None,
    )
    left = None if goal.limit is None else goal.limit - 1
    if left is not None and left <= 0:
        return Plan(goal, ledger, (first,) if goal.limit else ())
    versions = {**applied.versions, first.version: AppliedVersion(first.version)}
    if first.direction is Direction.DOWN:
        del versions[first.version]
    rest = make_plan(
        replace(goal, limit=left, resume=False),
        migrations,
        LedgerState(first.after),
        replace(applied, versions=versions),
        dialect,
        downs=downs,
    )
    return Plan(goal, ledger, (first, *rest.steps), rest.missing_steps, rest.ahead)


@dataclass(frozen=True, slots=True)
class _Planner:
    """The facts that one plan is made from; the ledger is clean and its version has a file."""

    migrations: MigrationSet
    ledger: LedgerState
    applied: Applied
    dialect: Dialect
    downs: Mapping[int, DownChoice]
    passes_empty: bool

    def plan(self, goal: Goal) -> Plan:
        at = self.ledger.version
        match goal:
            case Down(resume=True):  # nothing stopped in the middle
                return Plan(goal, self.ledger)
            case Down():
                return self._down(goal)
            case Redo():
                plan = self._redo(goal)
            case Up() | Goto():
                self._check_named(goal)
                out_of_order = self._out_of_order(goal)
                if isinstance(goal, Goto) and at is not None and goal.version < at:
                    plan = self._down(goal, out_of_order)
                else:
                    plan = self._up(goal, out_of_order)
        if not self.passes_empty:
            self._check_written(plan)
        return plan

    def _check_named(self, goal: Up | Goto) -> None:
        """Refuse a version of the goal that has no up file and is not applied."""
        versions = goal.allow_out_of_order
        for version in (goal.version, *versions) if isinstance(goal, Goto) else versions:
            migration = self.migrations.by_version.get(version)
            has_file = migration is not None and (self.passes_empty or migration.up is not None)
            if has_file or version in self.applied.versions or version == self.ledger.version:
                continue
            raise MissingMigrationFile(
                version, "target", self.migrations.versions, lone_down=migration is not None
            )

    def _out_of_order(self, goal: Up | Goto) -> tuple[Migration, ...]:
        """Find the out-of-order migrations that run first; refuse those that are not allowed."""
        found = self.applied.out_of_order(self.migrations, self.ledger)
        if isinstance(goal, Goto):  # those above its version stay as they are
            found = tuple(m for m in found if m.version <= goal.version)
        named = goal.allow_out_of_order
        refused = [m for m in found if not allows_out_of_order(m, self.dialect, named)]
        if refused:
            allowed = [m.version for m in found if m.version in named]
            raise _out_of_order_error(refused, self.ledger, self.applied, allowed)
        return found

    def _up(self, goal: Up | Goto, out_of_order: Sequence[Migration]) -> Plan:
        at = self.ledger.version
        first = [*out_of_order, *self.applied.again(self.migrations)]
        ups = [m for m in self.migrations.migrations if self.passes_empty or m.up is not None]
        above = [m for m in ups if at is None or m.version > at]
        if isinstance(goal, Goto):
            first = [m for m in first if m.version <= goal.version]
            above = [m for m in above if m.version <= goal.version]
        steps = self._ups_in_place(first) + _ups(above, at)
        limit = goal.limit if isinstance(goal, Up) else None
        if limit is None:
            return Plan(goal, self.ledger, steps)
        return Plan(goal, self.ledger, steps[:limit], limit - len(steps[:limit]))

    def _ups_in_place(self, migrations: Sequence[Migration]) -> tuple[Step, ...]:
        """Apply versions below the ledger, which stays at the highest version that is applied."""
        at = self.ledger.version
        ascending = sorted(migrations, key=lambda one: one.version)
        return tuple(Step(migration, Direction.UP, at, at) for migration in ascending)

    def _down(self, goal: Down | Goto, out_of_order: Sequence[Migration] = ()) -> Plan:
        """Plan the out-of-order versions that run first, then the way down over what is applied."""
        steps = self._downs(goal, out_of_order)
        limit = goal.limit if isinstance(goal, Down) else None
        missing = 0 if limit is None else limit - len(steps)
        leave = () if limit == 0 else self._leave_lone_down(out_of_order)
        return Plan(goal, self.ledger, self._ups_in_place(out_of_order) + leave + steps, missing)

    def _redo(self, goal: Redo) -> Plan:
        """Go down over the newest applied versions, and up again with their files of now."""
        down = self._downs(goal)
        at = down[-1].after if down else self.ledger.version
        again = [self._file_of(step.version) for step in reversed(down)]
        leave = self._leave_lone_down() if down else ()
        steps = leave + down + _ups([m for m in again if m.up is not None], at)
        return Plan(goal, self.ledger, steps, goal.limit - len(down))

    def _downs(
        self, goal: Down | Goto | Redo, out_of_order: Sequence[Migration] = ()
    ) -> tuple[Step, ...]:
        applied = {*self.applied.versions, *(migration.version for migration in out_of_order)}
        next_lower = (*sorted(applied, reverse=True), None)[1:]
        steps = []
        for version, after in zip(versions_down(goal, self.applied), next_lower, strict=False):
            choice = self.downs.get(version)
            if choice is None:
                steps.append(Step(self._file_of(version), Direction.DOWN, version, after))
            else:
                passes, stored = choice.passes, choice.stored
                step = Step(choice.migration, Direction.DOWN, version, after)
                steps.append(replace(step, passes=passes, stored=stored))
        return tuple(steps)

    def _leave_lone_down(self, out_of_order: Sequence[Migration] = ()) -> tuple[Step, ...]:
        """Leave a version that has only a down file, where another tool left the ledger."""
        at = self.ledger.version
        migration = self.migrations.by_version.get(at) if at is not None else None
        if at is None or migration is None or at in self.applied.versions or migration.up:
            return ()
        applied = {*self.applied.versions, *(one.version for one in out_of_order)}
        below = max((version for version in applied if version < at), default=None)
        return (Step(migration, Direction.DOWN, at, below, passes=EMPTY),)

    def _file_of(self, version: int) -> Migration:
        if version not in self.migrations.by_version:
            raise MissingMigrationFile(version, "ledger", self.migrations.versions)
        return self.migrations.by_version[version]

    def _check_written(self, plan: Plan) -> None:
        """Refuse the newest up file while it has no statement and does not declare that."""
        newest = max((m.version for m in self.migrations.migrations if m.up), default=None)
        for step in plan.steps:
            if step.direction is Direction.DOWN or step.half is None or step.version != newest:
                continue
            if contents_of(step.half.text, self.dialect).is_undeclared:
                raise UnwrittenMigration(step.version, step.half.file)


def _ups(migrations: Sequence[Migration], at: int | None) -> tuple[Step, ...]:
    """Apply migrations one after the other, from the version that the ledger names."""
    versions = (at, *(migration.version for migration in migrations))
    return tuple(
        Step(migration, Direction.UP, before, after)
        for migration, (before, after) in zip(migrations, pairwise(versions), strict=True)
    )


def allows_out_of_order(
    migration: Migration, dialect: Dialect, allowed: Collection[int] = ()
) -> bool:
    """Whether a migration may run after newer ones: by its version, or by its own file."""
    if migration.version in allowed:
        return True
    text = migration.up.text if migration.up else ""
    if ALLOW_OUT_OF_ORDER not in text:
        return False
    try:
        return ALLOW_OUT_OF_ORDER in directives(read(text, dialect))
    except ScriptError:
        return False


def _out_of_order_error(
    refused: Sequence[Migration], ledger: LedgerState, applied: Applied, allowed: Sequence[int]
) -> OutOfOrderMigrations:
    """
    Make the error of out-of-order migrations that are not allowed.

    Args:
        refused: them, ascending; at least one.
        ledger: its row now.
        applied: what is applied.
        allowed: the out-of-order versions that are allowed.
    """
    lowest = refused[0].version
    below = [v for v in applied.ascending if v < lowest]
    return OutOfOrderMigrations(
        [m.version for m in refused],
        [half.file for m in refused if (half := m.up or m.down)],
        ledger.version or 0,
        [v for v in applied.ascending if v > lowest],
        below[-1] if below else None,
        allowed,
        [m.version for m in refused if m.version in applied.reopened],
    )
