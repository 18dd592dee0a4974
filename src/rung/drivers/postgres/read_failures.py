"""
Tells why a table of ours could not be read, from what the server said. Pure.

Only a missing column or table, a wrong type or a wrong kind of object say something of the
table's shape. A lock, a timeout, a cancel, a damaged file, a server that ends or has no room
say nothing of it: each is an error of its own, and none is taken for "no ledger".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rung.errors import ConnectionFailed, DatabaseDamaged, QueryFailed, TableLocked

if TYPE_CHECKING:
    from rung.errors import DatabaseError, ServerMessage

NO_TABLE: Final = "42P01"
NO_RIGHT: Final = "42501"
OTHER_SHAPE: Final = frozenset(
    {NO_TABLE, "42703", "42702", "42725", "42804", "42809", "42846", "42883", "42P18"}
)
"""No such table, column, function or operator; another type; not something to select from."""
CANCELLED: Final = "57014"
_LOCKED: Final = frozenset({"55P03", "40P01"})
_DAMAGED: Final = frozenset({"XX001", "XX002", "58030", "58P01", "58P02"})
_ENDED: Final = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03", "25P04"})
_ENDED_CLASS, _NO_ROOM_CLASS = "08", "53"
_ADVICE: Final = {
    CANCELLED: "try again; if it was a timeout, raise `statement_timeout` of the role or the URL",
    _NO_ROOM_CLASS: "try again when the server has memory, disk space or connections to spare",
}
_CAUSES_OF_DAMAGE: Final = {
    "XX002": "an index of it is damaged",
    "58030": "the server could not read its file",
    "58P01": "its file is missing",
}


def is_of_shape(sqlstate: str) -> bool:
    """Whether a failure says that a table is not of the shape that was asked for."""
    return sqlstate in OTHER_SHAPE


def read_failure(message: ServerMessage | None, what: str) -> DatabaseError:
    """
    The error for a read that failed for another reason than the table's shape.

    Args:
        message: the server's; None where there is no answer at all.
        what: what was read, in a few words: `the ledger public.schema_migrations`.
    """
    if message is None:
        return QueryFailed(f"could not read {what}: the server sent no answer")
    state, said = message.sqlstate, _said(message)
    if state in _LOCKED:
        return TableLocked(what, f"it is locked: {said}", state)
    if state in _DAMAGED:
        return DatabaseDamaged(what, _CAUSES_OF_DAMAGE.get(state, "it is damaged"), said, state)
    if state in _ENDED or state.startswith(_ENDED_CLASS):
        advice = "try again when the server answers: `rung wait`"
        return ConnectionFailed(f"the connection was lost: {said}", advice, message.message)
    scarce = state.startswith(_NO_ROOM_CLASS)
    why = "the server is out of a resource: " if scarce else ""
    advice = _ADVICE.get(_NO_ROOM_CLASS if scarce else state, "")
    return QueryFailed(f"could not read {what}: {why}{said}", advice, state)


def _said(message: ServerMessage) -> str:
    return f"{message.message} (SQLSTATE {message.sqlstate})"
