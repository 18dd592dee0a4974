"""What met a lock is tried again, whole, with pauses that leave traffic its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import Clock, FakeSession, context, planned, refused

from rung.cancellation import CancelToken
from rung.drivers.contract import ExecutionResult, LockTimeout
from rung.errors import MigrationFailed, Stopped
from rung.events import Blocker, LockRefused, Queued
from rung.execution.commit import is_retryable, pause_after
from rung.execution.executor import run_plan
from rung.ledger import LedgerState
from rung.options import RUNG
from rung.script import read

if TYPE_CHECKING:
    from rung.events import Event
    from rung.execution.command import Context
    from rung.options import RunOptions

WEB = Blocker(7, "ada", "web", "idle in transaction", 3.0)
MET = LockTimeout(0.2, blockers=(WEB,), queued=(Queued(8, "api"),))
PAUSE = 1.25
"""Of the clock's jitter, a half, after 0.2 s."""


def met(times: int, wait: LockTimeout = MET) -> list[ExecutionResult | Exception]:
    """So many refusals for a lock."""
    return [refused("55P03", statement=1, lock_wait=wait) for _ in range(times)]


def run(
    answers: list[ExecutionResult | Exception],
    clock: Clock,
    options: RunOptions = RUNG,
    stop: CancelToken | None = None,
) -> tuple[Context, list[Event]]:
    """A run that is ready, and what it will be heard to say."""
    told: list[Event] = []
    made = context(
        FakeSession(answers=answers), listener=told.append, policy=clock.policy(), stop=stop
    )
    made.options = options
    return made, told


def test_a_whole_file_is_tried_again() -> None:
    """Until the lock is had; each failure says how long it was tried and who is in the way."""
    clock = Clock()
    made, told = run(met(2), clock)
    run_plan(made, *planned(up1="alter table t add a int"))

    assert sum(clock.naps) == pytest.approx(2 * PAUSE)
    first, second = (event for event in told if isinstance(event, LockRefused))
    assert first == LockRefused(1, 1, 0.0, 0.2, PAUSE, (WEB,), (Queued(8, "api"),))
    assert second.tries == 2
    assert second.waited == pytest.approx(PAUSE)
    assert made.applied == (1,)


def test_a_pause_keeps_the_lock() -> None:
    """Behind a pooler it would be another's after half a minute, and a pause may be longer."""
    session = FakeSession(answers=met(1))
    run_plan(context(session, policy=Clock().policy()), *planned(up1="select 1"))

    assert session.signs_of_life >= PAUSE


@pytest.mark.parametrize("jitter", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("limit", [0.2, 3.0])
def test_a_pause_is_five_times_a_try(limit: float, jitter: float) -> None:
    """Or more by the jitter, never less."""
    assert 5 * limit <= pause_after(limit, jitter) <= 7.5 * limit


def test_a_lock_that_is_not_waited_for_is_not_asked_for_all_the_time() -> None:
    """NOWAIT stands in no queue, and is no reason to hammer."""
    assert pause_after(0.0, 0.0) == 0.5


def test_it_ends_when_time_is_up() -> None:
    """Measured from the first failure; the error says who held it and how often it was tried."""
    made, _ = run(met(9), Clock(), RUNG._replace(lock_retry_for=3.0))

    with pytest.raises(MigrationFailed) as caught:
        run_plan(made, *planned(up1="alter table t add a int"))
    assert caught.value.locked == (
        'Blocked by process 7 (user "ada", application "web"), idle in transaction for 3.0 s.',
        "To end it: SELECT pg_terminate_backend(7);",
        "1 session is queued behind this migration: process 8 (api).",
        "It was tried 3 times within 2.5 s.",
    )
    assert "--lock-retry-for" in caught.value.hint


def test_without_time_it_is_tried_once() -> None:
    """A bound of 0 fails at the first failure."""
    clock = Clock()
    made, _ = run(met(1), clock, RUNG._replace(lock_retry_for=0.0))

    with pytest.raises(MigrationFailed):
        run_plan(made, *planned(up1="alter table t add a int"))
    assert clock.naps == []


def test_a_stop_ends_the_pause() -> None:
    """At once, and clean: nothing of the file was kept."""
    stop = CancelToken()
    clock = Clock()
    made, _ = run(met(9), clock, stop=stop)
    made.listener = lambda event: stop.set() if isinstance(event, LockRefused) else None

    with pytest.raises(Stopped) as caught:
        run_plan(made, *planned(up1="alter table t add a int"))
    assert (clock.naps, caught.value.dirty) == ([], False)
    assert made.session.inspect().ledger == LedgerState()


def test_golang_migrates_way() -> None:
    """It would wait for ever for the lock, but not for one that the file does not wait for."""
    ways = RUNG._replace(lock_retry_for=None, retries_refused_locks=False)
    patient, _ = run(met(1000), Clock(), ways)
    run_plan(patient, *planned(up1="alter table t add a int"))
    curt, _ = run(met(1, MET._replace(ours=False)), Clock(), ways)

    assert patient.applied == (1,)
    with pytest.raises(MigrationFailed):
        run_plan(curt, *planned(up1="lock table t nowait"))


def test_what_may_have_committed_is_sent_once() -> None:
    """A CALL that is sent alone; the error says how it gets the time that it needs."""
    clock = Clock()
    made, _ = run([ExecutionResult(), *met(1)], clock)

    with pytest.raises(MigrationFailed) as caught:
        run_plan(made, *planned(up1="-- rung: no-transaction\nselect 1; call f()"))
    assert (clock.naps, caught.value.dirty) == ([], True)
    assert "SET lock_timeout" in caught.value.locked[-1]


@pytest.mark.parametrize(
    ("sql", "again"),
    [
        ("vacuum t", True),
        ("create index concurrently i on t (a)", False),
        ("begin; select 1; commit; begin; select 2; commit", True),
        ("begin; select 1; commit and chain; select 2; commit; vacuum", False),
        ("select 1; vacuum", True),
    ],
)
def test_which_units_is_retryable(sql: str, again: bool) -> None:  # noqa: FBT001 - a fact
    """Those of which nothing is kept where they are refused."""
    script = read(sql)

    assert is_retryable(script, script.units[0]) == again


def test_a_unit_is_tried_again_by_itself() -> None:
    """What is committed before it stays."""
    made, _ = run([ExecutionResult(), *met(1)], Clock())
    run_plan(made, *planned(up1="select 1; vacuum t"))

    session = made.session
    assert isinstance(session, FakeSession)
    assert session.calls[1:] == ["unit 1-1 ours", *["unit 2-2 none"] * 2, "end done"]
