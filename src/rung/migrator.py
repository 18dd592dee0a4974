"""
The front door for everything but startup: a `Migrator` names a database and a source.

It holds no connection: each call connects, does its work and disconnects, so it may be used
from several threads. It prints nothing, sets up no logging and installs no signal handler.
What a call needs is loaded when it is made; asking for the version loads little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rung.cancellation import CancelToken
from rung.database import Database
from rung.drivers import open_driver
from rung.drivers.inspection import History
from rung.events import Warned, ignore
from rung.execution.command import READ_WITHIN, Target
from rung.options import RUNG

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from rung.diagnostics import Diagnostics
    from rung.drivers.inspection import LockHolder
    from rung.errors import EditedFile
    from rung.events import Listener
    from rung.execution.admin import Marked
    from rung.execution.report import RunReport
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
        listener: told of every `rung.events` record, in the thread that runs.
        stop: ends a run after the current migration when set, cancels when set twice.
        wait_for_lock: seconds to wait for another run; None waits as long as it lives.
        atomic: whether all that a run applies is one transaction: all of it or none.
        lock_timeout: seconds that a statement of a file may stand in a lock's queue, 0 for no
            limit; None is 0.2, or what the URL sets.
        lock_retry_for: seconds for which what met that limit is tried again, whole, with
            pauses; None for ever.
        cancel_blockers: the names of applications whose queries may be cancelled where they
            keep a lock from us.

    Raises:
        UsageError: one of those names is empty, or they are no list.
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
        _check_names(cancel_blockers)
        driver = open_driver(Database.of(database))
        options = RUNG._replace(
            lock_timeout=RUNG.lock_timeout if lock_timeout is None else lock_timeout,
            insists_on_lock_timeout=lock_timeout is not None,
            lock_retry_for=lock_retry_for,
            cancel_blockers=tuple(cancel_blockers),
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
        """The database as people may see it: user, host, port and name, no secrets."""
        return self._target.driver.label

    # --- reading -------------------------------------------------------------------------

    def version(self) -> LedgerState:
        """The ledger as it stands. Reads only, and needs no source."""
        return self._target.inspect(READ_WITHIN, History.NONE).ledger

    def status(self) -> Status:
        """Every migration with its state. Reads only."""
        from rung.planning.status import make_status

        return make_status(self._migrations(), self._target.inspect(READ_WITHIN, History.CURRENT))

    def history(self) -> tuple[Attempt, ...]:
        """Every attempt ever recorded, oldest first. Reads only, and needs no source."""
        return self._target.inspect(READ_WITHIN).history or ()

    def plan(self, goal: Goal | None = None) -> PlanPreview:
        """
        What a goal would run, with what it would take away. Reads only.

        Args:
            goal: `Up()` where it is left out.

        Raises:
            PlanError, SourceError, ScriptError: as the run itself would.
            LockNotAcquired: the ledger is dirty, and a run that is under way may be why.
            TableLocked: ledger or history were locked for longer than 30 seconds.
        """
        from rung.execution.run import preview
        from rung.planning.plan import Up

        return preview(self._target, self._migrations(), goal or Up())

    def edited(self, version: int) -> tuple[EditedFile, ...]:
        """
        The edited files of an applied version, with their differences. Reads only.

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
                source; None is content with an answer.
            timeout: seconds; None waits for ever. An attempt to connect has two at the least.

        Raises:
            ConnectionFailed: it did not answer in time, or answers and refuses us.
            VersionNotReached: it answered, and did not come to that version in time.
        """
        from rung.execution.command import RetryPolicy
        from rung.execution.wait import wait

        wanted = self._newest() if version == "newest" else version
        return wait(self._target, wanted, RetryPolicy(timeout))

    def doctor(self) -> Diagnostics:
        """
        What failed work has left in the database and on its server. Reads only, needs no source.

        Invalid indexes, partitions half detached, locks that nobody uses, prepared transactions,
        a dirty ledger and the like, each with a sentence and what mends it. With a source also
        whether the ledger is ahead of the schema: see `absent`.
        """
        from rung.errors import SourceError
        from rung.repair.doctor import diagnose_server

        try:
            return diagnose_server(self._target, self._migrations() if self._source else None)
        except SourceError as error:
            return diagnose_server(self._target, None, error.cause)

    def absent(self) -> Absent:
        """
        What of the names that files make is not in the database. Reads only.

        Asked about are the versions that no run of Rung's applied: those of another tool, of
        `force` and of a ledger that was written by hand.

        Raises:
            QueryFailed: the catalog could not be asked.
        """
        from rung.execution.run import absent

        return absent(self._target, self._migrations())

    def everything(self) -> tuple[DataLoss, ...]:
        """All objects that `drop` would remove. Reads only."""
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
            limit: how many at the most.
            allow_out_of_order: late versions that may run behind newer ones.
            if_ahead: what a database that is ahead of the files is: see
                `rung.planning.plan.IfAhead`.
            resume: go on first with an up that stopped in the middle, where one did.
            atomic: apply all of it in one transaction or nothing; for this call alone.

        Raises:
            AtomicRefused: a file cannot be in one transaction with others.
        """
        from rung.execution.run import run_goal
        from rung.planning.plan import Up

        goal = Up(limit, tuple(allow_out_of_order), if_ahead, resume)
        target = self._target
        if atomic:
            options = target.options._replace(atomic=True)
            target = target._replace(options=options)
        return run_goal(target, self._migrations(), goal)

    def down(
        self, limit: int | None = 1, *, resume: bool = False, downs: DownOptions | None = None
    ) -> RunReport:
        """
        Go down `limit` steps at the most, newest first; None goes all the way.

        Args:
            limit: how many at the most.
            resume: go on with a down that stopped in the middle, as the first of them; where
                none did, do nothing.
            downs: what it may do where it would be refused.

        Raises:
            DownRefused: a down is empty, missing or another's, or the migration irreversible.
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
            downs: what going down may do where it would be refused.

        Raises:
            DownRefused, StoredSqlUnconfirmed: as for `down`.
            UnwrittenMigration: the newest up holds no statement.
        """
        from rung.planning.down_choice import STRICT
        from rung.planning.plan import Redo

        return self.run(Redo(limit, downs or STRICT))

    def goto(self, version: int, *, allow_out_of_order: Sequence[int] = ()) -> RunReport:
        """Go up or down to exactly this version; late ones up to it run where they may."""
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
        Record that the database is at a version, clean, whatever the ledger says.

        Runs no migration. None records that it is before the first. The files between the
        version that was known and this one count as applied from then on.

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
        Record that versions are applied, and others not, at once. Runs nothing.

        Args:
            versions: those that are applied; each has an up file.
            not_applied: those that are not.

        Returns:
            What was recorded, and where the ledger is.

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
        What a dirty database holds, and the one action that would repair it. Changes nothing.

        The files that may have left it so are run through on scratch, statement by statement,
        and the schemas compared. The lock is held meanwhile. Where only rolling back is left, the
        down runs on the database itself in a transaction that is rolled back; it holds its locks
        for two seconds at the most.

        Args:
            scratch: the URL of a server on which databases may be made to try things; None
                starts the embedded one.
            done: how many statements of the file are done, by your word; for where some leave
                no trace in the schema.

        Returns:
            None where the database is clean.

        Raises:
            ScratchFailed: what was applied before does not run on scratch.
            EmbeddedError: there is no server to try things on.
        """
        from rung.repair import run

        return run.diagnose(self._target, self._migrations(), scratch, done)

    def repair(self, diagnosis: Diagnosis, *, allow_data_loss: bool = False) -> RunReport:
        """
        Do what a diagnosis proposes, and record it.

        Args:
            diagnosis: what was found.
            allow_data_loss: whether the losses that its action lists are agreed to.

        Raises:
            RepairUndecided: it proposes nothing, or what loses rows and nobody agreed to.
            PlanChanged: ledger, history or schema have moved since it was made.
            RunError: the SQL that was to mend the database failed.
        """
        from rung.repair import run

        return run.repair(
            self._target, self._migrations(), diagnosis, allow_data_loss=allow_data_loss
        )

    def lock_holder(self) -> LockHolder | None:
        """Whose the lock is, dead or alive; None where it is free. Reads only, needs no source."""
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
        Free the lease of a run behind a pooler that is dead. Ends no process and no connection.

        Args:
            expected: refuse any lock holder but this one, who was shown.
            confirm: called with the lock holder; raises where nobody agreed. Any other lock holder
                is refused then.
            allow_live_holder: break it although its last heartbeat is recent.

        Returns:
            Whose it was; None where nobody held the lock.

        Raises:
            LockNotAcquired: its holder is alive, or holds it by its session or process.
            PlanChanged: it is another's by now.
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
            expected: refuse where there is more by now than this, which somebody was shown.
            confirm: called with what would be dropped, if there is something, before the lock is
                taken; raises where nobody agreed. Where there is more by then, it is refused.

        Returns:
            What went.

        Raises:
            PlanChanged: there is more.
        """
        from rung.execution.admin import drop

        return drop(self._target, expected, confirm)

    def _newest(self) -> int | None:
        """The version at which `up` ends: the highest that has an up file."""
        migrations = self._migrations().migrations
        return max((one.version for one in migrations if one.up is not None), default=None)

    def _migrations(self) -> MigrationSet:
        from rung.source import read_source

        migrations = read_source(self._source)
        if migrations.warnings != self._source_warnings:
            self._source_warnings = migrations.warnings
            for warning in migrations.warnings:
                self._target.listener(Warned(warning))
        return migrations


def _check_names(applications: Sequence[str]) -> None:
    """Refuse an empty name, as of a variable that is not set: all who give none would have it."""
    from rung.errors import UsageError

    if isinstance(applications, str) or not all(name.strip() for name in applications):
        raise UsageError(
            "invalid application name for --cancel-blockers: it is empty, or not in a list",
            "give the application_name of the lock holder",
        )
