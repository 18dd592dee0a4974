"""Waiting for a database: what is worth waiting for, what is said meanwhile, when it ends."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import Clock, FakeDriver, FakeSession

from rung.cancellation import CancelToken
from rung.drivers.contract import Disconnected, Ping
from rung.drivers.inspection import History
from rung.errors import ConnectionFailed, DatabaseBusy, Stopped, VersionNotReached
from rung.events import DatabaseWaiting
from rung.execution.command import Target
from rung.execution.wait import Waited, wait
from rung.ledger import LedgerState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.drivers.contract import Inspection
    from rung.events import Event

REFUSED = ConnectionFailed("No connection to ada@db/chatapp: no.")
NOT_YET, ANSWERS, HOPELESS = Ping.NOT_YET, Ping.ANSWERS, Ping.HOPELESS


class MovingSession(FakeSession):
    """A session whose ledger is another at each look; an error among them is raised."""

    def __init__(self, *ledgers: LedgerState | Exception) -> None:
        super().__init__()
        self._ledgers: Iterator[LedgerState | Exception] = iter(ledgers)

    def inspect(self, *, briefly: bool = False, history: History = History.ALL) -> Inspection:
        ledger = next(self._ledgers)
        if isinstance(ledger, Exception):
            raise ledger
        self.ledger = ledger
        return super().inspect()


def waited(
    *ledgers: LedgerState | Exception,
    refusals: int = 0,
    pings: tuple[Ping, ...] = (),
    version: int | None = None,
    bound: float | None = None,
    clock: Clock | None = None,
    stop: CancelToken | None = None,
) -> tuple[Waited, list[Event]]:
    """Wait for a database that refuses so often, then has these ledgers; and what was said."""
    driver = FakeDriver(MovingSession(*ledgers))
    driver.refusals, driver.pings = [REFUSED] * refusals, list(pings)
    said: list[Event] = []
    target = Target(driver, said.append, stop or CancelToken())
    return wait(target, version, (clock or Clock()).policy(bound)), said


def test_a_server_that_answers() -> None:
    """Nothing is waited for, nothing is said."""
    clock = Clock()

    assert waited(LedgerState(3, dirty=True), clock=clock) == (
        Waited(3, dirty=True, waited_seconds=0),
        [],
    )
    assert clock.naps == []


def test_a_server_that_comes() -> None:
    """Pauses double from 50 ms to a second; the reason is told at once, then every 5 s."""
    clock = Clock()
    found, said = waited(LedgerState(), refusals=20, pings=(NOT_YET,) * 20, clock=clock)

    moments = [event.waited for event in said if isinstance(event, DatabaseWaiting)]
    assert found.waited_seconds == pytest.approx(sum(clock.naps))
    assert clock.naps[:7] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    assert said[0] == DatabaseWaiting(0, REFUSED.cause)
    assert (len(said), len(moments)) == (4, 4)
    assert all(5 <= later - before <= 6 for before, later in pairwise(moments))


def test_a_server_that_answers_the_ping_is_asked_once_more() -> None:
    """It may have come up between the two: no pause, and no more than one more attempt."""
    clock = Clock()

    assert waited(LedgerState(1), refusals=1, pings=(ANSWERS,), clock=clock)[0].version == 1
    assert clock.naps == []


def test_a_refusal_that_stays() -> None:
    """The server answers and refuses us twice: it will go on refusing."""
    clock = Clock()
    with pytest.raises(ConnectionFailed) as caught:
        waited(refusals=2, pings=(ANSWERS, ANSWERS), clock=clock)

    assert (caught.value, clock.naps) == (REFUSED, [])


def test_a_server_that_goes_between_the_attempts() -> None:
    """Where it answers no more after the second refusal, the refusal was not its last word."""
    pings = (ANSWERS, NOT_YET)

    assert waited(LedgerState(1), refusals=2, pings=pings)[0].version == 1


def test_parameters_that_make_no_sense() -> None:
    """What libpq would not even try is not waited for."""
    with pytest.raises(ConnectionFailed):
        waited(LedgerState(1), refusals=1, pings=(HOPELESS,))


def test_a_version_that_comes() -> None:
    """Looked for until the ledger is clean at it or above."""
    clock = Clock()
    ledgers = [LedgerState(), LedgerState(2), LedgerState(5, dirty=True), LedgerState(6)]
    found, said = waited(*ledgers, version=5, clock=clock)

    assert (found.version, len(clock.naps)) == (6, 3)
    assert said == [DatabaseWaiting(0, "it is at no version, not yet at version 5")]


def test_a_connection_lost_meanwhile() -> None:
    """A server that restarts is connected to again."""
    found, said = waited(LedgerState(1), Disconnected("gone"), LedgerState(2), version=2)

    assert found.version == 2
    assert said == [DatabaseWaiting(0, "it is at version 1, not yet at version 2")]


def test_a_busy_database() -> None:
    """One that somebody's work keeps from answering is asked again."""
    busy = DatabaseBusy(label="chat.db", said="database is locked", waited=5.0)
    found, said = waited(busy, LedgerState(2), version=2)

    assert found.version == 2
    assert said == [DatabaseWaiting(0, busy.cause)]


def test_a_bound_without_an_answer() -> None:
    """The last reason is told; the last pause is cut to what is left."""
    clock = Clock()
    with pytest.raises(ConnectionFailed, match="did not answer within 0") as caught:
        waited(refusals=99, pings=(NOT_YET,) * 99, bound=0.5, clock=clock)

    assert sum(clock.naps) == pytest.approx(0.5)
    assert "--timeout" in caught.value.hint


@pytest.mark.parametrize("last", [LedgerState(2), Disconnected("gone")])
def test_a_bound_with_an_answer(last: LedgerState | Exception) -> None:
    """Where it answered at any time, it is the version that was not reached."""
    with pytest.raises(VersionNotReached) as caught:
        waited(LedgerState(2, dirty=True), *[last] * 99, version=3, bound=0.5)

    assert (caught.value.wanted, caught.value.version) == (3, 2)


def test_a_bound_of_nothing() -> None:
    """Zero tries once."""
    clock = Clock()
    with pytest.raises(VersionNotReached):
        waited(LedgerState(2), version=3, bound=0, clock=clock)

    assert clock.naps == []


def test_a_stop() -> None:
    """It ends the waiting, but keeps nobody from what is there already."""
    stop = CancelToken()
    stop.set()

    assert waited(LedgerState(1), stop=stop)[0].version == 1
    with pytest.raises(Stopped):
        waited(LedgerState(1), version=2, stop=stop)
