"""
Runs a file's SQL: one message for a whole transaction, a message or two for a unit.

The order inside a transaction of ours: reset (takes no snapshot, so a leading SET
TRANSACTION still works); BEGIN; only SET LOCAL of ours; the file; our rights put back; the
ledger moved by compare-and-set; the history row; COMMIT.
"""

from __future__ import annotations

import random
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from rung.drivers.postgres.concurrent import Concurrent
from rung.drivers.postgres.making import make_closed
from rung.drivers.postgres.message import CLOSING, Message, Piece, copy_blocks, file_pieces, ours
from rung.drivers.postgres.quoting import Sql
from rung.drivers.postgres.records import OUR_PATH, PUT_BACK, RESET, UTF8, Tables, leave_clean
from rung.drivers.work import LockWait, Ran, Refusal
from rung.ledger import Outcome
from rung.statements import Control, Mode, needs_session, statement_by_statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rung.conventions import Conventions
    from rung.drivers.postgres.holding import Hold
    from rung.drivers.postgres.limits import Limits
    from rung.drivers.postgres.settings import Settings
    from rung.drivers.postgres.watching import Watch, Watcher
    from rung.drivers.postgres.wire import Reply, Wire
    from rung.drivers.work import Attempt, Move, ServerNotice
    from rung.errors import ServerMessage
    from rung.statements import Script, Unit

_BEGIN, _COMMIT, _ROLLBACK = Sql("BEGIN"), Sql("COMMIT"), Sql("ROLLBACK")
_BEGIN_WRITING = Sql("BEGIN READ WRITE")
"""Whatever default_transaction_read_only an earlier unit of the file has set."""
_ASYNC = Sql("SET LOCAL synchronous_commit = off")
_SYNC = Sql("SET LOCAL synchronous_commit TO DEFAULT")
"""As the session had it at connect, whatever the file did."""
_REFUSES_TRANSACTION, _REFUSES_COMMIT = "25001", "2D000"
_NEW_VALUE = "55P04"
"""An enum's value is used in the transaction that added it."""
_CONTROL_WARNINGS = ("25001", "25P01")
CANCELLED = "57014"
_NO_LOCK = "55P03"
_TIMED_OUT = "ProcessInterrupts"
"""Where the server ends a wait by lock_timeout, and not at once as for NOWAIT."""
_DIVISION, _STALE = "22012", "40001"
_MOVED = (_DIVISION, "23505", _STALE)
"""1/0 of the compare-and-set; the same key written by another; a newer row."""
_TWICE = "23505"
_NUMBERED_TWICE = (
    "The file is not at fault: the server gave out a number of the history twice, as it may "
    "behind a crash. See its log"
)
_NO_TABLE, _NO_SCHEMA = "42P01", "3F000"
_LOST = (_DIVISION, _STALE, _NO_TABLE)
"""1/0 of the fence; a row that changed under our snapshot; a lease that somebody dropped."""
_NOT_A_NUMBER = "22P02"
_TRIGGERS = re.compile(r"triggers:(\d+)")
_OURS = {"move": "ledger", "record": "history"}
_FARES = frozenset(("08", "40", "53", "57", "58", "XX"))
"""Lost, to be tried again, short of room, ended by somebody, broken."""
_OPENING = (("SET",), ("BEGIN",), ("START",))
_CLEAN = "clean"
_KEYS_WITHIN = 5.0
"""Seconds: others try the keys for a moment. Half of what `docker stop` leaves us."""
_PAUSE = 0.05


