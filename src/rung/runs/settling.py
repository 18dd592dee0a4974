"""What settles a database without a plan, under the lock: force and drop."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rung.applied import settle
from rung.errors import PlanChanged, VersionNotInSource
from rung.events import BaselineRecorded
from rung.ledger import LedgerState
from rung.locks import Patience, held
from rung.runner import Recorder
from rung.runs.access import check_writable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.applied import Applied
    from rung.drivers.base import Session
    from rung.drivers.work import Attempt
    from rung.ledger import HistoryEntry
    from rung.losses import Loss
    from rung.migrations import MigrationSet
    from rung.target import Target

ANOTHER_TOOL = "another tool"


def check_known(version: int, migrations: MigrationSet) -> None:
    """
    Refuse a version without a file.

    Raises:
        VersionNotInSource: that is so.
    """
    if version not in migrations.by_version:
        raise VersionNotInSource(version, "target", migrations.versions)


def force(target: Target, migrations: MigrationSet, version: int | None) -> None:
    """
    Write the ledger, clean at a version, with rows of the history.

    The files above where the history left the database and up to the version count as
    applied from then on; a late file below stays late.
    """
    with writing(target) as session:
        session.ensure_tables()
        history = session.read_history()
        recorder = Recorder.of(history or (), session.locate().dialect)
        skipped = _skipped(history, version, migrations)
        forced = recorder.note("force", version, migrations.by_version.get(_number(version)))
        session.force(version, [*baseline(skipped, migrations, recorder), forced])
    if skipped and history is not None:
        target.listener(BaselineRecorded(skipped, version))


def everything(target: Target) -> tuple[Loss, ...]:
    """All objects that `drop` would remove."""
    with target.connected() as session:
        return session.estimate(session.everything())


def drop(target: Target, expected: tuple[Loss, ...] | None) -> tuple[Loss, ...]:
    """Remove everything in the ledger's schema that no extension owns; returns what went."""
    with writing(target) as session:
        gone = session.estimate(session.everything())
        if expected is not None and _named(gone) - _named(expected):
            raise PlanChanged
        session.drop_everything()
        return gone


def baseline(
    versions: Sequence[int | None], migrations: MigrationSet, recorder: Recorder
) -> list[Attempt]:
    """The history rows of versions that another tool applied, with the files there are now."""
    return [
        recorder.note(
            "baseline", version, migrations.by_version.get(_number(version)), ANOTHER_TOOL
        )
        for version in versions
    ]


def new_in_baseline(applied: Applied) -> tuple[int, ...]:
    """The versions that were not known to be applied; one that a tool went back to was."""
    return tuple(
        version
        for version in applied.unrecorded
        if version is not None and applied.versions[version].entry is None
    )


@contextmanager
def writing(target: Target) -> Iterator[Session]:
    """A session that holds the lock, for what has no plan."""
    patience = Patience(target.wait_for_lock)
    with target.connected() as session:
        check_writable(target, session.locate())
        with held(session, patience, target.listener, target.stop, lambda: False):
            yield session


def _skipped(
    history: Sequence[HistoryEntry] | None, version: int | None, migrations: MigrationSet
) -> tuple[int, ...]:
    """The versions below the forced one that the history does not have yet."""
    found = settle(history, LedgerState(version), migrations).unrecorded
    return tuple(one for one in found if one is not None and one != version)


def _number(version: int | None) -> int:
    return -1 if version is None else version


def _named(losses: tuple[Loss, ...]) -> set[tuple[str, str]]:
    return {(loss.kind, loss.table) for loss in losses}
