"""
One connection to PostgreSQL as a `Session`: locking, and the writes of ledger and history.

Sending is in `execute`. Policy is nowhere here: what to run, how long to wait
for a lock and what to tell people is decided above the drivers.
"""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from rung.drivers.contract import Capabilities
from rung.drivers.inspection import Disconnected, LockHolder
from rung.drivers.postgres import catalog, inspection, lock, own_tables, quoting
from rung.drivers.postgres.execute import PostgresSender, SingleStatementSender, put_back
from rung.drivers.postgres.lease import Lease, LeaseLock, break_lease, lease_holder, lease_occupant
from rung.drivers.postgres.ledger_sql import OUR_PATH, LedgerSql
from rung.drivers.postgres.lock_timeout import LockTimeoutPolicy
from rung.drivers.postgres.message import ours
from rung.drivers.postgres.quoting import statement
from rung.drivers.postgres.reader import PostgresReader
from rung.drivers.postgres.unrecorded import check_syntax
from rung.drivers.transaction import StoredSql, TablesReady, makes_none
from rung.errors import QueryFailed, Stopped
from rung.events import Warned, ignore
from rung.ledger import Outcome
from rung.options import RUNG
from rung.script.data_loss import DataLoss, DryRun

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from rung.cancellation import CancelToken
    from rung.diagnostics import Problem
    from rung.drivers.postgres.connect import Connector
    from rung.drivers.postgres.inspection import InspectedTables
    from rung.drivers.postgres.lock import SessionLock
    from rung.drivers.postgres.message import MessageResult
    from rung.drivers.postgres.quoting import Sql
    from rung.drivers.postgres.tables import TableNames
    from rung.drivers.transaction import (
        ExecutionResult,
        Observer,
        ServerNotice,
        StatementFailure,
        Transaction,
    )
    from rung.errors import RungError
    from rung.events import Listener
    from rung.ledger import Attempt
    from rung.options import RunOptions
    from rung.script import Script

_LEAST = 30.0
"""Seconds that a message of ours has at the least, however short a lock is tried for."""


