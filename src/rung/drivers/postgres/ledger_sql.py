"""
The SQL that moves the ledger and writes the history, as statements for a message. Pure.

The move is a compare-and-set: it raises (by 1/0, for plpgsql may be missing) unless the
ledger holds exactly the state that the plan was made for. How the row is written depends on
our rights and on the team's own triggers: see `Form`. Where there are triggers or rules, what
they left of a write is compared with it. Without rights on the history its statements are none.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from rung._version import __version__
from rung.drivers.postgres import quoting
from rung.drivers.postgres.privileges import remember, revokes
from rung.drivers.postgres.quoting import NULL, Sql, statement
from rung.drivers.postgres.tables import changes_records, check_triggers, may_be_deferred
from rung.drivers.transaction import AddAttempt, UpdateAttempt, error_text
from rung.ledger import NO_VERSION, LedgerState, Outcome
from rung.script import CHECKSUM_FORMULA, holds

if TYPE_CHECKING:
    from rung.drivers.postgres.inspection import InspectedTables
    from rung.drivers.transaction import (
        FileVersion,
        HistoryWrite,
        LedgerTransition,
        NewAttempt,
        StatementFailure,
    )
    from rung.script import Script

_NOW = Sql("pg_catalog.clock_timestamp()")
_CLEAN = Sql("false")
_ALWAYS = Sql("")
_BEGUN = Sql("pg_catalog.statement_timestamp()")
"""When the message came in: several may be one transaction."""

PUT_BACK = (
    Sql("SET LOCAL statement_timeout TO DEFAULT"),
    Sql("SET LOCAL lock_timeout TO DEFAULT"),
    Sql("SET LOCAL SESSION AUTHORIZATION DEFAULT"),
    Sql('SET LOCAL "role" TO DEFAULT'),
)
"""
Before a write of ours inside the file's transaction: our rights and our time.

The search_path stays as it is for deferred triggers that run at COMMIT.
"""

AT_ONCE = Sql("SET CONSTRAINTS ALL IMMEDIATE")
"""What was deferred to COMMIT is checked now."""

OUR_PATH = Sql("SET LOCAL search_path = pg_catalog")
"""In a transaction with nothing of the file in it."""

NOT_FOR_LONG = Sql("SET LOCAL lock_timeout = '200ms'")
"""Before a lock that can as well be had another time."""

RESET = (
    Sql("RESET ALL"),
    Sql("RESET SESSION AUTHORIZATION"),
    Sql("RESET ROLE"),
)
"""Before each file: the session's settings as they were at connect. Takes no snapshot."""

UTF8 = Sql("SET client_encoding = 'UTF8'")
"""As every connection of ours has it; poolers keep it for each client."""

FORGET = (
    *RESET,
    Sql("CLOSE ALL"),
    Sql("DEALLOCATE ALL"),
    Sql("UNLISTEN *"),
    Sql("DISCARD TEMP"),
    Sql("DISCARD SEQUENCES"),
)
"""All of DISCARD ALL but the advisory locks, which are our hold on the run."""


def leave_clean(script: Script, first: int, last: int) -> tuple[Sql, ...]:
    """
    What a session that is shared needs behind statements of a file that may have changed it.

    Prepared statements and locks may be another client's, so they go only where the file has
    such; the encoding is what poolers keep for each client.
    """
    touching = [one for one in script.statements[first - 1 : last] if one.touches_session]
    if not touching:
        return ()
    prepares = any(one.words[:1] == ("PREPARE",) for one in touching)
    locks = holds(script.text, "pg_advisory_")
    return (
        *RESET,
        Sql("CLOSE ALL"),
        Sql("UNLISTEN *"),
        Sql("DISCARD TEMP"),
        Sql("DISCARD SEQUENCES"),
        *((Sql("DEALLOCATE ALL"),) if prepares else ()),
        *((Sql("SELECT pg_catalog.pg_advisory_unlock_all()"),) if locks else ()),
        UTF8,
    )


