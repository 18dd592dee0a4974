"""
One connection to SQLite as a `Session`: locking, and the writes of ledger and history.

A file's SQL is sent by `execute`. Makes no decision of policy. Writes nothing, and creates no
file, before the first call that has to.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from rung.drivers.contract import Capabilities
from rung.drivers.inspection import Disconnected, History
from rung.drivers.sqlite import catalog
from rung.drivers.sqlite.execute import InterruptWatch, SqliteSender
from rung.drivers.sqlite.inspection import SqliteReader
from rung.drivers.sqlite.ledger_sql import Records
from rung.drivers.sqlite.lock import RunLock
from rung.drivers.sqlite.table_names import in_main, quoted, statement
from rung.drivers.transaction import (
    ExecutionResult,
    StoredSql,
    TablesReady,
    makes_none,
)
from rung.errors import DatabaseBusy, QueryFailed, RightsMissing
from rung.ledger import Outcome
from rung.script.data_loss import DryRun

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rung.cancellation import CancelToken
    from rung.drivers.inspection import LockHolder
    from rung.drivers.sqlite.connect import Opener
    from rung.drivers.sqlite.foreign_keys import Violations
    from rung.drivers.sqlite.library import sqlite3
    from rung.drivers.sqlite.table_names import SqliteNames
    from rung.drivers.transaction import Observer, StatementFailure, Transaction
    from rung.errors import RungError
    from rung.script import Script
    from rung.script.data_loss import DataLoss


_PRAGMAS = (
    *("automatic_index", "busy_timeout", "cache_size", "cell_size_check"),
    *("checkpoint_fullfsync", "foreign_keys", "fullfsync", "ignore_check_constraints"),
    *("journal_mode", "journal_size_limit", "legacy_alter_table", "locking_mode"),
    *("max_page_count", "mmap_size", "query_only", "read_uncommitted", "recursive_triggers"),
    *("reverse_unordered_selects", "secure_delete", "synchronous", "temp_store", "threads"),
    *("trusted_schema", "wal_autocheckpoint", "writable_schema"),
)
_OURS = ("main", "temp")
_WAL = "wal"


class SessionState(NamedTuple):
    """
    The settings and temporary objects of a session, which a file may leave changed.

    A setting that SQLite does not show (PRAGMA case_sensitive_like) is restored by opening the file
    again; no message names it.
    """

    pragmas: dict[str, str]
    """By name; the values as PRAGMA takes them."""
    temporary: tuple[tuple[str, str], ...]
    """Kind and name of what was made for the session alone."""
    attached: tuple[str, ...]
    """The other databases by the names that they have here."""

    @classmethod
    def of(cls, database: sqlite3.Connection) -> SessionState:
        """The state of a connection outside a transaction."""
        values = {name: database.execute(f"PRAGMA {name}").fetchone() for name in _PRAGMAS}
        attached = (row[1] for row in database.execute("PRAGMA database_list"))
        return cls(
            {name: str(row[0]) for name, row in values.items() if row is not None},
            tuple(database.execute(statement("temporary")).fetchall()),
            tuple(name for name in attached if name not in _OURS),
        )

    def changed_since(self, before: SessionState) -> tuple[str, ...]:
        """Return the names of what has changed, for people."""
        pragmas = self._pragmas_since(before)
        kept = (f"temp.{name}" for _, name in self.temporary)
        return (*pragmas, *kept, *(f"ATTACH {name}" for name in self.attached))

    def put_back(self, database: sqlite3.Connection, before: SessionState) -> None:
        """Restore a session, as far as SQLite shows its state."""
        for name in self._pragmas_since(before):
            database.execute(f"PRAGMA {name} = {before.pragmas[name]}").fetchall()
        for kind, name in self.temporary:
            database.execute(f"DROP {kind} IF EXISTS temp.{quoted(name)}")
        for name in self.attached:
            with suppress(Exception):
                database.execute(f"DETACH {quoted(name)}")

    def _pragmas_since(self, before: SessionState) -> tuple[str, ...]:
        """WAL is a state of the file and not of the session."""
        return tuple(
            name
            for name, value in self.pragmas.items()
            if value != before.pragmas.get(name, value)
            and not (name == "journal_mode" and _WAL in {value, before.pragmas[name]})
        )


class SqliteSession(SqliteReader):
    """See `rung.drivers.contract.Session`."""

    def __init__(
        self, opener: Opener, names: SqliteNames, stop: CancelToken, time_limit: float | None = None
    ) -> None:
        super().__init__(opener, names)
        self._lock = RunLock(opener.file)
        self._watch = InterruptWatch(stop, time_limit)
        self._violated: dict[str, Violations] = {}
        """Foreign keys that were violated before each attempt that runs unit by unit."""
        self._identity: tuple[int, int] | None = None
        """The file that was opened for writing; None as long as none was."""
        self._before: SessionState | None = None
        """The session as it was before any file; None as long as nothing was written."""
        if opener.file is None:  # in memory: the one connection is the database
            self._open_to_write()

    def attempt_outcome(self, attempt_id: str) -> Outcome | None:
        """How the history says an attempt ended; None where it has no row of it."""
        history = in_main(self._names.history)
        with self._contract_errors():
            question = statement("find_attempt", history=history)
            row = self._current().execute(question, (attempt_id,)).fetchone()
        return None if row is None else Outcome(row[0])

    def close(self) -> None:
        """Close the connection, and give the lock back."""
        super().close()
        self._lock.release()

    # --- locking -------------------------------------------------------------------------

    @property
    def capabilities(self) -> Capabilities:
        """Who may write here may write all; the rest is missing."""
        return Capabilities(dry_runs=self)

    def try_lock(self) -> RunLock | None:
        """Take the lock, or not."""
        return self._lock if self._lock.take() else None

    def lock_holder(self) -> LockHolder | None:
        """Who else holds it."""
        return self._lock.holder()

    # --- writing -------------------------------------------------------------------------

    def prepare_tables(
        self,
        makes: Callable[[str], bool] = makes_none,  # noqa: ARG002 - no recipe takes a name here
    ) -> TablesReady:
        """
        Make ledger and history where they are missing.

        Raises:
            RightsMissing: the file, or its folder, may not be written.
            QueryFailed: it cannot be made for another reason.
        """
        if self._opener.read_only:
            raise RightsMissing(
                f"{self._opener.shown} is not writable",
                (
                    "give Rung write access to the file and its folder, where SQLite keeps its "
                    "journal"
                ),
            )
        with self._found() as found:
            there = found.has_ledger and found.history(History.ALL) is not None
        if not there:
            self._write(self._records.make)
        return TablesReady()

    def commit(self, transaction: Transaction, observer: Observer) -> ExecutionResult:
        """Send a transaction, all or nothing; every commit is on disk when it returns."""
        if not transaction.parts:
            return ExecutionResult()
        result = self._sender.commit(transaction, observer)
        if result.failure is None or any(part.statements for part in transaction.parts):
            return result
        error = self._error(result.failure)
        return replace(result, failure=replace(result.failure, error=error))

    def reset(self) -> tuple[str, ...]:
        """Put the session back to what it was; name what had been changed."""
        with self._contract_errors():
            database = self._writing
            before = self._before or SessionState.of(database)
            after = SessionState.of(database)
            if self._opener.file is None:
                after.put_back(database, before)
            else:
                self._open_to_write()
            return after.changed_since(before)

    def run_unrecorded(self, script: Script, first: int, last: int) -> ExecutionResult:
        """Run statements of a script as they are, unrecorded."""
        return self._sender.as_it_stands(script, first, last)

    def stored_sql(self, versions: Sequence[int]) -> tuple[StoredSql, ...]:
        """Every text that the history keeps of these versions, oldest first."""
        if not versions or self.read_history() is None:
            return ()
        numbers = ", ".join(str(int(version)) for version in versions)
        places = {"history": in_main(self._names.history), "versions": numbers}
        with self._contract_errors():
            rows = self._current().execute(statement("stored_halves", **places)).fetchall()
        return tuple(
            StoredSql(version, direction, checksum, sql, id_, digest, formula)
            for version, id_, formula, *halves in rows
            for direction, (checksum, digest, sql) in (("up", halves[:3]), ("down", halves[3:]))
            if sql is not None
        )

    # --- losing --------------------------------------------------------------------------

    def estimate(self, losses: Sequence[DataLoss]) -> tuple[DataLoss, ...]:
        """The same losses with their rows counted, each followed by what goes along."""
        with self._contract_errors():
            database, enforced = self._current(), self._opener.address.enforces_foreign_keys
            return tuple(
                found
                for loss in losses
                for found in catalog.with_referencing(database, loss, enforced=enforced)
            )

    def dry_run(self, undo: Script, tables: Sequence[str]) -> DryRun:  # noqa: ARG002 - as the contract has it
        """Nothing is sent: no catalog here tells who made what."""
        return DryRun("SQLite does not record when an object was created")

    def row_guard(self, losses: Sequence[DataLoss]) -> str:  # noqa: ARG002 - as the contract has it
        """None: nothing is ever proved to be a file's own here."""
        return ""

    def other_ledgers(self) -> tuple[str, ...]:
        """Where our ledger is missing: the tables of its shape under another name."""
        with self._found() as found:
            if found.has_ledger or self._opener.absent:
                return ()
        with self._contract_errors():
            rows = self._current().execute(statement("other_ledgers")).fetchall()
        return tuple(row[0] for row in rows)

    def objects(self) -> tuple[DataLoss, ...]:
        """All that `drop` would remove."""
        with self._contract_errors():
            return catalog.objects(self._current())

    def drop(self) -> None:
        """Remove all tables and views at once, and give the space back."""
        if self._opener.absent:
            return
        with self._contract_errors():
            database = self._writing
            database.execute("PRAGMA foreign_keys = OFF")
        self._write(lambda: catalog.drop(database))
        with suppress(Exception):  # what is dropped is dropped; the space is a kindness
            database.execute("VACUUM")
        self._open_anew()

    # --- inside --------------------------------------------------------------------------

    @property
    def _writing(self) -> sqlite3.Connection:
        """The connection, opened for writing; from then on it is that one."""
        if self._before is None:
            self._open_to_write()
        return self._connection

    def _open_to_write(self) -> None:
        self._check_file()
        self._connection.close()
        self._connection = self._opener.to_write()
        self._identity = self._identity or self._opener.identity()
        self._stands_in = False
        self._before = SessionState.of(self._connection)

    def _check_file(self) -> None:
        """
        Notice that the file was replaced or removed since we opened it: what is written is lost.

        Raises:
            Disconnected: it was.
        """
        if self._identity is not None and self._opener.identity() != self._identity:
            shown = self._opener.shown
            raise Disconnected(f"the file {shown} was replaced or removed while it was in use")

    def _open_anew(self) -> None:
        if self._opener.file is not None:
            self._open_to_write()

    @property
    def _records(self) -> Records:
        return Records(self._writing, self._names)

    @property
    def _sender(self) -> SqliteSender:
        begin = self._opener.address.begin
        return SqliteSender(
            self._writing, self._records, begin, self._watch, self._violated, self._check_file
        )

    def _write(self, action: Callable[[], None]) -> None:
        """Do something of ours in one transaction; raise what it failed with."""
        if failure := self._sender.write(action):
            raise self._error(failure)

    def _error(self, failure: StatementFailure) -> RungError:
        """The error of a write of ours, with no file at fault."""
        message, remedy = failure.server, failure.remedy
        if message.message == "database is locked":
            return DatabaseBusy(
                label=self._opener.shown,
                said=message.message,
                waited=self._opener.address.busy_ms / 1000,
            )
        return QueryFailed(message.message, remedy)
