"""The database of a `Migrator`, its listener and cancel token, and how to connect to it."""

from __future__ import annotations

import contextlib
import random
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from rung.drivers.inspection import Disconnected, History
from rung.errors import ConnectionFailed, LockNotAcquired, Stopped
from rung.events import LockWaiting, Warned
from rung.options import RUNG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rung.cancellation import CancelToken
    from rung.drivers.contract import Driver, Lock, Session
    from rung.drivers.inspection import Inspection
    from rung.events import Event, Listener
    from rung.execution.history import Recorder
    from rung.execution.outcomes import StepReport
    from rung.options import RunOptions


T = TypeVar("T")

READ_WITHIN = 30.0
"""Seconds for a command that only reads; a ledger that is locked for longer is an error."""


class Target(NamedTuple):
    """The database of a `Migrator`, its listener, its cancel token and its options."""

    driver: Driver
    listener: Listener
    stop: CancelToken
    options: RunOptions = RUNG
    session: Session | None = None
    """A connection that all calls share, see `on_one_connection`; None where each connects."""

    @contextmanager
    def connected(self) -> Iterator[Session]:
        """
        Connect for a block, or use the shared connection, unless it is lost.

        Raises:
            ConnectionFailed: the connection was lost in the block.
        """
        with self._connection_errors():
            if self.session is not None and _is_alive(self.session):
                yield self.session
                return
            with self.driver.connect(self.stop, self.options, self.listener) as session:
                yield session

    @contextmanager
    def on_one_connection(self) -> Iterator[Target]:
        """
        Connect for a block; yield a target whose calls share the connection.

        For commands that inspect, ask a question and then run: where the connection was lost
        during the question, the next call opens another, and nothing is lost with the first.
        """
        with self.connected() as session:
            yield self._replace(session=session)

    def inspect(self, within: float | None = None, history: History = History.ALL) -> Inspection:
        """
        Inspect once: on a connection of its own that cannot write, or on the shared one.

        A ledger is dirty while a healthy run is in progress; where the lock of a dirty ledger is
        held, the listener is warned.

        Args:
            within: seconds; None for as long as a run retries a locked table, and at least as
                long as a command that only reads. The shared connection waits as a run does.
            history: how much of it is read.

        Raises:
            TableLocked: ledger or history were locked for longer.
            Stopped: as asked.
        """
        if self.session is not None:
            with self.connected() as session:
                inspection = session.inspect(history=history)
        else:
            longest = self.options.lock_retry_for
            bound = within or (None if longest is None else max(longest, READ_WITHIN))
            with (
                self._connection_errors(),
                self.driver.read(self.stop, bound, self.listener) as reader,
            ):
                inspection = reader.inspect(history=history)
        warn_of_obstacles(self.listener, inspection)
        if inspection.ledger.dirty:
            with self.connected() as session:
                holder = session.lock_holder()
            if holder is not None:
                text = f"{holder} Another run is in progress; the dirty flag may be its own."
                self.listener(Warned(text))
        return inspection

    @contextmanager
    def _connection_errors(self) -> Iterator[None]:
        try:
            yield
        except Disconnected as lost:
            raise ConnectionFailed(
                f"the connection to {self.driver.label} was lost: {lost.reason}",
                "see `rung status` when the server answers again",
            ) from None


def _is_alive(session: Session) -> bool:
    try:
        session.lock_holder()  # asks the server, and waits for no table
    except Disconnected:
        return False
    return True


def warn_of_obstacles(listener: Listener, inspection: Inspection) -> None:
    """Warn a command that only reads of what prevents runs from writing our tables."""
    for obstacle in inspection.obstacles:
        listener(Warned(f"{obstacle}; until then runs stop"))


@dataclass(slots=True)
class Context:
    """One run on one session that holds the lock."""

    driver: Driver
    """To reconnect where the connection is lost."""
    session: Session
    lock: Lock
    """Of the session; kept by heartbeats in pauses."""
    listener: Listener
    stop: CancelToken
    policy: RetryPolicy
    """How to wait for keys that were given up during a concurrent index build."""
    recorder: Recorder
    options: RunOptions = RUNG
    done: list[StepReport] = field(default_factory=list)
    began: float = 0.0
    """When the step under way began, on `time.perf_counter`."""
    remaining: tuple[int, ...] = ()
    """The versions that are not finished yet, the one under way included."""
    listener_error: Exception | None = None
    """What the listener raised inside a migration; it ends the run after that one."""

    @property
    def applied(self) -> tuple[int, ...]:
        """The versions finished so far."""
        return tuple(step.version for step in self.done)

    def say(self, event: Event) -> None:
        """Tell the listener; what it raises is kept until the migration is over."""
        try:
            self.listener(event)
        except Exception as error:  # noqa: BLE001 - a listener is the user's, and may raise anything
            self.listener_error = self.listener_error or error


_FIRST_PAUSE = 0.025
_SHORTEST_PAUSE = 0.001
_LONGEST_PAUSE = 1.0
_SAY_EVERY = 5.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """
    How a run waits.

    `bound` is in seconds: None waits as long as the holder lives, 0 does not wait. The clock,
    the sleep and the jitter are arguments for the tests' sake.
    """

    bound: float | None = None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random


@contextlib.contextmanager
def held(
    session: Session,
    policy: RetryPolicy,
    listener: Listener,
    stop: CancelToken,
    nothing_left: Callable[[], bool],
) -> Iterator[Lock | None]:
    """
    Hold the lock for a block; yields None, without it, where nothing is left to do.

    Raises:
        LockNotAcquired: the bound was reached.
        Stopped: the run was asked to stop while it waited.
    """
    lock = wait_until(session.try_lock, session, policy, listener, stop, nothing_left)
    try:
        yield lock
    finally:
        if lock is not None:
            with contextlib.suppress(Disconnected):
                lock.release()


def wait_until(
    attempt: Callable[[], T | None],
    session: Session,
    policy: RetryPolicy,
    listener: Listener,
    stop: CancelToken,
    nothing_left: Callable[[], bool],
) -> T | None:
    """Try until something is returned, or nothing is left to do (None)."""
    began = policy.clock()
    said = -_SAY_EVERY
    pause = _FIRST_PAUSE
    while (found := attempt()) is None:
        waited = policy.clock() - began
        if nothing_left():
            return None
        if stop.requested:
            raise Stopped((), "another run holds the lock; this one ran nothing", ())
        if policy.bound is not None and waited >= policy.bound:
            raise LockNotAcquired(waited, _holder(session))
        if waited - said >= _SAY_EVERY:
            said = waited
            listener(LockWaiting(waited, _holder(session)))
        length = pause * (0.5 + policy.jitter())
        if policy.bound is not None:
            length = max(_SHORTEST_PAUSE, min(length, policy.bound - waited))
        policy.sleep(length)
        pause = min(pause * 2, _LONGEST_PAUSE)
    return found


def _holder(session: Session) -> str:
    holder = session.lock_holder()
    return "" if holder is None else str(holder)