class Form(Enum):
    """
    How the ledger's row becomes another one.

    golang-migrate empties the ledger and inserts, so a team's triggers expect an INSERT and no
    UPDATE or DELETE. UPDATE and DELETE spare readers from waiting for us, and from a moment in
    which an old snapshot sees no row.
    """

    UPDATE = "update"
    """Where no trigger would notice the difference."""
    REPLACE = "replace"
    """DELETE of exactly the row, and INSERT: for INSERT triggers and guards against UPDATE."""
    TRUNCATE = "truncate"
    """
    TRUNCATE and INSERT, last before COMMIT: for triggers that fire on DELETE besides, for a
    published ledger without a key, and for want of rights on single rows.
    """

    @classmethod
    def of(cls, at: InspectedTables) -> Form:
        """What suits the rights and the triggers of a place."""
        facts, rights = at.ledger_facts, at.rights.ledger.rights or _ALL
        by_row = {"SELECT", "INSERT", "UPDATE", "DELETE"} <= rights
        if by_row and facts.takes_update:
            return cls.UPDATE
        if by_row and facts.takes_delete:
            return cls.REPLACE
        if "TRUNCATE" in rights:
            return cls.TRUNCATE
        return cls.UPDATE if facts.publications else cls.REPLACE


_ALL = frozenset(("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"))
"""Our rights on a ledger that we are about to make."""


class SentText(NamedTuple):
    """The text of a file that the record's own message holds, and the SQL that reads it there."""

    text: str
    sql: Sql

    @classmethod
    def at(cls, start: int, text: str) -> SentText:
        """Give the text that begins after so many characters of the message."""
        query = "pg_catalog.current_query()"
        return cls(text, Sql(f"pg_catalog.substr({query}, {start + 1:d}, {len(text):d})"))


def _kept(file: FileVersion | None, sent: SentText | None) -> Sql:
    """Give what a history row keeps of a file: its text, read from the message if it is there."""
    if file is None or sent is None or file.sql != sent.text:
        return quoting.text(file and file.sql)
    return sent.sql


