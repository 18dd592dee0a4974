"""
What is committed and what comes of it, as values: the part of the contract that a run needs.

A `Transaction` is what `Session.commit` sends, all or nothing; sending the same one again is a
retry. `steps_of` is the order inside one part, which every driver follows. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple, Protocol

from rung.events import ignore

if TYPE_CHECKING:
    from rung.errors import RungError, ServerMessage
    from rung.events import Blocker, Event, Listener, Queued
    from rung.ledger import LedgerState, Outcome
    from rung.script import Script


LEDGER_MOVED = "the ledger is not in the state that this step starts from"
"""What is said, and recorded, of a `StatementFailure` that has `ledger_moved`."""


class FileVersion(NamedTuple):
    """What is recorded of one half of a migration."""

    checksum: str | None
    """None for a half whose SQL cannot be read."""
    digest: str
    """The SHA-256 of its text as it was read."""
    sql: str | None
    """The SQL with its secrets masked; None where an earlier row of the version has the same."""


class StoredSql(NamedTuple):
    """A half of a migration as the history kept it."""

    version: int
    direction: str
    checksum: str | None
    sql: str
    """With its secrets masked."""
    id: int = 0
    """The row that holds it."""
    digest: str | None = None
    """The SHA-256 that the row has of the text as it was read."""
    formula: int | None = None
    """The formula of its checksum."""


@dataclass(frozen=True, slots=True)
class NewAttempt:
    """What is recorded of one attempt at one half of a migration."""

    id: str
    """A UUID of ours, by which the attempt is found again after a lost connection."""
    version: int | None
    name: str
    direction: str
    up: FileVersion | None
    """None where the version has no such half."""
    down: FileVersion | None
    statements_total: int
    tool: str = "rung"
    statements_done: int = 0
    """How many an earlier attempt has committed, where this one resumes after them."""
    continues: str = ""
    """The id of that attempt, where the history has a row of it."""
    remark: str | None = None
    """What is to be said of an attempt that runs nothing."""


# --- the transaction -----------------------------------------------------------------------------


class Wrap(Enum):
    """Whose transaction a part runs in. The executor decides; the driver only sends."""

    OURS = "ours"
    """BEGIN and COMMIT are the driver's."""
    OWN = "own"
    """The file's BEGIN and COMMIT are among the statements; records go just before that COMMIT."""
    NONE = "none"
    """One statement outside any: `announce` commits before it, the records after it."""


@dataclass(frozen=True, slots=True)
class LedgerTransition:
    """
    The ledger's move, a compare-and-set: from exactly one state to another.

    `before` None writes `after`, whatever the ledger holds (force).
    """

    before: LedgerState | None
    after: LedgerState


@dataclass(frozen=True, slots=True)
class AddAttempt:
    """A new row of the history. That of a failure is added later, when it is known."""

    attempt: NewAttempt
    outcome: Outcome
    failure: StatementFailure | None = None
    began_seconds_ago: float = 0.0


@dataclass(frozen=True, slots=True)
class UpdateAttempt:
    """Change the row of an attempt; what is None stays. An `outcome` also ends it."""

    attempt_id: str
    statements_done: int | None = None
    in_flight: int | None = None
    """The number of the statement that is about to run outside a transaction."""
    outcome: Outcome | None = None
    error: str | None = None
    if_still_running: bool = False
    """Only where no outcome is recorded yet: for an attempt that another one resumes."""


HistoryWrite = AddAttempt | UpdateAttempt


@dataclass(frozen=True, slots=True)
class StatementRange:
    """
    Statements `first` to `last` of a script, counted from 1.

    The driver needs the script, and not a list of texts: text between statements is sent byte for
    byte, the server's position is mapped back to the file, COPY data is fed, and a SET
    lock_timeout of the file's own counts.
    """

    script: Script
    first: int
    last: int

    @classmethod
    def whole(cls, script: Script) -> StatementRange:
        """All statements of a script."""
        return cls(script, 1, len(script.statements))

    @property
    def is_whole(self) -> bool:
        """Whether these are all statements of the script."""
        return (self.first, self.last) == (1, len(self.script.statements))


@dataclass(frozen=True, slots=True)
class Part:
    """One file's share: its statements, then the ledger's move, then the history, in that order."""

    statements: StatementRange | None = None
    ledger: LedgerTransition | None = None
    history: tuple[HistoryWrite, ...] = ()
    starts_file: bool = False
    """Whether the session is first put back to what it was at connect."""
    replays: tuple[int, ...] = ()
    """
    Numbers of the script's statements to send first, outside the transaction.

    They set the session and nothing else, as a resumed file's earlier statements had done.
    """


