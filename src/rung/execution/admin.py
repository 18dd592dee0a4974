"""Change a database without a plan, under the lock: force, mark, accept an edit, drop, unlock."""

from __future__ import annotations

from contextlib import contextmanager
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from rung.drivers.inspection import History
from rung.drivers.transaction import LedgerTransition
from rung.errors import (
    DatabaseError,
    LedgerElsewhere,
    LockNotAcquired,
    MissingMigrationFile,
    PlanChanged,
    ScriptError,
    UsageError,
)
from rung.events import BaselineRecorded, Warned
from rung.execution.command import RetryPolicy, held
from rung.execution.history import Recorder, baseline, record, try_record
from rung.execution.preflight import (
    check_kept,
    check_no_twin,
    check_recordable,
    check_writable,
    made_by,
)
from rung.execution.state import dirty_ledger, edited_files, read_state
from rung.ledger import MARK_APPLIED, MARK_NOT_APPLIED, LedgerState, Outcome
from rung.planning.history_replay import reconcile, replay
from rung.script import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rung.drivers.contract import Lock, Session
    from rung.drivers.inspection import LockHolder
    from rung.errors import EditedFile
    from rung.execution.command import Target
    from rung.execution.state import DatabaseState
    from rung.ledger import Attempt
    from rung.script.data_loss import DataLoss
    from rung.source import MigrationSet


_RUNS = ("up", "down")


def check_known(version: int, migrations: MigrationSet) -> None:
    """
    Refuse a version without an up file.

    Raises:
        MissingMigrationFile: it has none.
    """
    migration = migrations.by_version.get(version)
    if migration is None or migration.up is None:
        lone_down = migration is not None
        raise MissingMigrationFile(version, "target", migrations.versions, lone_down=lone_down)


