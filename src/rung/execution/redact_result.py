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
        ServerNotice,
        StatementFailure,
    )
    from rung.script import Script

_FIELD_BYTES = 64
"""The server cuts a value that it shows, as in `Failing row contains`, to so many."""


def redact_result(ran: ExecutionResult, script: Script) -> ExecutionResult:
    """
    Give the same outcome without the script's secrets.

    A literal behind PASSWORD in SQL that the server quotes is hidden whoever wrote it: it
    may come from a function that an earlier file made.
    """
    if ran.refusal is None and not ran.notices and not ran.control_warning:
        return ran
    found = secrets_of(script).values
    values = found | {_clipped(value) for value in found}
    return replace(
        ran,
        refusal=ran.refusal and _refusal(ran.refusal, values),
        notices=tuple(_notice(notice, values) for notice in ran.notices),
        control_warning=_hidden(ran.control_warning, values),
    )


def _refusal(refusal: StatementFailure, values: Iterable[str]) -> StatementFailure:
    told = refusal.server
    texts = (told.message, told.detail, told.hint, told.context)
    message, detail, hint, context = (_hidden(text, values) for text in texts)
    server = told._replace(message=message, detail=detail, hint=hint, context=context)
    return replace(refusal, server=server, lock_wait=_lock_wait(refusal.lock_wait, values))


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
