"""Gathers what tells whether a dirty database can be gone on with: texts, the catalog's word."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from rung.errors import CannotResume, ScriptError
from rung.migrations import Direction
from rung.resuming import cut_off, refused, resumption, rolls_back, unfinished, was_rejected
from rung.runs.sessions import set_unseen
from rung.runs.stored import kept_text
from rung.statements import session_before, shown

if TYPE_CHECKING:
    from rung.drivers.base import Session
    from rung.drivers.found import Look
    from rung.ledger import HistoryEntry
    from rung.resuming import CutOff, Resumption
    from rung.runs.known import Known

_MAY_COMMIT = (("CALL",), ("DO",))
_NOT_KNOWN = "the history has no attempt that left it so: another tool did"


def left_by(look: Look, session: Session) -> HistoryEntry | None:
    """The attempt that left the ledger dirty; None where another tool has written it since."""
    entry = unfinished(look.history, look.ledger)
    return None if entry is None or session.written_behind(entry) else entry


def resumed(known: Known, session: Session, direction: Direction) -> Resumption:
    """
    Where the unfinished file of a dirty database goes on.

    Args:
        known: the ground, dirty.
        session: asked for the text that ran, and what became of a statement under way.
        direction: which way to go.

    Raises:
        CannotResume: with the reason.
        ScriptError: the file cannot be read.
    """
    look = known.look
    entry = left_by(look, session)
    if entry is None or entry.version is None:
        raise CannotResume(look.ledger.version, _NOT_KNOWN)
    if rolls_back(entry, look.history or ()):
        raise CannotResume(look.ledger.version, f"a repair was rolling {entry.version} back")
    if entry.direction != direction.value:
        why = f"what stopped is the {entry.direction} of version {entry.version}"
        raise CannotResume(look.ledger.version, why, f"rung {entry.direction} --resume")
    migration = known.migrations.by_version.get(entry.version)
    found = cut_off(entry, migration, _kept(entry, session), look.place.dialect)
    assert migration is not None
    finished = _finished(found, session)
    going = resumption(found, migration, look.ledger, known.applied, finished=finished)
    if unseen := set_unseen(found.now, going.done, session):
        raise refused(entry, unseen)
    return going


def way_on(known: Known, session: Session) -> str:
    """The command that goes on with what left the database dirty; empty where none can."""
    entry = left_by(known.look, session)
    if entry is None:
        return ""
    with suppress(CannotResume, ScriptError):
        resumed(known, session, Direction(entry.direction))
        return f"rung {entry.direction} --resume"
    return ""


def _kept(entry: HistoryEntry, session: Session) -> str | None:
    direction, version = Direction(entry.direction), entry.version
    assert version is not None
    checksum = entry.up_checksum if direction is Direction.UP else entry.down_checksum
    return kept_text(session.stored([version]), version, direction, checksum)


def _finished(found: CutOff, session: Session) -> bool:
    number = found.in_flight
    if number is None:
        return False
    one = found.ran.statements[number - 1]
    if was_rejected(found.entry) and one.words[:1] not in _MAY_COMMIT:
        return False
    ended = session.finished(found.ran, number, session_before(found.ran, number - 1))
    if ended is None:
        sql = " ".join(shown(found.ran, one.start, one.end).split())
        raise refused(
            found.entry,
            f"statement {number} on line {one.line} ({sql[:60]}) ran outside a transaction, and "
            "nothing tells what of it was done",
        )
    return ended
