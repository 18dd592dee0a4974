"""A database that lives in memory, for what is tested without one; and short ways to make files."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.unit.history import row

from rung.cancellation import CancelToken
from rung.drivers.contract import (
    AddAttempt,
    Capabilities,
    ExecutionResult,
    Inspection,
    Location,
    LockHolder,
    LockTimeout,
    PartResult,
    Ping,
    RecoveryInfo,
    ServerContext,
    StatementFailure,
    TablesReady,
    UpdateAttempt,
)
from rung.drivers.inspection import History
from rung.errors import ServerMessage
from rung.events import ignore
from rung.execution.command import Context, RetryPolicy
from rung.execution.history import Recorder
from rung.execution.preflight import prepare
from rung.ledger import LedgerState, Outcome
from rung.options import RUNG
from rung.planning.plan import Up, make_plan
from rung.script.data_loss import DryRun
from rung.script.dialect import Dialect
from rung.snapshot import Snapshot
from rung.source import Migration, MigrationFile, MigrationSet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from rung.diagnostics import Problem
    from rung.drivers.contract import NewAttempt, Observer, Part, Session, StoredSql, Transaction
    from rung.drivers.inspection import TwinLedger
    from rung.events import Listener
    from rung.execution.preflight import PreparedStep
    from rung.ledger import Attempt
    from rung.options import RunOptions
    from rung.planning.plan import Goal, Plan
    from rung.script import Script
    from rung.script.data_loss import DataLoss
    from rung.script.expected_names import ExpectedName

PLACE = Location(
    "chatapp", "public", read_only=False, server="Fake 1", dialect=Dialect.POSTGRES, process=7
)
HOLDER = LockHolder(42, user="ada")
SQL = "SELECT 1"
"""A file that holds a statement."""
MOVED = StatementFailure(ServerMessage("division by zero", "22012"), ledger_moved=True)


@dataclass
class FakeSession:
    """
    The protocol of a session on two variables.

    `answers` are what the next scripts and units come to, an error among them is raised; when
    they are used up everything succeeds. `failing_looks` are what the next looks end in. `calls` is
    what was asked and answered, in order.
    """

    ledger: LedgerState = field(default_factory=LedgerState)
    answers: list[ExecutionResult | Exception] = field(default_factory=list)
    failing_looks: list[Exception] = field(default_factory=list)
    locks: list[bool] = field(default_factory=list)
    history: tuple[Attempt, ...] | None = ()
    ledger_exists: bool = True
    place: Location = PLACE
    carried: tuple[str, ...] = ()
    kept: tuple[StoredSql, ...] = ()
    droppable: tuple[DataLoss, ...] = ()
    ended: bool | None = False
    """Whether a statement whose end is not recorded was completed."""
    nothing_left: bool = False
    """Whether a statement that was refused alone left nothing in the catalog."""
    overwritten: bool = False
    """Whether another tool has written the ledger behind the history."""
    left_over: tuple[Problem, ...] = ()
    calls: list[str] = field(default_factory=list)
    signs_of_life: int = 0

    def inspect(self, *, briefly: bool = False, history: History = History.ALL) -> Inspection:
        if self.failing_looks:
            raise self.failing_looks.pop(0)
        self.calls.append("look")
        return Inspection(self.place, self.ledger, self.ledger_exists, self.history)

    def locate(self) -> Location:
        return self.place

    def snapshot(self) -> Snapshot:
        return Snapshot()

    def stamp(self) -> None:
        return None

    def absent(self, names: Sequence[ExpectedName], *, anywhere: bool) -> tuple[ExpectedName, ...]:
        self.calls.append("absent")
        return ()

    def server_context(self) -> ServerContext:
        return ServerContext()

    def run_unrecorded(self, script: Script, first: int, last: int) -> ExecutionResult:
        return self._answer()

    def prepare_tables(self, makes: object = None) -> TablesReady:
        self.calls.append("ensure tables")
        return TablesReady()

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            records_history=self.history is not None,
            foreign_locks=self,
            leases=self,
            completion=self,
            provenance=self,
            functions=self,
            dry_runs=self,
            problems=self,
        )

    def try_lock(self) -> FakeSession | None:
        self.calls.append("lock")
        taken = self.locks.pop(0) if self.locks else True
        return self if taken else None

    def release(self) -> None:
        self.calls.append("unlock")

    def lock_holder(self) -> LockHolder | None:
        return HOLDER

    def lease_holder(self) -> LockHolder | None:
        return self.lock_holder()

    def break_lease(self, holder: LockHolder) -> bool:
        return False

    def release_foreign_locks(self) -> None:
        self.calls.append("yield keys")

    def try_foreign_locks(self) -> bool:
        self.calls.append("retake keys")
        return self.locks.pop(0) if self.locks else True

    def heartbeat(self) -> None:
        self.signs_of_life += 1

    def commit(self, transaction: Transaction, observer: Observer) -> ExecutionResult:
        """All parts or none, on the two variables; what was asked is named in `calls`."""
        if not transaction.parts:
            self.calls.append("flush")
            return ExecutionResult()
        before, results = self.ledger, list[PartResult]()
        for number, part in enumerate(transaction.parts):
            if not observer.before_part(number):
                self.calls.append("roll back")
                self.ledger = before
                return ExecutionResult(tuple(results), stopped=True)
            self.calls += _called(transaction, number)
            answer = self._answer() if part.statements else ExecutionResult()
            observer.sent()
            failure = answer.failure or self._moved(part)
            result = answer.parts[0] if answer.parts else PartResult()
            results.append(result)
            if failure is not None:
                self.ledger = before
                failed = replace(failure, part=number)
                return ExecutionResult(tuple(results), failed)
            if result.transaction_control:
                break
            observer.after_part(number, result)
        for part in transaction.parts:
            rows = (one for one in part.history if isinstance(one, AddAttempt))
            self._remember(*(one.attempt for one in rows if one.outcome is Outcome.DONE))
        return ExecutionResult(tuple(results))

    def check_syntax(self, script: Script) -> ExecutionResult:
        return ExecutionResult()

    def left_nothing(self, attempt_id: str) -> bool:
        return self.nothing_left

    def completed(self, script: Script, number: int, before: Sequence[int]) -> bool | None:
        self.calls.append(f"finished {number}?")
        return self.ended

    def code_of(self, names: Collection[str]) -> tuple[str | None, ...]:
        return ()

    def ledger_changed_since(self, entry: Attempt) -> bool:
        return self.overwritten

    def reset(self) -> tuple[str, ...]:
        self.calls.append("restore")
        return self.carried

    def read_history(self) -> tuple[Attempt, ...] | None:
        return self.history

    def stored_sql(self, versions: Sequence[int]) -> tuple[StoredSql, ...]:
        return tuple(half for half in self.kept if half.version in versions)

    def problems(self) -> tuple[Problem, ...]:
        return self.left_over

    def estimate(self, losses: Sequence[DataLoss]) -> tuple[DataLoss, ...]:
        return tuple(loss.counted(3) for loss in losses)

    def dry_run(self, undo: Script, tables: Sequence[str]) -> DryRun:
        return DryRun("nothing is sent")

    def row_guard(self, losses: Sequence[DataLoss]) -> str:
        return ""

    def perhaps_older(self, identities: Sequence[str]) -> tuple[str, ...]:
        return ()

    def other_ledgers(self) -> tuple[str, ...]:
        return ()

    def twin_ledgers(self) -> tuple[TwinLedger, ...]:
        return ()

    def objects(self) -> tuple[DataLoss, ...]:
        return self.droppable

    def drop(self) -> None:
        self.calls.append("drop")

    def close(self) -> None:
        self.calls.append("close")

    def _remember(self, *attempts: NewAttempt) -> None:
        """Rows of the history; those of files that run in units are not kept here."""
        if self.history is not None:
            self.history += tuple(remembered(attempt) for attempt in attempts)

    def _answer(self) -> ExecutionResult:
        answer = self.answers.pop(0) if self.answers else ExecutionResult()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _moved(self, part: Part) -> StatementFailure | None:
        if part.ledger is None:
            return None
        if part.ledger.before not in (None, self.ledger):
            return MOVED
        self.ledger = part.ledger.after
        return None


def _called(transaction: Transaction, number: int) -> list[str]:
    """What a part of a transaction is, in a word or two."""
    part = transaction.parts[number]
    attempts = [one for one in part.history if isinstance(one, AddAttempt)]
    if part.statements is None:
        return _records_called(part, attempts)
    if part.ledger is not None:
        several, last = len(transaction.parts) > 1, " last" * transaction.durable
        return [f"{'part' if several else 'whole'} {attempts[0].attempt.version}{last}"]
    replay = [f"replay {', '.join(map(str, part.replays))}"] if part.replays else []
    first, to = part.statements.first, part.statements.last
    return [*replay, f"unit {first}-{to} {transaction.wrap.value}"]


def _records_called(part: Part, attempts: Sequence[AddAttempt]) -> list[str]:
    if part.ledger is not None and part.ledger.before is None:
        return [f"force {part.ledger.after.version}"]
    ends = [one.outcome for one in part.history if isinstance(one, UpdateAttempt)]
    if not attempts:
        return [f"end {outcome.value}" for outcome in ends if outcome]
    words = {Outcome.RUNNING: "begin", Outcome.FAILED: "record"}
    if attempts[-1].outcome in words:
        return [f"{words[attempts[-1].outcome]} {attempts[-1].attempt.version}"]
    settled = part.ledger is not None
    return [f"{one.attempt.direction} {one.attempt.version}" for one in attempts if not settled]


def remembered(attempt: NewAttempt) -> Attempt:
    """The history's row of an attempt that ended well."""
    up, down = attempt.up, attempt.down
    return replace(
        row(attempt.version, attempt.direction, name=attempt.name),
        attempt=attempt.id,
        up_checksum=up and up.checksum,
        up_digest=up and up.digest,
        down_checksum=down and down.checksum,
        down_digest=down and down.digest,
        tool=attempt.tool,
    )


