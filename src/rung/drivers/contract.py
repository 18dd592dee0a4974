"""
The driver contract: what a database must do so that Rung can migrate it.

A driver knows how to send, lock, read and write. It knows no policy: what to run, when to retry
and what to report is decided above. A new driver inherits `tests/contract` and is done when these
tests pass; `docs/reference/drivers.md` says how to write one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rung.drivers.inspection import (
    Disconnected,
    History,
    Inspection,
    Location,
    LockHolder,
    Ping,
    ServerContext,
)
from rung.drivers.transaction import (
    AddAttempt,
    ExecutionResult,
    FileVersion,
    HistoryWrite,
    LedgerTransition,
    LockTimeout,
    NewAttempt,
    Observer,
    Part,
    PartResult,
    RecoveryInfo,
    ServerNotice,
    StatementFailure,
    StatementRange,
    StoredSql,
    TablesReady,
    Transaction,
    Unobserved,
    UpdateAttempt,
    Wrap,
    makes_none,
)
from rung.events import Listener, ignore
from rung.options import RUNG

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractContextManager

    from rung.cancellation import CancelToken
    from rung.diagnostics import Problem
    from rung.drivers.inspection import TwinLedger
    from rung.ledger import Attempt
    from rung.options import RunOptions
    from rung.script import Script
    from rung.script.data_loss import DataLoss, DryRun
    from rung.script.expected_names import ExpectedName
    from rung.snapshot import Snapshot, Stamp

__all__ = [
    "AddAttempt",
    "Disconnected",
    "Driver",
    "ExecutionResult",
    "FileVersion",
    "HistoryWrite",
    "Inspection",
    "LedgerTransition",
    "Location",
    "LockHolder",
    "LockTimeout",
    "NewAttempt",
    "Observer",
    "Part",
    "PartResult",
    "Ping",
    "Reader",
    "RecoveryInfo",
    "ServerContext",
    "ServerNotice",
    "Session",
    "StatementFailure",
    "StatementRange",
    "StoredSql",
    "TablesReady",
    "Transaction",
    "Unobserved",
    "UpdateAttempt",
    "Wrap",
]


class Reader(Protocol):
    """One connection that only reads."""

    def inspect(self, *, briefly: bool = False, history: History = History.ALL) -> Inspection:
        """
        Read all that a decision needs, in one round trip, without lock or write.

        Args:
            briefly: leave out who else may write our tables and what keeps us from it, where they
                are plain tables: enough to find that there is nothing to do, and for nothing more.
            history: how much of it is read.

        Raises:
            LedgerUnreadable: the table is not a ledger, or not a history.
            DatabaseBusy: another connection's work keeps the database from answering for now.
        """

    def locate(self) -> Location:
        """Find where the ledger is, without reading it, so that `force` can write a broken one."""

    def snapshot(self) -> Snapshot:
        """
        Read the whole schema, in two round trips at most, without lock or write; needs no ledger.

        Left out are ledger and history with what belongs to them, the lease, what an extension
        owns, and what is of one session.

        Raises:
            QueryFailed: the server rejected the query.
        """

    def stamp(self) -> Stamp | None:
        """
        Read what tells cheaply that the schema has not changed, as `rung.snapshot.Stamp` says.

        None where the role's rights do not suffice, and where the database has no such thing.
        """

    def absent(self, names: Sequence[ExpectedName], *, anywhere: bool) -> tuple[ExpectedName, ...]:
        """
        Select the names that the database does not have, in their order, with one query.

        Args:
            names: one without a schema is looked up on the search path and beside the ledger.
            anywhere: look such a name up in every schema.

        Raises:
            QueryFailed: the server rejected the query.
        """

    def server_context(self) -> ServerContext:
        """Read what a file's SQL may depend on: roles, settings, extensions, the version."""

    def close(self) -> None:
        """Close the connection; quiet where it is gone."""


class Lock(Protocol):
    """The lock of one session on one ledger."""

    def heartbeat(self) -> None:
        """Keep it in a pause; called often, and does something only where a lease is due."""

    def release(self) -> None:
        """Give it back; quiet where the connection is gone."""


