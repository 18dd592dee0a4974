"""
Sends one transaction with a file's SQL: retries it after a lock timeout, and redacts the result.

Owns the policy of retries: what may be sent again, after which pause, and for how long. An attempt
stands in the lock's queue for its limit at most, and every session queued behind this one waits as
long; so the pauses are at least five times as long. What may have committed inside is sent once.

It is also the one gate for secrets: what a session returns passes here before it is reported,
raised or recorded. What the server writes into its own log and shows in pg_stat_activity does not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rung.drivers.transaction import Unobserved
from rung.events import LockRefused, Notice
from rung.redaction import redacted_text
from rung.script import Control, secrets_of, without_passwords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rung.drivers.transaction import (
        ExecutionResult,
        Observer,
        PartResult,
        StatementFailure,
        Transaction,
    )
    from rung.execution.command import Context
    from rung.execution.preflight import PreparedStep
    from rung.script import Script, Unit

_TIMES = 5.0
"""How many times as long as an attempt the shortest pause after it is."""
_SHORTEST = 0.5
_OTHER_TRIGGERS = 3
"""How often a file is sent that changes the ledger's triggers: once to see, once to fit them."""
_STEP = 0.1
"""Seconds between checks of the `CancelToken` in a pause."""
_FIELD_BYTES = 64
"""The server cuts a value that it shows, as in `Failing row contains`, to so many."""


def commit_with_retry(
    context: Context,
    version: int,
    transaction: Transaction,
    scripts: Iterable[Script] = (),
    *,
    observer: Observer | None = None,
    is_retryable: bool = True,
    send: Callable[[Transaction, Observer], ExecutionResult] | None = None,
) -> ExecutionResult:
    """
    Commit until no lock is in the way, time is up, or the run is asked to stop.

    Args:
        context: its options say how long; its policy has the clock.
        version: of the migration, or of the first of those in the transaction.
        transaction: what is sent, each time the same.
        scripts: those of its parts, in order; their secrets are taken out of the result.
        observer: left out, one that hands warnings on.
        is_retryable: False where a failure does not mean that nothing was committed.
        send: sends it; left out, the session's `commit`.

    Returns:
        The result of the last attempt; the lock timeout that it met counts all of them.
    """
    policy, stop, bound = context.policy, context.stop, context.options.lock_retry_for
    observer, send = observer or Unobserved(context.say), send or context.session.commit
    scripts, tries, first = tuple(scripts), 0, None
    while True:
        for _ in range(_OTHER_TRIGGERS):
            result = send(transaction, observer)
            if result.failure is None or result.failure.triggers is None:
                break
        result = redact_result(result, *scripts) if scripts else result
        failure = result.failure
        wait = failure.lock_wait if failure else None
        if wait is None or not (wait.ours or context.options.retries_refused_locks):
            return result
        tries, now = tries + 1, policy.clock()
        first = now if first is None else first
        wait = wait._replace(tries=tries, tried_for=now - first, once=not is_retryable)
        result = replace(result, failure=failure and replace(failure, lock_wait=wait))
        pause = pause_after(wait.limit, policy.jitter())
        is_over = bound is not None and wait.tried_for + pause > bound
        if not is_retryable or stop.requested or is_over:
            return result
        facts = (wait.tries, wait.tried_for, wait.limit, pause, wait.blockers, wait.queued)
        context.say(LockRefused(version, *facts))
        if not _rest(context, pause):
            return result


def _rest(context: Context, seconds: float) -> bool:
    """Pause, keeping the lock; return False at once where the run is asked to stop."""
    policy, stop = context.policy, context.stop
    end = policy.clock() + seconds
    while (left := end - policy.clock()) > 0 and not stop.requested:
        policy.sleep(min(left, _STEP))
        context.lock.heartbeat()
    return not stop.requested


def pause_after(limit: float, jitter: float) -> float:
    """
    The seconds to wait after an attempt that stood in a queue for `limit` seconds at most.

    Args:
        limit: 0 where it did not wait.
        jitter: from 0 to 1; it only makes the pause longer, by a half at most.
    """
    return max(limit * _TIMES, _SHORTEST) * (1 + jitter / 2)


def is_retryable(script: Script, unit: Unit) -> bool:
    """
    Whether nothing of a unit is committed where it failed.

    That is so for one transaction, and for a statement sent alone that can neither commit
    inside nor leave an unfinished index.
    """
    if unit.transaction == "none":
        alone = script.statements[unit.first - 1]
        return not (alone.may_refuse or alone.concurrent_build)
    inside = script.statements[unit.first - 1 : unit.last]
    return sum(one.control not in (None, Control.BEGIN) for one in inside) <= 1


def is_requested_end(context: Context, failure: StatementFailure) -> bool:
    """Whether a failure is the end that the run was asked for, and not the file's fault."""
    if failure.lock_wait is not None:
        return context.stop.requested
    return failure.cancelled and context.stop.cancelling


def report_notices(
    context: Context, item: PreparedStep, result: ExecutionResult | PartResult
) -> None:
    """Hand the server's notices on, with the step's version."""
    for notice in result.notices:
        context.say(Notice(item.step.version, notice.severity, notice.message))


def redact_result(result: ExecutionResult, *scripts: Script) -> ExecutionResult:
    """
    Take the secrets of scripts out of the result of a transaction.

    A literal behind PASSWORD in SQL that the server quotes is redacted whoever wrote it: it
    may come from a function that an earlier file made. Another process may run the very SQL
    that is in the file.

    Args:
        result: of a transaction.
        scripts: those of its parts, in order.
    """
    parts = zip(result.parts, scripts, strict=False)
    failure = result.failure
    if failure is not None:
        values, server, wait = _secrets(scripts[failure.part]), failure.server, failure.lock_wait
        texts = (server.message, server.detail, server.hint, server.context)
        message, detail, hint, context = (_redacted(text, values) for text in texts)
        server = server._replace(message=message, detail=detail, hint=hint, context=context)
        if wait is not None:
            blockers = (b._replace(query=_redacted(b.query, values)) for b in wait.blockers)
            wait = wait._replace(blockers=tuple(blockers))
        failure = replace(failure, server=server, lock_wait=wait)
    return replace(
        result, parts=tuple(redact_part(part, script) for part, script in parts), failure=failure
    )


def redact_part(result: PartResult, script: Script) -> PartResult:
    """Take the secrets of a script out of what the server said while it ran."""
    if not (result.notices or result.transaction_control):
        return result
    values = _secrets(script)
    return replace(
        result,
        notices=tuple(
            replace(notice, message=_redacted(notice.message, values)) for notice in result.notices
        ),
        transaction_control=_redacted(result.transaction_control, values),
    )


def _secrets(script: Script) -> frozenset[str]:
    found = frozenset(secrets_of(script).values)
    cut = (value.encode()[:_FIELD_BYTES].decode(errors="ignore") for value in found)
    return found.union(cut)


def _redacted(text: str, values: Iterable[str]) -> str:
    return redacted_text(without_passwords(text), values) if text else text