class Running:
    """Sends a file's SQL through a wire, with the records that belong to it."""

    def __init__(
        self,
        wire: Wire,
        tables: Tables,
        settings: Settings,
        conventions: Conventions,
        hold: Hold,
        limits: Limits,
        watcher: Watcher,
    ) -> None:
        self._wire, self._tables, self._hold = wire, tables, hold
        self._limits, self._watcher = limits, watcher
        self._settings = settings
        self._time_limit = conventions.time_limit
        kept = conventions.carries_session or hold.shares_session
        self._reset = () if kept else (*RESET, *settings.for_session)
        again = (*RESET, UTF8, *settings.for_message) if hold.shares_session else ()
        self._anew_inside = again
        """In a transaction under way: what goes in front of every other message there."""
        self._put_back = (*PUT_BACK, *settings.rights_and_time)
        self._within_file = (*self._put_back, *limits.put_back)
        """The same while the file's locks are held: then ours are not waited for either."""

    def whole(
        self,
        script: Script,
        move: Move,
        attempt: Attempt,
        meanwhile: Callable[[], None],
        *,
        last: bool,
    ) -> Ran:
        """
        A script in one transaction with its move and its history row.

        The last down may drop ledger and history: it is sent again then, and both are made
        anew behind it.
        """
        tables = self._tables
        before, behind = ((), (_SYNC,)) if last else ((_ASYNC,), ())
        records = (
            ours("rights", *self._within_file, *behind),
            *_in_order(tables, ours("move", *tables.move(move)), self._record(attempt)),
        )
        guard = ours("begin", *before, *tables.guard(move))
        ran = self._send(self._enclosed(script, (guard,), records), meanwhile)
        if ran.refusal and ran.refusal.ledger_dropped and _is_last_down(move, attempt):
            rights = ours("rights", *self._within_file, *behind)
            return self._anew(script, move, attempt, (before, rights)) or ran
        return self._alone_or_not(ran, script)

    def _alone_or_not(self, ran: Ran, script: Script) -> Ran:
        """Where the session is shared, not every script can go on outside a transaction."""
        refusal = ran.refusal
        if refusal is None or not (refusal.needs_no_transaction and self._hold.shares_session):
            return ran
        loose = ", ".join(self._settings.names)
        if why := loose or needs_session(statement_by_statement(script)):
            refusal = replace(refusal, needs_no_transaction=False, remedy=_past_the_pooler(why))
        return replace(ran, refusal=refusal)

    def together(
        self, script: Script, move: Move, attempt: Attempt, *, first: bool, last: bool
    ) -> Ran:
        """
        A script with its move and its history row in a transaction with others.

        Each finds the session's settings as they were at connect, inside the transaction too.
        """
        tables = self._tables
        opening, guard = ((_BEGIN,), tables.guard(move)) if first else (self._anew_inside, ())
        pieces = (
            ours("begin", *self._reset, *opening),
            *self._fence,
            self._limit(script, 1),
            ours("begin", *guard),
            *self._text(script, 1, len(script.statements)),
            CLOSING,
            ours("rights", *self._clean(script), *self._within_file, *((_SYNC,) if last else ())),
            *_in_order(tables, ours("move", *tables.move(move)), self._record(attempt)),
            *((ours("commit", _COMMIT),) if last else ()),
        )
        return self._send(Message(pieces, copy_blocks(script, 1, len(script.statements)), script))

    def _record(self, attempt: Attempt) -> Piece:
        return ours("record", *self._tables.record(attempt, Outcome.DONE))

    def _anew(
        self,
        script: Script,
        move: Move,
        attempt: Attempt,
        around: tuple[tuple[Sql, ...], Piece],
    ) -> Ran | None:
        """
        The same for a last down that drops our tables, which are made anew behind it.

        None where the script's transaction allows no query before it, to compare the ledger.
        """
        tables = self._tables
        opening, rights = around
        before = (ours("begin", *opening, *tables.lock), ours("move", *tables.check(move.before)))
        record = ours("record", *tables.record_anew(attempt))
        for with_schemas in (False, True):
            anew = ours("anew", *tables.make_anew(with_schemas=with_schemas))
            whole = self._enclosed(script, before, (rights, anew, record))
            made = whole.pieces.index(anew) + 1
            head = replace(whole, pieces=whole.pieces[:made])
            ran = make_closed(self, tables, head, whole.pieces[made:])
            refused = ran.refusal.server.sqlstate if ran.refusal else ""
            if refused != _NO_SCHEMA:
                break
        return None if refused == _REFUSES_TRANSACTION else ran

    def _enclosed(
        self, script: Script, before: tuple[Piece, ...], behind: tuple[Piece, ...]
    ) -> Message:
        """A script's transaction with pieces of ours before and behind it."""
        blocks = copy_blocks(script, 1, len(script.statements))
        limit = self._limit(script, 1)
        if script.mode is Mode.OWN_TRANSACTION:
            total = len(script.statements)
            within = _within(self._text(script, 1, total), script, total, behind)
            opening = (ours("reset", *self._reset), *self._fence, limit, *before)
            return Message((*opening, *within, *self._left(script)), blocks, script)
        opening = (ours("begin", *self._reset, _BEGIN), *self._fence, limit, *before)
        body = self._text(script, 1, len(script.statements))
        closing = (CLOSING, *behind, ours("commit", _COMMIT), *self._left(script))
        return Message((*opening, *body, *closing), blocks, script)

    def unit(self, script: Script, unit: Unit, attempt_id: str) -> Ran:
        """One unit of a script, with its progress."""
        match unit.transaction:
            case "ours":
                return self._in_our_transaction(script, unit, attempt_id)
            case "own":
                return self._in_its_transaction(script, unit, attempt_id)
            case _:
                return self._alone(script, unit, attempt_id)

    def replay(self, script: Script, numbers: Sequence[int]) -> Ran:
        """Statements that set the session and nothing else, in a message of their own."""
        pieces = (
            piece for number in numbers for piece in (*file_pieces(script, number, number), CLOSING)
        )
        return self._send(Message(tuple(pieces), (), script)) if numbers else Ran()

    def write(self, *statements: Sql) -> Ran:
        """Statements of ours in one transaction; the file's settings stay for what follows."""
        return self._write(statements)

    def _write(self, statements: tuple[Sql, ...], behind: tuple[Sql, ...] = ()) -> Ran:
        """The same, with settings of the session behind it."""
        if not (statements or behind):
            return Ran()
        before = (_BEGIN_WRITING, *self._put_back, OUR_PATH)
        return self._send(self._fenced(before, statements, behind))

    def make(self, *making: Sql) -> Ran:
        """Make tables of ours in a transaction, closed to others before it commits."""
        before = (_BEGIN_WRITING, *self._put_back, OUR_PATH)
        pieces = (ours("begin", *before), *self._fence, *self._by_table(making))
        return make_closed(self, self._tables, Message(pieces), (ours("move", _COMMIT),))

    def touch(self) -> Ran:
        """A write that changes nothing, whoever holds the lock: it puts commits on disk."""
        before = (_BEGIN_WRITING, *self._put_back, OUR_PATH)
        return self._send(Message((ours("move", *before, self._tables.touch(), _COMMIT),)))

    def write_first(self, moves: Sequence[Sql], records: Sequence[Sql]) -> Ran:
        """A move and its records before a file's first unit: its session put back, its limit."""
        before = (*self._reset, _BEGIN_WRITING, OUR_PATH, *self._limits.put_back)
        moved, recorded = ours("move", *moves), ours("record", *records)
        both = _in_order(self._tables, moved, recorded)
        pieces = (ours("begin", *before), *self._fence, *both, ours("move", _COMMIT))
        return self._send(Message(pieces, waits_as_file=True))

    def _fenced(
        self, before: tuple[Sql, ...], statements: tuple[Sql, ...], behind: tuple[Sql, ...] = ()
    ) -> Message:
        moves = (
            ours("begin", *before),
            *self._fence,
            *self._by_table(statements),
            ours("move", _COMMIT),
        )
        return Message((*(moves if statements else ()), ours("session", *behind)))

    def _by_table(self, statements: Sequence[Sql]) -> Iterator[Piece]:
        """Statements of ours as pieces that say which table each of them writes."""
        history, ledger = self._tables.history, self._tables.ledger
        for sql in statements:
            yield ours("record" if history in sql and ledger not in sql else "move", sql)

    def _text(self, script: Script, first: int, last: int) -> tuple[Piece, ...]:
        """Statements of a script inside a transaction, under the limit to its end."""
        return tuple(self._limits.within(script, file_pieces(script, first, last)))

    def _limit(self, script: Script, first: int) -> Piece:
        return ours("limit", *self._limits.inside(script, first))

    @property
    def _fence(self) -> tuple[Piece, ...]:
        """Behind a pooler what stands for the lock, in front of all else in a transaction."""
        fence = self._hold.fence
        pieces = ours("keys", *fence.keys), ours("lease", *fence.lease, *fence.settings)
        return tuple(piece for piece in pieces if piece.statements)

    def _left(self, script: Script, first: int = 1, last: int | None = None) -> tuple[Piece, ...]:
        """Behind a pooler what leaves nothing of the file in a session that is not ours alone."""
        clean = self._clean(script, first, last)
        return (ours(_CLEAN, *clean),) if clean else ()

    def _clean(self, script: Script, first: int = 1, last: int | None = None) -> tuple[Sql, ...]:
        last = len(script.statements) if last is None else last
        return leave_clean(script, first, last) if self._hold.shares_session else ()

    def _in_our_transaction(self, script: Script, unit: Unit, attempt_id: str) -> Ran:
        pieces = (
            ours("begin", _BEGIN_WRITING),
            *self._fence,
            self._limit(script, unit.first),
            *self._text(script, unit.first, unit.last),
            CLOSING,
            ours("record", *self._within_file, *self._tables.progress(attempt_id, unit.last)),
            ours("commit", _COMMIT),
            *self._left(script, unit.first, unit.last),
        )
        blocks = copy_blocks(script, unit.first, unit.last)
        return self._send(Message(pieces, blocks, script), unit=unit)

    def _in_its_transaction(self, script: Script, unit: Unit, attempt_id: str) -> Ran:
        record = ours("record", *self._within_file, *self._tables.progress(attempt_id, unit.last))
        blocks = copy_blocks(script, unit.first, unit.last)
        opening = (*self._fence, self._limit(script, unit.first))
        left = self._left(script, unit.first, unit.last)
        if script.statements[unit.last - 1].control is Control.COMMIT:
            text = self._text(script, unit.first, unit.last)
            within = _within(text, script, unit.last, (record,))
            return self._send(Message((*opening, *within, *left), blocks, script), unit=unit)
        pieces = self._text(script, unit.first, unit.last)
        ran = self._send(Message((*opening, *pieces, *left), blocks, script), unit=unit)
        return ran if ran.refusal else self._then(ran, attempt_id, unit.last)

    def _alone(self, script: Script, unit: Unit, attempt_id: str) -> Ran:
        ahead, after = self._around(script, unit.first)
        noted = self._write(self._tables.in_flight(attempt_id, unit.first), ahead)
        if noted.refusal:
            return noted
        message = Message(tuple(file_pieces(script, unit.first, unit.last)), (), script)
        with self._wire.bare():
            ran = self._concurrently(script, unit.first, lambda: self._send(message, unit=unit))
        return ran if ran.refusal else self._then(ran, attempt_id, unit.last, after)

    def _around(self, script: Script, number: int) -> tuple[tuple[Sql, ...], tuple[Sql, ...]]:
        """The session's limit before and after a statement sent alone; not in a shared session."""
        if self._hold.shares_session:
            return (), ()
        return self._limits.alone(script, number), self._limits.behind(script, number)

    def _concurrently(self, script: Script, number: int, send: Callable[[], Ran]) -> Ran:
        if not script.statements[number - 1].concurrent_build:
            return send()
        return Concurrent(self._wire, script, number).run(send)

    def _then(self, ran: Ran, attempt_id: str, done: int, behind: tuple[Sql, ...] = ()) -> Ran:
        recorded = self._write(self._tables.progress(attempt_id, done), behind)
        return recorded if recorded.refusal else ran

    def _send(
        self,
        message: Message,
        meanwhile: Callable[[], None] | None = None,
        unit: Unit | None = None,
    ) -> Ran:
        """Send it, and read the reply."""
        return self.exchange(message, meanwhile, unit)[0]

    def exchange(
        self,
        message: Message,
        meanwhile: Callable[[], None] | None = None,
        unit: Unit | None = None,
    ) -> tuple[Ran, Reply]:
        """Send it; again for a while where another has a key of the fence for a moment."""
        deadline = time.monotonic() + _KEYS_WITHIN
        while True:
            self._hold.renew()
            reply, wait = self._send_once(message, meanwhile, unit)
            if not _is_busy(message, reply) or time.monotonic() > deadline:
                return _ran(message, reply, wait), reply
            meanwhile = None
            time.sleep(random.uniform(_PAUSE / 2, _PAUSE * 1.5))  # noqa: S311 - no secret

    def _send_once(
        self, message: Message, meanwhile: Callable[[], None] | None, unit: Unit | None
    ) -> tuple[Reply, LockWait | None]:
        """The reply, and where a file was refused a lock, that lock."""
        script, wait = message.script, None
        if script is None and not message.waits_as_file:
            reply = self._wire.settle(message.sql)
        else:
            limit = self._limits.of(script, unit)
            with self._watcher.over(self._wire, limit) as watch:
                within = self._time_limit if script else None
                reply = self._wire.ask(message.sql, message.copy_data, meanwhile, within)
            wait = self._lock_wait(script, reply, watch, limit)
            if script and reply.error is None:
                self._limits.ran(script, unit)
        if reply.error and self._wire.in_transaction:
            left = self._left(message.script) if message.script else ()
            self._wire.settle(Message((ours("rollback", _ROLLBACK), *left)).sql)
        return reply, wait

    def _lock_wait(
        self, script: Script | None, reply: Reply, watch: Watch, limit: float
    ) -> LockWait | None:
        """The lock that a file was refused; where it has limits of its own, for how long it was."""
        if reply.error is None or reply.error.message.sqlstate != _NO_LOCK:
            return None
        holds = self._limits.holds_for(script)
        ours = holds and reply.error.function == _TIMED_OUT
        waited = limit if holds else max(limit, self._wire.waited)
        return LockWait(waited, ours, watch.blockers, watch.queued)


