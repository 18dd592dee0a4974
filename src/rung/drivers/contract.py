"""
What a database driver is: the whole contract.

A driver knows its dialect and nothing about policy: it connects, locks, reads and writes
ledger and history, runs a script, lists what would be lost, drops. What to run, when to
wait and what to tell people is decided above. A new driver inherits `tests/contract`.
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
from rung.options import RUNG

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractContextManager

    from rung.cancellation import CancelToken
    from rung.diagnostics import Problem
    from rung.drivers.inspection import TwinLedger
    from rung.events import Listener
    from rung.ledger import Attempt
    from rung.options import RunOptions
    from rung.script import Script
    from rung.script.data_loss import DataLoss, DryRun
    from rung.script.expected_names import ExpectedName
    from rung.snapshot import Snapshot

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
            LedgerUnreadable: what is there is no ledger, or no history.
            DatabaseBusy: somebody's work keeps the database from answering for now.
        """

    def locate(self) -> Location:
        """Find where the ledger is, without reading it: what mends a broken ledger uses this."""

    def snapshot(self) -> Snapshot:
        """
        The whole schema, in one round trip, without lock or write.

        Left out are ledger and history with what belongs to them, the lease, what an extension
        owns, and what is of one session.

        Raises:
            QueryFailed: the server refused.
        """

    def absent(self, names: Sequence[ExpectedName], *, anywhere: bool) -> tuple[ExpectedName, ...]:
        """
        Those of some names that the database does not have, in their order; one question.

        Args:
            names: one without a schema is looked up on the search path and beside the ledger.
            anywhere: look such a name up in every schema.

        Raises:
            QueryFailed: the server refused.
        """

    def server_context(self) -> ServerContext:
        """What of the server a file's SQL may lean on."""

    def report_to(self, listener: Listener) -> None:
        """Have a listener told what is waited for, and how far a script is that runs."""

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
        """Give back the keys on which another tool may queue, keeping our own."""

    def try_foreign_locks(self) -> bool:
        """Take them again, all or none."""


class LeaseRecovery(Protocol):
    """Freeing the lock of a run that is gone, where the lock does not end with its connection."""

    def lease_holder(self) -> LockHolder | None:
        """
        Whose the lock is, dead or alive: as `lock_holder`, and a lease that nobody keeps any more.

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

        A failure is one of the grammar, with its place; without one nothing is proved.
        """

    def completed(self, script: Script, number: int, before: Sequence[int]) -> bool | None:
        """
        Whether a statement was finished that was sent outside a transaction; reads only.

        False where it is to be run again, None where nothing tells. `before` are the numbers
        of the statements by which the script had set the session then.
        """

    def left_nothing(self, attempt_id: str) -> bool:
        """
        Whether a statement that was sent alone and refused left nothing in the catalog.

        Reads only. Compared is with the note that it was under way; False where nothing tells.
        """


class Provenance(Protocol):
    """Evidence in the catalog of who made what, and when."""

    def ledger_changed_since(self, entry: Attempt) -> bool:
        """
        Whether somebody wrote the ledger behind a row of the history; reads only.

        False where nothing tells.
        """

    def perhaps_older(self, identities: Sequence[str]) -> tuple[str, ...]:
        """
        Those of these objects that were perhaps there before the ledger was marked dirty.

        Args:
            identities: as snapshots name them; of tables, views, indexes and columns.
        """

    def twin_ledgers(self) -> tuple[TwinLedger, ...]:
        """Where our ledger is missing, and its schema was not named: those of other schemas."""


class FunctionCode(Protocol):
    """Functions that a file's statements may call."""

    def code_of(self, names: Collection[str]) -> tuple[str | None, ...]:
        """
        The code of every function and procedure of these names that is not the server's own.

        None for one whose code is not SQL or PL/pgSQL, or not kept as text. Reads only.
        """


class DryRuns(Protocol):
    """Transactions that show what SQL removes, and are rolled back."""

    def dry_run(self, undo: Script, tables: Sequence[str]) -> DryRun:
        """
        Run SQL that takes schema away in a transaction that is rolled back; tells what went.

        Args:
            undo: it was judged before: nothing in it reaches beyond its transaction.
            tables: the names of the tables in it; where they are too large nothing is sent.
        """

    def row_guard(self, losses: Sequence[DataLoss]) -> str:
        """SQL that locks what is lost, and fails where other rows are there than were counted."""