@dataclass
class FakeDriver:
    """Hands out one session; holds the state after a lost connection."""

    session: FakeSession
    found: RecoveryInfo | Exception = field(
        default_factory=lambda: RecoveryInfo(None, LedgerState())
    )
    label: str = "ada@db/chatapp"
    warnings: tuple[str, ...] = ()
    refusals: list[Exception] = field(default_factory=list)
    """Raised by the next attempts to connect for reading, one after the other."""
    pings: list[Ping] = field(default_factory=list)
    connected: list[RunOptions] = field(default_factory=list)
    """Those of each session, one after the other."""

    @contextmanager
    def connect(
        self, stop: CancelToken, options: RunOptions = RUNG, listener: Listener = ignore
    ) -> Iterator[FakeSession]:
        self.connected.append(options)
        yield self.session

    @contextmanager
    def read(
        self,
        stop: CancelToken | None = None,
        within: float | None = None,
        listener: Listener = ignore,
    ) -> Iterator[FakeSession]:
        if self.refusals:
            raise self.refusals.pop(0)
        yield self.session

    def ping(self) -> Ping:
        return self.pings.pop(0) if self.pings else Ping.ANSWERS

    def sibling(
        self,
        url: str,
        name: str | None = None,
        user: str | None = None,
        settings: Sequence[tuple[str, str]] = (),
        password: str | None = None,
    ) -> FakeDriver:
        return self

    def recover(self, lost: Session, attempt_id: str) -> RecoveryInfo:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@dataclass
