"""What settles a database without a plan, under the lock: force and drop."""

from __future__ import annotations

from contextlib import contextmanager
from shlex import quote
from typing import TYPE_CHECKING

from rung.applied import replay, settle
from rung.errors import (
    DatabaseError,
    LedgerElsewhere,
    PlanChanged,
    VersionNotInSource,
)
from rung.events import BaselineRecorded, Warned
from rung.ledger import LedgerState, Outcome
from rung.locks import Patience, held
from rung.runner import Recorder
from rung.runs.access import check_writable
from rung.runs.making import made_by
from rung.runs.twins import check_no_twin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.applied import Applied
    from rung.drivers.base import Session
    from rung.drivers.work import Attempt
    from rung.ledger import HistoryEntry
    from rung.losses import Loss
    from rung.migrations import MigrationSet
    from rung.target import Target

_RUNS = ("up", "down")
ANOTHER_TOOL = "another tool"


def check_known(version: int, migrations: MigrationSet) -> None:
    """
    Refuse a version without an up file.

    Raises:
        VersionNotInSource: that is so.
    """
    migration = migrations.by_version.get(version)
    if migration is None or migration.up is None:
        lone_down = migration is not None
        raise VersionNotInSource(version, "target", migrations.versions, lone_down=lone_down)


def check_one_ledger(session: Session, migrations: MigrationSet) -> None:
    """
    Refuse to make a ledger where the database has one under another name, or of the same files.

    Raises:
        LedgerElsewhere: that is so.
    """
    found = session.other_ledgers()
    if not found:
        check_no_twin(session, migrations, "`rung force V --new-ledger`")
        return
    ours, named = session.locate().ledger, " and ".join(f'"{name}"' for name in found)
    raise LedgerElsewhere(
        f'this database has a ledger under another name, {named}, and none named "{ours}"',
        f"name that one, as in `rung status --ledger-table {quote(found[0])}`, or make a second "
        "ledger: `rung force V --new-ledger`",
    )


def force(
    target: Target,
    migrations: MigrationSet,
    version: int | None,
    *,
    warns: bool = True,
    new_ledger: bool = False,
) -> None:
    """
    Write the ledger, clean at a version, with rows of the history.

    The files above where the history left the database and up to the version count as
    applied from then on, as another tool's work where the ledger names a version, else as forced
    like the version itself; a late file below stays late. With `warns` the listener is told of a
    version whose up never succeeded; without `new_ledger` no second ledger is made beside one
    under another name.
    """
    with writing(target) as session:
        if not new_ledger:
            check_one_ledger(session, migrations)
        dialect = session.locate().dialect
        fresh = not replay(session.read_history() or ()) and _is_at_none(session)
        ready = session.ensure_tables(made_by(migrations, dialect))
        for said in filter(None, ready):
            target.listener(Warned(said))
        history = session.read_history()
        recorder = Recorder.of(history or (), dialect)
        skipped = _skipped(history, version, migrations)
        forced = recorder.note("force", version, migrations.by_version.get(_number(version)))
        below = (
            [recorder.note("force", one, migrations.by_version.get(one)) for one in skipped]
            if fresh
            else baseline(skipped, migrations, recorder)
        )
        session.force(version, [*below, forced])
    if skipped and history is not None and not fresh:
        target.listener(BaselineRecorded(skipped, version))
    if warns and skipped and fresh:
        target.listener(Warned(_forced_with(skipped)))
    if warns and (said := _never_ran(version, history or (), migrations)):
        target.listener(Warned(said))


def _is_at_none(session: Session) -> bool:
    """
    Whether the ledger names no version.

    Asked only where nothing is applied by the history, and False for a ledger that cannot be read,
    for force is what is there to write over it.
    """
    try:
        return session.look(briefly=True).ledger.version is None
    except DatabaseError:
        return False


def _forced_with(versions: Sequence[int]) -> str:
    """What is to be said of the versions below a forced one where none was recorded."""
    several = len(versions) > 1
    named = f"versions {versions[0]} to {versions[-1]}" if several else f"version {versions[0]}"
    return f"no version was recorded here: {named} {'count' if several else 'counts'} as forced too"


def _never_ran(
    version: int | None, history: Sequence[HistoryEntry], migrations: MigrationSet
) -> str:
    """What is to be said of a forced version whose last attempt did not succeed; else empty."""
    held = replay(history).get(version) if version is not None else None
    tried = [row for row in history if row.version == version and row.direction in _RUNS]
    stopped = bool(tried) and tried[-1].left_something
    if version is None or (held is not None and not held.is_forced and not stopped):
        return ""
    failed = bool(tried) and tried[-1].outcome is not Outcome.DONE
    what = (
        f"the last {tried[-1].direction} of version {version} failed"
        if failed
        else f"no run of version {version} is recorded that still counts"
    )
    migration = migrations.by_version.get(version)
    if migration is None or migration.up is None:
        return f"{what}, and it has no up file here; it counts as applied now"
    return (
        f"{what}; it counts as applied now, and its file will not run. `rung status` shows it as "
        "forced until a run applies it. If the database has all of it, record that: "
        f"`rung mark-applied {version}`"
    )


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
