"""
Decide whether an interrupted file can be resumed, and after which statement. Pure.

The evidence is the history's last row, the text that ran, the file as it is now and, for a
statement whose outcome is not known, what a driver finds in the catalog.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from rung.errors import CannotResume, ScriptError
from rung.ledger import NO_VERSION, Outcome
from rung.planning.history_replay import replay
from rung.script import (
    NOT_COMPARED,
    is_proven_by,
    knows_formula,
    lost_before,
    may_resume_after,
    read,
    redacted_sql,
    same_until,
    uncertain_after,
)
from rung.source import Direction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.ledger import Attempt, LedgerState
    from rung.planning.history_replay import Applied
    from rung.script import Script
    from rung.script.dialect import Dialect
    from rung.source import Migration

_HALVES = (Direction.UP.value, Direction.DOWN.value)


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """A file of a migration that resumes after its first `done` statements."""

    migration: Migration
    direction: Direction
    done: int
    before: int | None
    """The version that the ledger named before the attempt."""
    after: int | None
    continues: str
    """Our id of the interrupted attempt."""


@dataclass(frozen=True, slots=True)
class InterruptedAttempt:
    """An interrupted attempt, with the script as it ran and as it is now."""

    entry: Attempt
    ran: Script
    """With its secrets redacted, if the file was changed since."""
    now: Script

    @property
    def in_flight(self) -> int | None:
        """The statement that was sent outside a transaction and whose outcome is not known."""
        return self.entry.in_flight


def unfinished(history: Sequence[Attempt] | None, ledger: LedgerState) -> Attempt | None:
    """
    The attempt that left the ledger dirty; None where the history has none that fits.

    A failed attempt without a committed statement was rolled back and left nothing dirty; another
    tool did. Later attempts that changed nothing are skipped: an accepted edit, and a rollback by
    repair that was itself rolled back.
    """
    rows = history or ()
    last = next((one for one in reversed(rows) if not _changed_nothing(one, rows)), None)
    if last is None or last.version is None or last.direction not in _HALVES:
        return None
    if not last.left_something:
        return None
    row = NO_VERSION if ledger.row is None else ledger.row
    fits = last.version <= row if last.direction == "up" else last.version > row
    late = row > last.version and rolls_back(last, rows)
    return last if ledger.dirty and (fits or late) else None


def _changed_nothing(entry: Attempt, history: Sequence[Attempt]) -> bool:
    if entry.direction == "edit":
        return True
    undone = entry.outcome is Outcome.FAILED and not entry.left_something
    return undone and rolls_back(entry, history)


def rolls_back(entry: Attempt, history: Sequence[Attempt]) -> bool:
    """Whether an attempt is a rollback by repair: a down of a version that is not applied."""
    return entry.direction == Direction.DOWN.value and entry.version not in replay(history)


def interrupted_attempt(
    entry: Attempt, migration: Migration | None, kept: str | None, dialect: Dialect
) -> InterruptedAttempt:
    """
    Put an attempt and its file together.

    Args:
        entry: the attempt.
        migration: the files of its version.
        kept: the text that ran, as the history keeps it; None where it is not kept.
        dialect: the SQL that the database reads.

    Raises:
        CannotResume: the file is not here, or the text that ran is needed and not kept.
        ScriptError: the file cannot be read.
    """
    direction = Direction(entry.direction)
    half = migration.half(direction) if migration else None
    if half is None:
        raise refused(entry, "its file is missing")
    try:
        now = read(half.text, dialect)
    except ScriptError as error:
        raise error.in_file(half.file) from None
    up = direction is Direction.UP
    checksum = entry.up_checksum if up else entry.down_checksum
    digest = entry.up_digest if up else entry.down_digest
    same = digest == sha256(half.text.encode()).hexdigest()
    if same or is_proven_by(now, checksum, entry.checksum_formula):
        return InterruptedAttempt(entry, now, now)
    if kept is None:
        was = "was changed"
        if not knows_formula(entry.checksum_formula):
            was = f"cannot be compared: {NOT_COMPARED}"
        raise refused(
            entry, (f"{half.file} {was}, and the history does not have the text that ran")
        )
    return InterruptedAttempt(entry, _as_it_ran(entry, kept, dialect), now)


def resume_point(
    found: InterruptedAttempt,
    migration: Migration,
    ledger: LedgerState,
    applied: Applied,
    *,
    finished: bool,
) -> ResumePoint:
    """
    Where a file goes on.

    Args:
        found: the attempt with its texts.
        migration: its files.
        ledger: as it stands, dirty.
        applied: what is applied by the history.
        finished: whether the statement whose end nobody saw is done.

    Raises:
        CannotResume: the file is another up to there, or cannot be gone on with there.
    """
    entry = found.entry
    done = entry.statements_done
    if found.in_flight and finished:
        done = found.in_flight
    _check(found, done)
    direction = Direction(entry.direction)
    before = max(applied.versions, default=None)
    if direction is Direction.UP and entry.version != ledger.version:
        before = ledger.version  # a late one, which leaves the ledger where it is
    return ResumePoint(migration, direction, done, before, ledger.version, entry.attempt)


def refused(entry: Attempt, reason: str) -> CannotResume:
    """Make the error that an attempt cannot be resumed."""
    return CannotResume(entry.version, reason, direction=entry.direction)


def was_rejected(entry: Attempt) -> bool:
    """
    Whether the database answered the statement under way with an error, so that it is not done.

    A record of ours that was refused after the statement names no statement. A CALL or DO may have
    committed something before its error; who asks looks at that.
    """
    return entry.outcome is Outcome.FAILED and (entry.error or "").startswith(
        f"statement {entry.in_flight}: "
    )


def _first(done: int) -> str:
    return "statement 1, which is" if done == 1 else f"statements 1-{done}, which are"


def _check(found: InterruptedAttempt, done: int) -> None:
    entry, now = found.entry, found.now
    if found.ran is not now and not _same_until(found, done):
        raise refused(
            entry,
            f"the file was changed in {_first(done)} committed; only later statements may be "
            "changed",
        )
    if not may_resume_after(now, done):
        raise refused(
            entry,
            f"statement {done} is not the end of a transaction in the file as it is now",
        )
    if end := uncertain_after(now, done):
        raise refused(
            entry,
            f"the transaction that ends on line {end.line} continues after it, or is prepared: "
            "nothing shows what of it was committed",
        )
    if lost := lost_before(now, done):
        raise refused(
            entry,
            f"what statement {lost.number} on line {lost.line} created existed only in its session",
        )


def _same_until(found: InterruptedAttempt, done: int) -> bool:
    """Compare redacted texts, as the history stores them: a changed secret is not detected."""
    now = read(redacted_sql(found.now), found.now.dialect)
    return same_until(found.ran, now, done)


def _as_it_ran(entry: Attempt, kept: str, dialect: Dialect) -> Script:
    try:
        return read(kept, dialect)
    except ScriptError:
        raise refused(entry, "the text that ran cannot be parsed") from None