def check_one_ledger(session: Session, migrations: MigrationSet) -> None:
    """
    Refuse to create a ledger where the database has one under another name, or of the same files.

    Raises:
        LedgerElsewhere: it has one.
    """
    found = session.other_ledgers()
    if not found:
        check_no_twin(session, migrations, "`rung force V --new-ledger`")
        return
    ours, named = session.locate().ledger, " and ".join(f'"{name}"' for name in found)
    raise LedgerElsewhere(
        f'this database has a ledger under another name, {named}, and none named "{ours}"',
        f"name that one, as in `rung status --ledger-table {quote(found[0])}`, or create a "
        "second ledger: `rung force V --new-ledger`",
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
    Write the ledger, clean at a version, with history rows.

    The files between the version of the history and this one count as applied from then on: by
    another tool where the ledger names a version, else by force like the version itself. An
    out-of-order file below stays out of order.

    Args:
        target: the database.
        migrations: the files.
        version: the version; None for the state before the first.
        warns: whether to warn of a version whose up never succeeded.
        new_ledger: whether a second ledger may be created.
    """
    with writing(target) as session:
        if not new_ledger:
            check_one_ledger(session, migrations)
        dialect = session.locate().dialect
        fresh = not replay(session.read_history() or ()) and _is_at_none(session)
        ready = session.prepare_tables(made_by(migrations, dialect))
        for warning in filter(None, ready):
            target.listener(Warned(warning))
        history = session.read_history()
        recorder = Recorder.of(history or (), dialect)
        unrecorded = reconcile(history, LedgerState(version), migrations).unrecorded
        below = tuple(one for one in unrecorded if one is not None and one != version)
        files = migrations.by_version
        rows = [recorder.note("force", one, files.get(one)) for one in below]
        if not fresh:
            rows = baseline(below, migrations, recorder)
        file = None if version is None else files.get(version)
        rows.append(recorder.note("force", version, file))
        move = LedgerTransition(None, LedgerState(version))
        record(session, rows, target.listener, move)
    if below and history is not None and not fresh:
        target.listener(BaselineRecorded(below, version))
    if warns:
        for warning in _force_warnings(version, below if fresh else (), history or (), migrations):
            target.listener(Warned(warning))


def _is_at_none(session: Session) -> bool:
    """
    Whether the ledger names no version.

    Asked only where nothing is applied by the history, and False for a ledger that cannot be read,
    for force is what is there to write over it.
    """
    try:
        return session.inspect(briefly=True, history=History.NONE).ledger.version is None
    except DatabaseError:
        return False


def _force_warnings(
    version: int | None,
    below: Sequence[int],
    history: Sequence[Attempt],
    migrations: MigrationSet,
) -> Iterator[str]:
    """Warn of versions below that count as forced, and of a version whose up never succeeded."""
    if below:
        several = len(below) > 1
        named = (
            f"versions {below[0]} to {below[-1]} count" if several else f"version {below[0]} counts"
        )
        yield f"no version was recorded here: {named} as forced too"
    held = replay(history).get(version) if version is not None else None
    tried = [row for row in history if row.version == version and row.direction in _RUNS]
    stopped = bool(tried) and tried[-1].left_something
    if version is None or (held is not None and not held.is_forced and not stopped):
        return
    failed = bool(tried) and tried[-1].outcome is not Outcome.DONE
    what = (
        f"the last {tried[-1].direction} of version {version} failed"
        if failed
        else f"no valid run of version {version} is recorded"
    )
    migration = migrations.by_version.get(version)
    if migration is None or migration.up is None:
        yield f"{what}, and it has no up file; it counts as applied now"
        return
    yield (
        f"{what}; it counts as applied now, and its file will not run. `rung status` shows it as "
        "forced until a run applies it. If the database has all of it, record that: "
        f"`rung mark-applied {version}`"
    )


def everything(target: Target) -> tuple[DataLoss, ...]:
    """Return all objects that `drop` would remove."""
    with target.connected() as session:
        return session.estimate(session.objects())


def drop(
    target: Target,
    expected: tuple[DataLoss, ...] | None,
    confirm: Callable[[tuple[DataLoss, ...]], None] | None = None,
) -> tuple[DataLoss, ...]:
    """
    Drop everything in the ledger's schema that no extension owns; return what was dropped.

    Args:
        target: the database.
        expected: refuse where there is more than this, which somebody was shown.
        confirm: called with what would be dropped before the lock is taken, if there is something;
            raises where nobody agreed. Where there is more by then, it is refused.

    Raises:
        PlanChanged: there is more.
    """
    with target.connected() as session:
        if confirm is not None:
            expected = session.estimate(session.objects())
            if expected:
                confirm(expected)
        with locked(target, session):
            dropped = session.estimate(session.objects())
            names = {(loss.kind, loss.table) for loss in dropped}
            if expected is not None and names - {(loss.kind, loss.table) for loss in expected}:
                raise PlanChanged
            session.drop()
            return dropped


@contextmanager
def writing(target: Target) -> Iterator[Session]:
    """Connect and take the lock, for what has no plan."""
    with target.connected() as session, locked(target, session):
        yield session


@contextmanager
def locked(target: Target, session: Session) -> Iterator[Lock]:
    """Hold the lock for a block that has no plan."""
    policy = RetryPolicy(target.options.wait_for_lock)
    check_writable(target, session.locate())
    with held(session, policy, target.listener, target.stop, lambda: False) as lock:
        assert lock is not None
        yield lock


def edited(target: Target, migrations: MigrationSet, version: int) -> tuple[EditedFile, ...]:
    """
    The edited files of a version, with their differences.

    Raises:
        MissingMigrationFile, UsageError: there is nothing to accept.
        ScriptError: the file cannot be read as SQL.
    """
    check_known(version, migrations)
    with target.connected() as session:
        return _edited(read_state(session, migrations), version, session)


def accept_edit(
    target: Target,
    migrations: MigrationSet,
    version: int,
    expected: tuple[EditedFile, ...] | None,
    confirm: Callable[[tuple[EditedFile, ...]], None] | None = None,
) -> tuple[EditedFile, ...]:
    """
    Record that an edit is meant; run nothing.

    Args:
        target: the database.
        migrations: the files.
        version: the version.
        expected: refuse any edit but this one, which somebody was shown.
        confirm: called with the edit before the lock is taken; raises where nobody agreed. Any
            other edit is refused then.

    Raises:
        PlanChanged: it is not the edit that somebody was shown.
        MissingMigrationFile, UsageError: there is nothing to accept.
        ScriptError: the file cannot be read as SQL.
    """
    check_known(version, migrations)
    with target.connected() as session:
        if confirm is not None:
            expected = _edited(read_state(session, migrations), version, session)
            confirm(expected)
        with locked(target, session):
            state = read_state(session, migrations)
            found = _edited(state, version, session)
            if expected is not None and found != expected:
                raise PlanChanged
            check_recordable(state.inspection)
            recorder = Recorder.of(state.inspection.history or (), state.inspection.place.dialect)
            note = recorder.note("edit", version, migrations.by_version[version])
            record(session, [note], target.listener)
            return found


def _edited(state: DatabaseState, version: int, session: Session) -> tuple[EditedFile, ...]:
    if version not in state.applied.versions:
        raise UsageError(
            f"version {version} is not applied, so its files may be edited",
            "see `rung status`",
        )
    found = [edit for edit in state.edits if edit.version == version]
    if not found:
        raise UsageError(
            f"version {version} is not edited: only comments or spacing differ, or the history "
            "does not have its text",
            "see `rung status`",
        )
    for edit in found:  # a file whose SQL cannot be read could not run
        try:
            read(edit.half.text, state.inspection.place.dialect)
        except ScriptError as error:
            raise error.in_file(edit.half.file) from None
    return edited_files(found, state, session)


class Marked(NamedTuple):
    """The result of `mark`."""

    applied: tuple[int, ...]
    """The versions that count as applied now and did not before."""
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
        MissingMigrationFile: a version has no up file.
        DirtyLedger: an earlier run did not finish.
        RightsMissing: the history cannot be written.
        PlanChanged: the ledger moved meanwhile.
    """
    _check_words(applied, not_applied)
    with writing(target) as session:
        state = read_state(session, migrations)
        inspection = state.inspection
        if inspection.ledger.dirty:
            raise dirty_ledger(state, session)
        check_recordable(inspection)
        new = tuple(sorted(v for v in set(applied) if _is_new(v, state)))
        gone = tuple(sorted(v for v in set(not_applied) if v in state.applied.versions))
        there = state.applied.lone_downs(migrations, inspection.ledger).versions
        left = max({*there, *new} - set(gone), default=None)
        check_one_ledger(session, migrations)
        ready = session.prepare_tables(made_by(migrations, inspection.place.dialect))
        check_kept(ready)
        recorder = Recorder.of(inspection.history or (), inspection.place.dialect)
        rows = baseline(state.applied.unrecorded, migrations, recorder)
        rows += [recorder.note(MARK_NOT_APPLIED, v, migrations.by_version.get(v)) for v in gone]
        rows += [recorder.note(MARK_APPLIED, v, migrations.by_version[v]) for v in new]
        move = LedgerTransition(inspection.ledger, LedgerState(left))
        if left == inspection.ledger.version:
            record(session, rows, target.listener)
        elif try_record(session, rows, target.listener, move):
            raise PlanChanged
        return Marked(new, gone, inspection.ledger.version, left)


def _check_words(applied: Sequence[int], not_applied: Sequence[int]) -> None:
    if both := sorted(set(applied) & set(not_applied)):
        raise UsageError(f"version {both[0]} is named as applied and as not applied")
    if not applied and not not_applied:
        raise UsageError("no version is named", "name versions: `rung mark-applied 3 4`")


def _is_new(version: int, state: DatabaseState) -> bool:
    """Whether a version counts as applied only from now on."""
    migration = state.migrations.by_version.get(version)
    if migration is None or migration.up is None:
        raise MissingMigrationFile(
            version, "target", state.migrations.versions, lone_down=migration is not None
        )
    held = state.applied.versions.get(version)
    if held is None or held.is_forced or version in state.applied.reopened:
        return True
    if any(edit.version == version for edit in state.edited_ups):
        raise UsageError(
            f"version {version} is applied, and its file was edited since",
            f"accept the edit: `rung accept-edit {version}`",
        )
    return False


def lock_holder(target: Target) -> LockHolder | None:
    """Return the lock holder, dead or alive; None if the lock is free. Reads only."""
    with target.connected() as session:
        return _lease_or_lock_holder(session)


def unlock(
    target: Target,
    expected: LockHolder | None,
    confirm: Callable[[LockHolder], None] | None = None,
    *,
    allow_live_holder: bool,
) -> LockHolder | None:
    """
    Break the lease of a run behind a pooler; end no process and no connection.

    Args:
        target: the database.
        expected: refuse any lock holder but this one, who was shown.
        confirm: called with the lock holder; raises where nobody agreed. Any other lock holder is
            refused then.
        allow_live_holder: break it although its last heartbeat is recent.

    Returns:
        The former lock holder; None if the lock was free.

    Raises:
        LockNotAcquired: the lock holder is alive, or has no lease.
        PlanChanged: the lock holder is another one by now.
    """
    with target.connected() as session:
        holder = _breakable(session, allow_live_holder=allow_live_holder)
        if holder is not None and confirm is not None:
            confirm(holder)
            expected, holder = holder, _breakable(session, allow_live_holder=allow_live_holder)
        if holder is None:
            return None
        if expected is not None and expected.lease != holder.lease:
            raise PlanChanged
        leases = session.capabilities.leases
        if leases is None or not leases.break_lease(holder):
            raise PlanChanged
        return holder


def _lease_or_lock_holder(session: Session) -> LockHolder | None:
    leases = session.capabilities.leases
    return session.lock_holder() if leases is None else leases.lease_holder()


def _breakable(session: Session, *, allow_live_holder: bool) -> LockHolder | None:
    """Find the lock holder; refuse one without a lease, and one that is alive."""
    holder = _lease_or_lock_holder(session)
    if holder is None or (holder.lease and (holder.stale or allow_live_holder)):
        return holder
    raise LockNotAcquired(0.0, str(holder), "lease" if holder.lease else "lock")
