"""
Runs a file's SQL, statement by statement, with the records that belong to it.

Inside a transaction of ours, and just before the COMMIT of a file's own: the ledger moved by
compare-and-set, then the history row. Whatever fails is rolled back as far as its transaction
reaches.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from contextlib import suppress
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from rung.drivers.sqlite import refusals
from rung.drivers.sqlite.records import LedgerMovedError, now
from rung.drivers.work import Ran, Refusal, ServerNotice
from rung.ledger import Outcome
from rung.statements import Control, Mode, Script, TokenKind, own_block

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from rung.drivers.sqlite.records import Records
    from rung.drivers.sqlite.watching import Watch
    from rung.drivers.work import Attempt, Move
    from rung.statements import Statement, Unit

_FAILURES = (sqlite3.Error, sqlite3.Warning)
_FOREIGN_KEYS = ("PRAGMA", "FOREIGN_KEYS")
_NOTHING = Script("", (), (), Mode.TRANSACTIONAL, "", ())


class _RefusedError(Exception):
    """What was refused; what led to it is rolled back."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


@dataclass(slots=True)
class _Work:
    """How far a script has come."""

    script: Script
    done: int = 0
    notices: list[ServerNotice] = field(default_factory=list)
    warning: str = ""

    def ran(self, refusal: Refusal | None = None) -> Ran:
        return Ran(refusal, tuple(self.notices), self.warning)


