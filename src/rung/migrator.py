"""
The front door for everything but startup: a `Migrator` names a database and a source.

It holds no connection: each call connects, works and disconnects, so it may be used from several
threads; the calls of `Migrator.on_one_connection` share one. It prints nothing, sets up no logging
and installs no signal handler. Each call imports what it needs; `version` imports little.
"""

from __future__ import annotations

from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Literal

from rung.cancellation import CancelToken
from rung.database import Database
from rung.drivers import open_driver
from rung.drivers.inspection import History
from rung.events import Warned, ignore
from rung.execution.command import READ_WITHIN, RetryPolicy, Target
from rung.options import RUNG, application_names

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    from rung.diagnostics import Diagnostics
    from rung.drivers.inspection import LockHolder
    from rung.errors import EditedFile
    from rung.events import Listener
    from rung.execution.admin import Marked
    from rung.execution.outcomes import RunReport
    from rung.execution.run import PlanPreview
    from rung.execution.wait import Waited
    from rung.execution.warnings import Absent
    from rung.ledger import Attempt, LedgerState
    from rung.planning.down_choice import DownOptions
    from rung.planning.plan import Goal, IfAhead, Plan
    from rung.planning.status import Status
    from rung.repair import Diagnosis
    from rung.script.data_loss import DataLoss
    from rung.source import MigrationSet


