"""
The SQL that moves the ledger and writes the history, as statements for a message. Pure.

The move is a compare-and-set: it raises (by 1/0, for plpgsql may be missing) unless the
ledger holds exactly the state that the plan was made for.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung._version import __version__
from rung.drivers.postgres import quoting
from rung.drivers.postgres.quoting import NULL, Sql
from rung.drivers.postgres.statements import statement
from rung.ledger import HISTORY_TABLE, LEDGER_TABLE, NO_VERSION, LedgerState, Outcome
from rung.statements import CHECKSUM_FORMULA

if TYPE_CHECKING:
    from rung.drivers.work import Attempt, Move, Refusal

_NOW = Sql("pg_catalog.clock_timestamp()")
_CLEAN = Sql("false")
_BEGUN = Sql("pg_catalog.transaction_timestamp()")

PUT_BACK = (
    Sql("SET LOCAL statement_timeout TO DEFAULT"),
    Sql("SET LOCAL lock_timeout TO DEFAULT"),
    Sql("SET LOCAL SESSION AUTHORIZATION DEFAULT"),
    Sql('SET LOCAL "role" TO DEFAULT'),
)
"""
Before a write of ours inside the file's transaction: our rights and our time.

The search_path stays as the file left it, for deferred triggers that run at COMMIT.
"""

OUR_PATH = Sql("SET LOCAL search_path = pg_catalog")
"""In a transaction with nothing of the file in it."""

RESET = (
    Sql("RESET ALL"),
    Sql("RESET SESSION AUTHORIZATION"),
    Sql("RESET ROLE"),
)
"""Before each file: the session's settings as they were at connect. Takes no snapshot."""

FORGET = (
    *RESET,
    Sql("CLOSE ALL"),
    Sql("DEALLOCATE ALL"),
    Sql("UNLISTEN *"),
    Sql("DISCARD TEMP"),
    Sql("DISCARD SEQUENCES"),
)
"""All of DISCARD ALL but the advisory locks, which are our hold on the run."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The qualified names of ledger and history, and whether there is a history to write."""

    ledger: Sql
    history: Sql

    @classmethod
    def of(cls, schema: str) -> Tables:
        """The tables in a schema."""
        return cls(quoting.name(schema, LEDGER_TABLE), quoting.name(schema, HISTORY_TABLE))

    def guard(self, move: Move) -> tuple[Sql, ...]:
        """
        What has to precede a file, and takes no snapshot.

        An empty ledger has no row to compare. So its table is locked before the file's
        snapshot is taken, which then sees whatever another run has written.
        """
        empty = move.before.row is None
        return (statement("lock_ledger", ledger=self.ledger),) if empty else ()

    def move(self, move: Move) -> tuple[Sql, ...]:
        """The compare-and-set from one state to the next, behind its `guard`."""
        version, keeps_row = _row(move.after)
        to = {"version": quoting.number(version), "dirty": quoting.truth(move.after.dirty)}
        if move.before.row is None:
            return (statement("move_from_empty", ledger=self.ledger, **to),)
        origin = {
            "from_version": quoting.number(move.before.row),
            "from_dirty": quoting.truth(move.before.dirty),
        }
        if keeps_row:
            return (statement("move_row", ledger=self.ledger, **origin, **to),)
        return (statement("move_to_empty", ledger=self.ledger, **origin),)

    def write(self, version: int | None) -> tuple[Sql, ...]:
        """Set the ledger clean at a version, whatever it holds."""
        clear = (
            statement("lock_ledger", ledger=self.ledger),
            statement("clear_ledger", ledger=self.ledger),
        )
        if version is None:
            return clear
        places = {"version": quoting.number(version), "dirty": _CLEAN}
        return (*clear, statement("write_ledger", ledger=self.ledger, **places))

    def record(
        self,
        attempt: Attempt,
        outcome: Outcome,
        refusal: Refusal | None = None,
        seconds: float = 0.0,
    ) -> Sql:
        """The history row of an attempt that began so many seconds before this transaction."""
        over = outcome is not Outcome.RUNNING
        done = refusal.statements_done if refusal else attempt.statements_total * over
        return statement(
            "record_attempt",
            history=self.history,
            attempt=quoting.text(attempt.id),
            version=quoting.number(attempt.version),
            name=quoting.text(attempt.name),
            direction=quoting.text(attempt.direction),
            outcome=quoting.text(outcome.value),
            statements_total=quoting.number(attempt.statements_total),
            statements_done=quoting.number(done),
            started=_begun(seconds),
            finished=_NOW if over else NULL,
            error=quoting.text(error_text(refusal)),
            up_checksum=quoting.text(attempt.up_checksum),
            down_checksum=quoting.text(attempt.down_checksum),
            formula=quoting.number(CHECKSUM_FORMULA),
            up_sql=quoting.text(attempt.up_sql),
            down_sql=quoting.text(attempt.down_sql),
            tool=quoting.text("rung"),
            tool_version=quoting.text(__version__),
            user=Sql("session_user"),
            host=quoting.text(os.uname().nodename),
        )

    def in_flight(self, attempt_id: str, number: int) -> Sql:
        """Say which statement is about to run outside a transaction."""
        places = {"attempt": quoting.text(attempt_id), "statement": quoting.number(number)}
        return statement("record_in_flight", history=self.history, **places)

    def progress(self, attempt_id: str, done: int) -> Sql:
        """Say how many statements are committed."""
        places = {"attempt": quoting.text(attempt_id), "done": quoting.number(done)}
        return statement("record_progress", history=self.history, **places)

    def end(self, attempt_id: str, outcome: Outcome, refusal: Refusal | None) -> Sql:
        """Say how a file of several units ended."""
        places = {
            "attempt": quoting.text(attempt_id),
            "outcome": quoting.text(outcome.value),
            "error": quoting.text(error_text(refusal)),
        }
        return statement("record_end", history=self.history, **places)


def _begun(seconds: float) -> Sql:
    if not seconds:
        return _BEGUN
    ago = f"pg_catalog.make_interval(secs => {seconds:.6f})"
    return Sql(f"{_BEGUN} OPERATOR(pg_catalog.-) {ago}")


def error_text(refusal: Refusal | None) -> str | None:
    """What the history keeps of a refusal: the failing statement and the server's words."""
    if refusal is None:
        return None
    where = f"statement {refusal.statement}: " if refusal.statement else ""
    return where + "\n".join(refusal.server.lines())


def _row(state: LedgerState) -> tuple[int, bool]:
    """The number to write, and whether a row is kept at all."""
    if state.row is None:
        return NO_VERSION, state.dirty
    return state.row, True
