"""
The outcome of a run: the report of one that succeeded, the error of one that failed.

Pure. Every sentence about the state of the database is made here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.errors import (
    ConnectionLost,
    LedgerDropped,
    LedgerMoved,
    LockLost,
    MigrationFailed,
    OwnWriteRefused,
    SourceLocation,
    Stopped,
    UnexpectedTransactionControl,
    sqlstate,
)
from rung.errors.run import EXISTS_ALREADY
from rung.events import held_by, waiting_behind
from rung.ledger import NO_VERSION, LedgerState, Outcome
from rung.script import (
    Dialect,
    Mode,
    RerunSafety,
    makes_shared,
    place_of,
    redacted_sql,
    rerun_rule_of,
    strange_character,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.drivers.transaction import LockTimeout, RecoveryInfo, StatementFailure
    from rung.errors import RunError
    from rung.execution.preflight import PreparedStep
    from rung.planning.plan import Step
    from rung.script import Script


@dataclass(frozen=True, slots=True)
class StepReport:
    """One half of a migration that is committed."""

    version: int
    name: str
    direction: str
    file: str
    """Empty where the half is missing and nothing ran."""
    mode: str
    statements: int
    """How many ran; those that an earlier attempt had committed are left out."""
    seconds: float
    result: str
    """applied, reverted, empty (nothing ran), or not reverted (passed over, all of it is left)."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """
    A run that succeeded.

    `version` is the version of the database now, None before the first migration. `missing_steps`
    is how many of the requested steps there were no migrations for.
    """

    steps: tuple[StepReport, ...]
    version: int | None
    missing_steps: int = 0
    waited_seconds: float = 0.0
    """Until the lock was held, or until another run had left nothing to do."""
    taken_over: bool = False
    """Whether versions count as applied that no run of Rung's applied."""

    @property
    def nothing_to_do(self) -> bool:
        """True where the database was where it was asked to be."""
        return not self.steps


_ALONE = {
    sqlstate.QUERY_CANCELED: (
        "give it more time (SET statement_timeout before it in the file) or less to do"
    ),
}
"""What helps a statement outside a transaction, where SET LOCAL does nothing."""
_SYNTAX_OR_NAME = sqlstate.CLASS_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION
_SHARED = re.compile(
    r'(role|database|tablespace) "|duplicate key.*"pg_(authid|database|tablespace)_'
)
"""What the server says, in English, of what belongs to the whole of it."""
NOTHING_OF_THE_STEP = "; the failed migration was rolled back"
NOTHING_OF_THE_RUN = "; the whole run was rolled back"


def session_changed(file: str, names: Sequence[str]) -> str:
    """Warn of a file that changed its session for those after it."""
    return (
        f"{file} changes its session ({', '.join(names)}); the next file starts without the "
        "change. golang-migrate would keep it"
    )


def stopped(
    applied: Sequence[int], now: LedgerState, remaining: Sequence[int], direction: str = "up"
) -> Stopped:
    """The error of a run that was asked to stop, in a step of that direction."""
    return Stopped(applied, str(now), remaining, dirty=now.dirty, direction=direction)


def failed(
    applied: Sequence[int],
    item: PreparedStep,
    now: LedgerState,
    failure: StatementFailure,
    *,
    alone: bool = False,
    recorded: bool = True,
    kept: str = NOTHING_OF_THE_STEP,
    committed: int = 0,
) -> RunError:
    """
    The error of a step that the database refused.

    Args:
        applied: what is finished of the run.
        item: the step.
        now: the ledger as it is.
        failure: why.
        alone: whether the statement was sent outside a transaction.
        recorded: whether there is a history, which tells where the file stopped.
        kept: what was rolled back, where the ledger is clean.
        committed: how many of its statements are committed, where the ledger is dirty.
    """
    if failure.lock_lost:
        return LockLost(applied, str(now), item.step.version, item.file)
    if failure.ledger_moved:
        return LedgerMoved(applied, str(now), item.step.version, item.file)
    kept = statements_committed(committed, item.script) if now.dirty else kept
    if failure.own is not None:
        way = f"rung {item.step.direction.value} --resume" if now.dirty else ""
        where_now = str(now) + kept
        own, server = failure.own, failure.server
        return OwnWriteRefused(applied, where_now, item.step.version, *own[:2], server, own[2], way)
    if failure.ledger_dropped:
        said = failure.server.message
        return LedgerDropped(applied, str(now) + kept, item.step.version, item.file, said)
    exists = _exists(item, failure)
    shared = exists and _is_shared(item, failure)
    first = now.version is None and not now.dirty
    return MigrationFailed(
        applied,
        str(now) + kept,
        version=item.step.version,
        name=item.step.title,
        direction=item.step.direction.value,
        place=_place(item, failure)._replace(sql=_refused(item.script, failure)),
        server=failure.server,
        at_commit=failure.at_commit,
        dirty=now.dirty,
        remedy=failure.remedy
        or _remedy_of_stored(item.step)
        or (_ALONE.get(failure.server.sqlstate, "") if alone else ""),
        resumes=recorded and _resumes(item.script, failure, alone=alone),
        strange=_strange(item.script, failure),
        unrecorded=exists and first and not shared,
        exists=exists,
        cluster_wide=shared,
        locked=() if failure.lock_wait is None else locked(failure.lock_wait),
    )


def statements_committed(last: int, script: Script) -> str:
    """Say which statements of a file are committed, for the state of a dirty database."""
    total = len(script.statements)
    if not last:
        return f"; none of {total} statements is committed"
    if last == 1:
        return f"; statement 1 of {total} is committed"
    return f"; statements 1-{last} of {total} are committed"


