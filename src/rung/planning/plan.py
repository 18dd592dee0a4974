"""
Decides what to run. Nothing here opens a file or a connection.

In: the migrations there are, what is applied, what the ledger says, and a goal. Out: a
`Plan`, or an error naming the version that is in the way. `runner` carries plans out.

golang-migrate's rules are kept where they are no trap: version 0 is a version like any other.
These rules are ours. Going up stops at a late version, one below the ledger that was never
applied, unless it is allowed; then it runs first and the ledger stays. It stops at an up that
is not written yet, passes over a version that has only a down, and runs what was applied while
it was empty and holds SQL now. Going down undoes what is applied, newest version first, and
passes over what is not; `rung.planning.down_choice` chooses what each version runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from rung.errors import (
    DirtyLedger,
    EmptySource,
    MissingMigrationFile,
    UnwrittenMigration,
    UsageError,
)
from rung.ledger import LedgerState
from rung.planning.down_choice import EMPTY, STRICT, DownOptions
from rung.planning.history_replay import Applied, AppliedVersion, reconcile
from rung.planning.out_of_order import allows_out_of_order, out_of_order_error
from rung.script import Dialect, contents_of
from rung.source import MAX_VERSION, Direction, Migration, MigrationSet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rung.planning.down_choice import DownChoice, StoredDownSql
    from rung.planning.resume import ResumePoint
    from rung.source import MigrationFile

IfAhead = Literal["compatible", "fail", "ok"]
"""
What a database that is ahead of the files is to a goal that goes up.

compatible: nothing to do where the migrations that have no file here say that they suit this
build (`-- rung: compatible-with N`), else an error. fail: an error. ok: nothing to do.
"""


@dataclass(frozen=True, slots=True)
class Up:
    """
    Apply what is pending, oldest first: `limit` of it at the most, None for all.

    `allow_out_of_order` names late versions that may run behind newer ones; `if_ahead` tells what a
    database ahead of the files is. With `resume` an up that
    stopped in the middle is gone on with first, and counts as one.
    """

    limit: int | None = None
    allow_out_of_order: tuple[int, ...] = ()
    if_ahead: IfAhead = "compatible"
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Down:
    """
    Go down, newest first: `limit` steps at the most, None for all the way.

    With `resume` a down that stopped in the middle is gone on with, as the first of them; where
    none did, nothing is done.
    """

    limit: int | None = 1
    resume: bool = False
    downs: DownOptions = STRICT


@dataclass(frozen=True, slots=True)
class Goto:
    """Go up or down to exactly this version; late versions up to it as for `Up`."""

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
    """One half of one migration, and the move of the ledger that belongs to it."""

    migration: Migration
    direction: Direction
    before: int | None
    """The version that the ledger names before the step; None before the first."""
    after: int | None
    done: int = 0
    """How many statements of its file an earlier attempt has committed; it goes on behind them."""
    continues: str = ""
    """Our id of that attempt, where the history has a row of it."""
    passes: str = ""
    """Why a down runs nothing though its version is applied; empty where it runs."""
    stored: StoredDownSql | None = None
    """Where the down that runs is out of the history."""

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
        """The title of the file that runs, or of the other half where it is missing."""
        return self.half.title if self.half else self.migration.name


@dataclass(frozen=True, slots=True)
class Plan:
    """
    The ordered steps from where a database is to where it was asked to be.

    `made_for` is the ledger that it was computed from; a run refuses it once the ledger has
    moved on. `short` is how many of the asked steps there were no migrations for. `ahead`
    tells that the database is ahead of the files and the goal takes that as it is.
    """

    goal: Goal
    made_for: LedgerState
    steps: tuple[Step, ...] = ()
    short: int = 0
    ahead: bool = False

    @property
    def target(self) -> int | None:
        """The version after the last step."""
        return self.steps[-1].after if self.steps else self.made_for.version

    @property
    def goes_down(self) -> bool:
        """Whether it undoes migrations; a goto may let late ones run first."""
        return any(step.direction is Direction.DOWN for step in self.steps)


def make_plan(  # noqa: PLR0913 - facts, each named where it is given
    goal: Goal,
    migrations: MigrationSet,
    ledger: LedgerState,
    applied: Applied | None = None,
    dialect: Dialect = Dialect.POSTGRES,
    resumption: ResumePoint | None = None,
    *,
    suited: bool = False,
    downs: Mapping[int, DownChoice] | None = None,
    passes_empty: bool = False,
) -> Plan:
    """
    Plan the way to a goal.

    Args:
        goal: where to go.
        migrations: the files there are.
        ledger: where the database is.
        applied: what is applied; left out, every file at or below the ledger.
        dialect: the SQL that the database reads; a file may say there that it may be late.
        resumption: where the file that left the ledger dirty goes on, for a goal that resumes.
        suited: the applied versions above every file say that these files' build suits them.
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
    _check_numbers(goal)
    if ledger.dirty and resumption is not None:
        return _resumed(
            goal, migrations, ledger, applied or Applied(), dialect, resumption, downs or {}
        )
    if ledger.dirty:
        raise DirtyLedger(ledger.version)
    chosen = downs or {}
    if not (migrations.versions or chosen or (isinstance(goal, Down) and ledger.version is None)):
        raise EmptySource(migrations.source, ledger.version)
    account = (applied or reconcile(None, ledger, migrations)).lone_downs(
        migrations, ledger, count=passes_empty
    )
    if ledger.version is not None and not {*migrations.by_version, *chosen} & {ledger.version}:
        gone = MissingMigrationFile(
            ledger.version, "ledger", migrations.versions, compatible=suited
        )
        if not (gone.ahead and _takes_ahead(goal, suited=suited)):
            raise gone
        return Plan(goal, ledger, ahead=True)
    _check_named(goal, migrations, ledger, account, either=passes_empty)
    plan = _way(goal, migrations, ledger, account, dialect, chosen, passes_empty=passes_empty)
    if not passes_empty:
        _check_written(plan, migrations, dialect)
    return plan