class ForeignLocks(Protocol):
    """Locks of golang-migrate's that a run holds besides its own."""

    def release_foreign_locks(self) -> None:
        """Release the keys on which another tool may queue, and keep our own."""

    def try_foreign_locks(self) -> bool:
        """Take them again, all or none; return whether it has them."""


class LeaseRecovery(Protocol):
    """Freeing the lock of a run that is gone, where the lock does not end with its connection."""

    def lease_holder(self) -> LockHolder | None:
        """
        Find the lock holder, dead or alive: as `lock_holder`, and of a lease without heartbeats.

        Raises:
            LedgerUnreadable: there are several leases.
        """

    def break_lease(self, holder: LockHolder) -> bool:
        """Free a lease, if it is still that holder's and none of its transactions runs."""


class CompletionCheck(Protocol):
    """Evidence in the catalog for statements that run outside a transaction."""

    def check_syntax(self, script: Script) -> ExecutionResult:
        """
        Have the server parse a script, as far as it can, and run nothing of it.

        A failure is one of the grammar, with its place; success proves nothing.
        """

    def completed(self, script: Script, number: int, before: Sequence[int]) -> bool | None:
        """
        Find out whether a statement completed that was sent outside a transaction.

        Args:
            script: with the statement.
            number: of the statement, from 1.
            before: the numbers of the statements that had set the session then.

        Returns:
            False where it may run again, None where the catalog does not show it.
        """

    def left_nothing(self, attempt_id: str) -> bool:
        """
        Check that a statement that failed outside a transaction left nothing in the catalog.

        The catalog is compared with the record that announced it; False where that does not show.
        """


class Provenance(Protocol):
    """Evidence in the catalog of who made what, and when."""

    def ledger_changed_since(self, entry: Attempt) -> bool:
        """Check whether the ledger was written after a row of the history; False if unknown."""

    def perhaps_older(self, identities: Sequence[str]) -> tuple[str, ...]:
        """
        Select objects that may have existed before the ledger was marked dirty.

        Args:
            identities: of tables, views, indexes and columns, as snapshots name them.
        """

    def twin_ledgers(self) -> tuple[TwinLedger, ...]:
        """Find ledgers in other schemas, where ours is missing and no schema was named."""


class FunctionCode(Protocol):
    """Functions that a file's statements may call."""

    def code_of(self, names: Collection[str]) -> tuple[str | None, ...]:
        """
        Read the code of functions and procedures, without those of the server itself.

        Returns:
            The text of each; None for one that is not SQL or PL/pgSQL, or has no text.
        """


class DryRuns(Protocol):
    """Transactions that show what SQL removes, and are rolled back."""

    def dry_run(self, undo: Script, tables: Sequence[str]) -> DryRun:
        """
        Run SQL that removes objects in a transaction that is rolled back; return what it removed.

        Args:
            undo: SQL with no effect beyond its transaction.
            tables: the tables in it; where they are too large nothing is sent.
        """

    def row_guard(self, losses: Sequence[DataLoss]) -> str:
        """Return SQL that locks these tables, and fails where their rows are not those counted."""


