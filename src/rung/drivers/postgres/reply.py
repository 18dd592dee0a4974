"""
Reads what the server answered to a file's message: what it came to, and why it was refused.

Pure. Which code means what, and what of it was of the file and what of ours, is known here.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.drivers.postgres.message import inner_offset
from rung.drivers.transaction import LEDGER_MOVED, StatementFailure
from rung.errors import ServerMessage, sqlstate
from rung.script import Control

if TYPE_CHECKING:
    from rung.drivers.postgres.message import Message, Piece
    from rung.drivers.postgres.wire import Reply
    from rung.drivers.transaction import LockTimeout, ServerNotice

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


def outcome_of(message: Message, reply: Reply, wait: LockTimeout | None) -> MessageResult:
    """Read the reply to a message; `wait` is the lock that it did not get, if it was one."""
    foreseen = _foreseen_warnings(message)
    unforeseen = [
        state for state in _CONTROL_WARNINGS if reply.kept.warnings(state) > foreseen[state]
    ]
    return MessageResult(
        failure=_failure(message, reply, wait),
        notices=tuple(n for n in reply.notices if not (unforeseen and _of_control(n))),
        transaction_control=reply.kept.last_warning(unforeseen[-1]) if unforeseen else "",
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


def _of_control(notice: ServerNotice) -> bool:
    """BEGIN inside a transaction, or COMMIT outside: not what was read in the file."""
    return notice.severity == "WARNING" and notice.sqlstate in _CONTROL_WARNINGS


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
