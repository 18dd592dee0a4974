"""
Sends transactions to SQLite, statement by statement, in the order of `drivers/dbapi`.

PRAGMA foreign_keys is taken out of a transaction, as SQLite's recipe means it: what a file
sets inside one is done before its BEGIN, and undone after its COMMIT; and a file that runs
with foreign keys off by its own choice, or looks for violations, leaves no new one.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rung.drivers.dbapi.execute import DbapiSender, RejectedError, Work
from rung.drivers.sqlite import errors, foreign_keys
from rung.drivers.sqlite.library import sqlite3
from rung.drivers.transaction import (
    ExecutionResult,
    Part,
    ServerNotice,
    StatementFailure,
    StatementRange,
    Transaction,
    UpdateAttempt,
)
from rung.errors import ServerMessage
from rung.script import Mode, Script, own_block
from rung.script.sqlite import foreign_keys as meant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rung.cancellation import CancelToken
    from rung.drivers.sqlite.foreign_keys import Violations
    from rung.drivers.sqlite.ledger_sql import Records
    from rung.script import Statement

_ROWS_SHOWN, _ROWS_KEPT = 5, 1000
_EVERY = 2000
"""SQLite's instructions between two calls: some tens of microseconds."""
_VIOLATED = "new foreign key violations after this file"
_REMEDY = "change the file to keep every row that others refer to"


class InterruptWatch:
    """
    What may end a file's statements early.

    SQLite calls it in the thread that runs the statement, so that Python handles signals meanwhile.

    Args:
        stop: asked for at each look.
        time_limit: seconds for a block; None for no limit.
    """

    def __init__(self, stop: CancelToken, time_limit: float | None = None) -> None:
        self._stop, self._time_limit = stop, time_limit
        self._began = 0.0

    @contextmanager
    def over(self, database: sqlite3.Connection) -> Iterator[None]:
        """Watch for the block; statements of ours outside it are never interrupted."""
        self._began = time.monotonic()
        database.set_progress_handler(self._must_end, _EVERY)
        try:
            yield
        finally:
            database.set_progress_handler(None, 0)

    def _must_end(self) -> bool:
        late = self._time_limit is not None and time.monotonic() - self._began > self._time_limit
        return late or self._stop.cancelling


