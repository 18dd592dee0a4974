"""
Finding out what a dirty database holds, and mending it, both under the lock.

What golang-migrate is doing looks dirty from outside; under the lock nobody is at it. The
files that may have run are tried on scratch. Until the one action that was proposed is carried
out, by compare-and-set from the ledger that was looked at, the live schema is only read, but for
a down that is tried in a transaction that is rolled back.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from rung.drivers.transaction import LedgerTransition, StatementFailure
from rung.errors import MigrationFailed, PlanChanged, RepairUndecided, ServerMessage
from rung.events import Warned
from rung.execution.admin import baseline, writing
from rung.execution.command import Context, RetryPolicy
from rung.execution.executor import run_plan
from rung.execution.history_records import Recorder
from rung.execution.prepare import prepare
from rung.execution.report import RunReport
from rung.execution.state import left_by, read_state, set_unseen, with_all_stored
from rung.ledger import LedgerState, Outcome
from rung.planning.history_replay import replay
from rung.repair import (
    ActionKind,
    Diagnosis,
    StateMatch,
    find_candidates,
    judge,
    loses,
    propose,
    statements_found,
)
from rung.repair.propose import half_made, is_part, why_not_from, why_not_resume
from rung.repair.rollback_search import rolled_back
from rung.repair.trial_runs import ScratchRunner
from rung.scratch import scratch_of
from rung.script import read, same_until
from rung.snapshot import differences
from rung.source import Direction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.drivers.contract import Session
    from rung.drivers.inspection import Inspection
    from rung.drivers.transaction import NewAttempt
    from rung.execution.command import Target
    from rung.execution.state import DatabaseState
    from rung.repair import Action, Candidate, TrialResult
    from rung.snapshot import Snapshot
    from rung.source import MigrationSet

_FIX = (
    "Fix {what}, then go on with `{way}`, which loses nothing; or finish it by hand and record "
    "that: `rung force V`"
)
_NOT_FROM_THERE = (
    "Finish {file} by hand, or undo by hand what is there of it, and record that: `rung force V`"
)
_SAY = "Look at the rows, and say how many statements of the file are done: `rung repair --done K`"
_WAIT = "Wait until that build is over, and look again: `rung repair`"
_BY_HAND = (
    "Make the schema one of the states of the file by hand, or finish it by hand and record that: "
    "`rung force V`"
)
_SEEN = ("table ", "column ", "view ", "materialized view ", "index ", "sequence ")
"""Kinds of objects whose age the catalog tells."""
REPAIR = "rung repair"
"""The tool that the history names for a mark of ours."""


def diagnose(
    target: Target, migrations: MigrationSet, scratch: str | None, said: int | None
) -> Diagnosis | None:
    """
    What a dirty database holds, and what would mend it; None where it is clean.

    Raises:
        ScratchFailed: what was applied before could not be replayed on scratch.
        EmbeddedError: there is no server to try things on, and none was named.
        RepairUndecided: an index of the file is being built by somebody right now, or more
            statements are said to be done than a file has.
        MissingMigrationFile: the ledger's version has no file, and no text is kept of it.
    """
    with writing(target) as session:
        state = read_state(session, migrations)
        if not state.inspection.ledger.dirty:
            return None
        return _diagnosed(target, session, state, scratch, said)


def repair(
    target: Target, migrations: MigrationSet, diagnosis: Diagnosis, *, allow_data_loss: bool = False
) -> RunReport:
    """
    Do what a diagnosis proposes.

    Args:
        target: the database.
        migrations: the files.
        diagnosis: what was found, and proposes an action.
        allow_data_loss: whether the losses that it lists are agreed to.

    Raises:
        RepairUndecided: it proposes nothing, or what loses rows and nobody agreed to, or an index
            of it is being built right now.
        PlanChanged: ledger, history or schema have moved since.
        RunError: the SQL that was to mend it failed.
    """
    action = diagnosis.action
    if action is None:
        raise RepairUndecided(f"Nothing is proposed: {diagnosis.reason}.", diagnosis.advice)
    if action.losses and not allow_data_loss:
        raise RepairUndecided(*loses(diagnosis))
    with writing(target) as session:
        state = read_state(session, migrations)
        if _stamp(state.inspection, session.snapshot()) != diagnosis.stamp:
            raise PlanChanged
        _check_nobody_builds(session, diagnosis.finding)
        report = _carried_out(target, session, state, diagnosis, action)
        _close(session, diagnosis, action)
        return report


def _diagnosed(
    target: Target, session: Session, state: DatabaseState, scratch: str | None, said: int | None
) -> Diagnosis:
    look = state.inspection

    def say(text: str) -> None:
        target.listener(Warned(f"scratch: {text}"))

    files = with_all_stored(state.migrations, look.history or (), session, look, say)
    groups = find_candidates(look.history, look.ledger, files, left_by(look, session))
    live = session.snapshot()
    with scratch_of(target.driver, session, scratch, say) as made:
        bench = ScratchRunner(made, files, look.place)
        tried = [[bench.tried(one) for one in group] for group in groups]
        _check_said(tried, said)
        finding = _with_file_of_now(judge(tried, live, said), state.migrations, bench)
        _check_nobody_builds(session, finding)
        if said is None:
            finding = _without_likeness(finding, session)
        if is_part(finding) and finding.tried is not None:
            unseen = set_unseen(finding.tried.script, finding.done or 0, session)
            finding = replace(finding, unseen=unseen)
        undo, rollback = None, None
        if _needs_undo(finding):
            undo, rollback = rolled_back(finding, bench, session, look.other_writers)
    action = propose(finding, look.ledger, undo, rollback)
    told = _told(finding, action, look, made.where, _stamp(look, live))
    return replace(told, rollback=rollback)


def _check_said(tried: Sequence[Sequence[TrialResult]], said: int | None) -> None:
    """More statements than any file has cannot be done."""
    every = [one for group in tried for one in group]
    if said is None or not every or any(said <= one.total for one in every):
        return
    held = " and ".join(f"{one.suspect.file} has {one.total}" for one in every)
    raise RepairUndecided(f"{said} statements cannot be done: {held}.", _SAY)


def _without_likeness(finding: StateMatch, session: Session) -> StateMatch:
    """
    Without what only looks like a part of another tool's file, and may be older than its run.

    The rest of a file may destroy what its beginning made a copy of: it is run only behind a
    beginning that did run.
    """
    tried, done = finding.tried, finding.done
    if tried is None or done is None or not is_part(finding):
        return finding
    if tried.suspect.attempt is not None or tried.suspect.direction is Direction.DOWN:
        return finding
    states = {(state.done, state.half): state.snapshot for state in tried.states}
    made = differences(states[0, None], states[done, finding.half])
    added = [one.identity for one in made if one.before is None]
    seen = [name for name in added if name.startswith(_SEEN)]
    if not (older := session.perhaps_older(seen)):
        return finding
    reason = f"{older[0]} may have been there before {tried.suspect.file} began"
    return replace(finding, done=None, half=None, reason=reason)


def _check_nobody_builds(session: Session, finding: StateMatch) -> None:
    """An index that is being built is invalid too, and is not what a failed build has left."""
    names = half_made(finding)
    for one in session.ailments() if names else ():
        if one.name in names and one.harmless:
            raise RepairUndecided(f"{one.name}: {one.said}", _WAIT)


def _told(
    finding: StateMatch, action: Action | None, look: Inspection, where: str, stamp: str
) -> Diagnosis:
    if action is not None:
        action = replace(action, sql=action.sql.replace("{ledger}", look.place.ledger))
    reason, advice = ("", "") if action else _why_nothing(finding)
    found = statements_found(finding)
    return Diagnosis(look.ledger, where, finding, found, action, reason, advice, stamp)


def _with_file_of_now(
    finding: StateMatch, migrations: MigrationSet, bench: ScratchRunner
) -> StateMatch:
    """What a part of a file is resumed with: the file as it is now, where it begins alike."""
    tried = finding.tried
    if tried is None or finding.done is None or not is_part(finding):
        return finding
    now = migrations.by_version.get(tried.suspect.version)
    half = now.half(tried.suspect.direction) if now else None
    if now is None or half is None or half.text == tried.script.text:
        return finding
    last = finding.half or finding.done
    since = _mended(tried, replace(tried.suspect, migration=now), half.text, finding.done)
    anew = bench.tried(since)
    if not same_until(anew.script, tried.script, last):
        failure = f"{half.file} was edited in what is done already"
        return replace(finding, tried=replace(tried, failure=failure))
    return replace(finding, tried=anew)


def _mended(tried: TrialResult, now: Candidate, text: str, done: int) -> Candidate:
    """The file as it is now; what is recorded of a statement that was changed does not count."""
    script = read(text, tried.script.dialect)
    changed = not same_until(script, tried.script, done + 1)
    if now.attempt is None or not changed:
        return now
    return replace(now, attempt=replace(now.attempt, error=None))


def _needs_undo(finding: StateMatch) -> bool:
    return is_part(finding) and bool(why_not_resume(finding))


def _why_nothing(finding: StateMatch) -> tuple[str, str]:
    """Why nothing is proposed, and what would help: what loses nothing first."""
    if finding.done is None or finding.tried is None:
        return finding.reason, _SAY if finding.open else _BY_HAND
    suspect, script = finding.tried.suspect, finding.tried.script
    reason = why_not_resume(finding)
    if suspect.undo or finding.unseen or why_not_from(script, finding.done):
        return reason, _NOT_FROM_THERE.format(file=suspect.file)
    way = f"rung {suspect.direction.value} --resume" if suspect.attempt else REPAIR
    what = f"{suspect.file} from line {script.statements[finding.done].line} on"
    if not finding.tried.failure:
        what = f"the rows, or {what}"
    return reason, _FIX.format(what=what, way=way)


def _carried_out(
    target: Target, session: Session, state: DatabaseState, diagnosis: Diagnosis, action: Action
) -> RunReport:
    look = state.inspection
    session.ensure_tables()
    recorder = Recorder.of(look.history or (), look.place.dialect)
    if action.plan is None:
        rows = _rows(diagnosis, action, state, recorder)
        move = LedgerTransition(look.ledger, LedgerState(action.version))
        ran = session.settle(move, rows)
        if ran.refusal:
            raise PlanChanged
        return RunReport((), action.version)
    prepared = prepare(action.plan, look.place.dialect, target.options)
    session.record(_earlier(diagnosis, state, recorder))
    context = Context(
        target.driver,
        session,
        target.listener,
        target.stop,
        RetryPolicy(target.wait_for_lock),
        recorder,
        target.options,
    )
    try:
        return run_plan(context, action.plan, prepared)
    except MigrationFailed as failed:
        failed.resumes = action.kind is ActionKind.RESUME  # what rolled back is no file
        raise


def _rows(
    diagnosis: Diagnosis, action: Action, state: DatabaseState, recorder: Recorder
) -> list[NewAttempt]:
    """A mark is a `force` in the history; of a late up that is all there, an `up`."""
    suspect = diagnosis.suspect
    assert suspect is not None
    files = state.migrations
    if action.applied and suspect.version != action.version:
        return [_late(suspect, diagnosis, recorder)]
    number = -1 if action.version is None else action.version
    marked = recorder.note("force", action.version, files.by_version.get(number), REPAIR)
    return [*_earlier(diagnosis, state, recorder), marked]


def _earlier(diagnosis: Diagnosis, state: DatabaseState, recorder: Recorder) -> list[NewAttempt]:
    """What was applied before the file, and the history does not have yet."""
    suspect = diagnosis.suspect
    recorded = replay(state.inspection.history or ())
    missing = [v for v in suspect.base if v not in recorded] if suspect else []
    return baseline(missing, state.migrations, recorder)


def _late(suspect: Candidate, diagnosis: Diagnosis, recorder: Recorder) -> NewAttempt:
    note = recorder.note("up", suspect.version, suspect.migration, REPAIR)
    tried = diagnosis.finding.tried
    return replace(note, statements_total=tried.total if tried else 0)


def _close(session: Session, diagnosis: Diagnosis, action: Action) -> None:
    """Say in the history that an attempt whose end nobody saw has ended."""
    suspect = diagnosis.suspect
    attempt = (suspect.attempt or suspect.undo) if suspect else None
    if attempt is None or attempt.outcome is not Outcome.RUNNING:
        return
    done = diagnosis.finding.done
    told = f"{done} of its statements were done" if suspect and suspect.attempt else "gone on with"
    said = f"cut off; by rung repair {told} ({action.kind.value})"
    session.end_units(None, attempt.attempt, StatementFailure(ServerMessage(said)))


def _stamp(look: Inspection, live: Snapshot) -> str:
    last = look.history[-1] if look.history else None
    facts = (look.ledger, last and (last.id, last.outcome, last.statements_done), live.fingerprint)
    return sha256(repr(facts).encode()).hexdigest()