def _ran(message: Message, reply: Reply, wait: LockWait | None) -> Ran:
    warnings = [notice.message for notice in reply.notices if _of_control(notice)]
    return Ran(
        refusal=_refusal(message, reply, wait),
        notices=tuple(notice for notice in reply.notices if not _of_control(notice)),
        control_warning=warnings[0] if warnings else "",
    )


def _is_busy(message: Message, reply: Reply) -> bool:
    """Whether another has a key, or gave a sign of life, at this very moment."""
    if reply.error is None:
        return False
    label, state = message.running(reply.done).label, reply.error.message.sqlstate
    return (label, state) in {("keys", _DIVISION), ("lease", _STALE)}


def _of_control(notice: ServerNotice) -> bool:
    """BEGIN inside a transaction, or COMMIT outside: not what was read in the file."""
    return notice.severity == "WARNING" and notice.sqlstate in _CONTROL_WARNINGS


def _within(
    body: tuple[Piece, ...], script: Script, last: int, records: tuple[Piece, ...]
) -> tuple[Piece, ...]:
    """A transaction of the file's own, with records of ours just before its COMMIT."""
    commit = script.statements[last - 1]
    cut = body[-1]
    split = commit.start - cut.file_start
    return (
        *body[:-1],
        Piece(cut.sql[:split], cut.statements - 1, "", cut.file_start, cut.first),
        CLOSING,
        *records,
        Piece(cut.sql[split:], 1, "", commit.start, last),
    )