@dataclass(frozen=True, slots=True)
class LedgerSql:
    """The tables of a place, and how they can be written there."""

    ledger: Sql
    history: Sql
    schemas: tuple[Sql, ...] = ()
    form: Form = Form.UPDATE
    truncates: bool = False
    """Whether the ledger is emptied by TRUNCATE, for want of rights or for a trigger's sake."""
    events: int = 0
    """What the ledger's triggers are known to fire for."""
    history_events: int = 0
    """The same of the history's."""
    records: bool = True
    """Whether there is a history to write."""
    writers: tuple[str, ...] = ()
    """The roles that are to write the ledger besides us."""

    @classmethod
    def of(cls, at: InspectedTables, writers: tuple[str, ...] = ()) -> LedgerSql:
        """The tables of a place, with our rights there."""
        ledger, history = at.names.ledger, at.names.history
        schemas = dict.fromkeys(quoting.name(one.schema or "") for one in (ledger, history))
        form, rights = Form.of(at), at.rights.ledger.rights or _ALL
        deletes = "DELETE" in rights and at.ledger_facts.takes_delete
        return cls(
            ledger.sql,
            history.sql,
            tuple(schemas),
            form,
            form is Form.TRUNCATE or (not deletes and "TRUNCATE" in rights),
            at.ledger_facts.events,
            at.history_facts.events,
            at.may_write_history,
            writers,
        )

    @property
    def moves_last(self) -> bool:
        """Whether the move stands last before COMMIT: readers wait from there on."""
        return self.form is Form.TRUNCATE

    @property
    def defers(self) -> bool:
        """Whether a trigger on a table of ours may fire at COMMIT only."""
        return may_be_deferred(self.events | self.history_events)

    def guard(self, move: LedgerTransition) -> tuple[Sql, ...]:
        """
        What has to precede a file, and takes no snapshot.

        An empty ledger has no row to compare, and TRUNCATE takes every row. So the table is
        locked before the file's snapshot is taken, which then sees whatever another run has
        written.
        """
        if move.before is None:
            return ()  # `write` locks it
        empties = self.truncates and move.after.row is None
        needed = move.before.row is None or self.form is Form.TRUNCATE or empties
        return self.lock if needed else ()

    @property
    def lock(self) -> tuple[Sql, ...]:
        """Keep other writers out of the ledger to the end of the transaction."""
        return (statement("lock_ledger", ledger=self.ledger),)

    def move(self, move: LedgerTransition) -> tuple[Sql, ...]:
        """The compare-and-set from one state to the next, after its `guard`."""
        if move.before is None:
            return self.write(move.after.row)
        version = NO_VERSION if move.after.row is None else move.after.row
        keeps_row = move.after.row is not None or move.after.dirty
        to = {"version": quoting.number(version), "dirty": quoting.truth(move.after.dirty)}
        known = check_triggers(self.ledger, self.events, self.history, self.history_events)
        write = (statement("write_ledger", ledger=self.ledger, **to),) if keeps_row else ()
        if move.before.row is None and self.events:
            moved = (*self.check(move.before), *write)
        elif move.before.row is None:
            moved = (statement("move_from_empty", ledger=self.ledger, **to),)
        elif self.form is Form.TRUNCATE or (self.truncates and not keeps_row):
            moved = (*self.check(move.before), self.clear, *write)
        elif self.form is Form.REPLACE or not keeps_row:
            origin = _origin(move.before)
            moved = (statement("move_to_empty", ledger=self.ledger, **origin), *write)
        else:
            moved = (statement("move_row", ledger=self.ledger, **_origin(move.before), **to),)
        at_once = (AT_ONCE,) if self.defers else ()
        return (*at_once, known, *moved, *self._written(version, move.after, keeps_row=keeps_row))

    def _written(
        self, version: int, after: LedgerState, *, keeps_row: bool = True
    ) -> tuple[Sql, ...]:
        """Raise where a trigger or a rule left something else than what was written."""
        if not self.events:
            return ()
        places = {
            "rows": quoting.number(int(keeps_row)),
            "version": quoting.number(version),
            "dirty": quoting.truth(after.dirty),
        }
        return (statement("check_written", ledger=self.ledger, **places),)

    def check(self, state: LedgerState) -> tuple[Sql, ...]:
        """Raise unless the ledger is in a state."""
        if state.row is None:
            return (statement("check_empty", ledger=self.ledger),)
        return (statement("check_row", ledger=self.ledger, **_origin(state)),)

    @property
    def clear(self) -> Sql:
        """Empty the ledger, whatever it holds."""
        return statement("truncate" if self.truncates else "clear_ledger", ledger=self.ledger)

    def write(self, version: int | None) -> tuple[Sql, ...]:
        """Set the ledger clean at a version, whatever it holds."""
        at_once = (AT_ONCE,) if self.defers else ()
        clear, after = (*at_once, *self.lock, self.clear), LedgerState(version)
        if version is None:
            return (*clear, *self._written(NO_VERSION, after, keeps_row=False))
        places = {"version": quoting.number(version), "dirty": _CLEAN}
        write = statement("write_ledger", ledger=self.ledger, **places)
        return (*clear, write, *self._written(version, after))

    def touch(self) -> Sql:
        """A write that changes nothing: its commit puts all commits before it on disk."""
        if self.form is not Form.UPDATE or self.events:
            return statement("touch_nothing")
        return statement("touch_ledger", ledger=self.ledger)

    # --- the tables themselves -----------------------------------------------------------

    def make_ledger(self) -> Sql:
        """The ledger, where it is missing."""
        return statement("create_ledger", ledger=self.ledger)

    def make_history(self) -> Sql:
        """The history, where it is missing."""
        return statement("create_history", history=self.history)

    @property
    def remember(self) -> Sql:
        """In front of their making: which are there, and keep what others may do with them."""
        return remember((self.ledger, self.history))

    @property
    def revokes(self) -> Sql:
        """The question, behind their making, for what leaves others SELECT alone."""
        return revokes((self.ledger, self.history), self.ledger, self.writers)

    def make_anew(self, *, with_schemas: bool) -> tuple[Sql, ...]:
        """Both tables, behind a file that dropped one or both; the ledger empty."""
        schemas = (statement("create_schema", schema=name) for name in self.schemas)
        return (
            Sql("SET LOCAL client_min_messages = warning"),
            *(schemas if with_schemas else ()),
            self.make_ledger(),
            self.clear,
            *((self.make_history(),) if self.records else ()),
            Sql("SET LOCAL client_min_messages TO DEFAULT"),
        )

    def still_there(self) -> Sql:
        """Raise where a unit has dropped the ledger."""
        return statement("still_there", ledger=self.ledger)

    # --- the history ---------------------------------------------------------------------

    def record(
        self,
        attempt: NewAttempt,
        outcome: Outcome,
        failure: StatementFailure | None = None,
        seconds: float = 0.0,
        *,
        only_where: Sql = _ALWAYS,
        sent: SentText | None = None,
    ) -> tuple[Sql, ...]:
        """The history row of an attempt that began so many seconds before this message."""
        if not self.records:
            return ()
        over = outcome is not Outcome.RUNNING
        done = attempt.statements_done if failure or not over else attempt.statements_total
        ago = Sql(f" OPERATOR(pg_catalog.-) pg_catalog.make_interval(secs => {seconds:.6f})")
        row = statement(
            "record_attempt",
            history=self.history,
            only_where=only_where,
            attempt=quoting.text(attempt.id),
            version=quoting.number(attempt.version),
            name=quoting.text(attempt.name),
            direction=quoting.text(attempt.direction),
            outcome=quoting.text(outcome.value),
            statements_total=quoting.number(attempt.statements_total),
            statements_done=quoting.number(done),
            started=Sql(f"{_BEGUN}{ago if seconds else ''}"),
            finished=_NOW if over else NULL,
            error=quoting.text(error_text(failure) or attempt.remark),
            up_checksum=quoting.text(attempt.up and attempt.up.checksum),
            down_checksum=quoting.text(attempt.down and attempt.down.checksum),
            formula=quoting.number(CHECKSUM_FORMULA),
            up_digest=quoting.text(attempt.up and attempt.up.digest),
            down_digest=quoting.text(attempt.down and attempt.down.digest),
            up_sql=_kept(attempt.up, sent),
            down_sql=_kept(attempt.down, sent),
            tool=quoting.text(attempt.tool),
            tool_version=quoting.text(__version__),
            user=Sql("session_user"),
            host=quoting.text(os.uname().nodename),
        )
        if only_where:
            return (row,)
        held = {
            "version": quoting.number(attempt.version),
            "direction": quoting.text(attempt.direction),
            "outcome": quoting.text(outcome.value),
        }
        return (row, *self._recorded(attempt.id, **held))

    def _recorded(self, attempt_id: str, **held: Sql) -> tuple[Sql, ...]:
        """Raise where a trigger or a rule left another row of an attempt than was written."""
        if not changes_records(self.history_events):
            return ()
        values = Sql(f"pg_catalog.concat_ws(' ', {', '.join(held.values())})")
        places = {"attempt": quoting.text(attempt_id), "columns": Sql(", ".join(held))}
        return (statement("check_recorded", history=self.history, values=values, **places),)

    def record_anew(self, attempt: NewAttempt) -> tuple[Sql, ...]:
        """
        The row of a file after which the tables are created again.

        A new history stays empty: a row that says a text is kept would be its only one.
        """
        has_rows = Sql(f"WHERE EXISTS (SELECT FROM {self.history})")
        return self.record(attempt, Outcome.DONE, only_where=has_rows)

    def write_history(self, write: HistoryWrite, sent: SentText | None = None) -> tuple[Sql, ...]:
        """The statements of one write to the history; none where there is none."""
        match write:
            case AddAttempt(attempt, outcome, failure, ago):
                return self.record(attempt, outcome, failure, ago, sent=sent)
            case UpdateAttempt(if_still_running=True):
                return self.cut_off(write.attempt_id, write.error)
            case UpdateAttempt(outcome=Outcome() as outcome):
                return self.end(write.attempt_id, outcome, write.error)
            case UpdateAttempt(statements_done=int(done)):
                return self.progress(write.attempt_id, done)
            case UpdateAttempt(in_flight=int(number)):
                return self.in_flight(write.attempt_id, number)
        return ()

    def in_flight(self, attempt_id: str, number: int) -> tuple[Sql, ...]:
        """Say which statement is about to run outside a transaction."""
        places = {"attempt": quoting.text(attempt_id), "statement": quoting.number(number)}
        return self._update("record_in_flight", **places)

    def progress(self, attempt_id: str, done: int) -> tuple[Sql, ...]:
        """Say how many statements are committed."""
        places = {"attempt": quoting.text(attempt_id), "done": quoting.number(done)}
        return (self.still_there(), *self._update("record_progress", **places))

    def cut_off(self, attempt_id: str, error: str | None) -> tuple[Sql, ...]:
        """Say that an attempt did not come to its end, where nothing is said of it yet."""
        places = {"attempt": quoting.text(attempt_id), "error": quoting.text(error)}
        return self._update("record_cut_off", **places)

    def end(self, attempt_id: str, outcome: Outcome, error: str | None) -> tuple[Sql, ...]:
        """Say how a file of several units ended."""
        places = {
            "attempt": quoting.text(attempt_id),
            "outcome": quoting.text(outcome.value),
            "error": quoting.text(error),
        }
        ended = self._update("record_end", **places)
        return (*ended, *self._recorded(attempt_id, outcome=places["outcome"])) if ended else ()

    def _update(self, which: str, **places: Sql) -> tuple[Sql, ...]:
        return (statement(which, history=self.history, **places),) if self.records else ()


def _origin(state: LedgerState) -> dict[str, Sql]:
    return {
        "from_version": quoting.number(state.row),
        "from_dirty": quoting.truth(state.dirty),
    }