class Running:
    """
    Runs on one connection.

    Args:
        database: the connection, in autocommit.
        records: ledger and history on it.
        begin: how a transaction of ours begins, IMMEDIATE or EXCLUSIVE.
        watch: what may interrupt a file's statements.
    """

    def __init__(
        self, database: sqlite3.Connection, records: Records, begin: str, watch: Watch
    ) -> None:
        self._database, self._records, self._watch = database, records, watch
        self._begin = f"BEGIN {begin}"

    def whole(self, script: Script, move: Move, attempt: Attempt) -> Ran:
        """
        A script in one transaction with its move and its history row.

        A file's own transaction may have statements around it that change the session alone:
        what follows the commit can undo nothing of it.
        """
        work = _Work(script)
        first, last, own = _bounds(script)

        def steps() -> None:
            self._run(work, 1, first - 1)
            within = self._with_records(work, (first + own, last - own), move, attempt)
            self._enclosed(work, within, first, last, own=own)

        ran = self._tried(work, steps)
        if ran.refusal is None:
            self._tried(work, lambda: self._run(work, last + 1, len(script.statements)))
        return ran

    def together(
        self, script: Script, move: Move, attempt: Attempt, *, first: bool, last: bool
    ) -> Ran:
        """A script with its move and its history row in a transaction with others."""
        work = _Work(script)
        within = self._with_records(work, (1, len(script.statements)), move, attempt)

        def steps() -> None:
            if first:
                self._ours(work, lambda: self._do(self._begin))
            within()
            if last:
                self._ours(work, lambda: self._do("COMMIT"), at_commit=True)

        return self._tried(work, steps)

    def _with_records(
        self, work: _Work, body: tuple[int, int], move: Move, attempt: Attempt
    ) -> Callable[[], None]:
        """A file's statements and our records, to be run inside a transaction."""
        began = now()
        last_down = move.after.row is None and attempt.direction == "down"

        def within() -> None:
            if last_down:
                self._ours(work, lambda: self._records.check(move.before))
            self._run(work, *body)
            self._still_inside(work)
            try:
                self._ours(work, lambda: self._settle(move, attempt, began))
            except _RefusedError as refused:
                if not (last_down and refused.refusal.ledger_dropped):
                    raise
                self._ours(work, lambda: self._settle_anew(attempt, began))

        return within

    def unit(self, script: Script, unit: Unit, attempt_id: str) -> Ran:
        """One unit of a script, with its progress."""
        work = _Work(script, unit.first - 1)
        if unit.transaction == "none":
            return self._alone(work, unit, attempt_id)
        own = unit.transaction == "own"
        if own and script.statements[unit.last - 1].control is not Control.COMMIT:
            ran = self._tried(work, lambda: self._run(work, unit.first, unit.last))
            return ran if ran.refusal else self._then(ran, attempt_id, unit.last)

        def within() -> None:
            self._run(work, unit.first + own, unit.last - own)
            self._still_inside(work)
            self._ours(work, lambda: self._progress(attempt_id, unit.last))

        return self._tried(
            work, lambda: self._enclosed(work, within, unit.first, unit.last, own=own)
        )

    def replay(self, script: Script, numbers: Sequence[int]) -> Ran:
        """Statements that set the session and nothing else."""
        work = _Work(script)

        def steps() -> None:
            for number in numbers:
                self._run(work, number, number)

        return self._tried(work, steps)

    def write(self, *actions: Callable[[], None]) -> Ran:
        """Records of ours in one transaction."""
        work = _Work(_NOTHING)

        def within() -> None:
            for action in actions:
                self._ours(work, action)

        return self._tried(work, lambda: self._enclosed(work, within, 1, 0, own=False))

    def as_it_stands(self, script: Script, first: int, last: int) -> Ran:
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
            self._run(work, last, last, at_commit=True)
            return
        self._ours(work, lambda: self._do(self._begin))
        within()
        self._ours(work, lambda: self._do("COMMIT"), at_commit=True)

    def _tried(self, work: _Work, steps: Callable[[], None]) -> Ran:
        try:
            steps()
        except _RefusedError as refused:
            with suppress(*_FAILURES):
                if self._database.in_transaction:
                    self._do("ROLLBACK")
            return work.ran(refused.refusal)
        return work.ran()

    def _still_inside(self, work: _Work) -> None:
        """Notice a file that has ended its transaction unseen; our records get one then."""
        if not self._database.in_transaction:
            work.warning = "there is no transaction in progress"
            self._ours(work, lambda: self._do(self._begin))

    def _alone(self, work: _Work, unit: Unit, attempt_id: str) -> Ran:
        noted = self.write(lambda: self._records.in_flight(attempt_id, unit.first))
        if noted.refusal:
            return noted
        ran = self._tried(work, lambda: self._run(work, unit.first, unit.last))
        return ran if ran.refusal else self._then(ran, attempt_id, unit.last)

    def _then(self, ran: Ran, attempt_id: str, done: int) -> Ran:
        recorded = self.write(lambda: self._progress(attempt_id, done))
        return replace(ran, refusal=recorded.refusal) if recorded.refusal else ran

    # --- records -------------------------------------------------------------------------

    def _settle(self, move: Move, attempt: Attempt, began: datetime) -> None:
        self._let_us_write()
        self._records.move(move)
        self._records.record(attempt, Outcome.DONE, began)

    def _settle_anew(self, attempt: Attempt, began: datetime) -> None:
        """The same behind a last down that dropped our tables: they are made anew, empty."""
        self._records.make_anew()
        self._records.record_anew(attempt, began)

    def _progress(self, attempt_id: str, done: int) -> None:
        self._let_us_write()
        self._records.progress(attempt_id, done)

    def _let_us_write(self) -> None:
        """Whatever PRAGMA query_only the file has left."""
        self._do("PRAGMA query_only = OFF")

    # --- statements ----------------------------------------------------------------------

    def _run(self, work: _Work, first: int, last: int, *, at_commit: bool = False) -> None:
        with self._watch.over(self._database):
            for statement in work.script.statements[first - 1 : last]:
                try:
                    self._do(sent(work.script, statement))
                except _FAILURES as error:
                    refusal = refusals.of_statement(
                        work.script, statement, error, done=work.done, at_commit=at_commit
                    )
                    raise _RefusedError(refusal) from None
                work.done = statement.number
                self._note(work, statement)

    def _note(self, work: _Work, statement: Statement) -> None:
        sets = len(refusals.tokens_within(work.script, statement)) > len(_FOREIGN_KEYS)
        if statement.words[:2] == _FOREIGN_KEYS and sets and self._database.in_transaction:
            said = (
                f"PRAGMA foreign_keys on line {statement.line} did nothing: SQLite passes over it "
                "inside a transaction. It is heard where the file has its own BEGIN and COMMIT "
                "behind it, or the directive -- rung: no-transaction."
            )
            work.notices.append(ServerNotice("WARNING", "", said))

    def _ours(self, work: _Work, action: Callable[[], object], *, at_commit: bool = False) -> None:
        try:
            action()
        except LedgerMovedError:
            raise _RefusedError(refusals.moved(work.done)) from None
        except _FAILURES as error:
            raise _RefusedError(
                refusals.of_ours(error, done=work.done, at_commit=at_commit)
            ) from None

    def _do(self, sql: str) -> None:
        """Run one statement to its end, whatever rows it gives."""
        cursor = self._database.execute(sql)
        for _ in cursor:
            pass


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
    at = bisect_left(script.tokens, statement.end, key=attrgetter("start"))
    while at < len(script.tokens) and script.tokens[at].kind is TokenKind.DIRECTIVE:
        at += 1
    end = script.tokens[at].end if at < len(script.tokens) else len(script.text)
    return script.text[statement.start : end]
