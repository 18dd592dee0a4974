"""
Puts a message together from the file's SQL and statements of ours, and reads the reply to it.

Pure. A message is a row of pieces; each knows how many statements it holds and, where it is
text of the file, where in the file it begins. So the server's character position and the
number of completed statements can both be turned into a place in the file. Which SQLSTATE means
what, and what of a failure is of the file and what of ours, is known here too.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rung.drivers.transaction import LEDGER_MOVED, ServerNotice, StatementFailure
from rung.errors import ServerMessage, sqlstate
from rung.script import Control, Mode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.drivers.postgres.quoting import Sql
    from rung.drivers.postgres.wire import Reply
    from rung.drivers.transaction import LockTimeout
    from rung.script import Script, Statement


LARGE = 1 << 20
"""Characters of a record that is worth a round trip."""


@dataclass(frozen=True, slots=True)
class Piece:
    """
    A stretch of a message.

    `label` names what of ours it is; empty for the file's text, which begins in the file at
    `file_start` and whose first statement is the file's number `first`.
    """

    sql: str
    statements: int
    label: str = ""
    file_start: int = 0
    first: int = 0
    own: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """The statements of ours, one by one."""


CLOSING = Piece("\n;\n", 0, "closing")
"""Follows the file's text: ends a comment and a statement that the file left open."""


def ours(label: str, *statements: Sql) -> Piece:
    """Statements of ours, each closed by a semicolon."""
    parts = (part for sql in statements for part in (sql, ";\n"))
    return Piece("".join(parts), len(statements), label, own=statements)


