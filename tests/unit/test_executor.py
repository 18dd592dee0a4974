"""Carrying a plan out, on a database in memory: what is asked of it, told, and raised."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest
from tests.unit.fakes import (
    Clock,
    FakeDriver,
    FakeSession,
    context,
    migrations,
    planned,
    refused,
)

from rung.cancellation import CancelToken
from rung.drivers.contract import (
    Disconnected,
    ExecutionResult,
    PartResult,
    RecoveryInfo,
    ServerNotice,
    StatementFailure,
    UpdateAttempt,
)
from rung.errors import (
    ConnectionLost,
    DatabaseError,
    LedgerMoved,
    MigrationFailed,
    QueryFailed,
    RunError,
    ServerMessage,
    Stopped,
    UnexpectedTransactionControl,
)
from rung.events import (
    HalfMissing,
    Notice,
    RunPlanned,
    StepFinished,
    StepStarted,
    UnitFinished,
    Warned,
    ignore,
)
from rung.execution.executor import run_plan
from rung.execution.preflight import prepare
from rung.ledger import LedgerState, Outcome
from rung.options import RunOptions
from rung.planning.plan import Down, Up, make_plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.drivers.contract import Observer, Transaction
    from rung.events import Event, Listener
    from rung.execution.preflight import PreparedStep
    from rung.planning.plan import Plan

UNITS = "select 1;\nvacuum t;\ncreate index concurrently i on t (a)"


def both() -> tuple[Plan, tuple[PreparedStep, ...]]:
    """Two small files, planned and read."""
    return planned(up1="select 1", up2="select 2")


def _twice(stop: CancelToken) -> None:
    """Ask for a cancellation."""
    stop.set()
    stop.set()


def _on_start(ask: Callable[[CancelToken], None], stop: CancelToken) -> Listener:
    """A listener that asks to stop when the first step starts."""
    return lambda event: ask(stop) if isinstance(event, StepStarted) else None


def test_a_run() -> None:
    """Each step is one call; the last is asked to be on disk; the report names them all."""
    session = FakeSession()
    report = run_plan(context(session), *both())

    assert session.calls == ["whole 1", "whole 2 last"]
    assert session.ledger == LedgerState(2)
    assert [(s.version, s.file, s.mode, s.statements) for s in report.steps] == [
        (1, "1_m1.up.sql", "transactional", 1),
        (2, "2_m2.up.sql", "transactional", 1),
    ]
    assert (report.version, report.missing_steps, report.nothing_to_do) == (2, 0, False)


def test_events_in_order() -> None:
    """The plan is told first, then each step's beginning and end with its number."""
    told: list[Event] = []
    run_plan(context(FakeSession(), listener=told.append), *both())

    assert [type(event) for event in told] == [
        RunPlanned,
        *(StepStarted, StepFinished) * 2,
    ]
    assert told[:2] == [
        RunPlanned((1, 2), "up"),
        StepStarted(1, "m1", "up", "transactional", 1, 2),
    ]
    assert isinstance(told[-1], StepFinished)
    assert (told[-1].version, told[-1].number, told[-1].total) == (2, 2, 2)


def test_all_the_way_down() -> None:
    """Going down ends before the first version, with more asked than there was."""
    session = FakeSession(LedgerState(1))
    plan = planned(Down(3), LedgerState(1), up1="", down1="select 1")
    report = run_plan(context(session), *plan)

    assert (session.ledger, report.version, report.missing_steps) == (LedgerState(), None, 2)


def test_a_missing_half_moves_the_ledger() -> None:
    """A version without that half runs nothing, moves the ledger, and is warned of."""
    told: list[Event] = []
    session = FakeSession()
    plan = make_plan(Up(), migrations(down1="select 1"), LedgerState(), passes_empty=True)
    run_plan(context(session, listener=told.append), plan, prepare(plan))

    assert session.ledger == LedgerState(1)
    assert [str(e) for e in told if isinstance(e, HalfMissing)] == [
        "version 1 has no up file, only down: the ledger changes and nothing runs"
    ]


def test_a_session_that_is_carried_from_file_to_file() -> None:
    """By golang-migrate's convention the next file finds the session as it was left."""
    told: list[Event] = []
    session = FakeSession(carried=("search_path",))
    run = context(session, listener=told.append)
    run.options = RunOptions(carries_session=True)
    run_plan(run, *planned(up1="set search_path = x", up2="select 1"))

    assert session.calls == ["whole 1", "whole 2 last"]
    assert not any(isinstance(event, Warned) for event in told)


