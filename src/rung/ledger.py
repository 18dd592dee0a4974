"""
The ledger's row and the history's rows, as values.

The ledger is golang-migrate's table, at most one row of (version, dirty); the history is Rung's
alone. Drivers read and write both; nothing here opens a connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

LEDGER_TABLE = "schema_migrations"
HISTORY_TABLE = "schema_migrations_history"
CUT_OFF = "cut off: its end was not seen, and a later attempt went on with it"
"""The error of an attempt that a later one resumes."""
NOT_REVERTED = "not reverted: its down holds no statement"
"""The error of a down that ran nothing because `--unreverted` passed the version over."""
MARK_APPLIED, MARK_NOT_APPLIED = "mark-applied", "mark-not-applied"
"""Directions: a person recorded that a version is applied, or is not."""
DIRECTIONS = ("up", "down", "edit", MARK_APPLIED, MARK_NOT_APPLIED, "force", "baseline")
"""The directions of an attempt."""
MAY_LACK_VERSION = frozenset(("force", "baseline"))
"""The directions that may lead to no version."""
NO_VERSION = -1
"""golang-migrate's number for "before the first migration" in a row that it has to write."""


@dataclass(frozen=True, slots=True)
class LedgerState:
    """
    The state of the ledger.

    `row` is its number: None for an empty or absent table, -1 where golang-migrate failed in the
    last down.
    """

    row: int | None = None
    dirty: bool = False

    @property
    def version(self) -> int | None:
        """The version the database is at; None before the first migration."""
        return None if self.row is None or self.row == NO_VERSION else self.row

    def __str__(self) -> str:
        shown = "no version" if self.version is None else f"version {self.version}"
        return f"dirty at {shown}" if self.dirty else f"clean at {shown}"


class Outcome(Enum):
    """How an attempt ended."""

    RUNNING = "running"
    """Its end is not recorded: a file of several units that still runs, or was interrupted."""
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """An unrecognized value, written by a newer Rung."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One row of the history, without the SQL texts."""

    id: int
    attempt: str
    """The id of the attempt, a UUID."""
    version: int | None
    """None for a `force` to no version, or where another tool recorded none."""
    name: str
    direction: str
    """
    up, down, force, baseline (applied by another tool), edit (an edit of the files was accepted,
    nothing ran), mark-applied or mark-not-applied.
    """
    outcome: Outcome
    statements_total: int
    statements_done: int
    in_flight: int | None
    """The statement that was sent outside a transaction; its end is not recorded."""
    started: datetime
    finished: datetime | None
    error: str | None
    up_checksum: str | None
    down_checksum: str | None
    checksum_formula: int | None
    up_digest: str | None
    """SHA-256 of the file's text: with equal digests its SQL need not be parsed."""
    down_digest: str | None
    tool: str
    tool_version: str
    database_user: str
    host: str

    @property
    def left_something(self) -> bool:
        """Whether it did not succeed and may have committed a part of its file."""
        runs = self.direction in ("up", "down")
        part = self.statements_done > 0 or self.in_flight is not None
        return runs and (
            self.outcome is Outcome.RUNNING or (self.outcome is Outcome.FAILED and part)
        )

    @property
    def ran_nothing(self) -> bool:
        """Whether it is an up or a down that succeeded without a statement."""
        runs = self.direction in ("up", "down")
        return runs and self.outcome is Outcome.DONE and self.statements_total == 0

    @property
    def result(self) -> str:
        """The outcome for people: `empty` or `not reverted` where nothing ran."""
        if not self.ran_nothing:
            return self.outcome.value
        passed = self.direction == "down" and self.error == NOT_REVERTED
        return "not reverted" if passed else "empty"
