"""What a service calls when it starts, and its twin for an event loop."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import FakeDriver, FakeSession, refused

from rung import startup
from rung.cancellation import CancelToken
from rung.errors import MigrationFailed, UsageError
from rung.events import RunPlanned
from rung.execution.outcomes import RunReport
from rung.ledger import LedgerState
from rung.startup import run_migrations, run_migrations_async

if TYPE_CHECKING:
    from pathlib import Path

    from rung.events import Event

REPORT = RunReport((), 3)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> FakeSession:
    """The database that every URL leads to."""
    session = FakeSession()
    monkeypatch.setattr("rung.migrator.open_driver", lambda _: FakeDriver(session))
    return session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two migrations."""
    (tmp_path / "1_a.up.sql").write_text("select 1")
    (tmp_path / "2_b.up.sql").write_text("select 2")
    return tmp_path


class Engine:
    """A run that goes on until it is asked to stop often enough."""

    def __init__(self, stops: int) -> None:
        self.stops, self.began, self.ended = stops, threading.Event(), False

    def __call__(self, database: str, source: str, *, stop: CancelToken, **_: object) -> RunReport:
        """Stand in for `run_migrations`."""
        self.began.set()
        pause = threading.Event()
        while not (stop.requested if self.stops == 1 else stop.cancelling):
            pause.wait(0.002)
        self.ended = True
        raise UsageError("stopped")


def test_all_pending_run(session: FakeSession, folder: Path) -> None:
    """A service's start applies what is pending, and a second start finds nothing to do."""
    report = run_migrations("postgres://h/x", folder)
    again = run_migrations("postgres://h/x", folder)

    assert (report.version, len(report.steps)) == (2, 2)
    assert (again.version, again.nothing_to_do) == (2, True)
    assert session.ledger == LedgerState(2)


def test_the_twin_is_the_same(session: FakeSession, folder: Path) -> None:
    """From an event loop the same run goes on in a thread of its own."""
    told: list[tuple[Event, bool]] = []

    def listen(event: Event) -> None:
        told.append((event, threading.current_thread() is threading.main_thread()))

    report = asyncio.run(run_migrations_async("postgres://h/x", folder, listener=listen))

    assert report.version == 2
    assert told[0] == (RunPlanned((1, 2), "up"), False)


def test_errors_pass_through_the_twin(session: FakeSession, folder: Path) -> None:
    """A failure is raised where it is awaited, as it is."""
    session.answers = [refused(statement=1)]

    with pytest.raises(MigrationFailed):
        asyncio.run(run_migrations_async("postgres://h/x", folder))


def test_the_loop_is_not_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """While migrations run, other tasks of the loop go on."""
    going = threading.Event()

    def slow(*_: object, **__: object) -> RunReport:
        assert going.wait(10)
        return REPORT

    async def both() -> RunReport:
        run = asyncio.create_task(run_migrations_async("postgres://h/x", "f"))
        await asyncio.sleep(0.01)
        going.set()
        return await run

    monkeypatch.setattr(startup, "run_migrations", slow)
    assert asyncio.run(both()) == REPORT


@pytest.mark.parametrize("cancellations", [1, 2])
def test_cancelling_the_task(monkeypatch: pytest.MonkeyPatch, cancellations: int) -> None:
    """A cancelled task asks its run to stop, cancelled twice to cancel, and awaits its end."""
    engine = Engine(cancellations)
    monkeypatch.setattr(startup, "run_migrations", engine)

    async def cancelled() -> None:
        task = asyncio.create_task(run_migrations_async("postgres://h/x", "f"))
        await asyncio.to_thread(engine.began.wait)
        for _ in range(cancellations):
            assert not task.done()
            task.cancel()
            await asyncio.sleep(0.02)
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert engine.ended


def test_a_stop_of_the_callers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop that was handed in ends the run of the twin as well."""
    stop = CancelToken()
    monkeypatch.setattr(startup, "run_migrations", Engine(1))
    stop.set()

    with pytest.raises(UsageError, match="stopped"):
        asyncio.run(run_migrations_async("postgres://h/x", "f", stop=stop))


@pytest.mark.parametrize(
    ("times", "requested", "cancelling"), [(0, False, False), (1, True, False), (3, True, True)]
)
def test_stopping(times: int, *, requested: bool, cancelling: bool) -> None:
    """Set once a stop asks for an end, set twice for a cancellation."""
    stop = CancelToken()
    for _ in range(times):
        stop.set()

    assert (stop.requested, stop.cancelling) == (requested, cancelling)
