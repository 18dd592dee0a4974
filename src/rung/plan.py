"""
Decides what to run. Nothing here opens a file or a connection.

In: the migrations there are, what the ledger says, and a goal. Out: a `Plan`, or an error
naming the version that is in the way. `runner` carries plans out.

golang-migrate's rules are kept where they are no trap: a version with a missing half is a
step that runs nothing, the down of a version leads to the version below it in the source,
and version 0 is a version like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from rung.errors import DirtyLedger, EmptySource, UsageError, VersionNotInSource
from rung.migrations import MAX_VERSION, Direction, Migration, MigrationSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.ledger import LedgerState
    from rung.migrations import Half


@dataclass(frozen=True, slots=True)
class Up:
    """Apply what is pending, oldest first: `limit` of it at the most, None for all."""

    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Down:
    """Go down, newest first: `limit` steps at the most, None for all the way."""

    limit: int | None = 1


@dataclass(frozen=True, slots=True)
class Goto:
    """Go up or down to exactly this version."""

    version: int


Goal = Up | Down | Goto


@dataclass(frozen=True, slots=True)
class Step:
    """One half of one migration, and the move of the ledger that belongs to it."""

    migration: Migration
    direction: Direction
    before: int | None
    """The version that the ledger names before the step; None before the first."""
    after: int | None

    @property
    def version(self) -> int:
        """The migration's version, whichever way it runs."""
        return self.migration.version

    @property
    def half(self) -> Half | None:
        """The file that runs; None where that half is missing and nothing runs."""
        return self.migration.half(self.direction)

    @property
    def title(self) -> str:
        """The title of the file that runs, or of the other half where it is missing."""
        return self.half.title if self.half else self.migration.name


@dataclass(frozen=True, slots=True)
class Plan:
    """
    The ordered steps from where a database is to where it was asked to be.

    `made_for` is the ledger that it was computed from; a run refuses it once the ledger has
    moved on. `short` is how many of the asked steps there were no migrations for.
    """

    goal: Goal
    made_for: LedgerState
    steps: tuple[Step, ...] = ()
    short: int = 0

    @property
    def target(self) -> int | None:
        """The version after the last step."""
        return self.steps[-1].after if self.steps else self.made_for.version


def make_plan(goal: Goal, migrations: MigrationSet, ledger: LedgerState) -> Plan:
    """
    Plan the way to a goal.

    Raises:
        UsageError: a number of the goal is negative or above 2^63-1.
        DirtyLedger: an earlier run did not finish.
        EmptySource: there is nothing to go up with.
        VersionNotInSource: the ledger's version, or the goal's, has no file.
    """
    _check_numbers(goal)
    if ledger.dirty:
        raise DirtyLedger(ledger.version)
    if not migrations.versions and not (isinstance(goal, Down) and ledger.version is None):
        raise EmptySource(migrations.source)
    if ledger.version is not None and ledger.version not in migrations.by_version:
        raise VersionNotInSource(ledger.version, "ledger", migrations.versions)
    steps, asked = _walk(goal, migrations, ledger.version)
    return Plan(goal, ledger, steps, 0 if asked is None else asked - len(steps))


def _check_numbers(goal: Goal) -> None:
    number = goal.version if isinstance(goal, Goto) else goal.limit
    if number is not None and not 0 <= number <= MAX_VERSION:
        what = "version" if isinstance(goal, Goto) else "number of steps"
        raise UsageError(f"{number} is no {what}.", "Give a number from 0 to 9223372036854775807.")


def _walk(
    goal: Goal, migrations: MigrationSet, current: int | None
) -> tuple[tuple[Step, ...], int | None]:
    above = [m for m in migrations.migrations if current is None or m.version > current]
    at_or_below = [m for m in migrations.migrations if current is not None and m.version <= current]
    match goal:
        case Up(limit):
            return _ups(above[:limit], current), limit
        case Down(limit):
            return _downs(at_or_below, limit), limit
        case Goto(version):
            if version not in migrations.by_version:
                raise VersionNotInSource(version, "target", migrations.versions)
            ups = _ups([m for m in above if m.version <= version], current)
            downs = _downs(at_or_below, sum(m.version > version for m in at_or_below))
            return ups or downs, None


def _ups(migrations: Sequence[Migration], current: int | None) -> tuple[Step, ...]:
    versions = (current, *(migration.version for migration in migrations))
    return tuple(
        Step(migration, Direction.UP, before, after)
        for migration, (before, after) in zip(migrations, pairwise(versions), strict=True)
    )


def _downs(applied: Sequence[Migration], limit: int | None) -> tuple[Step, ...]:
    newest_first = applied[::-1]
    versions = (*(migration.version for migration in newest_first), None)
    steps = tuple(
        Step(migration, Direction.DOWN, before, after)
        for migration, (before, after) in zip(newest_first, pairwise(versions), strict=True)
    )
    return steps if limit is None else steps[:limit]