def _way(
    goal: Goal,
    migrations: MigrationSet,
    ledger: LedgerState,
    applied: Applied,
    dialect: Dialect,
    downs: Mapping[int, DownChoice],
    *,
    passes_empty: bool,
) -> Plan:
    match goal:
        case Down(resume=True):
            return Plan(goal, ledger)
        case Down():
            return _down(goal, migrations, ledger, applied, downs)
        case Redo():
            return _redo(goal, migrations, ledger, applied, downs)
    late = _check_late(goal, migrations, ledger, applied, dialect)
    if isinstance(goal, Goto) and ledger.version is not None and goal.version < ledger.version:
        return _down(goal, migrations, ledger, applied, downs, late)
    first = (*late, *applied.again(migrations))
    return _up(goal, migrations, ledger, first, passes_empty=passes_empty)


def _takes_ahead(goal: Goal, *, suited: bool) -> bool:
    policy = goal.if_ahead if isinstance(goal, Up) else "fail"
    return policy == "ok" or (policy == "compatible" and suited)


def _resumed(
    goal: Goal,
    migrations: MigrationSet,
    ledger: LedgerState,
    applied: Applied,
    dialect: Dialect,
    found: ResumePoint,
    downs: Mapping[int, DownChoice],
) -> Plan:
    """What stopped in the middle, and behind it what the goal asks for as usual."""
    assert isinstance(goal, Up | Down)
    choice = downs.get(found.migration.version) if found.direction is Direction.DOWN else None
    first = Step(
        found.migration,
        found.direction,
        found.before,
        found.after,
        found.done,
        found.continues,
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
    return Plan(goal, ledger, (first, *rest.steps), rest.short, rest.ahead)


def versions_down(goal: Goal, applied: Applied) -> tuple[int, ...]:
    """The applied versions that a goal undoes where it goes down, newest first."""
    newest_first = applied.ascending[::-1]
    match goal:
        case Down(limit=limit) | Redo(limit=limit):
            return newest_first if limit is None else newest_first[:limit]
        case Goto(version=target):
            return tuple(version for version in newest_first if version > target)
    return ()


def _check_numbers(goal: Goal) -> None:
    number = goal.version if isinstance(goal, Goto) else goal.limit
    if number is not None and not 0 <= number <= MAX_VERSION:
        what = "version" if isinstance(goal, Goto) else "number of steps"
        raise UsageError(f"invalid {what}: {number}", "give a number from 0 to 9223372036854775807")


def _check_named(
    goal: Goal, migrations: MigrationSet, ledger: LedgerState, applied: Applied, *, either: bool
) -> None:
    """Refuse a version that was named and is not known, or has no up; with `either` a down does."""
    if isinstance(goal, Down | Redo):
        return
    named = (
        (goal.version, *goal.allow_out_of_order)
        if isinstance(goal, Goto)
        else goal.allow_out_of_order
    )
    for version in named:
        migration = migrations.by_version.get(version)
        has_file = migration is not None and (either or migration.up is not None)
        if not (has_file or version in applied.versions or version == ledger.version):
            raise MissingMigrationFile(
                version, "target", migrations.versions, lone_down=migration is not None
            )


def _up(
    goal: Up | Goto,
    migrations: MigrationSet,
    ledger: LedgerState,
    first: Sequence[Migration],
    *,
    passes_empty: bool,
) -> Plan:
    current = ledger.version
    ups = [m for m in migrations.migrations if passes_empty or m.up is not None]
    above = [m for m in ups if current is None or m.version > current]
    if isinstance(goal, Goto):
        above = [m for m in above if m.version <= goal.version]
        first = [m for m in first if m.version <= goal.version]
    steps = _late_ups(first, current) + _ups(above, current)
    asked = goal.limit if isinstance(goal, Up) else None
    if asked is None:
        return Plan(goal, ledger, steps)
    return Plan(goal, ledger, steps[:asked], asked - len(steps[:asked]))


def _check_written(plan: Plan, migrations: MigrationSet, dialect: Dialect) -> None:
    """Refuse the newest up while it holds no statement, and does not say that this is meant."""
    newest = max((m.version for m in migrations.migrations if m.up is not None), default=None)
    for step in plan.steps:
        half = step.half if step.direction is Direction.UP else None
        if half is None or step.version != newest:
            continue
        if contents_of(half.text, dialect).is_undeclared:
            raise UnwrittenMigration(step.version, half.file)


def _check_late(
    goal: Up | Goto,
    migrations: MigrationSet,
    ledger: LedgerState,
    applied: Applied,
    dialect: Dialect,
) -> tuple[Migration, ...]:
    """The late migrations that may run; those above a Goto's version are not its concern."""
    late = applied.late(migrations, ledger)
    if isinstance(goal, Goto):
        late = tuple(m for m in late if m.version <= goal.version)
    if refused := [m for m in late if not allows_out_of_order(m, dialect, goal.allow_out_of_order)]:
        allowed = [m.version for m in late if m.version in goal.allow_out_of_order]
        raise out_of_order_error(refused, ledger, applied, allowed)
    return late


def _late_ups(migrations: Sequence[Migration], current: int | None) -> tuple[Step, ...]:
    """The ledger stays at the highest version that is applied."""
    ascending = sorted(migrations, key=lambda one: one.version)
    return tuple(Step(migration, Direction.UP, current, current) for migration in ascending)


def _ups(migrations: Sequence[Migration], current: int | None) -> tuple[Step, ...]:
    versions = (current, *(migration.version for migration in migrations))
    return tuple(
        Step(migration, Direction.UP, before, after)
        for migration, (before, after) in zip(migrations, pairwise(versions), strict=True)
    )


def _down(
    goal: Down | Goto,
    migrations: MigrationSet,
    ledger: LedgerState,
    applied: Applied,
    downs: Mapping[int, DownChoice],
    late: Sequence[Migration] = (),
) -> Plan:
    """The late ones that may run first, then down over what is applied."""
    steps = _downs(goal, migrations, applied, downs, late)
    asked = goal.limit if isinstance(goal, Down) else None
    short = 0 if asked is None else asked - len(steps)
    left = () if asked == 0 else _leave(ledger, migrations, applied, late)
    return Plan(goal, ledger, _late_ups(late, ledger.version) + left + steps, short)


def _leave(
    ledger: LedgerState,
    migrations: MigrationSet,
    applied: Applied,
    late: Sequence[Migration] = (),
) -> tuple[Step, ...]:
    """The way from a version that has only a down, where another tool left the ledger."""
    at = ledger.version
    migration = migrations.by_version.get(at) if at is not None else None
    if at is None or migration is None or at in applied.versions or migration.up is not None:
        return ()
    there = {*applied.versions, *(one.version for one in late)}
    below = max((version for version in there if version < at), default=None)
    return (Step(migration, Direction.DOWN, at, below, passes=EMPTY),)


def _downs(
    goal: Down | Goto | Redo,
    migrations: MigrationSet,
    applied: Applied,
    downs: Mapping[int, DownChoice],
    late: Sequence[Migration] = (),
) -> tuple[Step, ...]:
    versions = versions_down(goal, applied)
    there = {*applied.versions, *(migration.version for migration in late)}
    behind = (*sorted(there, reverse=True), None)[1:]
    return tuple(
        _down_step(version, after, migrations, downs.get(version))
        for version, after in zip(versions, behind, strict=False)
    )


def _down_step(
    version: int, after: int | None, migrations: MigrationSet, choice: DownChoice | None
) -> Step:
    if choice is None:
        return Step(_at(version, migrations), Direction.DOWN, version, after)
    return Step(
        choice.migration,
        Direction.DOWN,
        version,
        after,
        passes=choice.passes,
        stored=choice.stored,
    )


def _redo(
    goal: Redo,
    migrations: MigrationSet,
    ledger: LedgerState,
    applied: Applied,
    downs: Mapping[int, DownChoice],
) -> Plan:
    """Down over the newest that are applied, and up again with their files as they are now."""
    down = _downs(goal, migrations, applied, downs)
    again = [_at(step.version, migrations) for step in reversed(down)]
    at = down[-1].after if down else ledger.version
    left = _leave(ledger, migrations, applied) if down else ()
    steps = left + down + _ups([m for m in again if m.up is not None], at)
    return Plan(goal, ledger, steps, goal.limit - len(down))


def _at(version: int, migrations: MigrationSet) -> Migration:
    """
    The migration of an applied version.

    Raises:
        MissingMigrationFile: it has no file.
    """
    if version not in migrations.by_version:
        raise MissingMigrationFile(version, "ledger", migrations.versions)
    return migrations.by_version[version]
