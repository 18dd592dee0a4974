"""
Waiting for a database: until its server answers, and until its ledger is at a version.

Owns the policy. Whether it is worth waiting for the server is asked of libpq's ping and never
read out of an error's text: where the server answers a ping and refuses us, it will go on
refusing us. Reads only.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from rung.drivers.inspection import Disconnected, History, Ping
from rung.errors import ConnectionFailed, DatabaseBusy, Stopped, TableLocked, VersionNotReached
from rung.errors.base import UNCHANGED
from rung.events import DatabaseWaiting

if TYPE_CHECKING:
    from rung.drivers.contract import Reader
    from rung.errors import RungError
    from rung.execution.command import RetryPolicy, Target
    from rung.ledger import LedgerState

_FIRST_PAUSE = 0.05
_SHORTEST_PAUSE = 0.001
_LONGEST_PAUSE = 1.0
_SAY_EVERY = 5.0


class Waited(NamedTuple):
    """The state at the end."""

    version: int | None
    dirty: bool
    waited_seconds: float


def wait(target: Target, version: int | None, policy: RetryPolicy) -> Waited:
    """
    Wait until the server answers and the ledger is clean at a version or above.

    Args:
        target: says what is waited for to its listener, and may be asked to stop.
        version: None is content with an answer.
        policy: how long, and by which clock; looked at between attempts to connect.

    Raises:
        ConnectionFailed: it did not answer in time, or answers and refuses us.
        VersionNotReached: it answered, and did not come to that version in time.
        Stopped: as asked.
    """
    return _Wait(target, version, policy).wait()


class _Wait:
    """One wait: since when, the last state, the last report."""

    def __init__(self, target: Target, version: int | None, policy: RetryPolicy) -> None:
        self._target, self._version, self._policy = target, version, policy
        self._began = policy.clock()
        self._said = -_SAY_EVERY
        self._pause = _FIRST_PAUSE
        self._ledger: LedgerState | None = None
        self._busy: DatabaseBusy | None = None

    @property
    def _waited(self) -> float:
        return self._policy.clock() - self._began

    @property
    def _left(self) -> float | None:
        """Seconds to the end; None where there is none."""
        bound = self._policy.bound
        return None if bound is None else max(0.0, bound - self._waited)

    def wait(self) -> Waited:
        while True:
            with ExitStack() as stack:
                try:
                    ledger = self._watch(self._connected(stack))
                    return Waited(ledger.version, ledger.dirty, self._waited)
                except Disconnected as lost:
                    reason = f"the connection was lost: {lost.reason}"
                except DatabaseBusy as busy:
                    self._busy, reason = busy, busy.cause
            self._rest(reason)

    def _watch(self, reader: Reader) -> LedgerState:
        """Look on one connection until the ledger is where it should be."""
        while True:
            self._ledger = ledger = reader.inspect(briefly=True, history=History.NONE).ledger
            if self._version is None or _reached(ledger, self._version):
                return ledger
            self._rest(f"it is {_described(ledger)}, not yet at version {self._version}")

    def _connected(self, stack: ExitStack) -> Reader:
        while True:
            reader = self._try(stack)
            refusal = reader if isinstance(reader, ConnectionFailed) else None
            if refusal and self._left != 0 and self._answers(refusal):
                reader = self._try(stack)
                refusal = reader if isinstance(reader, ConnectionFailed) else None
                if refusal and self._answers(refusal):
                    raise refusal
            if not isinstance(reader, ConnectionFailed):
                return reader
            self._rest(" ".join(reader.cause.split()))

    def _try(self, stack: ExitStack) -> Reader | ConnectionFailed:
        try:
            driver = self._target.driver
            reader = stack.enter_context(
                driver.read(self._target.stop, self._left, self._target.listener)
            )
        except ConnectionFailed as refused:
            return refused
        return reader

    def _answers(self, refusal: ConnectionFailed) -> bool:
        ping = self._target.driver.ping()
        if ping is Ping.HOPELESS:
            raise refusal
        return ping is Ping.ANSWERS

    def _rest(self, reason: str) -> None:
        """Pause before the next attempt, or end where time is up."""
        waited, bound = self._waited, self._policy.bound
        if self._target.stop.requested:
            raise Stopped((), UNCHANGED, ())
        if bound is not None and waited >= bound:
            raise self._timed_out(reason)
        if waited - self._said >= _SAY_EVERY:
            self._said = waited
            self._target.listener(DatabaseWaiting(waited, reason))
        pause = self._pause * (0.5 + self._policy.jitter())
        left = pause if bound is None else bound - waited
        self._policy.sleep(max(_SHORTEST_PAUSE, min(pause, left)))
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    def _timed_out(self, reason: str) -> RungError:
        if self._ledger is not None and self._version is not None:
            ledger = self._ledger
            return VersionNotReached(self._version, ledger.version, ledger.dirty, self._waited)
        if isinstance(self._busy, TableLocked) and reason == self._busy.cause:
            return self._busy
        return ConnectionFailed(
            f"{self._target.driver.label} did not answer within {self._waited:.1f} s: {reason}",
            "check that the server is running, and allow more time: --timeout DURATION",
        )


def _reached(ledger: LedgerState, version: int) -> bool:
    return not ledger.dirty and ledger.version is not None and ledger.version >= version


def _described(ledger: LedgerState) -> str:
    at = "at no version" if ledger.version is None else f"at version {ledger.version}"
    return f"{at}, dirty" if ledger.dirty else at
