"""
Sends transactions statement by statement, over a connection that commits nothing by itself.

The flow is here: the order of `steps_of`, what is rolled back, what is called a failure. What a
database needs besides are the hooks of `DbapiSender`; `rung.drivers.sqlite.execute` has them all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Protocol

from rung.drivers.transaction import (
    LEDGER_MOVED,
    AddAttempt,
    ExecutionResult,
    Part,
    PartResult,
    PartStep,
    ServerNotice,
    StatementFailure,
    StatementRange,
    Transaction,
    Wrap,
    steps_of,
)
from rung.errors import ServerMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rung.drivers.transaction import HistoryWrite, LedgerTransition, NewAttempt, Observer
    from rung.ledger import LedgerState
    from rung.script import Script, Statement


class LedgerMovedError(Exception):
    """The ledger is not in the state that a move starts from."""


class RejectedError(Exception):
    """A statement failed; its transaction is to be rolled back."""

    def __init__(self, failure: StatementFailure) -> None:
        super().__init__(failure)
        self.failure = failure


class RecordWriter(Protocol):
    """Writes ledger and history inside a transaction that is not its own."""

    def check(self, state: LedgerState) -> None:
        """Compare the ledger with a state; raises `LedgerMovedError`."""

    def move(self, move: LedgerTransition) -> None:
        """Set the ledger from exactly one state to another; raises `LedgerMovedError`."""

    def write_history(self, write: HistoryWrite, began: datetime) -> None:
        """Add or update a row of the history; `began` is when its part was sent."""

    def make_anew(self) -> None:
        """Make ledger and history again after a file that dropped one of them, the ledger empty."""

    def record_anew(self, attempt: NewAttempt, began: datetime) -> None:
        """The row of that file; a new history stays empty."""


@dataclass(slots=True)
class Work:
    """One part that is being sent, and how far it is."""

    transaction: Transaction
    number: int = 0
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    done: int = 0
    """The number of the last statement that ran."""
    notices: list[ServerNotice] = field(default_factory=list)
    transaction_control: str = ""
    tables_made: bool = False
    """Whether the file dropped a table of ours, and both are made again."""
    cleanup: ExitStack = field(default_factory=ExitStack)
    """What is undone when the transaction has ended, committed or not."""

    def __post_init__(self) -> None:
        if self.part.statements:
            self.done = self.part.statements.first - 1

    @property
    def part(self) -> Part:
        """The part itself."""
        return self.transaction.parts[self.number]

    @property
    def span(self) -> StatementRange:
        """The statements of a part that has some."""
        assert self.part.statements is not None
        return self.part.statements

    @property
    def script(self) -> Script:
        """Their script."""
        return self.span.script

    @property
    def is_own(self) -> bool:
        """Whether the transaction is the file's own."""
        return self.transaction.wrap is Wrap.OWN

    @property
    def is_whole_file(self) -> bool:
        """Whether the ledger moves with the statements; else these are a unit of a file."""
        return self.part.ledger is not None

    def result(self) -> PartResult:
        """What it left to be reported."""
        return PartResult(tuple(self.notices), self.transaction_control)


class OptionalHooks:
    """What only some databases need; each does nothing here."""

    def prove_lock(self) -> None:
        """Raise where the lock is not ours; nothing where it ends with the connection."""

    def let_us_write(self) -> None:
        """Put back what the file changed of the session and would keep us from writing."""

    def before_transaction(self, work: Work) -> None:
        """Called outside the transaction, just before it begins; `work.cleanup` undoes it."""

    def before_statements(self, work: Work) -> None:
        """Called inside the transaction, where there is one."""

    def after_statements(self, work: Work) -> None:
        """Called inside the transaction, where there is one; may raise `RejectedError`."""

    def check_connection(self) -> None:
        """Raise `Disconnected` where what we commit to is not the database any more."""

    def own_block(self, span: StatementRange) -> tuple[int, int]:
        """The numbers of a file's own BEGIN and COMMIT."""
        return span.first, span.last