def _refusal(message: Message, reply: Reply, wait: LockWait | None) -> Refusal | None:
    error = reply.error
    if error is None or message.running(reply.done).label == _CLEAN:
        return None
    offset = None if error.position is None else message.file_offset(error.position)
    running = message.running(reply.done)
    statement = message.statement_running(reply.done)
    state = error.message.sqlstate
    return Refusal(
        server=error.message,
        statement=statement,
        offset=offset,
        statements_done=message.file_done(reply.done),
        at_commit=running.label == "commit" or _is_own_commit(message, running),
        needs_no_transaction=_works_alone(message.words(statement), error.message),
        needs_commit_before=state == _NEW_VALUE,
        ledger_moved=running.label == "move" and state in _MOVED,
        ledger_dropped=_is_dropped(running.label, state),
        triggers=_other_triggers(running.label, error.message),
        own_table=_OURS.get(running.label, "") if _is_rule(state) else "",
        lock_lost=running.label in {"keys", "lease"} and state in _LOST,
        cancelled=state == CANCELLED,
        lock_wait=wait,
        remedy=_remedy(message, running.label, error.message, message.words(statement)),
    )


def _in_order(tables: Tables, move: Piece, record: Piece) -> tuple[Piece, Piece]:
    """The move and the row of the history; a move that keeps readers waiting comes last."""
    return (record, move) if tables.moves_last else (move, record)


