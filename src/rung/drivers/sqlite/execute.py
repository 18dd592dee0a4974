"""
Runs a file's SQL, statement by statement, with the records that belong to it.

Inside a transaction of ours, and just before the COMMIT of a file's own: the ledger moved by
compare-and-set, then the history row. Whatever fails is rolled back as far as its transaction
reaches.

PRAGMA foreign_keys is taken out of a transaction, as SQLite's recipe means it: what a file
sets inside one is done before its BEGIN, and undone behind its COMMIT; and a file that runs
with foreign keys off by its own will, or looks for violations, leaves no new one.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rung.drivers.sqlite import errors, foreign_keys
from rung.drivers.sqlite.ledger_sql import LedgerMovedError, now
from rung.drivers.sqlite.library import sqlite3
from rung.drivers.transaction import ExecutionResult, ServerNotice, StatementFailure
from rung.errors import ServerMessage
from rung.ledger import Outcome
from rung.script import Control, Dialect, Mode, Script, TokenKind, own_block, read
from rung.script.sqlite import foreign_keys as meant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from rung.drivers.sqlite.foreign_keys import Violations
    from rung.drivers.sqlite.interrupt import Watch
    from rung.drivers.sqlite.ledger_sql import Records
    from rung.drivers.transaction import LedgerTransition, NewAttempt
    from rung.script import Statement, Unit

_FAILURES = (sqlite3.Error, sqlite3.Warning)
_ROWS_SHOWN, _ROWS_KEPT = 5, 1000
_VIOLATED = "new foreign key violations after this file"
_REMEDY = "change the file to keep every row that others refer to"
_NOTHING = read("", Dialect.SQLITE)


class _RefusedError(Exception):
    """What was refused; what led to it is rolled back."""

    def __init__(self, refusal: StatementFailure) -> None:
        super().__init__(refusal)
        self.refusal = refusal


@dataclass(slots=True)
class _Work:
    """How far a script has come."""

    script: Script
    done: int = 0
    notices: list[ServerNotice] = field(default_factory=list)
    warning: str = ""
    violated: Violations | None = None
    """What was violated before it ran; None where that is not known."""

    def ran(self, refusal: StatementFailure | None = None) -> ExecutionResult:
        return ExecutionResult(refusal, tuple(self.notices), self.warning)


class SqliteExecutor:
    """
    Runs on one connection.

    Args:
        database: the connection, in autocommit.
        records: ledger and history on it.
        begin: how a transaction of ours begins, IMMEDIATE or EXCLUSIVE.
        watch: what may interrupt a file's statements.
        violated: what was violated before each attempt that runs unit by unit; filled here.
        check_file: raises `Disconnected` where the file is not at its path any more; asked
            before and after each COMMIT.
    """

    def __init__(
        self,
        database: sqlite3.Connection,
        records: Records,
        begin: str,
        watch: Watch,
        violated: dict[str, Violations],
        check_file: Callable[[], None],
    ) -> None:
        self._database, self._records, self._watch = database, records, watch
        self._violated, self._check_file = violated, check_file
        self._begin = f"BEGIN {begin}"

    def whole(self, script: Script, move: LedgerTransition, attempt: NewAttempt) -> ExecutionResult:
        """
        A script in one transaction with its move and its history row.

        A file's own transaction may have statements around it that change the session alone:
        what follows the commit can undo nothing of it.
        """
        work = _Work(script)
        first, last, own = _bounds(script)

        ran = self._tried(work, lambda: self._run(work, 1, first - 1))
        if ran.refusal:
            return ran
        within = self._with_records(work, (first + own, last - own), move, attempt)
        with self._foreign_keys(script, first, last):
            ran = self._tried(work, lambda: self._enclosed(work, within, first, last, own=own))
        if ran.refusal is None:
            self._tried(work, lambda: self._run(work, last + 1, len(script.statements)))
        return ran

    def together(
        self,
        script: Script,
        move: LedgerTransition,
        attempt: NewAttempt,
        *,
        first: bool,
        last: bool,
    ) -> ExecutionResult:
        """A script with its move and its history row in a transaction with others."""
        work = _Work(script)
        count = len(script.statements)
        within = self._with_records(work, (1, count), move, attempt)

        def steps() -> None:
            if first:
                self._ours(work, lambda: self._do(self._begin))
            within()
            if last:
                self._commit(work)

        if not (first and last):
            return self._tried(work, steps)
        with self._foreign_keys(script, 1, count):
            return self._tried(work, steps)

    def _with_records(
        self, work: _Work, body: tuple[int, int], move: LedgerTransition, attempt: NewAttempt
    ) -> Callable[[], None]:
        """A file's statements and our records, to be run inside a transaction."""
        began = now()
        last_down = move.after.row is None and attempt.direction == "down"

        def within() -> None:
            if last_down:
                self._ours(work, lambda: self._records.check(move.before))
            guarded = _is_guarded(work.script, *body)
            work.violated = foreign_keys.violations(self._database) if guarded else None
            self._run(work, *body)
            self._still_inside(work)
            if guarded:
                self._check_violations(work)
            try:
                self._ours(work, lambda: self._settle(move, attempt, began))
            except _RefusedError as refused:
                if not (last_down and refused.refusal.ledger_dropped):
                    raise
                self._ours(work, lambda: self._settle_anew(attempt, began))

        return within

    def unit(self, script: Script, unit: Unit, attempt_id: str) -> ExecutionResult:
        """One unit of a script, with its progress."""
        work = _Work(script, unit.first - 1)
        guarded = _is_guarded(script, 1, len(script.statements))
        if guarded and unit.first == 1:
            self._violated[attempt_id] = foreign_keys.violations(self._database)
        work.violated = self._violated.get(attempt_id)
        ends = guarded and unit.last == len(script.statements)
        if unit.transaction == "none":
            return self._alone(work, unit, attempt_id, ends=ends)
        own = unit.transaction == "own"
        if own and script.statements[unit.last - 1].control is not Control.COMMIT:
            ran = self._tried(work, lambda: self._run(work, unit.first, unit.last))
            return ran if ran.refusal else self._then(ran, attempt_id, unit.last)

        def within() -> None:
            if own and not ends and guarded:
                work.violated = foreign_keys.violations(self._database)
            self._run(work, unit.first + own, unit.last - own)
            self._still_inside(work)
            if ends or (own and guarded):
                self._check_violations(work)
            self._ours(work, lambda: self._progress(attempt_id, unit.last))

        with self._foreign_keys(script, unit.first, unit.last):
            return self._tried(
                work, lambda: self._enclosed(work, within, unit.first, unit.last, own=own)
            )

    def replay(self, script: Script, numbers: Sequence[int]) -> ExecutionResult:
        """Statements that set the session and nothing else."""
        work = _Work(script)

        def steps() -> None:
            for number in numbers:
                self._run(work, number, number)

        return self._tried(work, steps)

    def write(self, *actions: Callable[[], None]) -> ExecutionResult:
        """Records of ours in one transaction."""
        work = _Work(_NOTHING)

        def within() -> None:
            for action in actions:
                self._ours(work, action)

        return self._tried(work, lambda: self._enclosed(work, within, 1, 0, own=False))

    def as_it_stands(self, script: Script, first: int, last: int) -> ExecutionResult:
        """Statements of a script with nothing of ours around them, and no transaction ended."""
        work = _Work(script, first - 1)
        try:
            self._run(work, first, last)
        except _RefusedError as refused:
            return work.ran(refused.refusal)
        return work.ran()

    # --- transactions --------------------------------------------------------------------

    def _enclosed(
        self, work: _Work, within: Callable[[], None], first: int, last: int, *, own: bool
    ) -> None:
        """A transaction around something: the script's own BEGIN and COMMIT, or ours."""
        if own:
            self._run(work, first, first)
            within()
            self._check_file()
            self._run(work, last, last, at_commit=True)
            self._check_file()
            return
        self._ours(work, lambda: self._do(self._begin))
        within()
        self._commit(work)

    def _commit(self, work: _Work) -> None:
        self._check_file()
        self._ours(work, lambda: self._do("COMMIT"), at_commit=True)
        self._check_file()

    def _tried(self, work: _Work, steps: Callable[[], None]) -> ExecutionResult:
        try:
            steps()
        except _RefusedError as refused:
            with suppress(*_FAILURES):
                if self._database.in_transaction:
                    self._do("ROLLBACK")
            self._check_file()  # where it is gone, that is why, whatever SQLite says
            return work.ran(refused.refusal)
        return work.ran()

    def _still_inside(self, work: _Work) -> None:
        """Notice a file that has ended its transaction unseen; our records get one then."""
        if not self._database.in_transaction:
            work.warning = "there is no transaction in progress"
            self._ours(work, lambda: self._do(self._begin))

    def _alone(self, work: _Work, unit: Unit, attempt_id: str, *, ends: bool) -> ExecutionResult:
        noted = self.write(lambda: self._records.in_flight(attempt_id, unit.first))
        if noted.refusal:
            return noted

        def steps() -> None:
            self._run(work, unit.first, unit.last)
            if ends:
                self._check_violations(work)

        ran = self._tried(work, steps)
        return ran if ran.refusal else self._then(ran, attempt_id, unit.last)

    def _then(self, ran: ExecutionResult, attempt_id: str, done: int) -> ExecutionResult:
        recorded = self.write(lambda: self._progress(attempt_id, done))
        return replace(ran, refusal=recorded.refusal) if recorded.refusal else ran

    # --- records -------------------------------------------------------------------------

    def _settle(self, move: LedgerTransition, attempt: NewAttempt, began: datetime) -> None:
        self._let_us_write()
        self._records.move(move)
        self._records.record(attempt, Outcome.DONE, began)

    def _settle_anew(self, attempt: NewAttempt, began: datetime) -> None:
        """The same behind a last down that dropped our tables: they are made anew, empty."""
        self._records.make_anew()
        self._records.record_anew(attempt, began)

    def _progress(self, attempt_id: str, done: int) -> None:
        self._let_us_write()
        self._records.progress(attempt_id, done)

    def _let_us_write(self) -> None:
        """Whatever PRAGMA query_only the file has left; a schema that it wrote is read again."""
        self._do("PRAGMA query_only = OFF")
        if self._database.execute("PRAGMA writable_schema").fetchone() == (1,):
            self._do("PRAGMA writable_schema = RESET")

    # --- foreign keys --------------------------------------------------------------------

    @contextmanager
    def _foreign_keys(self, script: Script, first: int, last: int) -> Iterator[None]:
        """
        Have foreign keys stand as a file means it in a transaction that the block begins and ends.

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
        self._do(f"PRAGMA foreign_keys = {int(on)}")
        return bool(before)

    def _check_violations(self, work: _Work) -> None:
        """Refuse a file that leaves a violation that was not there before; say which were."""
        before, now_ = work.violated, foreign_keys.violations(self._database)
        if now_.error:
            if before is None or before.error:
                self._warn(work, f"could not check foreign keys: {now_.error}")
                return
            raise _RefusedError(_violated(work, f"foreign_key_check failed: {now_.error}"))
        new = now_.since(before)
        if before is not None and not before.error and new:
            raise _RefusedError(_violated(work, f"{_VIOLATED}: {foreign_keys.told(new)}"))
        if now_.found:
            what = "that existed before" if before and not before.error else "left"
            told = foreign_keys.told(now_.found)
            self._warn(work, f"rows {what} violate a foreign key: {told}")

    def _warn(self, work: _Work, said: str) -> None:
        notice = ServerNotice("WARNING", "", said)
        if notice not in work.notices:
            work.notices.append(notice)

    # --- statements ----------------------------------------------------------------------

    def _run(self, work: _Work, first: int, last: int, *, at_commit: bool = False) -> None:
        with self._watch.over(self._database):
            for statement in work.script.statements[first - 1 : last]:
                try:
                    self._check_drop(work.script, statement)
                    self._judge(work, statement, self._rows(sent(work.script, statement)))
                except _FAILURES as error:
                    refusal = errors.of_statement(
                        work.script, statement, error, done=work.done, at_commit=at_commit
                    )
                    raise _RefusedError(refusal) from None
                work.done = statement.number
                self._note(work, statement)

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

    def _judge(self, work: _Work, statement: Statement, rows: list[tuple[object, ...]]) -> None:
        """Read what SQLite's own checks say, whose rows nobody else would read."""
        if not rows:
            return
        if meant.is_integrity_check(work.script, statement) and rows != [("ok",)]:
            shown = "; ".join(str(row[0]) for row in rows[:_ROWS_SHOWN])
            more = f" and {len(rows) - _ROWS_SHOWN} more" if len(rows) > _ROWS_SHOWN else ""
            raise sqlite3.IntegrityError(f"the check found: {shown}{more}")
        if meant.is_foreign_key_check(work.script, statement):
            found = foreign_keys.violations(self._database)
            new = found.since(work.violated)
            if work.violated is not None and new:
                raise sqlite3.IntegrityError(f"{_VIOLATED}: {foreign_keys.told(new)}")
            if not found.found:  # another database, or a table of the session
                raise sqlite3.IntegrityError(f"{_VIOLATED}: {len(rows)} rows")

    def _note(self, work: _Work, statement: Statement) -> None:
        script = work.script
        sets = meant.set_by(script, statement)
        if sets and self._database.in_transaction and not meant.turned_off_by(script):
            said = (
                f"PRAGMA foreign_keys on line {statement.line} had no effect: SQLite ignores it "
                "inside a transaction. Give the file its own BEGIN and COMMIT after it, or the "
                "directive -- rung: no-transaction"
            )
            work.notices.append(ServerNotice("WARNING", "", said))

    def _ours(self, work: _Work, action: Callable[[], object], *, at_commit: bool = False) -> None:
        try:
            action()
        except LedgerMovedError:
            raise _RefusedError(errors.moved(work.done)) from None
        except _FAILURES as error:
            raise _RefusedError(
                errors.of_ours(error, done=work.done, at_commit=at_commit)
            ) from None

    def _do(self, sql: str) -> None:
        """Run one statement to its end, whatever rows it gives."""
        for _ in self._database.execute(sql):
            pass

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


def _violated(work: _Work, said: str) -> StatementFailure:
    return StatementFailure(ServerMessage(said), statements_done=work.done, remedy=_REMEDY)


def _bounds(script: Script) -> tuple[int, int, bool]:
    """The first and the last statement of a whole script's transaction, and if it is its own."""
    block = own_block(script.statements) if script.mode is Mode.OWN_TRANSACTION else ()
    if block:
        return block[0].number, block[-1].number, True
    return 1, len(script.statements), False


def sent(script: Script, statement: Statement) -> str:
    """
    The text of a statement as it is sent: with its semicolon, or to the script's end.

    SQLite keeps a view's text up to there, comments included.
    """
    at = script.tokens.at(statement.end)
    while at < len(script.tokens) and script.tokens[at].kind is TokenKind.DIRECTIVE:
        at += 1
    end = script.tokens[at].end if at < len(script.tokens) else len(script.text)
    return script.text[statement.start : end]