def test_notices_are_handed_on() -> None:
    """What the server says meanwhile reaches the listener with the version."""
    told: list[Event] = []
    session = FakeSession(
        answers=[ExecutionResult((PartResult((ServerNotice("NOTICE", "00000", "hi"),)),))]
    )
    run_plan(context(session, listener=told.append), *planned(up1="select 1"))

    assert Notice(1, "NOTICE", "hi") in told


def test_a_failure_carries_what_was_applied() -> None:
    """A refused file names the place, is recorded, and leaves what came before."""
    session = FakeSession(answers=[ExecutionResult(), refused(statement=2, offset=12)])

    with pytest.raises(MigrationFailed) as caught:
        run_plan(context(session), *planned(up1="", up2="select 1;\n  bad", up3="select 3"))

    error = caught.value
    assert session.calls == ["whole 1", "whole 2", "record 2"]
    assert (error.applied, error.version, error.dirty) == ((1,), 2, False)
    assert error.place.lines() == (
        "  --> 2_m2.up.sql:2:3",
        "  2 |   bad",
        "    |   ^^^",
    )
    assert error.now == "clean at version 1; the failed migration was rolled back"


def test_a_failure_without_a_position() -> None:
    """Where the server gives no position the failing statement's line is named."""
    session = FakeSession(answers=[refused("22012", statement=2)])

    with pytest.raises(MigrationFailed) as caught:
        run_plan(context(session), *planned(up1="select 1;\n  select 1/0"))

    assert caught.value.place.lines() == ("  --> 1_m1.up.sql:2", "  2 |   select 1/0")


def test_a_failure_at_commit() -> None:
    """A file whose statements all ran and whose COMMIT failed says so."""
    session = FakeSession(answers=[refused("23503", at_commit=True)])

    with pytest.raises(MigrationFailed, match=r"failed at COMMIT: no \(SQLSTATE 23503\)"):
        run_plan(context(session), *planned(up1="select 1"))


