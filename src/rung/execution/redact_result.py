"""
Takes the secrets of a file out of what the server says while the file runs. Pure.

The one gate for it: what a session gives back passes here before it is told, raised or
recorded. What the server writes into its own log and shows in pg_stat_activity does not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rung.redaction import redacted_text
from rung.script import secrets_of, without_passwords

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rung.drivers.transaction import (
        ExecutionResult,
        LockTimeout,
        PartResult,
        ServerNotice,
        StatementFailure,
    )
    from rung.script import Script

_FIELD_BYTES = 64
"""The server cuts a value that it shows, as in `Failing row contains`, to so many."""


def redact_result(result: ExecutionResult, *scripts: Script) -> ExecutionResult:
    """
    Take the secrets of scripts out of what came of a transaction.

    A literal behind PASSWORD in SQL that the server quotes is hidden whoever wrote it: it
    may come from a function that an earlier file made.

    Args:
        result: of a transaction.
        scripts: those of its parts, in order.
    """
    parts = zip(result.parts, scripts, strict=False)
    failure = result.failure
    if failure is not None:
        failure = _failure(failure, _values(scripts[failure.part]))
    return replace(
        result, parts=tuple(redact_part(part, script) for part, script in parts), failure=failure
    )


def redact_part(result: PartResult, script: Script) -> PartResult:
    """Take the secrets of a script out of what it left to be reported."""
    if not (result.notices or result.transaction_control):
        return result
    values = _values(script)
    return replace(
        result,
        notices=tuple(_notice(notice, values) for notice in result.notices),
        transaction_control=_hidden(result.transaction_control, values),
    )


def _values(script: Script) -> frozenset[str]:
    found = frozenset(secrets_of(script).values)
    return found | {_clipped(value) for value in found}


def _failure(failure: StatementFailure, values: Iterable[str]) -> StatementFailure:
    told = failure.server
    texts = (told.message, told.detail, told.hint, told.context)
    message, detail, hint, context = (_hidden(text, values) for text in texts)
    server = told._replace(message=message, detail=detail, hint=hint, context=context)
    return replace(failure, server=server, lock_wait=_lock_wait(failure.lock_wait, values))


def _lock_wait(wait: LockTimeout | None, values: Iterable[str]) -> LockTimeout | None:
    """Another process may run the very SQL that is in the file."""
    if wait is None:
        return None
    blockers = (one._replace(query=_hidden(one.query, values)) for one in wait.blockers)
    return wait._replace(blockers=tuple(blockers))


def _notice(notice: ServerNotice, values: Iterable[str]) -> ServerNotice:
    return replace(notice, message=_hidden(notice.message, values))


def _hidden(text: str, values: Iterable[str]) -> str:
    return redacted_text(without_passwords(text), values) if text else text


def _clipped(value: str) -> str:
    return value.encode()[:_FIELD_BYTES].decode(errors="ignore")
