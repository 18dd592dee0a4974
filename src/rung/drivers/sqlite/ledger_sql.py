"""
What is written into ledger and history: every write of ours, on a connection that is given.

Owns no transaction: whoever calls has begun one, and commits it. The ledger's move is a
compare-and-set, which nothing can come between inside a transaction that writes.
"""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rung._version import __version__
from rung.drivers.dbapi.execute import LedgerMovedError
from rung.drivers.sqlite.library import sqlite3
from rung.drivers.sqlite.lock import user_name
from rung.drivers.sqlite.table_names import in_main, quoted, statement
from rung.drivers.transaction import AddAttempt, UpdateAttempt, error_text
from rung.ledger import NO_VERSION, LedgerState, Outcome
from rung.script import CHECKSUM_FORMULA

if TYPE_CHECKING:
    from rung.drivers.sqlite.table_names import SqliteNames
    from rung.drivers.transaction import (
        FileVersion,
        HistoryWrite,
        LedgerTransition,
        NewAttempt,
        StatementFailure,
    )

_NO_HALF = (None, None, None)


class Records:
    """
    Ledger and history of one connection.

    Args:
        database: the connection.
        names: the tables' names.
    """

    def __init__(self, database: sqlite3.Connection, names: SqliteNames) -> None:
        self._database = database
        self._names = names
        self._ledger, self._history = in_main(names.ledger), in_main(names.history)

    # --- the tables ----------------------------------------------------------------------

    def make(self) -> None:
        """Both tables and the ledger's index, where they are missing."""
        ledger = as_it_can_stand(self._names.ledger)
        self._database.execute(statement("create_ledger", ledger=ledger))
        self._database.execute(statement("create_index", ledger=ledger))
        history = as_it_can_stand(self._names.history)
        self._database.execute(statement("create_history", history=history))

    def make_anew(self) -> None:
        """Make them again after a file that dropped one of them, with an empty ledger."""
        self.make()
        self.clear()

    # --- the ledger ----------------------------------------------------------------------

    def check(self, state: LedgerState) -> None:
        """
        Compare the ledger with a state.

        Raises:
            LedgerMovedError: it is in another.
        """
        rows = self._database.execute(statement("look_ledger", ledger=self._ledger)).fetchall()
        found = [(version, bool(dirty)) for version, _, dirty, _ in rows]
        if found != ([] if state.row is None else [(state.row, state.dirty)]):
            raise LedgerMovedError

    def move(self, move: LedgerTransition) -> None:
        """
        Set the ledger from exactly one state to another.

        Raises:
            LedgerMovedError: it is not in the state that the move starts from.
        """
        if move.before is not None:
            self.check(move.before)
        self.clear()
        if move.after.row is not None or move.after.dirty:
            self.write(NO_VERSION if move.after.row is None else move.after.row, move.after.dirty)

    def clear(self) -> None:
        """Empty the ledger, whatever it holds."""
        self._database.execute(statement("clear_ledger", ledger=self._ledger))

    def write(self, version: int, dirty: bool) -> None:  # noqa: FBT001 - the value itself
        """Write the row of an empty ledger."""
        self._database.execute(statement("write_ledger", ledger=self._ledger), (version, dirty))

    # --- the history ---------------------------------------------------------------------

    def record(
        self,
        attempt: NewAttempt,
        outcome: Outcome,
        began: datetime,
        failure: StatementFailure | None = None,
    ) -> None:
        """Write the history row of an attempt."""
        over = outcome is not Outcome.RUNNING
        done = attempt.statements_done if failure or not over else attempt.statements_total
        up, down = _half(attempt.up), _half(attempt.down)
        values = {
            "attempt": attempt.id,
            "version": attempt.version,
            "name": attempt.name,
            "direction": attempt.direction,
            "outcome": outcome.value,
            "statements_total": attempt.statements_total,
            "statements_done": done,
            "started": history_time(began),
            "finished": history_time(now()) if over else None,
            "error": error_text(failure) or attempt.remark,
            **dict(zip(("up_checksum", "up_digest", "up_sql"), up, strict=True)),
            **dict(zip(("down_checksum", "down_digest", "down_sql"), down, strict=True)),
            "formula": CHECKSUM_FORMULA,
            "tool": attempt.tool,
            "tool_version": __version__,
            "user": user_name(),
            "host": os.uname().nodename,
        }
        self._database.execute(statement("record_attempt", history=self._history), values)

    def record_anew(self, attempt: NewAttempt, began: datetime) -> None:
        """
        The row of a file after which the tables are created again.

        A new history stays empty: a row that says a text is kept would be its only one.
        """
        if self._database.execute(statement("has_history", history=self._history)).fetchall():
            self.record(attempt, Outcome.DONE, began)

    def write_history(self, write: HistoryWrite, began: datetime) -> None:
        """Add or update a row of the history."""
        match write:
            case AddAttempt(attempt, outcome, failure, ago):
                self.record(attempt, outcome, began - timedelta(seconds=ago), failure)
            case UpdateAttempt(attempt_id, if_still_running=True):
                values = {"error": write.error, "finished": history_time(now())}
                self._update("record_cut_off", attempt=attempt_id, **values)
            case UpdateAttempt(attempt_id, outcome=Outcome() as outcome):
                values = {"error": write.error, "finished": history_time(now())}
                self._update("record_end", attempt=attempt_id, outcome=outcome.value, **values)
            case UpdateAttempt(attempt_id, statements_done=int(done)):
                # Raises where the file dropped the ledger.
                self._database.execute(statement("still_there", ledger=self._ledger))
                self._update("record_progress", attempt=attempt_id, done=done)
            case UpdateAttempt(attempt_id, in_flight=int(number)):
                self._update("record_in_flight", attempt=attempt_id, statement=number)

    def _update(self, which: str, **values: str | int | None) -> None:
        self._database.execute(statement(which, history=self._history), values)


def now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


def history_time(moment: datetime) -> str:
    """Return a time as the history stores it, in UTC."""
    return moment.isoformat(timespec="microseconds")


def as_it_can_stand(name: str) -> str:
    """
    A name without quotes where SQLite reads it so: the stored text is then golang-migrate's.

    SQLite is asked, for it alone knows its key words.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as scratch:
        try:
            scratch.execute(f"CREATE TABLE {name} (x)")
            rows = scratch.execute("SELECT name FROM sqlite_master").fetchall()
        except sqlite3.Error:
            rows = []
    return name if rows == [(name,)] else quoted(name)


def _half(half: FileVersion | None) -> tuple[str | None, str | None, str | None]:
    return _NO_HALF if half is None else (half.checksum, half.digest, half.sql)
