"""
Makes the history's record of a step, and commits records that run no SQL of a file.

To make one (its checksums, the texts that are not kept yet) is pure, and apart from the
preparation because it can be done while the server is busy with the step before: it cannot fail.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Self

from rung.drivers.transaction import (
    AddAttempt,
    FileVersion,
    LedgerTransition,
    NewAttempt,
    Part,
    Transaction,
    Unobserved,
)
from rung.errors import ScriptError
from rung.ledger import NOT_REVERTED, Outcome
from rung.planning.down_choice import NOT_REVERTED as PASSED_OVER
from rung.script import Dialect, checksum, read, redacted_sql
from rung.source import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rung.drivers.contract import Session
    from rung.drivers.transaction import HistoryWrite, StatementFailure
    from rung.events import Listener
    from rung.execution.prepare import PreparedStep
    from rung.ledger import Attempt
    from rung.script import Script
    from rung.source import Migration, MigrationFile

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
        """The checksum, and the text where it is not kept yet."""
        half = migration.half(direction)
        if half is None:
            return None
        digest = sha256(half.text.encode()).hexdigest()
        script = self._script(half, item)
        if script is None:
            return FileVersion(None, digest, None)
        total = checksum(script)
        kept = (migration.version, direction, total) in self.known
        return FileVersion(total, digest, None if kept else redacted_sql(script))

    def _script(self, half: MigrationFile, item: PreparedStep | None) -> Script | None:
        """None for a half that cannot be read and does not run: its fault stops nothing."""
        if item is not None and half is item.step.half:
            return item.script
        try:
            return read(half.text, self.dialect)
        except ScriptError:
            return None


class Attempts:
    """The records of a run's steps, in order, each made when it is needed or earlier."""

    def __init__(self, recorder: Recorder, items: Sequence[PreparedStep]) -> None:
        self._made = map(recorder.attempt, items)
        self._ahead: NewAttempt | None = None

    def take(self) -> NewAttempt:
        """The record of the next step."""
        ready, self._ahead = self._ahead, None
        return ready or next(self._made)

    def look_ahead(self) -> None:
        """Make the record of the step after the one that was taken last."""
        self._ahead = self._ahead or next(self._made, None)


def of_records(
    history: Sequence[HistoryWrite], move: LedgerTransition | None = None
) -> Transaction:
    """A transaction that runs no SQL of a file: on disk when it returns, and hard to cancel."""
    part = Part(ledger=move, history=tuple(history))
    return Transaction((part,), durable=True, cancellable=False)


def done(attempts: Iterable[NewAttempt]) -> tuple[AddAttempt, ...]:
    """The rows of attempts that ended well, in order."""
    return tuple(AddAttempt(attempt, Outcome.DONE) for attempt in attempts)


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
    transaction = of_records(done(attempts), move)
    return session.commit(transaction, Unobserved(listener)).failure
