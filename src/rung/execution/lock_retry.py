"""
Tries again what met a lock: whole transactions only, with pauses that leave traffic its way.

Owns the policy: what may be tried again, after which pause, and for how long. A try stands in
the lock's queue for its limit at the most, and every session queued behind this one waits as long;
so the pauses are at least five times as long. What may have committed inside is sent once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rung.events import LockRefused
from rung.script import Control

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.drivers.transaction import ExecutionResult, LockTimeout, StatementFailure
    from rung.execution.command import Context
    from rung.script import Script, Unit

_TIMES = 5.0
"""How many times as long as a try the shortest pause after it is."""
_SHORTEST = 0.5
_OTHER_TRIGGERS = 3
"""How often a file is sent that changes the ledger's triggers: once to see, once to suit them."""
_STEP = 0.1
"""Seconds between looks at the `CancelToken` in a pause."""


def tried(
    context: Context, version: int, send: Callable[[], ExecutionResult], *, again: bool = True
) -> ExecutionResult:
    """
    Send until no lock is in the way, time is up, or the run is asked to stop.

    Args:
        context: its options say how long; its policy has the clock.
        version: of the migration, or of the first of those that are tried together.
        send: sends one transaction and tells what it came to, its secrets hidden.
        again: False where a failure does not mean that nothing was committed.

    Returns:
        What the last try came to; the lock that it was refused knows of all tries.
    """
    policy, tries, first = context.policy, 0, None
    while True:
        ran = _sent(send)
        wait = ran.failure.lock_wait if ran.failure else None
        if wait is None or not (wait.ours or context.options.retries_refused_locks):
            return ran
        tries, now = tries + 1, policy.clock()
        first = now if first is None else first
        wait = wait._replace(tries=tries, tried_for=now - first, once=not again)
        pause = pause_after(wait.limit, policy.jitter())
        if not again or _is_over(context, wait, pause):
            return _with(ran, wait)
        context.say(_event(version, wait, pause))
        _rest(context, pause)
        if context.stop.requested:
            return _with(ran, wait)


def _sent(send: Callable[[], ExecutionResult]) -> ExecutionResult:
    """Send; again at once where the file has changed what the ledger's triggers fire for."""
    for _ in range(_OTHER_TRIGGERS):
        ran = send()
        if ran.failure is None or ran.failure.triggers is None:
            break
    return ran


def pause_after(limit: float, jitter: float) -> float:
    """
    The seconds to wait after a try that stood in a queue for `limit` seconds at the most.

    Args:
        limit: 0 where it did not wait.
        jitter: from 0 to 1; it only makes the pause longer, by a half at the most.
    """
    return max(limit * _TIMES, _SHORTEST) * (1 + jitter / 2)


def may_be_tried_again(script: Script, unit: Unit) -> bool:
    """
    Whether nothing of a unit is kept where it was refused.

    That is so for one transaction, and for a statement sent alone that can neither commit
    inside nor leave an unfinished index behind.
    """
    if unit.transaction == "none":
        alone = script.statements[unit.first - 1]
        return not (alone.may_refuse or alone.concurrent_build)
    inside = script.statements[unit.first - 1 : unit.last]
    return sum(one.control not in (None, Control.BEGIN) for one in inside) <= 1


def ends_as_asked(context: Context, failure: StatementFailure) -> bool:
    """Whether a failure is the end that the run was asked for, and not the file's fault."""
    if failure.lock_wait is not None:
        return context.stop.requested
    return failure.cancelled and context.stop.cancelling


def _is_over(context: Context, wait: LockTimeout, pause: float) -> bool:
    """Whether the time for tries would be over before the next."""
    bound = context.options.lock_retry_for
    return context.stop.requested or (bound is not None and wait.tried_for + pause > bound)


def _rest(context: Context, seconds: float) -> None:
    """Pause, keeping the lock; less where the run is asked to stop meanwhile."""
    policy = context.policy
    end = policy.clock() + seconds
    while (left := end - policy.clock()) > 0 and not context.stop.requested:
        policy.sleep(min(left, _STEP))
        context.lock.heartbeat()


def _with(ran: ExecutionResult, wait: LockTimeout) -> ExecutionResult:
    return replace(ran, failure=ran.failure and replace(ran.failure, lock_wait=wait))


def _event(version: int, wait: LockTimeout, pause: float) -> LockRefused:
    return LockRefused(
        version, wait.tries, wait.tried_for, wait.limit, pause, wait.blockers, wait.queued
    )