@dataclass(frozen=True, slots=True)
class Transaction:
    """
    What commits together. Several parts are an atomic run; none, and `durable`, is a flush.

    The ledger is guarded before the first part's statements take a snapshot, the lock is proved
    in each transaction where it is a lease, and where a part fails nothing of it is kept.
    """

    parts: tuple[Part, ...] = ()
    wrap: Wrap = Wrap.OURS
    announce: tuple[HistoryWrite, ...] = ()
    """Committed on its own before the statements, where the records cannot commit with them."""
    records_follow: bool = False
    """
    Whether the records are committed after the statements and not with them.

    For a file's own transaction that ends in ROLLBACK, and for one in which nobody may write.
    `Wrap.NONE` implies it.
    """
    durable: bool = False
    """Whether it is on disk when `commit` returns, and with it every commit before it."""
    cancellable: bool = True
    """False for records of how work ended: a request to cancel leaves them some time."""
    may_drop_ledger: bool = False
    """For the last down: ledger and history are made again, empty, if its statements drop them."""


class PartStep(Enum):
    """One step of a part. What it works on stands in the part."""

    RESET_SESSION = auto()
    REPLAY = auto()
    BEGIN = auto()
    OWN_BEGIN = auto()
    """Statements up to the file's own BEGIN, for a driver that sends them one by one."""
    PROVE_LOCK = auto()
    LOCK_TIMEOUT = auto()
    GUARD_LEDGER = auto()
    """Keep other writers out, where there is no row that a compare-and-set could lock."""
    STATEMENTS = auto()
    """Those of the file; without its own COMMIT where records go before that."""
    OUR_RIGHTS = auto()
    """Put our rights, our timeouts and our search path back for what follows."""
    MOVE_LEDGER = auto()
    WRITE_HISTORY = auto()
    COMMIT = auto()
    OWN_COMMIT = auto()


def steps_of(
    transaction: Transaction, number: int, *, begins_alone: bool = False, moves_last: bool = False
) -> tuple[PartStep, ...]:
    """
    The order inside one part of a transaction; it is written once, here.

    Why this order: the reset takes no snapshot, so that a leading SET TRANSACTION of the file
    still works. The guard comes before the file's first snapshot, which then sees whatever
    another run has committed. The ledger moves after the statements, so that readers wait for
    our row no longer than for the commit.

    Args:
        transaction: where its records follow, these are sent as a transaction of their own.
        number: of the part, from 0.
        begins_alone: whether the file's own BEGIN is sent before our statements. A driver that
            sends one message leaves it where it is: its implicit transaction carries them.
        moves_last: whether the move keeps readers waiting from its statement to the commit.
    """
    part, wrap = transaction.parts[number], transaction.wrap
    last, runs = number == len(transaction.parts) - 1, part.statements is not None
    records = wrap is not Wrap.NONE and not transaction.records_follow
    order = (
        (PartStep.RESET_SESSION, part.starts_file),
        (PartStep.REPLAY, bool(part.replays)),
        (PartStep.BEGIN, wrap is Wrap.OURS and number == 0),
        (PartStep.OWN_BEGIN, wrap is Wrap.OWN and begins_alone),
        (PartStep.OUR_RIGHTS, not runs),
        (PartStep.PROVE_LOCK, wrap is not Wrap.NONE),
        (PartStep.LOCK_TIMEOUT, runs),
        (PartStep.GUARD_LEDGER, records and number == 0),
        (PartStep.STATEMENTS, runs),
        (PartStep.OUR_RIGHTS, runs and records),
        (PartStep.MOVE_LEDGER, records and not moves_last),
        (PartStep.WRITE_HISTORY, records),
        (PartStep.MOVE_LEDGER, records and moves_last),
        (PartStep.COMMIT, wrap is Wrap.OURS and last),
        (PartStep.OWN_COMMIT, wrap is Wrap.OWN and records),
    )
    return tuple(step for step, applies in order if applies)


# --- the answer ----------------------------------------------------------------------------------


class LockTimeout(NamedTuple):
    """A lock that was not to be had in time."""

    limit: float = 0.0
    """Seconds that it may have been waited for; 0 where it was not waited for at all."""
    ours: bool = True
    """Whether the limit was ours, and not the file's or the URL's."""
    blockers: tuple[Blocker, ...] = ()
    queued: tuple[Queued, ...] = ()
    tries: int = 1
    tried_for: float = 0.0
    """Seconds from the first failure to the last."""
    once: bool = False
    """Whether it was not tried again, because something may have been committed."""


class OwnWrite(NamedTuple):
    """A write of ours that a rule of the database refused; no file is at fault."""

    table: str
    """What was written, in words: `the ledger public.schema_migrations`."""
    objects: tuple[str, ...]
    """What there is at the table that may refuse, each in words; none where nothing is seen."""
    remedy: str


