"""
Where an interrupted file resumes, by what the history and the catalog show. Reads only.

Refuses where nothing shows how far it got, or where the session of its first statements cannot be
restored.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from rung.errors import CannotResume, ScriptError
from rung.execution.stored_sql import stored_text
from rung.planning.resume import (
    interrupted_attempt,
    refused,
    resume_point,
    rolls_back,
    unfinished,
    was_rejected,
)
from rung.script import (
    Dialect,
    RerunSafety,
    calls_in,
    calls_of,
    dropped_before,
    in_session,
    redacted_sql,
    rerun_rule_of,
    session_before,
)
from rung.source import Direction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rung.drivers.contract import Session
    from rung.drivers.inspection import Inspection
    from rung.execution.state import DatabaseState
    from rung.ledger import Attempt
    from rung.planning.down_choice import DownChoice
    from rung.planning.resume import InterruptedAttempt, ResumePoint
    from rung.script import Calls, Script


_MAY_COMMIT = (("CALL",), ("DO",))


def unseen_settings(script: Script, done: int, session: Session) -> str:
    """
    Say why replaying SET may not restore the session of a file; empty where it does.

    Args:
        script: the file's, as it ran.
        done: how many of its statements are committed.
        session: read for the code of functions.
    """
    if script.dialect is Dialect.SQLITE:
        return ""
    dropped, clean = dropped_before(script, done), set[str]()
    for one in in_session(script, done):
        calls = calls_in(script, one)
        if calls.names & dropped or _may_set(calls, session, clean):
            return (
                f"statement {one.number} on line {one.line} runs code that may have changed its "
                "session (search_path, session_replication_role, …), and that change is gone"
            )
    return ""


def _may_set(calls: Calls, session: Session, clean: set[str]) -> bool:
    """Whether code may change the session; add the names that do not to `clean`."""
    sets, seen, left = calls.sets, frozenset[str](), calls.names - clean
    while left and not sets:
        seen |= left
        functions = session.capabilities.functions
        codes = functions.code_of(left) if functions else ()
        found = [code and calls_of(code) for code in codes]
        sets = any(not one or one.sets for one in found)
        left = frozenset().union(*(one.names for one in found if one)) - seen - clean
    if not sets:
        clean |= seen
    return sets


def find_interrupted(inspection: Inspection, session: Session) -> Attempt | None:
    """Find the attempt that left the ledger dirty; None where another tool wrote it since."""
    entry = unfinished(inspection.history, inspection.ledger)
    return None if entry is None or is_overwritten(session, entry) else entry


def is_overwritten(session: Session, entry: Attempt) -> bool:
    """Check whether another tool wrote the ledger after a row of the history, where it shows."""
    provenance = session.capabilities.provenance
    return provenance is not None and provenance.ledger_changed_since(entry)


def find_resume_point(
    state: DatabaseState,
    session: Session,
    direction: Direction,
    downs: Mapping[int, DownChoice] | None = None,
) -> ResumePoint:
    """
    Find where the unfinished file of a dirty database resumes.

    Args:
        state: the database, dirty, and the files.
        session: asked for the text that ran, and for the outcome of a statement in flight.
        direction: which way to go.
        downs: what reverting a version runs, where that is not its down file.

    Raises:
        CannotResume: with the reason.
        ScriptError: the file cannot be read.
    """
    inspection, ledger = state.inspection, state.inspection.ledger
    entry = find_interrupted(inspection, session)
    if entry is None or entry.version is None:
        why = "the history has no attempt that left it dirty: another tool did"
        raise CannotResume(ledger.version, why)
    version = entry.version
    if rolls_back(entry, inspection.history or ()):
        raise CannotResume(ledger.version, f"a repair was rolling version {version} back")
    if entry.direction != direction.value:
        why = f"the interrupted run is the {entry.direction} of version {entry.version}"
        raise CannotResume(ledger.version, why, f"rung {entry.direction} --resume")
    choice = (downs or {}).get(version)
    migration = choice.migration if choice else state.migrations.by_version.get(version)
    checksum = entry.up_checksum if direction is Direction.UP else entry.down_checksum
    text = stored_text(session.stored_sql([version]), version, direction, checksum)
    attempt = interrupted_attempt(entry, migration, text, inspection.place.dialect)
    assert migration is not None
    finished = attempt.in_flight is not None and _is_finished(attempt, attempt.in_flight, session)
    point = resume_point(attempt, migration, ledger, state.applied, finished=finished)
    if unseen := unseen_settings(attempt.now, point.done, session):
        raise refused(entry, unseen)
    return point


def resume_command(state: DatabaseState, session: Session) -> str:
    """Return the command that resumes what left the database dirty; empty where none can."""
    entry = find_interrupted(state.inspection, session)
    if entry is None:
        return ""
    with suppress(CannotResume, ScriptError):
        find_resume_point(state, session, Direction(entry.direction))
        return f"rung {entry.direction} --resume"
    return ""


def _is_finished(attempt: InterruptedAttempt, number: int, session: Session) -> bool:
    """Decide whether the statement in flight is finished, by the catalog where it is needed."""
    statement = attempt.ran.statements[number - 1]
    if was_rejected(attempt.entry) and statement.words[:1] not in _MAY_COMMIT:
        return False
    finished: bool | None
    if completion := session.capabilities.completion:
        before = session_before(attempt.ran, number - 1)
        finished = completion.completed(attempt.ran, number, before)
    else:
        may_run_twice = rerun_rule_of(attempt.ran, statement).trace is RerunSafety.NONE
        finished = False if may_run_twice else None
    if finished is None:
        sql = " ".join(redacted_sql(attempt.ran, statement.start, statement.end).split())
        raise refused(
            attempt.entry,
            f"statement {number} on line {statement.line} ({sql[:60]}) ran outside a "
            "transaction, and nothing shows how far it got",
        )
    return finished