def _other_triggers(label: str, error: ServerMessage) -> int | None:
    """What the ledger's triggers fire for, where `check_triggers` found them changed."""
    if label != "move" or error.sqlstate != _NOT_A_NUMBER:
        return None
    found = _TRIGGERS.search(error.message)
    return int(found[1]) if found else None


def _is_rule(state: str) -> bool:
    """Whether a refusal comes from a rule of the database, and not from how it fares now."""
    return state not in (*_MOVED, _NO_TABLE, _NO_SCHEMA, _NO_LOCK) and state[:2] not in _FARES


def _past_the_pooler(why: str) -> str:
    return f"Behind a pooler it cannot run: {why}. Name the server itself, past the pooler."


def _remedy(message: Message, label: str, error: ServerMessage, words: tuple[str, ...]) -> str:
    """
    What to do where the file is not at fault.

    A transaction that wants to be asked for before any query finds our fence there. Behind a
    crash a sequence may go back, in a database that was copied from a template since the last
    checkpoint; each try takes the next number.
    """
    if label == "record" and error.sqlstate == _TWICE:
        return _NUMBERED_TWICE
    fenced = any(piece.label == "lease" for piece in message.pieces)
    if fenced and error.sqlstate == _REFUSES_TRANSACTION and words[:1] in _OPENING:
        return _past_the_pooler("there our lock is looked at first in each transaction")
    return ""


def _is_dropped(label: str, state: str) -> bool:
    """Whether a statement of ours found its table gone, or could not be given it again."""
    return label == "anew" or (label in {"move", "record"} and state in {_NO_TABLE, _NO_SCHEMA})


def _is_last_down(move: Move, attempt: Attempt) -> bool:
    return move.after.row is None and attempt.direction == "down"


def _works_alone(words: tuple[str, ...], error: ServerMessage) -> bool:
    """
    Whether the server refused a statement for our transaction only.

    SET TRANSACTION behind a query, VACUUM inside a function (the error has a context then)
    and COMMIT inside a function are refused without one too.
    """
    if error.sqlstate == _REFUSES_TRANSACTION:
        return bool(words) and words[0] != "SET" and not error.context
    return error.sqlstate == _REFUSES_COMMIT and words[:1] in {("CALL",), ("DO",)}


def _is_own_commit(message: Message, running: Piece) -> bool:
    """True for the last piece where records of ours stand before it: the file's own COMMIT."""
    last = next(piece for piece in reversed(message.pieces) if piece.label != _CLEAN)
    return (
        running is last
        and not running.label
        and any(piece.label == "record" for piece in message.pieces)
    )
