"""Waiting for another run: how often it is tried, what is said meanwhile, when it ends."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import HOLDER, Clock, FakeSession

from rung.cancellation import CancelToken
from rung.drivers.contract import Disconnected, LockHolder
from rung.errors import LockNotAcquired, Stopped
from rung.events import LockWaiting
from rung.execution.command import held

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.events import Event


def never() -> bool:
    """There is always something left to do."""
    return False


def wait(
    refusals: int,
    clock: Clock,
    *,
    bound: float | None = None,
    jitter: float = 0.5,
    stop: CancelToken | None = None,
    nothing_left: Callable[[], bool] = never,
) -> tuple[bool, FakeSession, list[Event]]:
    """Hold the lock after so many refusals; whether it was won, and what was said."""
    session = FakeSession(locks=[False] * refusals)
    said: list[Event] = []
    policy = clock.policy(bound, jitter)
    with held(session, policy, said.append, stop or CancelToken(), nothing_left) as lock:
        return lock is not None, session, said


def test_a_free_lock() -> None:
    """A free lock is taken by one try and given back at the end."""
    clock = Clock()
    won, session, said = wait(0, clock)

    assert (won, session.calls, said, clock.naps) == (True, ["lock", "unlock"], [], [])


def test_pauses_grow() -> None:
    """Pauses double from 25 ms to a second."""
    clock = Clock()
    wait(8, clock)

    assert clock.naps == [0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


@pytest.mark.parametrize("jitter", [0.0, 0.25, 0.999])
def test_pauses_are_jittered(jitter: float) -> None:
    """A pause is from a half to one and a half of what it would be."""
    clock = Clock()
    wait(3, clock, jitter=jitter)

    assert clock.naps == pytest.approx([p * (0.5 + jitter) for p in (0.025, 0.05, 0.1)])


def test_who_holds_it_is_said() -> None:
    """The holder is named at once and then every five seconds."""
    clock = Clock()
    _, _, said = wait(20, clock)

    moments = [event.waited for event in said if isinstance(event, LockWaiting)]
    assert moments[0] == 0
    assert len(moments) == 3
    assert all(5 <= later - before < 6 for before, later in pairwise(moments))
    assert said[0] == LockWaiting(0, str(HOLDER))


def test_not_waiting() -> None:
    """A bound of 0 tries once and does not wait."""
    clock = Clock()

    with pytest.raises(LockNotAcquired, match='process 42, user "ada"') as caught:
        wait(1, clock, bound=0)

    assert (clock.naps, caught.value.waited) == ([], 0)


def test_a_bound() -> None:
    """A bound in seconds ends the waiting soon after it, with the time waited."""
    clock = Clock()

    with pytest.raises(LockNotAcquired) as caught:
        wait(99, clock, bound=0.3)

    assert 0.3 <= caught.value.waited < 0.6


def test_no_bound() -> None:
    """Without a bound the waiting lasts as long as the other run does."""
    clock = Clock()
    won, _, _ = wait(3600, clock)

    assert won
    assert sum(clock.naps) > 3000


def test_nothing_left() -> None:
    """Where the other run leaves nothing to do the lock is no longer waited for, nor given back."""
    looks = iter([False, False, True])
    won, session, _ = wait(99, Clock(), nothing_left=lambda: next(looks))

    assert (won, session.calls) == (False, ["lock"] * 3)


def test_stopped_while_waiting() -> None:
    """A stop ends the waiting; nothing was applied."""
    stop = CancelToken()
    stop.set()

    with pytest.raises(Stopped) as caught:
        wait(99, Clock(), stop=stop)

    assert (caught.value.applied, caught.value.remaining) == ((), ())


def test_a_stop_does_not_keep_from_a_free_lock() -> None:
    """A lock that is free at the first try is held; who holds it looks at the stop."""
    stop = CancelToken()
    stop.set()

    assert wait(0, Clock(), stop=stop)[0]


def test_given_back_after_an_error() -> None:
    """The lock is given back however the block ends."""
    session = FakeSession()

    with (
        pytest.raises(RuntimeError),
        held(session, Clock().policy(), lambda _: None, CancelToken(), never),
    ):
        raise RuntimeError

    assert session.calls == ["lock", "unlock"]


def test_a_dead_connection_gives_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Giving back over a lost connection is no error of its own: the server has done it."""
    session = FakeSession()

    def gone() -> None:
        raise Disconnected("gone")

    monkeypatch.setattr(session, "release", gone)
    with held(session, Clock().policy(), lambda _: None, CancelToken(), never) as won:
        assert won


@pytest.mark.parametrize(
    ("holder", "text"),
    [
        (LockHolder(7), "The lock is held by process 7."),
        (
            LockHolder(7, "ada", "rung", "10.0.0.2", "2026-01-01"),
            (
                'The lock is held by process 7, user "ada", application "rung", from 10.0.0.2, '
                "connected since 2026-01-01."
            ),
        ),
    ],
)
def test_a_holder_in_a_sentence(holder: LockHolder, text: str) -> None:
    """The lock holder is named, with as many facts as are at hand."""
    assert str(holder) == text