class Migrator:
    """
    Migrates one database from one source.

    Args:
        database: its URL, or a `Database`.
        source: a folder, or `package:NAME`.
        listener: called with every `rung.events` record, in the thread that runs; once with each
            warning about the URL and the source.
        stop: ends a run after the current migration when set, cancels when set twice.
        wait_for_lock: seconds to wait for another run's lock; None waits until it is free.
        atomic: whether all that a run applies is one transaction: all of it or nothing.
        lock_timeout: seconds that a statement of a file waits for a lock, 0 for no limit; None is
            0.2, or what the URL sets.
        lock_retry_for: seconds for which a transaction is retried after a lock timeout, with
            pauses; None for ever.
        cancel_blockers: the names of applications whose queries may be cancelled where they block
            a migration.

    Raises:
        UsageError: one of those names is empty, or they are not a list.
    """

    def __init__(  # noqa: PLR0913 - settings, each named where it is given
        self,
        database: str | Database,
        source: str | os.PathLike[str],
        *,
        listener: Listener = ignore,
        stop: CancelToken | None = None,
        wait_for_lock: float | None = None,
        atomic: bool = False,
        lock_timeout: float | None = None,
        lock_retry_for: float | None = 600.0,
        cancel_blockers: Sequence[str] = (),
    ) -> None:
        driver = open_driver(Database.of(database))
        options = RUNG._replace(
            lock_timeout=RUNG.lock_timeout if lock_timeout is None else lock_timeout,
            insists_on_lock_timeout=lock_timeout is not None,
            lock_retry_for=lock_retry_for,
            cancel_blockers=application_names(cancel_blockers),
            wait_for_lock=wait_for_lock,
            atomic=atomic,
        )
        self._target = Target(driver, listener, stop or CancelToken(), options)
        self._source = source
        self._source_warnings: tuple[str, ...] = ()
        """Those of the last reading of the source; only others are warned of again."""
        for note in driver.warnings:
            listener(Warned(note))

    @property
    def shown(self) -> str:
        """The database for people: user, host, port and name, without secrets."""
        return self._target.driver.label

    @contextmanager
    def on_one_connection(self) -> Iterator[Migrator]:
        """
        Connect for a block; yield a Migrator whose calls share the connection, for one thread.

        Where the connection is lost between two calls, the next opens another.
        """
        with self._target.on_one_connection() as target:
            sharing = copy(self)
            sharing._target = target  # noqa: SLF001 - it is our own
            yield sharing

    # --- reading -------------------------------------------------------------------------

    def version(self) -> LedgerState:
        """Read the ledger. Reads only, and needs no source."""
        return self._target.inspect(READ_WITHIN, History.NONE).ledger

    def status(self) -> Status:
        """Return every migration with its state. Reads only."""
        from rung.planning.status import make_status

        return make_status(self._migrations(), self._target.inspect(READ_WITHIN, History.CURRENT))

    def history(self) -> tuple[Attempt, ...]:
        """Return every attempt that was recorded, oldest first. Reads only, and needs no source."""
        return self._target.inspect(READ_WITHIN).history or ()

    def plan(self, goal: Goal | None = None) -> PlanPreview:
        """
        Plan a goal, and return what it would run and what data it would delete. Reads only.

        Args:
            goal: `Up()` if it is left out.

        Raises:
            PlanError, SourceError, ScriptError: as the run itself would.
            LockNotAcquired: the ledger is dirty, and another run is in progress.
            TableLocked: ledger or history were locked for longer than 30 seconds.
        """
        from rung.execution.run import preview
        from rung.planning.plan import Up

        return preview(self._target, self._migrations(), goal or Up())

    def edited(self, version: int) -> tuple[EditedFile, ...]:
        """
        Return the edited files of an applied version, with their differences. Reads only.

        Raises:
            MissingMigrationFile: no file has that version.
            UsageError: it is not applied, or not edited.
            ScriptError: the file cannot be read as SQL.
        """
        from rung.execution.admin import edited

        return edited(self._target, self._migrations(), version)

    def wait(
        self, version: int | Literal["newest"] | None = None, timeout: float | None = None
    ) -> Waited:
        """
        Wait until the server answers, and until the database is at a version. Reads only.

        Args:
            version: wait until it is clean at this version or above; "newest" is that of the
                source; None waits for an answer only.
            timeout: seconds; None waits for ever. An attempt to connect has at least two.

        Raises:
            ConnectionFailed: it did not answer in time, or answers and rejects us.
            VersionNotReached: it answered, but did not reach that version in time.
        """
        from rung.execution.wait import wait

        wanted = self._migrations().newest_up if version == "newest" else version
        return wait(self._target, wanted, RetryPolicy(timeout))

    def doctor(self) -> Diagnostics:
        """
        Find the problems of the database and its server. Reads only, needs no source.

        Invalid indexes, partitions that are partly detached, unused locks, prepared transactions,
        a dirty ledger and the like, each with a remedy. With a source also whether the ledger is
        ahead of the schema: see `absent`.
        """
        from rung.errors import SourceError
        from rung.repair.doctor import diagnose_server

        try:
            return diagnose_server(self._target, self._migrations() if self._source else None)
        except SourceError as error:
            return diagnose_server(self._target, None, error.cause)

    def absent(self) -> Absent:
        """
        Find the names that the files create and the database lacks. Reads only.

        Only versions that no run of Rung's applied are checked: those of another tool, of `force`
        and of a ledger that was written by hand.

        Raises:
            QueryFailed: the catalog could not be read.
        """
        from rung.execution.run import absent

        return absent(self._target, self._migrations())

    def everything(self) -> tuple[DataLoss, ...]:
        """Return all objects that `drop` would remove. Reads only."""
        from rung.execution.admin import everything

        return everything(self._target)

    # --- running -------------------------------------------------------------------------

    def up(
        self,
        limit: int | None = None,
        *,
        allow_out_of_order: Sequence[int] = (),
        if_ahead: IfAhead = "compatible",
        resume: bool = False,
        atomic: bool = False,
    ) -> RunReport:
        """
        Apply what is pending, oldest first.

        Args:
            limit: how many at most.
            allow_out_of_order: out-of-order versions that may run after newer ones.
            if_ahead: how to treat a database that is ahead of the files: see
                `rung.planning.plan.IfAhead`.
            resume: first resume an interrupted up, if there is one.
            atomic: apply all of it in one transaction or nothing; for this call only.

        Raises:
            AtomicRefused: a file cannot be in one transaction with others.
        """
        from rung.execution.run import run_goal
        from rung.planning.plan import Up

        goal = Up(limit, tuple(allow_out_of_order), if_ahead, resume)
        target = self._target
        options = target.options._replace(atomic=atomic or target.options.atomic)
        return run_goal(target._replace(options=options), self._migrations(), goal)

    def down(
        self, limit: int | None = 1, *, resume: bool = False, downs: DownOptions | None = None
    ) -> RunReport:
        """
        Revert `limit` applied versions at most, newest first; None reverts all.

        Args:
            limit: how many at most.
            resume: resume an interrupted down, as the first of them; without one, do nothing.
            downs: what is allowed that would be refused.

        Raises:
            DownRefused: a down is empty, missing or belongs to another up, or the migration is
                irreversible.
            StoredSqlUnconfirmed: a stored down would run that others could have written.
        """
        from rung.planning.down_choice import STRICT
        from rung.planning.plan import Down

        return self.run(Down(limit, resume, downs or STRICT))

    def redo(self, limit: int = 1, *, downs: DownOptions | None = None) -> RunReport:
        """
        Revert the last `limit` applied versions, and apply them again from their files.

        Args:
            limit: how many.
            downs: what is allowed on the way down that would be refused.

        Raises:
            DownRefused, StoredSqlUnconfirmed: as for `down`.
            UnwrittenMigration: the newest up holds no statement.
        """
        from rung.planning.down_choice import STRICT
        from rung.planning.plan import Redo

        return self.run(Redo(limit, downs or STRICT))

    def goto(self, version: int, *, allow_out_of_order: Sequence[int] = ()) -> RunReport:
        """Go up or down to exactly this version; allowed out-of-order versions up to it run."""
        from rung.planning.plan import Goto

        return self.run(Goto(version, tuple(allow_out_of_order)))

    def run(
        self,
        goal: Goal,
        *,
        expected: Plan | None = None,
        confirm: Callable[[PlanPreview], Goal] | None = None,
    ) -> RunReport:
        """
        Run a goal on one connection.

        An inspection without the lock may find that there is nothing to do; anything else is
        inspected again under the lock before it is run or reported.

        Args:
            goal: where to go.
            expected: refuse to run any plan but this one, which somebody was shown.
            confirm: called with what would run, before the lock is taken; returns the goal with
                what somebody allowed, or raises. Any other plan is refused then.

        Raises:
            RungError: see `rung.errors`; a RunError carries how far the run got.
        """
        from rung.execution.run import run_goal

        return run_goal(self._target, self._migrations(), goal, expected, confirm)

    def force(
        self, version: int | None, *, allow_missing_file: bool = False, new_ledger: bool = False
    ) -> None:
        """
        Record that the database is clean at a version, whatever the ledger says.

        Runs no migration. None records the state before the first. The files between the version
        that was recorded and this one count as applied from then on.

        Raises:
            MissingMigrationFile: no file has that version and `allow_missing_file` is not set.
            LedgerElsewhere: the database has a ledger under another name, none under this one,
                and `new_ledger` is not set.
        """
        from rung.execution.admin import check_known, force
        from rung.source import MigrationSet

        reads = version is not None and (not allow_missing_file or self._source)
        migrations = self._migrations() if reads else MigrationSet("")
        if version is not None and not allow_missing_file:
            check_known(version, migrations)
        force(self._target, migrations, version, new_ledger=new_ledger)

    def mark_applied(self, versions: Sequence[int], *, not_applied: Sequence[int] = ()) -> Marked:
        """
        Record that versions are applied and others are not, in one commit. Runs nothing.

        Args:
            versions: those that are applied; each has an up file.
            not_applied: those that are not.

        Returns:
            What was recorded, and the ledger's version.

        Raises:
            UsageError: no version is named, one is named for both, or its file was edited.
            MissingMigrationFile: a version has no up file.
            DirtyLedger: an earlier run did not finish.
        """
        from rung.execution.admin import mark

        return mark(self._target, self._migrations(), versions, not_applied)

    def accept_edit(
        self,
        version: int,
        *,
        expected: tuple[EditedFile, ...] | None = None,
        confirm: Callable[[tuple[EditedFile, ...]], None] | None = None,
    ) -> tuple[EditedFile, ...]:
        """
        Record that the edit of an applied version's files is meant. Runs nothing.

        Args:
            version: the version.
            expected: refuse any edit but this one, which somebody was shown.
            confirm: called with the edit before the lock is taken; raises where nobody agreed.
                Any other edit is refused then.

        Returns:
            The edit that was recorded.

        Raises:
            PlanChanged: it is another edit.
            MissingMigrationFile: no file has that version.
            UsageError: it is not applied, or not edited.
            ScriptError: the file cannot be read as SQL.
        """
        from rung.execution.admin import accept_edit

        return accept_edit(self._target, self._migrations(), version, expected, confirm)

    def diagnose(self, scratch: str | None = None, done: int | None = None) -> Diagnosis | None:
        """
        Diagnose a dirty database, and propose the one action that repairs it. Changes nothing.

        The candidate files run on a scratch database, statement by statement, and the schemas are
        compared. The lock is held meanwhile. If only a rollback is left, the down runs on the
        database itself in a transaction that is rolled back; it holds its locks for at most two
        seconds.

        Args:
            scratch: the URL of a server for scratch databases; None starts the embedded server.
            done: how many statements of the file are done, as you state; for statements that
                leave no trace in the schema.

        Returns:
            None if the database is clean.

        Raises:
            ScratchFailed: what was applied before does not run on the scratch database.
            EmbeddedError: there is no server for scratch databases.
        """
        from rung.repair import run

        return run.diagnose(self._target, self._migrations(), scratch, done)

    def repair(self, diagnosis: Diagnosis, *, allow_data_loss: bool = False) -> RunReport:
        """
        Apply the action of a diagnosis, and record it.

        Args:
            diagnosis: a diagnosis with an action.
            allow_data_loss: whether you consent to the data loss that its action lists.

        Raises:
            RepairUndecided: it has no action, or its data loss has no consent.
            PlanChanged: ledger, history or schema changed since the diagnosis.
            RunError: the SQL of the action failed.
        """
        from rung.repair import run

        return run.repair(
            self._target, self._migrations(), diagnosis, allow_data_loss=allow_data_loss
        )

    def lock_holder(self) -> LockHolder | None:
        """Return the lock holder, dead or alive; None if the lock is free. Reads only."""
        from rung.execution.admin import lock_holder

        return lock_holder(self._target)

    def unlock(
        self,
        *,
        expected: LockHolder | None = None,
        confirm: Callable[[LockHolder], None] | None = None,
        allow_live_holder: bool = False,
    ) -> LockHolder | None:
        """
        Break the lease of a dead run behind a pooler. Ends no process and no connection.

        Args:
            expected: refuse any lock holder but this one, who was shown.
            confirm: called with the lock holder; raises where nobody agreed. Any other lock holder
                is refused then.
            allow_live_holder: break it although its last heartbeat is recent.

        Returns:
            The former lock holder; None if the lock was free.

        Raises:
            LockNotAcquired: the lock holder is alive, or has no lease.
            PlanChanged: the lock holder is another one by now.
        """
        from rung.execution.admin import unlock

        return unlock(self._target, expected, confirm, allow_live_holder=allow_live_holder)

    def drop(
        self,
        *,
        expected: tuple[DataLoss, ...] | None = None,
        confirm: Callable[[tuple[DataLoss, ...]], None] | None = None,
    ) -> tuple[DataLoss, ...]:
        """
        Remove everything in the ledger's schema that no extension owns.

        Args:
            expected: refuse if there is more by now than this, which somebody was shown.
            confirm: called with what would be dropped, if there is something, before the lock is
                taken; raises where nobody agreed. Where there is more by then, it is refused.

        Returns:
            What was removed.

        Raises:
            PlanChanged: there is more.
        """
        from rung.execution.admin import drop

        return drop(self._target, expected, confirm)

    def _migrations(self) -> MigrationSet:
        from rung.source import read_source

        migrations = read_source(self._source)
        if migrations.warnings != self._source_warnings:
            self._source_warnings = migrations.warnings
            for warning in migrations.warnings:
                self._target.listener(Warned(warning))
        return migrations