class DbapiSender(OptionalHooks, ABC):
    """
    Sends transactions; a driver subclasses it and fills in the hooks.

    Args:
        records: ledger and history on the same connection.
    """

    errors: ClassVar[tuple[type[Exception], ...]]
    """What the library raises where a statement fails."""

    def __init__(self, records: RecordWriter) -> None:
        self._records = records
        self._take: dict[PartStep, Callable[[Work], None]] = {
            PartStep.RESET_SESSION: lambda _: None,
            PartStep.REPLAY: self._replay,
            PartStep.BEGIN: self._begin,
            PartStep.OWN_BEGIN: self._own_begin,
            PartStep.PROVE_LOCK: lambda work: self._ours(work, self.prove_lock),
            PartStep.LOCK_TIMEOUT: lambda _: None,
            PartStep.GUARD_LEDGER: self._guard_ledger,
            PartStep.STATEMENTS: self._statements,
            PartStep.OUR_RIGHTS: lambda work: self._ours(work, self.let_us_write),
            PartStep.MOVE_LEDGER: self._move_ledger,
            PartStep.WRITE_HISTORY: self._write_history,
            PartStep.COMMIT: self._commit,
            PartStep.OWN_COMMIT: self._own_commit,
        }

    def commit(self, transaction: Transaction, observer: Observer) -> ExecutionResult:
        """Send a transaction, all or nothing; see `rung.drivers.contract.Session.commit`."""
        results: list[PartResult] = []
        try:
            for number in range(len(transaction.parts)):
                if not observer.before_part(number):
                    self.roll_back()
                    return ExecutionResult(tuple(results), stopped=True)
                if number == 0:
                    observer.sent()
                work = Work(transaction, number)
                failure = self._send_part(work)
                results.append(work.result())
                if failure:
                    return ExecutionResult(tuple(results), replace(failure, part=number))
                if work.transaction_control:
                    self.roll_back()
                    break
                observer.after_part(number, work.result())
        except BaseException:
            self.roll_back()
            raise
        return ExecutionResult(tuple(results))

    def write(self, action: Callable[[], None]) -> StatementFailure | None:
        """Do something of ours in a transaction of its own; why it failed, or None."""
        work = Work(Transaction((Part(),)))

        def steps() -> None:
            self._begin(work)
            self._ours(work, action)
            self._commit(work)

        return self._tried(work, steps)

    # --- hooks ---------------------------------------------------------------------------

    @property
    @abstractmethod
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""

    @abstractmethod
    def execute(self, sql: str) -> None:
        """Run one statement of ours to its end."""

    @abstractmethod
    def run_statement(self, work: Work, statement: Statement) -> None:
        """Run one of a file's statements to its end."""

    @abstractmethod
    def failure_of(
        self, work: Work, statement: Statement | None, error: Exception, *, at_commit: bool
    ) -> StatementFailure:
        """What an error of the library means; `statement` is None for SQL of ours."""

    begin = "BEGIN"
    """How a transaction of ours begins."""

    # --- parts ---------------------------------------------------------------------------

    def _send_part(self, work: Work) -> StatementFailure | None:
        transaction = work.transaction
        if transaction.wrap is Wrap.NONE or transaction.records_follow:
            return self._send_before_records(work)
        steps = steps_of(transaction, work.number, begins_alone=True)
        failure = self._tried(work, lambda: [self._take[step](work) for step in steps])
        if failure is None and work.is_own:
            _, last = self.own_block(work.span)
            behind = last + 1, work.span.last  # it can undo nothing of what is committed
            self._tried(work, lambda: self.run(work, *behind))
        return failure

    def _send_before_records(self, work: Work) -> StatementFailure | None:
        """Statements that our records cannot commit with, and the records before and after."""
        failure = self._tried(work, lambda: self._replay(work))
        failure = failure or self._record(work.transaction.announce)
        failure = failure or self._tried(work, lambda: self._run_outside(work))
        return failure or self._record(work.part.history)

    def _run_outside(self, work: Work) -> None:
        is_ours = work.transaction.wrap is Wrap.OURS
        if is_ours:
            self._begin(work)
        self.before_statements(work)
        self.run(work, work.span.first, work.span.last)
        self.after_statements(work)
        if is_ours:
            self._commit(work)

    def _record(self, history: Sequence[HistoryWrite]) -> StatementFailure | None:
        if not history:
            return None
        work = Work(Transaction((Part(history=tuple(history)),)))
        steps = steps_of(work.transaction, 0)
        return self._tried(work, lambda: [self._take[step](work) for step in steps])

    def _tried(self, work: Work, send: Callable[[], object]) -> StatementFailure | None:
        """Why sending failed; it is rolled back then."""
        try:
            send()
        except RejectedError as rejected:
            self.roll_back()
            self.check_connection()  # where it is gone, that is why, whatever the library says
            return rejected.failure
        finally:
            if not self.in_transaction:
                work.cleanup.close()
        return None

    def roll_back(self) -> None:
        """End a transaction that is open; quiet where that fails."""
        with suppress(*self.errors):
            if self.in_transaction:
                self.execute("ROLLBACK")

    # --- steps ---------------------------------------------------------------------------

    def _replay(self, work: Work) -> None:
        for number in work.part.replays:
            self.run(work, number, number)
        if work.part.statements:
            work.done = work.span.first - 1

    def _begin(self, work: Work) -> None:
        if work.part.statements and len(work.transaction.parts) == 1:
            self.before_transaction(work)
        self._ours(work, lambda: self.execute(self.begin))

    def _own_begin(self, work: Work) -> None:
        """Statements before the file's own BEGIN change the session alone."""
        first, _ = self.own_block(work.span)
        self.run(work, work.span.first, first - 1)
        self.before_transaction(work)
        self.run(work, first, first)

    def _guard_ledger(self, work: Work) -> None:
        """A last down may drop the ledger: there it is compared before."""
        move = work.part.ledger
        if work.transaction.may_drop_ledger and move and move.before is not None:
            before = move.before
            self._ours(work, lambda: self._records.check(before))

    def _statements(self, work: Work) -> None:
        first, last = work.span.first, work.span.last
        if work.is_own:
            first, last = self.own_block(work.span)
        self.before_statements(work)
        self.run(work, first + work.is_own, last - work.is_own)
        self._still_inside(work)
        self.after_statements(work)

    def _still_inside(self, work: Work) -> None:
        """Notice a file that has ended its transaction unseen; our records get one then."""
        if not self.in_transaction:
            work.transaction_control = "there is no transaction in progress"
            self._ours(work, lambda: self.execute(self.begin))

    def _move_ledger(self, work: Work) -> None:
        if work.part.ledger is not None:
            move = work.part.ledger
            self._unless_dropped(work, lambda: self._records.move(move))

    def _write_history(self, work: Work) -> None:
        for write in work.part.history:
            if not work.tables_made:
                self._write_row(work, write)
            if work.tables_made and isinstance(write, AddAttempt):
                self._write_anew(work, write.attempt)

    def _write_row(self, work: Work, write: HistoryWrite) -> None:
        self._unless_dropped(work, lambda: self._records.write_history(write, work.began))

    def _write_anew(self, work: Work, attempt: NewAttempt) -> None:
        self._ours(work, lambda: self._records.record_anew(attempt, work.began))

    def _unless_dropped(self, work: Work, action: Callable[[], None]) -> None:
        """Write a record; after a last down that dropped a table of ours, make both again."""
        try:
            self._ours(work, action)
        except RejectedError as rejected:
            if not (work.transaction.may_drop_ledger and rejected.failure.ledger_dropped):
                raise
            self._ours(work, self._records.make_anew)
            work.tables_made = True

    def _commit(self, work: Work) -> None:
        self.check_connection()
        self._ours(work, lambda: self.execute("COMMIT"), at_commit=True)
        self.check_connection()

    def _own_commit(self, work: Work) -> None:
        _, last = self.own_block(work.span)
        self.check_connection()
        self.run(work, last, last, at_commit=True)
        self.check_connection()

    # --- statements ----------------------------------------------------------------------

    def run(self, work: Work, first: int, last: int, *, at_commit: bool = False) -> None:
        """
        Run statements of a file.

        Raises:
            RejectedError: one of them failed.
        """
        for statement in work.script.statements[first - 1 : last]:
            try:
                self.run_statement(work, statement)
            except self.errors as error:
                failure = self.failure_of(work, statement, error, at_commit=at_commit)
                raise RejectedError(failure) from None
            work.done = statement.number

    def _ours(self, work: Work, action: Callable[[], object], *, at_commit: bool = False) -> None:
        """Run SQL of ours; `RejectedError` where it fails."""
        try:
            action()
        except LedgerMovedError:
            message = ServerMessage(LEDGER_MOVED)
            moved = StatementFailure(message, statements_done=work.done, ledger_moved=True)
            raise RejectedError(moved) from None
        except self.errors as error:
            raise RejectedError(self.failure_of(work, None, error, at_commit=at_commit)) from None
