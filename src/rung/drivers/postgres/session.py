"""
One connection to PostgreSQL as a `Session`: locking, and the writes of ledger and history.

Running a file's SQL is in `running`. Policy is nowhere here: what to run, how long to wait
for a lock and what to tell people is decided above the drivers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.drivers.found import LockHolder
from rung.drivers.postgres import locking, quoting
from rung.drivers.postgres.dropping import drop_statements
from rung.drivers.postgres.message import ours
from rung.drivers.postgres.reader import PostgresReader
from rung.drivers.postgres.records import FORGET, OUR_PATH, Tables
from rung.drivers.postgres.running import CANCELLED, Running
from rung.drivers.postgres.statements import statement
from rung.drivers.work import Carried
from rung.errors import QueryFailed
from rung.ledger import Outcome
from rung.losses import Loss

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rung.drivers.postgres.quoting import Sql
    from rung.drivers.postgres.wire import Reply
    from rung.drivers.work import Attempt, Move, Ran, Refusal
    from rung.statements import Script, Unit


class PostgresSession(PostgresReader):
    """See `rung.drivers.base.Session`."""

    def attempt_outcome(self, attempt_id: str) -> Outcome | None:
        """How the history says an attempt ended; None where it has no row of it."""
        places = {"history": self._tables.history, "attempt": quoting.text(attempt_id)}
        rows = self._insist(statement("find_attempt", **places)).rows(0)
        return Outcome(rows[0][0]) if rows else None

    def process_alive(self, pid: int) -> bool:
        """Whether a server process that is older than this connection still runs."""
        reply = self._insist(statement("process_alive", pid=quoting.number(pid)))
        return reply.rows(0)[0][0] != "0"

    # --- locking -------------------------------------------------------------------------

    def try_lock(self) -> bool:
        """Take every key that excludes other runs, or none."""
        return self._try(self._keys.all)

    def unlock(self) -> None:
        """Give all keys back."""
        self._wire.ask(locking.give_back(self._keys.all))

    def yield_foreign_keys(self) -> None:
        """Give back golang-migrate's keys, keeping our own."""
        self._wire.ask(locking.give_back(self._keys.foreign))

    def try_foreign_keys(self) -> bool:
        """Take golang-migrate's keys again, all or none."""
        return self._try(self._keys.foreign)

    def holder(self) -> LockHolder | None:
        """Who holds one of our keys."""
        keys = quoting.Sql(", ".join(str(key) for key in self._keys.all))
        rows = self._insist(statement("lock_holder", keys=keys)).rows(0)
        if not rows:
            return None
        pid, user, application, address, since = (value or "" for value in rows[0])
        return LockHolder(int(pid), user, application, address or "this machine", since)

    def _try(self, keys: tuple[int, ...]) -> bool:
        got = self._insist(locking.take(keys)).rows(0)[0][0]
        taken = keys[: int(got or 0)]
        if taken and len(taken) < len(keys):
            self._wire.ask(locking.give_back(taken))
        return len(taken) == len(keys)

    # --- writing -------------------------------------------------------------------------

    def ensure_tables(self) -> None:
        """Make ledger and history where they are missing."""
        tables = self._tables
        self._commit(
            statement("create_ledger", ledger=tables.ledger),
            statement("create_history", history=tables.history),
        )

    def run_whole(
        self,
        script: Script,
        move: Move,
        attempt: Attempt,
        meanwhile: Callable[[], None],
        *,
        last: bool,
    ) -> Ran:
        """Run a script in one transaction with its move and its history row."""
        return self._running.whole(script, move, attempt, meanwhile, last=last)

    def begin_units(self, move: Move, attempt: Attempt) -> Ran:
        """Commit the dirty mark and the history row of a file that runs unit by unit."""
        record = self._tables.record(attempt, Outcome.RUNNING)
        tables = self._tables
        return self._running.write_afresh(*tables.guard(move), *tables.move(move), record)

    def run_unit(self, script: Script, unit: Unit, attempt_id: str) -> Ran:
        """Run one unit and record the progress with it."""
        return self._running.unit(script, unit, attempt_id)

    def end_units(self, move: Move | None, attempt_id: str, refusal: Refusal | None) -> Ran:
        """Commit the ledger's last move and the outcome of a file that ran unit by unit."""
        outcome = Outcome.FAILED if refusal else Outcome.DONE
        tables = self._tables
        moves = (*tables.guard(move), *tables.move(move)) if move else ()
        return self._running.write(*moves, tables.end(attempt_id, outcome, refusal))

    def record_failure(self, attempt: Attempt, refusal: Refusal, seconds: float) -> None:
        """Write the history row of an attempt that was rolled back."""
        self._commit(self._tables.record(attempt, Outcome.FAILED, refusal, seconds))

    def restore_session(self) -> Carried:
        """Put the session back to what it was at connect; name what had been changed."""
        question = statement("changed_settings", user=quoting.text(self._connection.info.user))
        reply = self._wire.ask(quoting.Sql(ours("", question, *FORGET).sql))
        if reply.error and reply.error.message.sqlstate == CANCELLED:
            self._insist(quoting.Sql(ours("", *FORGET).sql))
            return Carried(("statement_timeout",))
        changed = self._checked(reply).rows(0)[0][0]
        return Carried(tuple(changed.split(", ")) if changed else ())

    def flush(self) -> None:
        """Have every commit so far on disk."""
        self._commit(statement("touch_ledger", ledger=self._tables.ledger))

    def force(self, version: int | None, attempt: Attempt) -> None:
        """Write the ledger, clean at `version`, whatever it holds, with a history row."""
        record = self._tables.record(attempt, Outcome.DONE)
        self._commit(*self._tables.write(version), record)

    # --- losing --------------------------------------------------------------------------

    def estimate(self, losses: Sequence[Loss]) -> tuple[Loss, ...]:
        """The same losses with the planner's estimate of the rows in them."""
        questions = [statement("estimate_rows", table=quoting.text(loss.table)) for loss in losses]
        if not questions:
            return ()
        reply = self._wire.ask(quoting.Sql(ours("", *questions).sql))
        if reply.error:  # a name that can be none, which the server will refuse in the file too
            return tuple(loss.estimated(None) for loss in losses)
        rows = [reply.rows(index) for index in range(len(losses))]
        return tuple(
            loss.estimated(int(found[0][0] or -1) if found else None)
            for loss, found in zip(losses, rows, strict=True)
        )

    def everything(self) -> tuple[Loss, ...]:
        """All that `drop_everything` would remove."""
        question = statement("everything", schema=quoting.text(self.locate().schema))
        found = self._insist(quoting.Sql(ours("", OUR_PATH, question).sql)).rows(1)
        return tuple(
            Loss(kind or "", described or "").estimated(None if rows is None else int(rows))
            for kind, described, rows in found
        )

    def drop_everything(self) -> None:
        """Remove all objects of the ledger's schema that no extension owns, at once."""
        self._commit(*drop_statements(self.everything()))

    # --- inside --------------------------------------------------------------------------

    @property
    def _tables(self) -> Tables:
        return Tables.of(self.locate().schema)

    @property
    def _keys(self) -> locking.Keys:
        return locking.Keys.of(self.locate().schema, self.locate().database)

    @property
    def _running(self) -> Running:
        return Running(self._wire, self._tables)

    def _insist(self, sql: Sql) -> Reply:
        return self._checked(self._wire.ask(sql))

    def _checked(self, reply: Reply) -> Reply:
        if reply.error:
            message = reply.error.message
            raise QueryFailed("\n".join(message.lines()), "", message.sqlstate)
        return reply

    def _commit(self, *statements: Sql) -> None:
        ran = self._running.write(*statements)
        if ran.refusal:
            server = ran.refusal.server
            raise QueryFailed("\n".join(server.lines()), "", server.sqlstate)