class PostgresSession(PostgresReader):
    """See `rung.drivers.contract.Session`."""

    _looks_for_twins = False
    single_statements = False
    """Whether each statement is sent by itself, for servers that refuse several in a message."""

    def __init__(
        self,
        connector: Connector,
        stop: CancelToken,
        names: TableNames,
        options: RunOptions = RUNG,
        path: str = "",
        writers: tuple[str, ...] = (),
        listener: Listener = ignore,
    ) -> None:
        super().__init__(connector, stop, names, writers, listener=listener)
        self._options = options
        self._limits = LockTimeoutPolicy(options, self._opened.settings)
        self._cancels = options.cancel_blockers
        longest = options.lock_retry_for
        self._within = self._wire.bound = None if longest is None else max(longest, _LEAST)
        self._path = path
        """Of the URL; golang-migrate's command locks by it."""
        self._owner = str(uuid.uuid4())
        """Of the lease behind a pooler."""
        self._held: SessionLock | None = None
        self._made_sender: tuple[InspectedTables, PostgresSender] | None = None

    def close(self) -> None:
        """Close the connection, and the one beside it; a lease would outlive them."""
        if self._held is not None and self._held.shares_session:
            with contextlib.suppress(Disconnected):
                self._held.release()
        super().close()

    @property
    def records_history(self) -> bool:
        """Whether there is a history that we may write."""
        return self._found.may_write_history

    def attempt_outcome(self, attempt_id: str) -> Outcome | None:
        """How the history says an attempt ended; None where it has no row of it."""
        places = {"history": self._tables.history, "attempt": quoting.text(attempt_id)}
        rows = lock.insist(self._wire, statement("find_attempt", **places)).rows(0)
        return Outcome(rows[0][0]) if rows else None

    def process_alive(self, pid: int) -> bool:
        """Whether a server process that is older than this connection still runs."""
        reply = lock.insist(self._wire, statement("process_alive", pid=quoting.number(pid)))
        return reply.rows(0)[0][0] != "0"

    # --- locking -------------------------------------------------------------------------

    @property
    def capabilities(self) -> Capabilities:
        """All of them."""
        return Capabilities(
            records_history=self._found.may_write_history,
            foreign_locks=self,
            leases=self,
            completion=self,
            provenance=self,
            functions=self,
            dry_runs=self,
            problems=self,
        )

    def try_lock(self) -> SessionLock | None:
        """Take every key that excludes other runs, or none; the lease behind a pooler."""
        own_tables.check_trusted(self._found.obstacles)
        if not self._hold.take(self._found):
            return None
        self._stale = True
        return self._hold

    def release_foreign_locks(self) -> None:
        """Give back golang-migrate's keys, keeping our own."""
        self._hold.release_foreign()

    def try_foreign_locks(self) -> bool:
        """Take golang-migrate's keys again, all or none."""
        return self._hold.try_foreign()

    def lock_holder(self) -> LockHolder | None:
        """Who holds the lease, or one of our keys."""
        readable = self._found.lease_facts.may_be_read
        holder = lease_holder(self._wire, self._lease) if readable else None
        return holder or lock.key_holder(self._wire, self._keys)

    def lease_holder(self) -> LockHolder | None:
        """Whose the lock is by the lease, dead or alive, or by the keys."""
        readable = self._found.lease_facts.may_be_read and self._lease_is_there()
        found = lease_occupant(self._wire, self._lease) if readable else None
        return found or lock.key_holder(self._wire, self._keys)

    def break_lease(self, holder: LockHolder) -> bool:
        """Free the lease under the keys, if it is still that holder's."""
        return break_lease(self._wire, self._lease, holder)

    def outlive(self, lost: PostgresSession) -> bool:
        """
        Whether no transaction of a lost session is at work any more; frees what it held.

        A direct one ends with its server process. Behind a pooler the processes are others'.
        """
        place = lost.locate()
        if not place.pooled:
            return place.process is None or not self.process_alive(place.process)
        reply = self._wire.ask(lost._lease.in_use)
        if not reply.error and reply.rows(0)[0][0] == "t":
            return False
        self._wire.settle(lost._lease.give_back)
        return True

    # --- writing -------------------------------------------------------------------------

    def prepare_tables(self, makes: Callable[[str], bool] = makes_none) -> TablesReady:
        """
        Make ledger and history where they are missing.

        Raises:
            RightsMissing: the ledger cannot be made, or not be written.
            TableRefused: a rule of the database refuses the ledger.
            QueryFailed: the schema of one of them is not there, or the server refused.
        """
        if self._stale:
            self._look_around()
        at = self._found
        had = at.rights.history.exists
        if not had and at.names.spare is not None and makes(at.names.usual.name):
            self._names = at.names._replace(uses_spare=True)
            self._standing = at = at._replace(names=self._names)
        ledger, history = own_tables.table_statements(self._wire, at)
        ran, without = own_tables.make_tables(self._sender, ledger, history, self._explained)
        if ledger or history:
            self._checked(ran)
            self._look_around()
        new = self._found.rights.history.exists and not had
        if noting := own_tables.note_statements(self._wire, self._found, new=new):
            self._sender.write(*noting)  # refused where somebody was quicker: noted next time
            self._look_around()
        at = self._found
        if not at.rights.may_write_ledger:
            raise own_tables.may_not_write(at)
        return TablesReady(without, own_tables.in_spare_place(at.names) if new else "")

    def _look_around(self) -> None:
        """Inspect again which tables exist and which privileges we have."""
        self._standing = None
        self.locate()

    def commit(self, transaction: Transaction, observer: Observer) -> ExecutionResult:
        """Send a transaction, all or nothing."""
        before, self._listener = self._listener, observer.report
        try:
            result = self._explained_result(self._sender.commit(transaction, observer))
            if any(part.statements for part in transaction.parts):
                return result
            if result.failure and result.failure.triggers is not None:
                result = self._explained_result(self._sender.commit(transaction, observer))
        finally:
            self._listener = before
        self._report_warnings(result.notices, observer.report)
        if result.failure is None:
            return result
        return replace(result, failure=replace(result.failure, error=self._error(result.failure)))

    def check_syntax(self, script: Script) -> ExecutionResult:
        """Have the server parse a script, and run nothing of it."""
        return check_syntax(self._wire, script)

    def completed(self, script: Script, number: int, before: Sequence[int]) -> bool | None:
        """Whether the catalog says that a statement was finished."""
        return catalog.was_finished(self._wire, script, number, before, self._tables.ledger)

    def code_of(self, names: Collection[str]) -> tuple[str | None, ...]:
        """The code of the functions of these names that are not the server's own."""
        return catalog.code_of(self._wire, names)

    def left_nothing(self, attempt_id: str) -> bool:
        """Whether the catalog has no row that is newer than the note of what was under way."""
        return catalog.left_nothing(self._wire, self._tables, attempt_id)

    def ledger_changed_since(self, entry: Attempt) -> bool:
        """Whether the ledger's row has a later transaction than the history's."""
        return catalog.ledger_changed_since(self._wire, self._tables, entry)

    def reset(self) -> tuple[str, ...]:
        """
        Put the session back to what it was at connect; name what had been changed.

        Behind a pooler each file's own message has done so already.
        """
        if self._found.place.pooled:
            return ()
        return put_back(self._wire, self._settings)

    def run_unrecorded(self, script: Script, first: int, last: int) -> ExecutionResult:
        """Have statements of a script run as they stand, unrecorded."""
        from rung.drivers.postgres.unrecorded import run_unrecorded

        return run_unrecorded(self._wire, script, first, last)

    def stored_sql(self, versions: Sequence[int]) -> tuple[StoredSql, ...]:
        """Every text that the history keeps of these versions, oldest first."""
        if not versions or not self._found.reads_history:
            return ()
        numbers = quoting.Sql(", ".join(map(str, versions)))
        places = {"history": self._tables.history, "versions": numbers}
        rows = lock.insist(self._wire, statement("stored_halves", **places)).rows(0)
        return tuple(half for row in rows for half in inspection.halves(row))

    def problems(self) -> tuple[Problem, ...]:
        """What failed work has left in the database and on its server."""
        from rung.drivers.postgres.catalog import DiagnosticsReader

        return DiagnosticsReader(
            self._wire, self._keys.all, self._lease, self._found, self._writers
        ).find()

    # --- losing --------------------------------------------------------------------------

    def estimate(self, losses: Sequence[DataLoss]) -> tuple[DataLoss, ...]:
        """The same losses with their rows counted, and with what goes along."""
        from rung.drivers.postgres.data_loss import Counting

        return Counting(self._wire).count(losses)

    def dry_run(self, undo: Script, tables: Sequence[str]) -> DryRun:
        """Run SQL in a transaction that is rolled back; tells what went."""
        from rung.drivers.postgres.data_loss import dry_run

        return dry_run(self._wire, self._found.names, undo, tables)

    def row_guard(self, losses: Sequence[DataLoss]) -> str:
        """SQL that fails where other rows are there than were counted."""
        from rung.drivers.postgres.data_loss import row_guard

        return row_guard(losses)

    def perhaps_older(self, identities: Sequence[str]) -> tuple[str, ...]:
        """Those that the catalog does not show to be made since the dirty mark."""
        from rung.drivers.postgres.data_loss import relations

        there = relations(self._wire, self._found.names).values()
        made = {str(one) for one in there if one.since}
        return tuple(one for one in identities if one not in made)

    def other_ledgers(self) -> tuple[str, ...]:
        """Where our ledger is missing: the tables of its shape under another name."""
        from rung.drivers.postgres.own_tables import other_ledgers

        return other_ledgers(self._wire, self._found)

    def objects(self) -> tuple[DataLoss, ...]:
        """All that `drop` would remove."""
        question = catalog.everything_question(self._found.names, self._schema_to_empty())
        found = lock.insist(self._wire, quoting.Sql(ours("", OUR_PATH, question).sql)).rows(1)
        return tuple(DataLoss(kind or "", described or "") for kind, described in found)

    def _schema_to_empty(self) -> str | None:
        if not self._options.drops_current_schema:
            return self._found.names.ledger.schema
        return lock.insist(self._wire, statement("current_schema")).rows(0)[0][0]

    def _beside_the_rest(self) -> tuple[Sql, ...]:
        """The lease goes too; a ledger outside the emptied schema stays, without its row."""
        at = self._found
        if at.names.ledger.schema == self._schema_to_empty():
            lease = DataLoss("table", at.names.lease.sql)
            return catalog.drop_statements((lease,)) if self._lease_is_there() else ()
        return (self._tables.clear,) if at.rights.ledger.exists else ()

    def _lease_is_there(self) -> bool:
        return lock.insist(self._wire, self._lease.is_there).rows(0)[0][0] == "t"

    def drop(self) -> None:
        """Remove all objects of a schema that no extension owns, at once."""
        ran = self._sender.write(*self._beside_the_rest(), *catalog.drop_statements(self.objects()))
        if ran.failure and not ran.failure.lock_lost:
            raise catalog.drop_refused(ran.failure.server)
        self._checked(ran)
        self._look_around()

    # --- inside --------------------------------------------------------------------------

    @property
    def _tables(self) -> LedgerSql:
        return LedgerSql.of(self._found, self._writers)

    @property
    def _hold(self) -> SessionLock:
        """Made once: where we are does not change, and signs of life go on."""
        if self._held is None:
            if self._found.place.pooled:
                self._held = LeaseLock(self._wire, self._side, self._lease, self._writers)
            else:
                self._held = lock.AdvisoryLock(self._wire, self._keys, self._lease)
        return self._held

    @property
    def _lease(self) -> Lease:
        return Lease(self._found.names.lease, self._owner, self._keys.all)

    @property
    def _keys(self) -> lock.Keys:
        found = self._found
        return lock.Keys.of(found.names.ledger, found.place.database, self._path)

    @property
    def _sender(self) -> PostgresSender:
        """Made once for each inspection, with the SQL of ledger and history that it found."""
        at = self._found
        if self._made_sender is None or self._made_sender[0] is not at:
            sender = SingleStatementSender if self.single_statements else PostgresSender
            self._made_sender = (
                at,
                sender(
                    self._wire,
                    self._tables,
                    self._settings,
                    self._options,
                    self._hold,
                    self._limits,
                    self._watcher,
                ),
            )
        return self._made_sender[1]

    def _explained_result(self, result: ExecutionResult) -> ExecutionResult:
        failure = result.failure
        return replace(result, failure=self._explained(failure)) if failure else result

    def _explained(self, failure: StatementFailure) -> StatementFailure:
        """What refused a write of ours; and what triggers fire for, for the next try."""
        if failure.triggers is not None:
            of_ledger, of_history = failure.triggers
            self._standing = self._found._replace(
                ledger_facts=self._found.ledger_facts._replace(events=of_ledger),
                history_facts=self._found.history_facts._replace(events=of_history),
            )
        return own_tables.explained(self._wire, self._found, failure)

    def _checked(self, sent: MessageResult) -> None:
        """Raise what a write of ours failed with."""
        self._report_warnings(sent.notices, self._listener)
        if sent.failure:
            raise self._error(self._explained(sent.failure))

    def _report_warnings(self, notices: Iterable[ServerNotice], report: Listener) -> None:
        for notice in notices:
            if notice.severity == "WARNING":
                report(Warned(f"the server warns of Rung's own commit: {notice.message}"))

    def _error(self, failure: StatementFailure) -> RungError:
        """The error of a write of ours, with no file at fault."""
        if failure.lock_lost:
            return lock.lock_lost(self.lock_holder())
        if failure.cancelled and self._wire.is_asked_to_stop:
            return Stopped((), "unchanged; nothing was recorded", ())
        if failure.own is not None:
            return own_tables.table_refused(failure)
        server = failure.server
        return QueryFailed("\n".join(server.lines()), "", server.sqlstate)
