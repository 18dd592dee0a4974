"""Recording what a person knows: which versions are applied, and which are not; runs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rung.drivers.work import Move
from rung.errors import DirtyLedger, PlanChanged, UsageError, VersionNotInSource
from rung.ledger import MARK_APPLIED, MARK_NOT_APPLIED, LedgerState
from rung.runner import Recorder
from rung.runs.access import check_kept, check_recordable
from rung.runs.known import know
from rung.runs.making import made_by
from rung.runs.settling import baseline, check_one_ledger, writing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.migrations import MigrationSet
    from rung.runs.known import Known
    from rung.target import Target


class Marked(NamedTuple):
    """What was recorded."""

    applied: tuple[int, ...]
    """The versions that count as applied now, and did not before."""
    not_applied: tuple[int, ...]
    before: int | None
    """The version that the ledger named before; None for none."""
    version: int | None
    """The version that it names now."""


def mark(
    target: Target, migrations: MigrationSet, applied: Sequence[int], not_applied: Sequence[int]
) -> Marked:
    """
    Record versions as applied, and others as not, in one transaction with the ledger.

    Raises:
        UsageError: no version is named, one is named for both, or its file was edited.
        VersionNotInSource: a version has no up file.
        DirtyLedger: an earlier run did not finish.
        RightsMissing: the history cannot be written.
        PlanChanged: the ledger moved meanwhile.
    """
    _check_words(applied, not_applied)
    with writing(target) as session:
        known = know(session, migrations)
        look = known.look
        if look.ledger.dirty:
            raise DirtyLedger(look.ledger.version)
        check_recordable(look)
        new = tuple(sorted(v for v in set(applied) if _is_new(v, known)))
        gone = tuple(sorted(v for v in set(not_applied) if v in known.applied.versions))
        there = known.applied.lone_downs(migrations, look.ledger).versions
        left = max({*there, *new} - set(gone), default=None)
        check_one_ledger(session, migrations)
        ready = session.ensure_tables(made_by(migrations, look.place.dialect))
        check_kept(ready)
        recorder = Recorder.of(look.history or (), look.place.dialect)
        rows = baseline(known.applied.unrecorded, migrations, recorder)
        rows += [recorder.note(MARK_NOT_APPLIED, v, migrations.by_version.get(v)) for v in gone]
        rows += [recorder.note(MARK_APPLIED, v, migrations.by_version[v]) for v in new]
        if left == look.ledger.version:
            session.record(rows)
        elif session.settle(Move(look.ledger, LedgerState(left)), rows).refusal:
            raise PlanChanged
        return Marked(new, gone, look.ledger.version, left)


def _check_words(applied: Sequence[int], not_applied: Sequence[int]) -> None:
    if both := sorted(set(applied) & set(not_applied)):
        raise UsageError(f"version {both[0]} is named as applied and as not applied")
    if not applied and not not_applied:
        raise UsageError("no version is named", "name versions: `rung mark-applied 3 4`")


def _is_new(version: int, known: Known) -> bool:
    """Whether a version counts as applied only from now on."""
    migration = known.migrations.by_version.get(version)
    if migration is None or migration.up is None:
        raise VersionNotInSource(
            version, "target", known.migrations.versions, lone_down=migration is not None
        )
    held = known.applied.versions.get(version)
    if held is None or held.is_forced or version in known.applied.reopened:
        return True
    if any(edit.version == version for edit in known.edited_ups):
        raise UsageError(
            f"version {version} is applied, and its file was edited since",
            f"record the edit: `rung accept-edit {version}`",
        )
    return False