def _strange(script: Script, failure: StatementFailure) -> str:
    """A character that may be why a file is wrong though it looks right."""
    wrong = failure.server.sqlstate[:2] == _SYNTAX_OR_NAME or script.dialect is Dialect.SQLITE
    return strange_character(script, failure.statement) if wrong else ""


def _exists(item: PreparedStep, failure: StatementFailure) -> bool:
    """Whether an up met what it makes."""
    said = failure.server
    exists = said.sqlstate in EXISTS_ALREADY or (
        not said.sqlstate and said.message.endswith("already exists")
    )
    twice = said.sqlstate == sqlstate.UNIQUE_VIOLATION and '"pg_' in said.message
    return item.step.direction.value == "up" and (exists or twice)


def _is_shared(item: PreparedStep, failure: StatementFailure) -> bool:
    """Whether what is there already is of a kind that belongs to the whole server."""
    if failure.server.sqlstate == sqlstate.DUPLICATE_DATABASE or _SHARED.match(
        failure.server.message
    ):
        return True
    script = item.script
    if failure.statement is None or not script.statements:
        return False
    return makes_shared(script, script.statements[failure.statement - 1])


def _remedy_of_stored(step: Step) -> str:
    """What to do where a stored down failed, which no file holds; empty for a file."""
    if step.stored is None:
        return ""
    return (
        "change the database to what the stored down expects; or write a down file that fits and, "
        f"where the up was edited, accept the edit (`rung accept-edit {step.version}`)"
    )


def locked(wait: LockTimeout) -> tuple[str, ...]:
    """Who held the lock, who waited behind us, and for how long it was tried."""
    tries = f"It was tried {wait.tries} times within {wait.tried_for:.1f} s."
    if wait.once:
        tries = (
            "It was not retried, because a part of it may be committed; SET lock_timeout before it "
            "in the file gives it more time."
        )
    elif wait.tries == 1:
        tries = "It was tried once."
    behind = waiting_behind(wait.queued)
    return (*held_by(wait.blockers), *([behind] if behind else []), tries)


def _resumes(script: Script, failure: StatementFailure, *, alone: bool) -> bool:
    """Whether the rest of a file can follow on a statement that was refused."""
    if failure.statement is None or not alone:
        return True
    statement = script.statements[failure.statement - 1]
    return rerun_rule_of(script, statement).trace is not RerunSafety.UNKNOWN


def unexpected_control(
    applied: Sequence[int], item: PreparedStep, now: str, warning: str
) -> UnexpectedTransactionControl:
    """The error of a file that controls transactions unseen."""
    return UnexpectedTransactionControl(applied, now, item.step.version, item.file, warning)


def lost(
    applied: Sequence[int], item: PreparedStep, reason: str, found: RecoveryInfo | None
) -> ConnectionLost:
    """The error of a lost connection; `found` is None where nothing could be learned."""
    version = item.step.version
    if found is None:
        before, after = LedgerState(item.step.before), LedgerState(item.step.after)
        return ConnectionLost(applied, f"{before} or {after}", version, reason)
    committed = found.outcome is Outcome.DONE
    told = {
        Outcome.DONE: f"migration {version} is committed",
        None: f"migration {version} was rolled back",
    }.get(found.outcome, "`rung history` names the statement that was running")
    kept = _kept(applied, item.step, found.ledger)
    done = (*kept, version) if committed else kept
    now = f"{found.ledger}; {told}"
    return ConnectionLost(
        done,
        now,
        version,
        reason,
        committed=committed,
        dirty=found.ledger.dirty,
        direction=item.step.direction.value,
    )


def lost_in_atomic_run(
    item: PreparedStep,
    places: tuple[LedgerState, LedgerState],
    reason: str,
    found: LedgerState | None,
) -> ConnectionLost:
    """
    The error of a connection lost in a transaction that holds all of a run.

    Args:
        item: the step under way.
        places: the ledger before and behind the run.
        reason: what was said of the loss.
        found: the ledger as it is; None where that could not be learned.
    """
    version = item.step.version
    if found is None:
        before, after = places
        return ConnectionLost((), f"{before} or {after}", version, reason)
    now = str(found) + NOTHING_OF_THE_RUN
    return ConnectionLost((), now, version, reason, committed=False)


def lost_between(applied: Sequence[int], state: LedgerState, reason: str) -> ConnectionLost:
    """The error of a connection lost after one migration and before the next."""
    return ConnectionLost(applied, str(state), applied[-1], reason, committed=True)


def _kept(applied: Sequence[int], step: Step, ledger: LedgerState) -> tuple[int, ...]:
    """Those that the ledger still knows: a crash may take asynchronous commits back."""
    at = NO_VERSION if ledger.version is None else ledger.version
    return tuple(v for v in applied if (v <= at) == (step.direction.value == "up"))


def _refused(script: Script, failure: StatementFailure) -> str:
    if script.mode is not Mode.UNITS or failure.statement is None:
        return redacted_sql(script)
    statement = script.statements[failure.statement - 1]
    return redacted_sql(script, statement.start, statement.end)


def _place(item: PreparedStep, failure: StatementFailure) -> SourceLocation:
    script = item.script
    if failure.offset is not None:
        line, column, excerpt = place_of(script.text, failure.offset)
        begin = min(failure.offset, len(script.text)) - column + 1
        before = redacted_sql(script, begin, begin + column - 1)
        return SourceLocation(
            item.file,
            line,
            column,
            redacted_sql(script, begin, begin + len(excerpt)),
            len(before) + 1,
        )
    if failure.statement is None or not script.statements:
        return SourceLocation(item.file)
    start = script.statements[failure.statement - 1].start
    line, column, excerpt = place_of(script.text, start)
    begin = start - column + 1
    return SourceLocation(item.file, line, 0, redacted_sql(script, begin, begin + len(excerpt)))
