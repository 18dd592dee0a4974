"""
What one look at a database comes to, beside the files: the ground of every decision.

Reads only. Owns what is applied, edited, owed to the history, and whether a build of the files
suits a database that is ahead of them. Refuses nothing: that is for whoever plans on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from rung.applied import Applied, edits, renamed, replay, settle, uncompared
from rung.migrations import Direction
from rung.plan import make_plan
from rung.runs.stored import kept_text
from rung.statements import suits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rung.applied import AppliedVersion, DownChoice, Edit, Renamed
    from rung.drivers.base import Session
    from rung.drivers.found import Look
    from rung.drivers.work import StoredHalf
    from rung.migrations import MigrationSet
    from rung.plan import Goal, Plan
    from rung.resuming import Resumption


@dataclass(frozen=True)
class Known:
    """The files, what a look found, and what is applied by both."""

    migrations: MigrationSet
    look: Look
    applied: Applied
    suited: bool = False
    """Whether the database is ahead, and by its history suits a build of these files."""

    @cached_property
    def edits(self) -> tuple[Edit, ...]:
        """The files that were edited since they were applied."""
        return edits(self.applied, self.migrations, self.look.place.dialect)

    @property
    def edited_ups(self) -> tuple[Edit, ...]:
        """Those of them that have run."""
        return tuple(edit for edit in self.edits if edit.direction is Direction.UP)

    @property
    def owes_baseline(self) -> bool:
        """Whether the history lags behind the ledger, and may be written."""
        place, at = self.look.place, self.look.ledger
        may = self.look.writable and not self.look.missing_grant
        if not self.applied.unrecorded or at.dirty or not may:
            return False
        has_file = at.version is None or at.version in self.migrations.by_version
        return has_file and not place.read_only

    @cached_property
    def renamed(self) -> tuple[Renamed, ...]:
        """The files that have another title than what was applied, and the same text."""
        return renamed(self.applied, self.migrations, self.look.place.dialect)

    @property
    def uncompared(self) -> tuple[int, ...]:
        """The versions whose files can be called neither edited nor unedited."""
        return uncompared(self.applied, self.migrations)

    def plan(
        self,
        goal: Goal,
        resumption: Resumption | None = None,
        downs: Mapping[int, DownChoice] | None = None,
        *,
        passes_empty: bool = False,
    ) -> Plan:
        """The way to a goal from here; raises what `rung.plan.make_plan` raises."""
        return make_plan(
            goal,
            self.migrations,
            self.look.ledger,
            self.applied,
            self.look.place.dialect,
            resumption,
            suited=self.suited,
            downs=downs,
            passes_empty=passes_empty,
        )


def know(session: Session, migrations: MigrationSet, *, briefly: bool = False) -> Known:
    """
    Look at the database.

    The version that a dirty ledger names is not applied: there the history's word counts.
    """
    look = session.look(briefly=briefly)
    if look.ledger.dirty and look.history is not None:
        applied = Applied(replay(look.history)).lone_downs(migrations, look.ledger)
        return Known(migrations, look, applied)
    dialect = look.place.dialect
    known = Known(migrations, look, settle(look.history, look.ledger, migrations, dialect))
    return replace(known, suited=_suited(known, session))


def _suited(known: Known, session: Session) -> bool:
    """Asks for what is kept of the versions above every file; nothing where there are none."""
    newest = max(known.migrations.versions, default=None)
    versions = known.applied.versions.values()
    above = [one for one in versions if newest is None or one.version > newest]
    if newest is None or not above or any(one.up is None for one in above):
        return False
    halves = session.stored([one.version for one in above])
    texts = [_kept_up(one, halves) for one in above]
    return suits(newest, texts, known.look.place.dialect)


def _kept_up(applied: AppliedVersion, halves: Sequence[StoredHalf]) -> str | None:
    assert applied.up is not None
    return kept_text(halves, applied.version, Direction.UP, applied.up.checksum)
