"""
Makes the history's row of a step, and commits rows that run no SQL of a file.

To make one (its checksums, the texts that are not stored yet) is pure, and not part of the
preparation because it can be done while the server is busy with the step before: it cannot fail.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Self

from rung.drivers.inspection import Disconnected
from rung.drivers.transaction import (
    AddAttempt,
    FileVersion,
    LedgerTransition,
    NewAttempt,
    Part,
    Transaction,
    Unobserved,
)
from rung.errors import QueryFailed, ScriptError
from rung.events import Warned, ignore
from rung.ledger import NOT_REVERTED, Outcome
from rung.planning.down_choice import NOT_REVERTED as PASSED_OVER
from rung.script import Dialect, checksum, read, redacted_sql
from rung.source import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rung.drivers.contract import Session
    from rung.drivers.transaction import HistoryWrite, StatementFailure
    from rung.events import Listener
    from rung.execution.command import Context
    from rung.execution.preflight import PreparedStep
    from rung.ledger import Attempt
    from rung.planning.history_replay import Applied
    from rung.source import Migration, MigrationSet

ANOTHER_TOOL = "another tool"
_Known = tuple[int | None, Direction, str]


@dataclass(frozen=True, slots=True)
class Recorder:
    """
    Knows what the history keeps already.

    `known` holds the version, direction and checksum of each half whose text is kept;
    `dialect` is the SQL that the database reads.
    """

    known: frozenset[_Known] = frozenset()
    dialect: Dialect = Dialect.POSTGRES

    @classmethod
    def of(cls, history: Iterable[Attempt], dialect: Dialect = Dialect.POSTGRES) -> Self:
        """A recorder for a database with this history."""
        halves = (
            (entry.version, direction, text)
            for entry in history
            for direction, text in (
                (Direction.UP, entry.up_checksum),
                (Direction.DOWN, entry.down_checksum),
            )
            if text
        )
        return cls(frozenset(halves), dialect)

    def attempt(self, item: PreparedStep) -> NewAttempt:
        """The record of an attempt that is about to be made."""
        return NewAttempt(
            id=str(uuid.uuid4()),
            version=item.step.version,
            name=item.step.title,
            direction=item.step.direction.value,
            up=self._half(item.step.migration, Direction.UP, item),
            down=self._half(item.step.migration, Direction.DOWN, item),
            statements_total=len(item.script.statements),
            statements_done=item.step.done,
            continues=item.step.continues,
            remark=NOT_REVERTED if item.result == PASSED_OVER else None,
        )

    def note(
        self,
        what: str,
        version: int | None,
        migration: Migration | None = None,
        tool: str = "rung",
    ) -> NewAttempt:
        """
        The record of what runs no SQL.

        Args:
            what: force, baseline or edit.
            version: None for the state before the first migration.
            migration: the files of the version, where there are any.
            tool: who applied it.
        """
        return NewAttempt(
            id=str(uuid.uuid4()),
            version=version,
            name=migration.name if migration else "",
            direction=what,
            up=self._half(migration, Direction.UP) if migration else None,
            down=self._half(migration, Direction.DOWN) if migration else None,
            statements_total=0,
            tool=tool,
        )

    def _half(
        self, migration: Migration, direction: Direction, item: PreparedStep | None = None
    ) -> FileVersion | None:
        """The checksum, and the text where it is not stored yet; a file that does not run may
        be unreadable.
        """
        half = migration.half(direction)
        if half is None:
            return None
        digest = sha256(half.text.encode()).hexdigest()
        if item is not None and half is item.step.half:
            script = item.script
        else:
            try:
                script = read(half.text, self.dialect)
            except ScriptError:
                return FileVersion(None, digest, None)
        total = checksum(script)
        stored = (migration.version, direction, total) in self.known
        return FileVersion(total, digest, None if stored else redacted_sql(script))


class Attempts(Unobserved):
    """
    The rows of a run's steps, in order.

    As the observer of each step it makes the next row while the server works.
    """

    def __init__(
        self, recorder: Recorder, items: Sequence[PreparedStep], listener: Listener = ignore
    ) -> None:
        super().__init__(listener)
        self._made = map(recorder.attempt, items)
        self._next: NewAttempt | None = None

    def take(self) -> NewAttempt:
        """The row of the next step."""
        ready, self._next = self._next, None
        return ready or next(self._made)

    def sent(self) -> None:
        """Make the row of the step after the one that was taken last."""
        self._next = self._next or next(self._made, None)


def of_records(
    history: Sequence[HistoryWrite], move: LedgerTransition | None = None
) -> Transaction:
    """A transaction that runs no SQL of a file: on disk when it returns, and hard to cancel."""
    part = Part(ledger=move, history=tuple(history))
    return Transaction((part,), durable=True, cancellable=False)


def record(
    session: Session,
    attempts: Iterable[NewAttempt],
    listener: Listener,
    move: LedgerTransition | None = None,
) -> None:
    """
    Commit rows of what ran no SQL, and a move of the ledger with them.

    Raises:
        DatabaseError, Stopped: nothing was written.
    """
    failure = try_record(session, attempts, listener, move)
    if failure is not None:
        assert failure.error is not None
        raise failure.error


def try_record(
    session: Session,
    attempts: Iterable[NewAttempt],
    listener: Listener,
    move: LedgerTransition | None = None,
) -> StatementFailure | None:
    """The same; returns why nothing was written, or None."""
    transaction = of_records([AddAttempt(one, Outcome.DONE) for one in attempts], move)
    return session.commit(transaction, Unobserved(listener)).failure


def record_failure(context: Context, attempt: NewAttempt, failure: StatementFailure) -> None:
    """
    Write the row of an attempt that was rolled back; warn where it cannot be written.

    Where a rule of the database rejects that row too, the attempt's own error says enough.
    """
    seconds = time.perf_counter() - context.began
    row = AddAttempt(attempt, Outcome.FAILED, failure, seconds)
    error: Exception | None
    try:
        failed = context.session.commit(of_records((row,)), Unobserved(context.say)).failure
        error = failed.error if failed and not failed.own_table else None
    except Disconnected as lost:
        error = lost
    if error is None:
        return
    if not isinstance(error, (Disconnected, QueryFailed)):
        raise error
    context.say(Warned(f"could not record the failed attempt: {error}"))


def baseline(
    versions: Sequence[int | None], migrations: MigrationSet, recorder: Recorder
) -> list[NewAttempt]:
    """Make the rows of versions that another tool applied, with their files of now."""
    files = migrations.by_version
    return [
        recorder.note(
            "baseline", version, files.get(-1 if version is None else version), ANOTHER_TOOL
        )
        for version in versions
    ]


def new_in_baseline(applied: Applied) -> tuple[int, ...]:
    """Return the versions that a baseline adds; not one that another tool went back to."""
    return tuple(
        version
        for version in applied.unrecorded
        if version is not None and applied.versions[version].entry is None
    )