@dataclass(frozen=True, slots=True)
class StatementFailure:
    """
    Why nothing of a transaction was kept, or of a statement outside any.

    `statement` is the number of the statement that failed in its part's script, and `offset` the
    place in the script's text; both are None where it was not a statement of the script.
    """

    server: ServerMessage
    statement: int | None = None
    offset: int | None = None
    statements_done: int = 0
    part: int = 0
    """The number of the part that failed, from 0."""
    at_commit: bool = False
    needs_no_transaction: bool = False
    """The server runs that statement only outside a transaction block."""
    needs_commit_before: bool = False
    """It uses what the server lets be used only after a commit: a new value of an enum."""
    read_only: bool = False
    """Every statement ran, and nobody may write in the file's transaction, so neither may we."""
    ledger_moved: bool = False
    """Every statement ran, and the ledger was not in the state that the move starts from."""
    ledger_dropped: bool = False
    """Every statement ran, and the ledger or the history was gone."""
    lock_lost: bool = False
    """Nothing of it ran: the lock is not ours any more, or another tool has one of its keys."""
    cancelled: bool = False
    lock_wait: LockTimeout | None = None
    """The lock that could not be taken in time; None where it was something else."""
    triggers: tuple[int, int] | None = None
    """
    What the triggers of ledger and history fire for, where that changed since the inspection.

    Nothing is kept then; sent again, both are written in the form that the triggers allow.
    """
    altered: bool = False
    """Whether a write of ours succeeded, and a trigger or rule left something else of it."""
    own_table: str = ""
    """`ledger` or `history`, where a rule of the database rejected a write of ours."""
    own: OwnWrite | None = None
    """Which rule that was, and the remedy."""
    remedy: str = ""
    """What to do where the script is not at fault; empty where the SQLSTATE decides it."""
    error: RungError | None = None
    """What a command that ran no file raises for it; None for a part with statements."""


@dataclass(frozen=True, slots=True)
class ServerNotice:
    """A notice or warning; `sqlstate` is empty where the database has none."""

    severity: str
    sqlstate: str
    message: str


@dataclass(frozen=True, slots=True)
class PartResult:
    """What a part left to be reported."""

    notices: tuple[ServerNotice, ...] = ()
    """The first 100, warnings before the rest."""
    transaction_control: str = ""
    """The server's warning of a BEGIN or COMMIT that the lexer did not see; else empty."""
    leaked_settings: tuple[str, ...] = ()
    """The settings that it changed, where the session is reset before the next part."""


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """
    What came of a transaction: all of it is committed, unless it failed or was stopped.

    `parts` has a result for each part that was sent, the one that failed included. A part with
    `transaction_control` is the last that is sent.
    """

    parts: tuple[PartResult, ...] = ()
    failure: StatementFailure | None = None
    stopped: bool = False
    """Whether the observer ended it before a part; nothing is kept then."""

    @property
    def notices(self) -> tuple[ServerNotice, ...]:
        """Those of the last part that was sent."""
        return self.parts[-1].notices if self.parts else ()

    @property
    def transaction_control(self) -> str:
        """The warning of transaction control in the last part that was sent; else empty."""
        return self.parts[-1].transaction_control if self.parts else ""


class Observer(Protocol):
    """
    Who is called while a transaction is sent; the executor implements it.

    What it raises rolls the transaction back, and is raised by `commit`.
    """

    def before_part(self, number: int) -> bool:
        """Whether to send this part; False rolls back what was sent, and nothing is kept."""

    def sent(self) -> None:
        """Called once, while the server works: time for what can be prepared meanwhile."""

    def after_part(self, number: int, result: PartResult) -> None:
        """The part ran; it is not committed before all of them did."""

    def report(self, event: Event) -> None:
        """Called with a warning about a commit of records."""


@dataclass(slots=True)
class Unobserved:
    """An observer that sends every part, and hands warnings on to a listener."""

    listener: Listener = ignore

    def before_part(self, number: int) -> bool:
        """Send every part."""
        del number
        return True

    def sent(self) -> None:
        """Nothing."""

    def after_part(self, number: int, result: PartResult) -> None:
        """Nothing."""

    def report(self, event: Event) -> None:
        """Hand it on."""
        self.listener(event)


def error_text(failure: StatementFailure | None) -> str | None:
    """What the history keeps of a failure: the number of the statement and the server's words."""
    if failure is None:
        return None
    where = f"statement {failure.statement}: " if failure.statement else ""
    return where + "\n".join(failure.server.lines())


def makes_none(name: str) -> bool:
    """Where no files are known: none of them makes a table of this name."""
    del name
    return False


class TablesReady(NamedTuple):
    """What came of making ledger and history."""

    no_history: str = ""
    """Why there is none, and the way out; empty where there is one, or rights are missing."""
    note: str = ""
    """What a person should know of them; empty where all is as usual."""


@dataclass(frozen=True, slots=True)
class RecoveryInfo:
    """The state of an attempt after a lost connection."""

    outcome: Outcome | None
    """What the history says of the attempt; None where nothing of it is left."""
    ledger: LedgerState
    recorded: bool = True
    """False where there is no history that could know of the attempt."""