class Clock:
    """Time that passes only while somebody sleeps."""

    now: float = 100.0
    naps: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds

    def policy(self, bound: float | None = None, jitter: float = 0.5) -> RetryPolicy:
        """A jitter of a half leaves the pauses as they are."""
        return RetryPolicy(bound, lambda: self.now, self.sleep, lambda: jitter)


def migrations(**halves: str) -> MigrationSet:
    """A set of files: `up1="select 1"` is the up half of version 1, named m1."""
    found: dict[int, dict[str, MigrationFile]] = {}
    for key, text in halves.items():
        direction = key.rstrip("0123456789")
        number = int(key.removeprefix(direction))
        half = MigrationFile(f"{number}_m{number}.{direction}.sql", f"m{number}", text)
        found.setdefault(number, {})[direction] = half
    pairs = sorted(found.items())
    return MigrationSet("folder", tuple(Migration(v, p.get("up"), p.get("down")) for v, p in pairs))


def planned(
    goal: Goal | None = None, ledger: LedgerState | None = None, **halves: str
) -> tuple[Plan, tuple[PreparedStep, ...]]:
    """The plan for files made by `migrations`, and its steps with their SQL read."""
    plan = make_plan(goal or Up(), migrations(**halves), ledger or LedgerState())
    return plan, prepare(plan)


def context(
    session: FakeSession,
    driver: FakeDriver | None = None,
    *,
    listener: Listener = ignore,
    stop: CancelToken | None = None,
    policy: RetryPolicy | None = None,
) -> Context:
    """What a run holds, with a clock that stands still."""
    chosen = driver or FakeDriver(session)
    return Context(
        driver=chosen,
        session=session,
        lock=session,
        listener=listener,
        stop=stop or CancelToken(),
        policy=policy or Clock().policy(),
        recorder=Recorder(),
    )


def refused(sqlstate: str = "42601", **facts: int | bool | LockTimeout) -> ExecutionResult:
    """A script or a unit that the server refused."""
    return ExecutionResult(failure=StatementFailure(ServerMessage("no", sqlstate), **facts))  # type: ignore[arg-type]