class ProblemFinder(Protocol):
    """What failed work has left."""

    def problems(self) -> tuple[Problem, ...]:
        """What failed work has left in the database and on its server; reads only."""


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
    """One connection that may write. Everything that touches the database goes through here."""

    def prepare_tables(self, makes: Callable[[str], bool] = makes_none) -> TablesReady:
        """
        Make ledger and history where they are missing; only under the lock.

        A new history can be read by whoever may read the ledger. Where our rights do not
        suffice for it, or a rule of the database refuses it, the session goes on without one.

        Args:
            makes: whether a file makes a table of a name; asked before a history takes it.

        Raises:
            RightsMissing: the ledger may not be made, or not be written.
            TableRefused: a rule of the database refuses the ledger.
            QueryFailed: it cannot be made for another reason.
        """

    @property
    def capabilities(self) -> Capabilities:
        """What this database can do besides; known after the first inspection."""

    def try_lock(self) -> Lock | None:
        """
        Take all that excludes other runs, or nothing; never wait in the server.

        Raises:
            RightsMissing: what stands for a lock behind a pooler may not be made or used.
        """

    def lock_holder(self) -> LockHolder | None:
        """Who holds a key that `try_lock` needs; None where nobody is seen."""

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
        """Put the session back to what it was at connect; name what had been changed."""

    def read_history(self) -> tuple[Attempt, ...] | None:
        """The history alone, oldest first; None where there is none to read."""

    def stored_sql(self, versions: Sequence[int]) -> tuple[StoredSql, ...]:
        """Every text that the history keeps of these versions, oldest first."""

    def run_unrecorded(self, script: Script, first: int, last: int) -> ExecutionResult:
        """
        Have the statements `first` to `last` run as they stand, in one message, unrecorded.

        For databases to try things on: nothing guards it, and a transaction that they open, or
        that fails, is left as it is.
        """

    def estimate(self, losses: Sequence[DataLoss]) -> tuple[DataLoss, ...]:
        """
        The same losses with the rows in them, counted up to `rung.script.data_loss.MOST_ROWS`.

        Behind each that has a cascade comes what that takes along. What cannot be counted, or not
        in a few seconds, says why.
        """

    def other_ledgers(self) -> tuple[str, ...]:
        """Where our ledger is missing: the tables of its shape under another name."""

    def objects(self) -> tuple[DataLoss, ...]:
        """All that `drop` would remove."""

    def drop(self) -> None:
        """Remove all objects of the ledger's schema that no extension owns, at once."""


class Driver(Protocol):
    """One database, named and not yet connected to."""

    @property
    def label(self) -> str:
        """The database as people may see it, without secrets."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What of the database's URL is left out and might be missed, in sentences."""

    def ping(self) -> Ping:
        """Whether the server takes connections; tells what a failed one came from."""

    def read(
        self, stop: CancelToken | None = None, within: float | None = None
    ) -> AbstractContextManager[Reader]:
        """
        Connect for reading alone; loads nothing that writes.

        Args:
            stop: its first request ends what is read.
            within: seconds for connecting and for all that is read; None for no limit.

        Raises:
            ConnectionFailed: with the reason, masked.
        """

    def connect(
        self, stop: CancelToken, conventions: RunOptions = RUNG
    ) -> AbstractContextManager[Session]:
        """
        Connect.

        Args:
            stop: looked at while a script runs.
            conventions: whether files find the session as others left it, and for how long
                what is sent may run.

        Raises:
            ConnectionFailed: with the reason, masked.
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
        Another database, with the same names of ledger and history, and settings of the session.

        No role is taken on there.

        Args:
            url: how to come to its server; for a database that is a file, its folder.
            name: the database's; None for the one that the URL names.
            user: whom to connect as; None for the one that the URL names.
            settings: more of them, weaker than those that this one's URL has.
            password: of that user; the URL's is another's.

        Raises:
            UsageError: the URL cannot be read, or leads to a database of another kind.
        """

    def recover(self, lost: Session, attempt_id: str) -> RecoveryInfo:
        """
        What became of an attempt whose connection was lost.

        Connects anew, waits for what the lost connection began to end on the server, and looks
        for the attempt's id in the history.

        Raises:
            DatabaseError: that cannot be learned.
        """