@pytest.mark.parametrize("error", [Disconnected("gone"), QueryFailed("disk full")])
def test_a_failure_that_cannot_be_recorded(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Where the history takes no row, the failure is raised all the same, with a warning."""
    told: list[Event] = []
    session = FakeSession(answers=[refused()])

    def unable(transaction: Transaction, observer: Observer) -> ExecutionResult:
        if transaction.parts[0].statements is not None:
            return FakeSession.commit(session, transaction, observer)
        if isinstance(error, Disconnected):
            raise error
        assert isinstance(error, QueryFailed)
        return ExecutionResult(failure=StatementFailure(ServerMessage("no"), error=error))

    monkeypatch.setattr(session, "commit", unable)
    with pytest.raises(MigrationFailed):
        run_plan(context(session, listener=told.append), *planned(up1="select 1"))

    assert Warned(f"could not record the failed attempt: {error}") in told


def test_the_ledger_moved() -> None:
    """A ledger that is not what the plan was made for stops the run, and is told as it is."""
    session = FakeSession(LedgerState(7))

    with pytest.raises(LedgerMoved, match="clean at version 7") as caught:
        run_plan(context(session), *both())

    assert (caught.value.version, caught.value.file, caught.value.applied) == (1, "1_m1.up.sql", ())


def test_control_that_was_not_seen() -> None:
    """A warning of transaction control from inside a file stops the run."""
    session = FakeSession(
        answers=[
            ExecutionResult(
                (PartResult(transaction_control="there is no transaction in progress"),)
            )
        ]
    )

    with pytest.raises(UnexpectedTransactionControl, match="there is no transaction in progress"):
        run_plan(context(session), *planned(up1="select f()"))


def test_the_next_file_starts_afresh() -> None:
    """A session that a file may have changed is put back before the next, with a warning."""
    told: list[Event] = []
    session = FakeSession(carried=("search_path",))
    plan = planned(up1="set search_path = x", up2="set search_path = x")
    run_plan(context(session, listener=told.append), *plan)

    assert session.calls == ["whole 1", "restore", "whole 2 last"]
    assert [e.message.split(";")[0] for e in told if isinstance(e, Warned)] == [
        "1_m1.up.sql changes its session (search_path)"
    ]


# --- unit by unit --------------------------------------------------------------------------


def test_units() -> None:
    """The ledger is dirty between a file's first unit and its last, and clean after them."""
    told: list[Event] = []
    session = FakeSession()
    run_plan(context(session, listener=told.append), *planned(up1=UNITS))

    assert session.calls == [
        "begin 1",
        "unit 1-1 ours",
        "unit 2-2 none",
        "yield keys",
        "unit 3-3 none",
        "retake keys",
        "end done",
    ]
    assert session.ledger == LedgerState(1)
    assert [e for e in told if isinstance(e, UnitFinished)] == [
        UnitFinished(1, done, 3) for done in (1, 2, 3)
    ]


def test_the_server_has_the_last_word() -> None:
    """A file that is refused in a transaction is cut around what the server runs alone."""
    first, second = (refused("2D000", needs_no_transaction=True, statement=n) for n in (3, 5))
    session = FakeSession(
        answers=[
            first,
            ExecutionResult(),
            ExecutionResult(),
            second,
            ExecutionResult(),
            ExecutionResult(),
            ExecutionResult(),
        ]
    )
    text = "select 1; select 2; call p(); select 4; call q(); begin; select 7; commit"
    report = run_plan(context(session), *planned(up1=text))

    assert session.calls == [
        "whole 1 last",
        "begin 1",
        "unit 1-2 ours",
        "unit 3-3 none",
        "unit 4-8 own",
        "unit 4-4 ours",
        "unit 5-5 none",
        "unit 6-8 own",
        "end done",
    ]
    assert report.version == 1


def test_the_first_unit_failed() -> None:
    """Where the first unit was rolled back whole the ledger goes back to where it was."""
    session = FakeSession(LedgerState(1), answers=[refused(statement=1)])
    plan = planned(ledger=LedgerState(1), up1="", up2=UNITS)

    with pytest.raises(MigrationFailed) as caught:
        run_plan(context(session), *plan)

    assert session.calls == ["begin 2", "unit 1-1 ours", "end failed"]
    assert (session.ledger, caught.value.dirty) == (LedgerState(1), False)


@pytest.mark.parametrize("done", [1, 2])
def test_a_later_unit_failed(done: int) -> None:
    """Where something of the file is left behind the ledger stays dirty, and says so."""
    session = FakeSession(answers=[*[ExecutionResult()] * done, refused(statement=done + 1)])

    with pytest.raises(MigrationFailed, match="dirty at version 1") as caught:
        run_plan(context(session), *planned(up1=UNITS))

    assert (session.ledger, caught.value.dirty) == (LedgerState(1, dirty=True), True)


@pytest.mark.parametrize(
    ("before", "dirty"),
    [
        ("set a = 1", False),
        ("create table a (); rollback", False),
        ("begin; create table a (); commit and chain; select 1; rollback", True),
        ("create table a ()", True),
    ],
)
def test_a_unit_failed_behind_what_leaves_no_trace(before: str, *, dirty: bool) -> None:
    """Where only the session was changed before, or all undone, the ledger is clean again."""
    plan, (item,) = planned(up1=f"{before}; commit; begin; select 1; commit")
    answers = [ExecutionResult()] * (len(item.script.units) - 1)
    last = len(item.script.statements)
    session = FakeSession(answers=[*answers, refused(statement=last - 1)])

    with pytest.raises(MigrationFailed) as caught:
        run_plan(context(session), plan, [item])

    assert (caught.value.dirty, session.ledger.dirty) == (dirty, dirty)


@pytest.mark.parametrize(
    ("text", "sqlstate", "nothing_left", "dirty"),
    [
        ("vacuum a", "42P01", True, False),
        ("set a = 1; vacuum a", "42P01", True, False),
        ("create database a", "42P04", True, False),
        ("alter table a detach partition b concurrently", "0A000", True, False),
        ("create index concurrently on a (b)", "42703", False, True),
        ("create index concurrently on a (b)", "23505", True, True),
        ("create table a (); vacuum b", "42P01", True, True),
        ("-- rung: no-transaction\ncall a()", "42883", True, True),
    ],
)
def test_a_statement_alone_that_was_rejected(
    text: str, sqlstate: str, *, nothing_left: bool, dirty: bool
) -> None:
    """Where it is proved that it left nothing, and nothing was committed before: clean."""
    plan, (item,) = planned(up1=text)
    last = len(item.script.statements)
    answers: list[ExecutionResult | Exception] = [
        *[ExecutionResult()] * (last - 1),
        refused(sqlstate, statement=last),
    ]
    session = FakeSession(answers=answers, nothing_left=nothing_left)

    with pytest.raises(MigrationFailed) as caught:
        run_plan(context(session), plan, [item])

    assert (caught.value.dirty, session.ledger.dirty) == (dirty, dirty)


def test_going_back_to_clean_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the ledger cannot be put back, the failure says what it holds instead."""
    session = FakeSession(answers=[refused(statement=1)])

    def commit(transaction: Transaction, observer: Observer) -> ExecutionResult:
        ends = isinstance(transaction.parts[0].history[0], UpdateAttempt)
        if ends and transaction.parts[0].statements is None:
            return refused("22012", ledger_moved=True)
        return FakeSession.commit(session, transaction, observer)

    monkeypatch.setattr(session, "commit", commit)

    with pytest.raises(MigrationFailed, match="dirty at version 1"):
        run_plan(context(session), *planned(up1=UNITS))


def test_a_lone_statement_outside_a_transaction_failed() -> None:
    """What fails outside a transaction may leave something: the ledger stays dirty."""
    session = FakeSession(answers=[refused(statement=1)])

    with pytest.raises(MigrationFailed):
        run_plan(context(session), *planned(up1="create index concurrently i on t (a)"))

    assert session.ledger == LedgerState(1, dirty=True)


def test_the_last_down_in_units() -> None:
    """Going down to nothing is marked as golang-migrate marks it: -1, dirty."""
    session = FakeSession(LedgerState(1), answers=[ExecutionResult(), refused(statement=2)])
    plan = planned(Down(), LedgerState(1), up1="", down1=UNITS)

    with pytest.raises(MigrationFailed, match="dirty at no version"):
        run_plan(context(session), *plan)

    assert session.ledger == LedgerState(-1, dirty=True)


def test_keys_are_waited_for() -> None:
    """After a concurrent build another tool may hold its keys: they are tried until free."""
    clock = Clock()
    session = FakeSession(locks=[False, False, True])
    plan = planned(up1="create index concurrently i on t (a)")
    run_plan(context(session, policy=clock.policy()), *plan)

    assert session.calls.count("retake keys") == 3
    assert clock.naps == [0.025, 0.05]


def test_keys_are_waited_for_without_a_bound() -> None:
    """A bound is for getting in: in the middle of a file, giving up would leave it dirty."""
    clock = Clock()
    session = FakeSession(locks=[False] * 9)
    plan = planned(up1="create index concurrently i on t (a)")
    report = run_plan(context(session, policy=clock.policy(bound=0)), *plan)

    assert (report.version, len(clock.naps)) == (1, 9)


def test_stopped_while_keys_are_waited_for() -> None:
    """Asked twice to stop while another tool has its keys, the run says where it leaves."""
    stop = CancelToken()
    session = FakeSession(locks=[False] * 9)
    plan = planned(up1="create index concurrently i on t (a)")

    with pytest.raises(Stopped, match="dirty at version 1"):
        run_plan(context(session, stop=stop, listener=_on_start(_twice, stop)), *plan)


def test_a_ledger_that_moved_before_the_first_unit() -> None:
    """Where the ledger is not what was planned for, no unit runs."""
    session = FakeSession(LedgerState(7))

    with pytest.raises(LedgerMoved):
        run_plan(context(session), *planned(up1=UNITS))

    assert session.calls == ["begin 1", "look"]


def test_control_that_was_not_seen_in_a_unit() -> None:
    """A warning of transaction control inside a unit stops the run, dirty."""
    warned = PartResult(transaction_control="there is already a transaction")
    session = FakeSession(answers=[ExecutionResult((warned,))])

    with pytest.raises(UnexpectedTransactionControl, match="dirty at version 1"):
        run_plan(context(session), *planned(up1=UNITS))


# --- stopping ------------------------------------------------------------------------------


def test_a_stop_before_the_first_step() -> None:
    """Asked to stop beforehand, nothing runs and all remains."""
    stop, session = CancelToken(), FakeSession()
    stop.set()

    with pytest.raises(Stopped) as caught:
        run_plan(context(session, stop=stop), *both())

    assert (caught.value.applied, caught.value.remaining) == ((), (1, 2))
    assert session.calls == []


def test_a_stop_between_steps() -> None:
    """Asked to stop meanwhile, the running migration ends, is on disk, and the rest remains."""
    stop, session = CancelToken(), FakeSession()

    with pytest.raises(Stopped, match=r"not run: 2") as caught:
        run_plan(context(session, stop=stop, listener=_on_start(CancelToken.set, stop)), *both())

    assert caught.value.applied == (1,)
    assert session.calls == ["whole 1", "flush"]


@pytest.mark.parametrize("text", ["select 1", UNITS])
def test_a_cancelled_step(text: str) -> None:
    """Cancelled on the server because we asked, a step is stopped, not failed."""
    stop = CancelToken()
    session = FakeSession(answers=[refused("57014", cancelled=True, statement=1)])

    with pytest.raises(Stopped, match="clean at no version") as caught:
        run_plan(context(session, stop=stop, listener=_on_start(_twice, stop)), *planned(up1=text))

    assert caught.value.remaining == (1,)


def test_cancelled_by_somebody_else() -> None:
    """A statement that an administrator cancelled is a failure."""
    session = FakeSession(answers=[refused("57014", cancelled=True, statement=1)])

    with pytest.raises(MigrationFailed):
        run_plan(context(session), *planned(up1="select 1"))


# --- lost connections ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "applied", "committed", "now"),
    [
        (
            RecoveryInfo(Outcome.DONE, LedgerState(1)),
            (1,),
            True,
            "clean at version 1; migration 1 is committed",
        ),
        (
            RecoveryInfo(None, LedgerState()),
            (),
            False,
            "clean at no version; migration 1 was rolled back",
        ),
        (
            RecoveryInfo(Outcome.RUNNING, LedgerState(1, dirty=True)),
            (),
            False,
            "dirty at version 1; `rung history` names the statement that was running",
        ),
        (DatabaseError("away"), (), None, "clean at no version or clean at version 1"),
        (Disconnected("again"), (), None, "clean at no version or clean at version 1"),
    ],
)
def test_a_lost_connection(
    found: RecoveryInfo | Exception,
    applied: tuple[int, ...],
    now: str,
    *,
    committed: bool | None,
) -> None:
    """What became of the step is looked up and told; what cannot be learned is not guessed."""
    session = FakeSession(answers=[Disconnected("reset by peer")])

    with pytest.raises(ConnectionLost, match="reset by peer") as caught:
        run_plan(context(session, FakeDriver(session, found)), *both())

    error = caught.value
    assert (error.applied, error.committed, error.now) == (applied, committed, now)


def test_lost_after_the_last_commit() -> None:
    """A connection lost behind the last step's commit is a run that ended well."""
    session = FakeSession(answers=[ExecutionResult(), Disconnected("gone")])
    driver = FakeDriver(session, RecoveryInfo(Outcome.DONE, LedgerState(2)))
    report = run_plan(context(session, driver), *both())

    assert [step.version for step in report.steps] == [1, 2]


# --- what a run may not lose ---------------------------------------------------------------


@pytest.mark.parametrize("what", ["reset", "flush"])
def test_lost_between_steps(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """A connection lost between two steps still tells how far the run got."""
    stop = CancelToken()
    session = FakeSession()

    def gone() -> NoReturn:
        raise Disconnected("gone")

    def commit(transaction: Transaction, observer: Observer) -> ExecutionResult:
        return FakeSession.commit(session, transaction, observer) if transaction.parts else gone()

    flushes = what == "flush"
    monkeypatch.setattr(session, "commit" if flushes else what, commit if flushes else gone)
    ask = _on_start(CancelToken.set, stop) if flushes else ignore
    plan = planned(up1="set search_path = x", up2="select 1")
    with pytest.raises(RunError) as caught:
        run_plan(context(session, stop=stop, listener=ask), *plan)

    assert caught.value.applied == (1,)


def test_a_listener_that_raises_between_units() -> None:
    """An error of the listener's own ends the run after the migration, not inside it."""
    session = FakeSession()

    def listener(event: Event) -> None:
        if isinstance(event, UnitFinished) and event.statements_done == 1:
            raise LookupError

    with pytest.raises(LookupError):
        run_plan(context(session, listener=listener), *planned(up1=UNITS, up2="select 2"))

    assert session.ledger == LedgerState(1)