@dataclass(frozen=True, slots=True)
class Message:
    """The pieces in order, the data for each COPY … FROM STDIN among them, and their script."""

    pieces: tuple[Piece, ...]
    copy_data: tuple[str, ...] = ()
    script: Script | None = None
    waits_as_file: bool = False
    """Whether a write of ours keeps a file's limit, and may be cancelled as a file is."""

    @property
    def sql(self) -> str:
        """The text as it is sent."""
        return "".join(piece.sql for piece in self.pieces)

    @property
    def parts(self) -> tuple[str, ...]:
        """The same, not put together: it may be large."""
        return tuple(piece.sql for piece in self.pieces)

    def split(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """
        Give the parts that are sent first, and those of a second message, if there is one.

        A large record holds the file's text once more. After the file it waits until that is
        sent, for the library keeps two copies of what it sends. Only inside a transaction that a
        BEGIN has opened: one that is the message's own ends with the message, and would commit
        the file without its record.
        """
        of_file = False
        for at, piece in enumerate(self.pieces):
            if of_file and piece.label == "record" and len(piece.sql) > LARGE:
                return (self.parts[:at], self.parts[at:]) if self._is_in_block else (self.parts, ())
            of_file = of_file or not piece.label
        return self.parts, ()

    @property
    def _is_in_block(self) -> bool:
        """Whether a BEGIN, ours or the file's, opens the transaction that the file runs in."""
        if self.script is None or self.script.mode is Mode.UNITS:
            return False
        if self.script.mode is Mode.TRANSACTIONAL:
            return True
        return any(one.control is Control.BEGIN for one in self.script.statements)

    def running(self, done: int) -> Piece:
        """The piece whose statement runs after `done` statements are complete."""
        for piece in self.pieces:
            if done < piece.statements:
                return piece
            done -= piece.statements
        return self.pieces[-1]

    def statement_running(self, done: int) -> int | None:
        """The file's number of the statement that runs then; None for one of ours."""
        for piece in self.pieces:
            if done < piece.statements:
                return None if piece.label else piece.first + done
            done -= piece.statements
        return None

    def is_ours(self, done: int) -> bool:
        """Whether the statement that runs after `done` complete ones is ours."""
        return self.statement_running(done) is None

    def words(self, number: int | None) -> tuple[str, ...]:
        """The leading words of one of the file's statements; none for one of ours."""
        if self.script is None or number is None:
            return ()
        return self.script.statements[number - 1].words

    def file_done(self, done: int) -> int:
        """How many of the completed statements are the file's."""
        count = 0
        for piece in self.pieces:
            taken = min(done, piece.statements)
            done -= taken
            count += 0 if piece.label else taken
        return count

    def file_offset(self, position: int) -> int | None:
        """
        The place in the file of a character of the message; None for text of ours.

        The semicolon with which we close the file stands for the file's end.
        """
        end = None
        for piece in self.pieces:
            if position < len(piece.sql):
                at_end = end if piece.label == CLOSING.label else None
                return at_end if piece.label else piece.file_start + position
            position -= len(piece.sql)
            end = piece.file_start + len(piece.sql.rstrip())
        return None


def inner_offset(script: Script, number: int | None, inner: tuple[str, int]) -> int | None:
    """
    The place in the file of a character of SQL inside one of its statements.

    None where that SQL does not stand there byte for byte, as in a string with escapes, or
    stands there twice: no place is better than a wrong one.
    """
    if number is None:
        return None
    statement, (query, position) = script.statements[number - 1], inner
    text = script.text[statement.start : statement.end]
    at = text.find(query)
    if at < 0 or text.find(query, at + 1) >= 0:
        return None
    beside = text[at - 1 : at] + query[:1], query[-1:] + text[at + len(query) :][:1]
    if any(len(pair) > 1 and pair.isidentifier() for pair in beside):  # a part of a longer word
        return None
    return statement.start + at + position


def file_pieces(script: Script, first: int, last: int) -> Iterator[Piece]:
    """
    The file's statements `first` to `last` as they are sent: byte for byte, COPY data cut out.

    Where they are all of the file, so is the text, comments and white space included. The
    lines that pg_dump writes for psql are cut out too; behind the last statement, with what
    follows, which is no SQL.
    """
    statements = script.statements[first - 1 : last]
    whole = len(statements) == len(script.statements)
    start = 0 if whole else statements[0].start
    end = len(script.text) if whole else _end(script, statements[-1])
    behind = (out for out, _ in script.passed_over if statements and out >= statements[-1].end)
    end = min(end, *behind, end)
    copies = (_copy_range(script, one) for one in statements if one.copy_data is not None)
    number = first
    for out_start, out_end in sorted((*copies, *script.passed_over)):
        if not start <= out_start < end:
            continue
        held = sum(1 for one in statements[number - first :] if one.start < out_start)
        yield Piece(script.text[start:out_start], held, "", start, number)
        start, number = out_end, number + held
    yield Piece(script.text[start:end], last + 1 - number, "", start, number)


def cut(piece: Piece, script: Script, number: int) -> tuple[Piece, Piece]:
    """A piece of the file in two, behind its statement `number`, which is not its last."""
    start, done = script.statements[number].start, number + 1 - piece.first
    at = start - piece.file_start
    return (
        replace(piece, sql=piece.sql[:at], statements=done),
        Piece(piece.sql[at:], piece.statements - done, "", start, number + 1),
    )


def copy_blocks(script: Script, first: int, last: int) -> tuple[str, ...]:
    """The data of each COPY … FROM STDIN among those statements, in order."""
    ranges = (statement.copy_data for statement in script.statements[first - 1 : last])
    return tuple(script.text[found[0] : found[1]] for found in ranges if found is not None)


def _end(script: Script, last: Statement) -> int:
    return _copy_range(script, last)[1] if last.copy_data is not None else last.end


def _copy_range(script: Script, statement: Statement) -> tuple[int, int]:
    """The range of the data with its closing line, which only psql reads."""
    assert statement.copy_data is not None
    return statement.copy_data[0], script.copy_end(statement)


_CONTROL_WARNINGS = (sqlstate.ACTIVE_SQL_TRANSACTION, sqlstate.NO_ACTIVE_SQL_TRANSACTION)
"""Of a BEGIN inside a transaction block, and of a COMMIT or ROLLBACK outside of one."""
_OURS = {"move": "ledger", "record": "history"}
_MOVED = (sqlstate.DIVISION_BY_ZERO, sqlstate.UNIQUE_VIOLATION, sqlstate.SERIALIZATION_FAILURE)
"""1/0 of the compare-and-set; the same key written by another; a newer row."""
_NUMBERED_TWICE = (
    "read the server's log (it assigned an id of the history twice, as it may after a crash)"
)
_LOST = (sqlstate.DIVISION_BY_ZERO, sqlstate.SERIALIZATION_FAILURE, sqlstate.UNDEFINED_TABLE)
"""1/0 of the fence; a row that changed under our snapshot; a lease that somebody dropped."""
_TRIGGERS = re.compile(r"triggers:(\d+):(\d+)")
_WRITTEN = re.compile(r"written:(.*):end", re.DOTALL)
_FARES = frozenset(
    (
        sqlstate.CLASS_CONNECTION_EXCEPTION,
        sqlstate.CLASS_TRANSACTION_ROLLBACK,
        sqlstate.CLASS_INSUFFICIENT_RESOURCES,
        sqlstate.CLASS_OPERATOR_INTERVENTION,
        sqlstate.CLASS_SYSTEM_ERROR,
        sqlstate.CLASS_INTERNAL_ERROR,
    )
)
"""Lost, to be tried again, short of room, ended by somebody, broken."""
_OPENING = (("SET",), ("BEGIN",), ("START",))
CLEAN = "clean"


@dataclass(frozen=True, slots=True)
class MessageResult:
    """What came of one message: all of it ran, unless it failed."""

    failure: StatementFailure | None = None
    notices: tuple[ServerNotice, ...] = ()
    transaction_control: str = ""
    """The server's warning of a BEGIN or COMMIT that the lexer did not see; else empty."""
    reply: Reply | None = field(default=None, compare=False, repr=False)


def outcome_of(message: Message, reply: Reply, wait: LockTimeout | None) -> MessageResult:
    """Read the reply to a message; `wait` is the lock that it did not get, if it was one."""
    foreseen = _foreseen_warnings(message)
    unforeseen = [
        state for state in _CONTROL_WARNINGS if reply.kept.warnings(state) > foreseen[state]
    ]
    return MessageResult(
        failure=_failure(message, reply, wait),
        notices=tuple(
            one
            for one in reply.notices
            if not (unforeseen and one.severity == _WARNING and one.sqlstate in _CONTROL_WARNINGS)
        ),
        transaction_control=reply.kept.last_warning(unforeseen[-1]) if unforeseen else "",
        reply=reply,
    )


def _foreseen_warnings(message: Message) -> Counter[str]:
    """Count by SQLSTATE how often the server warns of a BEGIN in a block, or an end outside."""
    found: Counter[str] = Counter()
    if message.script is None:
        return found
    in_block = False
    for piece in message.pieces:
        last = piece.first + piece.statements - 1 if piece.first else 0
        for one in message.script.statements[max(piece.first - 1, 0) : last]:
            control = one.control
            if control is Control.BEGIN:
                found[sqlstate.ACTIVE_SQL_TRANSACTION] += in_block
                in_block = True
            elif control in (Control.COMMIT, Control.ROLLBACK):
                found[sqlstate.NO_ACTIVE_SQL_TRANSACTION] += not in_block
                in_block = False
    return found


def is_busy(message: Message, reply: Reply) -> bool:
    """Whether another has a key, or gave a sign of life, at this very moment."""
    if reply.error is None:
        return False
    label, state = message.running(reply.done).label, reply.error.message.sqlstate
    return (label, state) in {
        ("keys", sqlstate.DIVISION_BY_ZERO),
        ("lease", sqlstate.SERIALIZATION_FAILURE),
    }


def _failure(message: Message, reply: Reply, wait: LockTimeout | None) -> StatementFailure | None:
    error = reply.error
    if error is None or message.running(reply.done).label == CLEAN:
        return None
    offset = None if error.position is None else message.file_offset(error.position)
    running = message.running(reply.done)
    statement = message.statement_running(reply.done)
    if offset is None and error.inner is not None and message.script is not None:
        offset = inner_offset(message.script, statement, error.inner)
    state = error.message.sqlstate
    moved = running.label == "move" and state in _MOVED
    altered = _altered(running.label, error.message)
    return StatementFailure(
        server=ServerMessage(LEDGER_MOVED) if moved else altered or error.message,
        statement=statement,
        offset=offset,
        statements_done=message.file_done(reply.done),
        at_commit=running.label == "commit" or _is_own_commit(message, running),
        needs_no_transaction=_works_alone(message.words(statement), error.message),
        needs_commit_before=state == sqlstate.UNSAFE_NEW_ENUM_VALUE_USAGE,
        read_only=running.label in _OURS and state == sqlstate.READ_ONLY_SQL_TRANSACTION,
        ledger_moved=moved,
        altered=altered is not None,
        ledger_dropped=_is_dropped(running.label, state),
        triggers=_other_triggers(running.label, error.message),
        own_table=_OURS.get(running.label, "") if _is_rule(state) else "",
        lock_lost=running.label in {"keys", "lease"} and state in _LOST,
        cancelled=state == sqlstate.QUERY_CANCELED,
        lock_wait=wait,
        remedy=_remedy(message, running.label, error.message, message.words(statement)),
    )


def _other_triggers(label: str, error: ServerMessage) -> tuple[int, int] | None:
    """What the triggers of our tables fire for, where `check_triggers` found them changed."""
    if label != "move" or error.sqlstate != sqlstate.INVALID_TEXT_REPRESENTATION:
        return None
    found = _TRIGGERS.search(error.message)
    return (int(found[1]), int(found[2])) if found else None


def _altered(label: str, error: ServerMessage) -> ServerMessage | None:
    """What `check_written` and `check_recorded` found, in words; None where they found nothing."""
    if label not in _OURS or error.sqlstate != sqlstate.INVALID_TEXT_REPRESENTATION:
        return None
    found = _WRITTEN.search(error.message)
    if found is None:
        return None
    return ServerMessage(f"a trigger or rule changed what was written: the row has {found[1]}")


def _is_rule(state: str) -> bool:
    """Whether a failure comes from a rule of the database, and not from how it fares now."""
    passing = (
        *_MOVED,
        sqlstate.UNDEFINED_TABLE,
        sqlstate.INVALID_SCHEMA_NAME,
        sqlstate.LOCK_NOT_AVAILABLE,
        sqlstate.READ_ONLY_SQL_TRANSACTION,
    )
    return state not in passing and state[:2] not in _FARES


def past_the_pooler(why: str) -> str:
    """The remedy for what a shared session cannot run."""
    return f"connect to the server itself, not through the pooler ({why})"


def _remedy(message: Message, label: str, error: ServerMessage, words: tuple[str, ...]) -> str:
    """
    What to do where the file is not at fault.

    A transaction that wants to be asked for before any query finds our fence there. Behind a
    crash a sequence may go back, in a database that was copied from a template since the last
    checkpoint; each try takes the next number.
    """
    if label == "record" and error.sqlstate == sqlstate.UNIQUE_VIOLATION:
        return _NUMBERED_TWICE
    fenced = any(piece.label == "lease" for piece in message.pieces)
    if fenced and error.sqlstate == sqlstate.ACTIVE_SQL_TRANSACTION and words[:1] in _OPENING:
        return past_the_pooler("behind one, each transaction first checks our lock")
    return ""


def _is_dropped(label: str, state: str) -> bool:
    """Whether a statement of ours found its table gone, or could not be given it again."""
    return label == "remade" or (
        label in {"move", "record"}
        and state in {sqlstate.UNDEFINED_TABLE, sqlstate.INVALID_SCHEMA_NAME}
    )


def _works_alone(words: tuple[str, ...], error: ServerMessage) -> bool:
    """
    Whether the server refused a statement for our transaction only.

    SET TRANSACTION behind a query, VACUUM inside a function (the error has a context then)
    and COMMIT inside a function are refused without one too.
    """
    if error.sqlstate == sqlstate.ACTIVE_SQL_TRANSACTION:
        return bool(words) and words[0] != "SET" and not error.context
    return error.sqlstate == sqlstate.INVALID_TRANSACTION_TERMINATION and words[:1] in {
        ("CALL",),
        ("DO",),
    }


def _is_own_commit(message: Message, running: Piece) -> bool:
    """True for the last piece where records of ours stand before it: the file's own COMMIT."""
    last = next(piece for piece in reversed(message.pieces) if piece.label != CLEAN)
    return (
        running is last
        and not running.label
        and any(piece.label == "record" for piece in message.pieces)
    )


_MOST = 100
_WARNING = "WARNING"


class Notices:
    """
    The server's notices of one reply: of very many the first, and a count of the others.

    Every warning is counted by its SQLSTATE, kept or not.
    """

    def __init__(self) -> None:
        self._count = 0
        self._kept: list[tuple[int, ServerNotice]] = []
        self._of: dict[bool, int] = {True: 0, False: 0}
        self._warnings: Counter[str] = Counter()
        self._last_warning: dict[str, str] = {}

    def add(self, severity: str, sqlstate: str, message: str) -> None:
        """Count a notice, and keep it if it is among the first of its kind."""
        self._count += 1
        warns = severity == _WARNING
        if warns:
            self._warnings[sqlstate] += 1
            self._last_warning[sqlstate] = message
        if self._of[warns] >= _MOST and not (warns and self._warnings[sqlstate] == 1):
            return
        self._of[warns] += 1
        self._kept.append((self._count, ServerNotice(severity, sqlstate, message)))

    def warnings(self, sqlstate: str) -> int:
        """Return how many warnings of a SQLSTATE came, also of those that are not kept."""
        return self._warnings[sqlstate]

    def last_warning(self, sqlstate: str) -> str:
        """Return the message of the last warning of a SQLSTATE; empty if none came."""
        return self._last_warning.get(sqlstate, "")

    def shown(self) -> list[ServerNotice]:
        """Return all in their order; of more than a hundred the first, warnings first."""
        if self._count <= _MOST:
            return [one for _, one in self._kept]
        first = sorted(self._kept, key=lambda kept: (kept[1].severity != _WARNING, kept[0]))
        kept = [one for _, one in first[: max(_MOST, self._of[True])]]
        left = f"and {self._count - len(kept)} more notices, which are not kept"
        return [*kept, ServerNotice("NOTICE", "", left)]