class ProblemFinder(Protocol):
    """Leftovers of failed work."""

    def problems(self) -> tuple[Problem, ...]:
        """Find them in the database and on its server; read only."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """
    What only some databases can do, as values: None where they cannot.

    Asked for as values, and not by `isinstance`, so that mypy sees each None.
    """

    records_history: bool = True
    """Whether there is a history that we may write."""
    foreign_locks: ForeignLocks | None = None
    leases: LeaseRecovery | None = None
    completion: CompletionCheck | None = None
    provenance: Provenance | None = None
    functions: FunctionCode | None = None
    dry_runs: DryRuns | None = None
    problems: ProblemFinder | None = None


class Session(Reader, Protocol):
    """One connection that may write. Every method may raise `Disconnected`."""

    def prepare_tables(self, makes: Callable[[str], bool] = makes_none) -> TablesReady:
        """
        Create ledger and history where they are missing; only under the lock.

        Roles that may read the ledger may read a new history. Where a grant is missing for it, or
        a rule of the database rejects it, the session works without one.

        Args:
            makes: whether a file creates a table of a name; asked before a history takes it.

        Raises:
            RightsMissing: the role may not create the ledger, or not write it.
            TableRefused: a rule of the database rejects the ledger.
            QueryFailed: it could not be created for another reason.
        """

    @property
    def capabilities(self) -> Capabilities:
        """What this database can do besides."""

    def try_lock(self) -> Lock | None:
        """
        Take all that excludes other runs, or nothing; never wait in the server.

        Raises:
            RightsMissing: the role may not create or use the lease, which is the lock behind a
                pooler.
        """

    def lock_holder(self) -> LockHolder | None:
        """Find who holds a key that `try_lock` needs; None where nobody is seen."""

    def commit(self, transaction: Transaction, observer: Observer) -> ExecutionResult:
        """
        Send a transaction, all or nothing. The only call that writes ledger or history.

        A file that drops ledger or history fails (`ledger_dropped`), unless the transaction
        may do so: then both are made again, empty.

        Returns:
            What came of it; failures of every kind are in there, and no transaction is open.

        Raises:
            Disconnected: the connection was lost; what became of it is for `Driver.recover`.
        """

    def reset(self) -> tuple[str, ...]:
        """Put the session back to what it was at connect; return the settings that had changed."""

    def read_history(self) -> tuple[Attempt, ...] | None:
        """Read the history alone, oldest first; None where there is none to read."""

    def stored_sql(self, versions: Sequence[int]) -> tuple[StoredSql, ...]:
        """Read every text that the history keeps of these versions, oldest first."""

    def run_unrecorded(self, script: Script, first: int, last: int) -> ExecutionResult:
        """
        Run statements `first` to `last` as they stand, in one message, without records.

        For scratch databases only: no lock is proved, and a transaction that they open, or that
        fails, is left open.
        """

    def estimate(self, losses: Sequence[DataLoss]) -> tuple[DataLoss, ...]:
        """
        Count the rows of data losses, up to `rung.script.data_loss.MOST_ROWS`.

        After each that has a cascade comes what that deletes too. One that cannot be counted, or
        not in a few seconds, says why.
        """

    def other_ledgers(self) -> tuple[str, ...]:
        """Find tables of a ledger's shape under another name, where our ledger is missing."""

    def objects(self) -> tuple[DataLoss, ...]:
        """List everything that `drop` would remove."""

    def drop(self) -> None:
        """Remove all objects of the ledger's schema that no extension owns, in one transaction."""


class Driver(Protocol):
    """One database, named and not yet connected to."""

    @property
    def label(self) -> str:
        """The database for people, without secrets."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Parts of the database's URL that are ignored and may be missed, in sentences."""

    def ping(self) -> Ping:
        """Find out whether the server accepts connections, and why not."""

    def read(
        self,
        stop: CancelToken | None = None,
        within: float | None = None,
        listener: Listener = ignore,
    ) -> AbstractContextManager[Reader]:
        """
        Connect for reading alone; load no module that writes.

        Args:
            stop: its first request ends what is read.
            within: seconds for connecting and for all that is read; None for no limit.
            listener: called with what a read waits for.

        Raises:
            ConnectionFailed: with the reason, redacted.
        """

    def connect(
        self, stop: CancelToken, options: RunOptions = RUNG, listener: Listener = ignore
    ) -> AbstractContextManager[Session]:
        """
        Connect.

        Args:
            stop: cancels statements while they run.
            options: whether a file finds the session as the one before left it, and for how long
                a statement may run.
            listener: called with what a read waits for; a commit has its observer for that.

        Raises:
            ConnectionFailed: with the reason, redacted.
        """

    def sibling(
        self,
        url: str,
        name: str | None = None,
        user: str | None = None,
        settings: Sequence[tuple[str, str]] = (),
        password: str | None = None,
    ) -> Driver:
        """
        Make a driver for another database, with the same table names and session settings.

        No role is set there.

        Args:
            url: of its server; for a database that is a file, its folder.
            name: of the database; None for the one in the URL.
            user: to connect as; None for the one in the URL.
            settings: more of them; those of this database's URL override them.
            password: of that user.

        Raises:
            UsageError: the URL cannot be read, or is of a database of another kind.
        """

    def recover(self, lost: Session, attempt_id: str) -> RecoveryInfo:
        """
        Find out what became of an attempt whose connection was lost.

        Reconnect, wait until the lost connection's work has ended on the server, and read the
        attempt's row of the history.

        Raises:
            DatabaseError: it could not be found out.
        """