class SqliteSender(DbapiSender):
    """
    Sends on one connection.

    Args:
        database: the connection, in autocommit.
        records: ledger and history on it.
        begin: how a transaction of ours begins, IMMEDIATE or EXCLUSIVE.
        watch: what may interrupt a file's statements.
        violated: what was violated before each attempt that runs unit by unit; filled here.
        check_file: raises `Disconnected` where the file is not at its path any more; called
            before and after each COMMIT.
    """

    errors = (sqlite3.Error, sqlite3.Warning)

    def __init__(
        self,
        database: sqlite3.Connection,
        records: Records,
        begin: str,
        watch: InterruptWatch,
        violated: dict[str, Violations],
        check_file: Callable[[], None],
    ) -> None:
        super().__init__(records)
        self._database, self._watch = database, watch
        self._violated, self._check_file = violated, check_file
        self._before: Violations | None = None
        """What was violated before the statements under way; None where that is not known."""
        self.begin = f"BEGIN {begin}"

    def as_it_stands(self, script: Script, first: int, last: int) -> ExecutionResult:
        """Statements of a script with nothing of ours around them, and no transaction ended."""
        work = Work(Transaction((Part(StatementRange(script, first, last)),)))
        try:
            self.run(work, first, last)
        except RejectedError as rejected:
            return ExecutionResult((work.result(),), rejected.failure)
        return ExecutionResult((work.result(),))

    # --- hooks ---------------------------------------------------------------------------

    @property
    def in_transaction(self) -> bool:
        """Whether SQLite has a transaction open."""
        return self._database.in_transaction

    def execute(self, sql: str) -> None:
        """Run one statement to its end, whatever rows it gives."""
        for _ in self._database.execute(sql):
            pass

    def run(self, work: Work, first: int, last: int, *, at_commit: bool = False) -> None:
        """Run statements of a file, which may be interrupted."""
        with self._watch.over(self._database):
            super().run(work, first, last, at_commit=at_commit)

    def run_statement(self, work: Work, statement: Statement) -> None:
        """Run one of a file's statements, and read what SQLite's own checks say."""
        self._check_drop(work.script, statement)
        self._judge(work, statement, self._rows(sent(work.script, statement)))
        self._note(work, statement)

    def failure_of(
        self, work: Work, statement: Statement | None, error: Exception, *, at_commit: bool
    ) -> StatementFailure:
        """What an error of SQLite's means."""
        if statement is None:
            return errors.of_ours(error, done=work.done, at_commit=at_commit)
        return errors.of_statement(
            work.script, statement, error, done=work.done, at_commit=at_commit
        )

    def let_us_write(self) -> None:
        """Whatever PRAGMA query_only the file has left; a schema that it wrote is read again."""
        self.execute("PRAGMA query_only = OFF")
        if self._database.execute("PRAGMA writable_schema").fetchone() == (1,):
            self.execute("PRAGMA writable_schema = RESET")

    def check_connection(self) -> None:
        """Notice that the file was replaced or removed."""
        self._check_file()

    def own_block(self, span: StatementRange) -> tuple[int, int]:
        """A file's own transaction may have statements around it that change the session alone."""
        if span.script.mode is not Mode.OWN_TRANSACTION:
            return span.first, span.last
        block = own_block(span.script.statements)
        return (block[0].number, block[-1].number) if block else (span.first, span.last)

    def before_transaction(self, work: Work) -> None:
        """Set foreign keys as the file means it."""
        first, last = (
            self.own_block(work.span) if work.is_own else (work.span.first, work.span.last)
        )
        work.cleanup.enter_context(self._foreign_keys(work.script, first, last))

    def before_statements(self, work: Work) -> None:
        """Count what is violated already, where the file is checked for it."""
        script, span = work.script, work.span
        if work.is_whole_file:
            guarded = _is_guarded(script, *self._body(work))
            self._before = foreign_keys.violations(self._database) if guarded else None
            return
        guarded = _is_guarded(script, 1, len(script.statements))
        attempt_id = _attempt_id(work)
        if guarded and span.first == 1:
            self._violated[attempt_id] = foreign_keys.violations(self._database)
        self._before = self._violated.get(attempt_id)
        if guarded and work.is_own and not self._ends_file(work):
            self._before = foreign_keys.violations(self._database)

    def after_statements(self, work: Work) -> None:
        """Reject a file that leaves new violations."""
        if work.is_whole_file:
            checks = _is_guarded(work.script, *self._body(work))
        else:
            guarded = _is_guarded(work.script, 1, len(work.script.statements))
            checks = guarded and (work.is_own or self._ends_file(work))
        if checks:
            self._check_violations(work)

    def _body(self, work: Work) -> tuple[int, int]:
        """The statements between BEGIN and COMMIT."""
        if not work.is_own:
            return work.span.first, work.span.last
        first, last = self.own_block(work.span)
        return first + 1, last - 1

    def _ends_file(self, work: Work) -> bool:
        return work.span.last == len(work.script.statements)

    # --- foreign keys --------------------------------------------------------------------

    @contextmanager
    def _foreign_keys(self, script: Script, first: int, last: int) -> Iterator[None]:
        """
        Set foreign keys as a file means it, for a transaction that the block begins and ends.

        Off for all of it where the file turns them off inside; in a file of several units also
        what its earlier statements meant, which were passed over inside their own transactions.
        """
        wanted = meant.meant_before(script, first) if script.mode is Mode.UNITS else None
        wanted = False if meant.turned_off_by(script, first, last) else wanted
        if wanted is None:
            yield
            return
        before = self._set_foreign_keys(on=wanted)
        try:
            yield
        finally:
            later = meant.meant_before(script, last + 1) if script.mode is Mode.UNITS else None
            self._set_foreign_keys(on=before if later is None else later)

    def _set_foreign_keys(self, *, on: bool) -> bool:
        """Set them, outside a transaction; whether they were on before."""
        (before,) = self._database.execute("PRAGMA foreign_keys").fetchone()
        self.execute(f"PRAGMA foreign_keys = {int(on)}")
        return bool(before)

    def _check_violations(self, work: Work) -> None:
        """Refuse a file that leaves a violation that was not there before; say which were."""
        before, now_ = self._before, foreign_keys.violations(self._database)
        if now_.error:
            if before is None or before.error:
                self._warn(work, f"could not check foreign keys: {now_.error}")
                return
            raise RejectedError(_violated(work, f"foreign_key_check failed: {now_.error}"))
        new = now_.since(before)
        if before is not None and not before.error and new:
            raise RejectedError(_violated(work, f"{_VIOLATED}: {foreign_keys.described(new)}"))
        if now_.found:
            what = "that existed before" if before and not before.error else "left"
            rows = foreign_keys.described(now_.found)
            self._warn(work, f"rows {what} violate a foreign key: {rows}")

    def _warn(self, work: Work, said: str) -> None:
        notice = ServerNotice("WARNING", "", said)
        if notice not in work.notices:
            work.notices.append(notice)

    # --- statements ----------------------------------------------------------------------

    def _check_drop(self, script: Script, statement: Statement) -> None:
        """
        Refuse to drop a table that a file rebuilds, where that would change rows of others.

        SQLite deletes its rows first, and what refers to them goes by its ON DELETE.
        """
        table = meant.dropped_table(script, statement)
        if not table or not meant.rebuilds(script, table):
            return
        if lost := foreign_keys.lost_by_dropping(self._database, table):
            raise sqlite3.IntegrityError(
                f"dropping {table} with foreign keys on would change rows of {', '.join(lost)}; "
                "begin a file that rebuilds a table with PRAGMA foreign_keys=OFF"
            )

    def _judge(self, work: Work, statement: Statement, rows: list[tuple[object, ...]]) -> None:
        """Read what SQLite's own checks say, whose rows nobody else would read."""
        if not rows:
            return
        if meant.is_integrity_check(work.script, statement) and rows != [("ok",)]:
            shown = "; ".join(str(row[0]) for row in rows[:_ROWS_SHOWN])
            more = f" and {len(rows) - _ROWS_SHOWN} more" if len(rows) > _ROWS_SHOWN else ""
            raise sqlite3.IntegrityError(f"the check found: {shown}{more}")
        if meant.is_foreign_key_check(work.script, statement):
            found = foreign_keys.violations(self._database)
            new = found.since(self._before)
            if self._before is not None and new:
                raise sqlite3.IntegrityError(f"{_VIOLATED}: {foreign_keys.described(new)}")
            if not found.found:  # another database, or a table of the session
                raise sqlite3.IntegrityError(f"{_VIOLATED}: {len(rows)} rows")

    def _note(self, work: Work, statement: Statement) -> None:
        script = work.script
        sets = meant.set_by(script, statement)
        if sets and self._database.in_transaction and not meant.turned_off_by(script):
            said = (
                f"PRAGMA foreign_keys on line {statement.line} had no effect: SQLite ignores it "
                "inside a transaction. Give the file its own BEGIN and COMMIT after it, or the "
                "directive -- rung: no-transaction"
            )
            work.notices.append(ServerNotice("WARNING", "", said))

    def _rows(self, sql: str) -> list[tuple[object, ...]]:
        """The same, with the first of its rows."""
        cursor = self._database.execute(sql)
        rows = cursor.fetchmany(_ROWS_KEPT)
        for _ in cursor:
            pass
        return rows


def _is_guarded(script: Script, first: int, last: int) -> bool:
    """Whether a file looks for violations itself, or runs these with foreign keys off."""
    off = meant.turned_off_by(script, first, last) is not None
    return off or meant.meant_before(script, first) is False or meant.checks(script)


def _violated(work: Work, said: str) -> StatementFailure:
    return StatementFailure(ServerMessage(said), statements_done=work.done, remedy=_REMEDY)


def _attempt_id(work: Work) -> str:
    """The attempt whose progress a unit records."""
    updates = (one for one in work.part.history if isinstance(one, UpdateAttempt))
    return next((one.attempt_id for one in updates), "")


def sent(script: Script, statement: Statement) -> str:
    """
    The text of a statement as it is sent: with its semicolon, or to the script's end.

    SQLite keeps a view's text up to there, comments included.
    """
    following = script.statements[statement.number : statement.number + 1]
    limit = following[0].start if following else len(script.text)
    closing = next(script.between(statement.end, limit), None)
    return script.text[statement.start : closing.end if closing else len(script.text)]
