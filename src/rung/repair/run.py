"""
Diagnose and repair a dirty database, both under the lock.

The ledger is dirty while golang-migrate runs a file; under the lock no run is in progress. The
candidate files run on scratch. The live schema is only read, except by a down that runs in a
transaction which is rolled back, until the proposed action is applied by compare-and-set from the
inspected ledger.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from rung.drivers.transaction import LedgerTransition, Unobserved, UpdateAttempt
from rung.errors import MigrationFailed, PlanChanged, RepairUndecided
from rung.events import Warned
from rung.execution.admin import locked
from rung.execution.command import Context, RetryPolicy
from rung.execution.executor import run_plan
from rung.execution.history import Recorder, baseline, of_records, record, try_record
from rung.execution.outcomes import RunReport
from rung.execution.preflight import prepare
from rung.execution.resume_evidence import find_interrupted, unseen_settings
from rung.execution.state import read_state
from rung.execution.stored_sql import with_stored_sql
from rung.ledger import LedgerState, Outcome
from rung.planning.history_replay import replay
from rung.repair import (
    ActionKind,
    Diagnosis,
    StateMatch,
    data_loss_refusal,
    find_candidates,
    judge,
    propose,
    report_statements,
)
from rung.repair.propose import invalid_indexes, is_partial, why_not_resume, why_not_resume_after
from rung.repair.rollback import find_rollback
from rung.repair.trial_runs import ScratchRunner
from rung.scratch import scratch_of
from rung.script import read, same_until
from rung.snapshot import differences
from rung.source import Direction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.drivers.contract import Lock, Session
    from rung.drivers.inspection import Inspection
    from rung.drivers.transaction import NewAttempt
    from rung.execution.command import Target
    from rung.execution.state import DatabaseState
    from rung.repair import Action, TrialResult
    from rung.snapshot import Snapshot
    from rung.source import MigrationSet

_FIX = (
    "fix {what}, then resume with `{way}`, which loses nothing; or finish it by hand and "
    "record that: `rung force V`"
)
_NOT_FROM_THERE = "finish {file} by hand, or undo it by hand, and record that: `rung force V`"
_STATE_DONE = (
    "inspect the rows, and give the number of statements of the file that are done: `rung "
    "repair --done K`"
)
_WAIT = "wait until that build is over, and try again: `rung repair`"
_BY_HAND = (
    "change the schema to one of the file's states by hand, or finish the file by hand and "
    "record that: `rung force V`"
)
_DATED = ("table ", "column ", "view ", "materialized view ", "index ", "sequence ")
"""Kinds of objects whose age the catalog shows."""
REPAIR = "rung repair"
"""The tool that the history names for a mark by repair."""


def diagnose(
    target: Target, migrations: MigrationSet, scratch: str | None, stated_done: int | None
) -> Diagnosis | None:
    """
    Diagnose a dirty database and propose a repair.

    Args:
        target: the database.
        migrations: the files.
        scratch: the URL of a server for scratch databases; None for the embedded server.
        stated_done: how many statements of the file are done, as the user states.

    Returns:
        None where the database is clean.

    Raises:
        ScratchFailed: the versions applied before could not be replayed on scratch.
        EmbeddedError: there is no server for scratch databases, and none was named.
        RepairUndecided: another session is building an index of the file, or the file has fewer
            statements than the user states.
        MissingMigrationFile: the ledger's version has no file and no stored text.
    """
    with target.connected() as session, locked(target, session):
        state = read_state(session, migrations)
        if not state.inspection.ledger.dirty:
            return None
        return _diagnose(target, session, state, scratch, stated_done)


def repair(
    target: Target, migrations: MigrationSet, diagnosis: Diagnosis, *, allow_data_loss: bool = False
) -> RunReport:
    """
    Apply the action of a diagnosis.

    Args:
        target: the database.
        migrations: the files.
        diagnosis: a diagnosis with an action.
        allow_data_loss: whether the user consents to the data loss that the action lists.

    Raises:
        RepairUndecided: the diagnosis has no action, or its data loss has no consent, or another
            session is building an index of the file.
        PlanChanged: ledger, history or schema changed since the diagnosis.
        RunError: the SQL of the action failed.
    """
    action = diagnosis.action
    if action is None:
        raise RepairUndecided(f"no repair is proposed: {diagnosis.reason}", diagnosis.advice)
    if action.losses and not allow_data_loss:
        raise RepairUndecided(*data_loss_refusal(diagnosis))
    with target.connected() as session, locked(target, session) as lock:
        state = read_state(session, migrations)
        if _stamp(state.inspection, session.snapshot()) != diagnosis.stamp:
            raise PlanChanged
        _check_nobody_builds(session, diagnosis.finding)
        report = _apply(target, session, lock, state, diagnosis, action)
        _close_attempt(session, diagnosis, action)
        return report


def _diagnose(
    target: Target,
    session: Session,
    state: DatabaseState,
    scratch: str | None,
    stated_done: int | None,
) -> Diagnosis:
    inspection = state.inspection

    def warn(text: str) -> None:
        target.listener(Warned(f"scratch: {text}"))

    files = with_stored_sql(state.migrations, inspection.history or (), session, inspection, warn)
    groups = find_candidates(
        inspection.history, inspection.ledger, files, find_interrupted(inspection, session)
    )
    live = session.snapshot()
    with scratch_of(target.driver, session, scratch, warn) as databases:
        runner = ScratchRunner(databases, files, inspection.place)
        trials = [[runner.try_candidate(one) for one in group] for group in groups]
        _check_stated_done(trials, stated_done)
        finding = _with_current_file(judge(trials, live, stated_done), state.migrations, runner)
        _check_nobody_builds(session, finding)
        if stated_done is None:
            finding = _reject_lookalike(finding, session)
        if is_partial(finding) and finding.trial is not None:
            unrestorable = unseen_settings(finding.trial.script, finding.done or 0, session)
            finding = replace(finding, unrestorable=unrestorable)
        undo, rollback = None, None
        if is_partial(finding) and why_not_resume(finding):
            undo, rollback = find_rollback(finding, runner, session, inspection.other_writers)
    action = propose(finding, inspection.ledger, undo, rollback)
    if action is not None:
        action = replace(action, sql=action.sql.replace("{ledger}", inspection.place.ledger))
    reason, advice = ("", "") if action else _why_no_action(finding)
    return Diagnosis(
        inspection.ledger,
        databases.where,
        finding,
        report_statements(finding),
        action,
        reason,
        advice,
        _stamp(inspection, live),
        rollback,
    )


def _check_stated_done(groups: Sequence[Sequence[TrialResult]], stated_done: int | None) -> None:
    """
    Check that a file has as many statements as the user states are done.

    Raises:
        RepairUndecided: no file has.
    """
    trials = [trial for group in groups for trial in group]
    if stated_done is None or not trials or any(stated_done <= one.total for one in trials):
        return
    totals = " and ".join(f"{one.candidate.file} has {one.total}" for one in trials)
    raise RepairUndecided(f"{stated_done} statements cannot be done: {totals}", _STATE_DONE)


def _reject_lookalike(finding: StateMatch, session: Session) -> StateMatch:
    """
    Reject a part of another tool's file whose objects may be older than its run.

    The rest of a file may destroy what its beginning copied: it must run only after a beginning
    that did run.
    """
    trial, done = finding.trial, finding.done
    if trial is None or done is None or not is_partial(finding):
        return finding
    if trial.candidate.attempt is not None or trial.candidate.direction is Direction.DOWN:
        return finding
    states = {(state.done, state.partial): state.snapshot for state in trial.states}
    diff = differences(states[0, None], states[done, finding.partial])
    added = [one.identity for one in diff if one.before is None]
    dated = tuple(name for name in added if name.startswith(_DATED))
    provenance = session.capabilities.provenance
    older = dated if provenance is None else provenance.perhaps_older(dated)
    if not older:
        return finding
    reason = f"{older[0]} may have existed before {trial.candidate.file} began"
    return replace(finding, done=None, partial=None, reason=reason)


def _check_nobody_builds(session: Session, finding: StateMatch) -> None:
    """Check that no invalid index of the file is still being built; it is no leftover then."""
    names = invalid_indexes(finding)
    finder = session.capabilities.problems
    for one in finder.problems() if finder and names else ():
        if one.name in names and one.harmless:
            raise RepairUndecided(f"{one.name}: {one.description}", _WAIT)


def _with_current_file(
    finding: StateMatch, migrations: MigrationSet, runner: ScratchRunner
) -> StateMatch:
    """Replace a partly run file by its current text, where the part that ran is the same."""
    trial = finding.trial
    if trial is None or finding.done is None or not is_partial(finding):
        return finding
    migration = migrations.by_version.get(trial.candidate.version)
    file = migration.half(trial.candidate.direction) if migration else None
    if migration is None or file is None or file.text == trial.script.text:
        return finding
    candidate = replace(trial.candidate, migration=migration)
    script = read(file.text, trial.script.dialect)
    if candidate.attempt and not same_until(script, trial.script, finding.done + 1):
        # The recorded error is that of the statement before its edit.
        candidate = replace(candidate, attempt=replace(candidate.attempt, error=None))
    current = runner.try_candidate(candidate)
    if not same_until(current.script, trial.script, finding.partial or finding.done):
        failure = f"{file.file} was edited in statements that are done already"
        return replace(finding, trial=replace(trial, failure=failure))
    return replace(finding, trial=current)


def _why_no_action(finding: StateMatch) -> tuple[str, str]:
    """Return why nothing is proposed, and what would help without losing anything."""
    if finding.done is None or finding.trial is None:
        return finding.reason, _STATE_DONE if finding.undecided else _BY_HAND
    candidate, script = finding.trial.candidate, finding.trial.script
    reason = why_not_resume(finding)
    if candidate.undo or finding.unrestorable or why_not_resume_after(script, finding.done):
        return reason, _NOT_FROM_THERE.format(file=candidate.file)
    way = f"rung {candidate.direction.value} --resume" if candidate.attempt else REPAIR
    what = f"{candidate.file} from line {script.statements[finding.done].line} on"
    if not finding.trial.failure:
        what = f"the rows, or {what}"
    return reason, _FIX.format(what=what, way=way)


def _apply(
    target: Target,
    session: Session,
    lock: Lock,
    state: DatabaseState,
    diagnosis: Diagnosis,
    action: Action,
) -> RunReport:
    inspection = state.inspection
    session.prepare_tables()
    recorder = Recorder.of(inspection.history or (), inspection.place.dialect)
    if action.plan is None:
        rows = _mark_attempts(diagnosis, action, state, recorder)
        move = LedgerTransition(inspection.ledger, LedgerState(action.version))
        if try_record(session, rows, target.listener, move):
            raise PlanChanged
        return RunReport((), action.version)
    prepared = prepare(action.plan, inspection.place.dialect, target.options)
    record(session, _baseline_attempts(diagnosis, state, recorder), target.listener)
    context = Context(
        target.driver,
        session,
        lock,
        target.listener,
        target.stop,
        RetryPolicy(target.options.wait_for_lock),
        recorder,
        target.options,
    )
    try:
        return run_plan(context, action.plan, prepared)
    except MigrationFailed as failed:
        failed.resumes = action.kind is ActionKind.RESUME  # a rollback runs no file
        raise


def _mark_attempts(
    diagnosis: Diagnosis, action: Action, state: DatabaseState, recorder: Recorder
) -> list[NewAttempt]:
    """Return a mark's history rows: a `force`, or an `up` for a complete out-of-order up."""
    candidate = diagnosis.candidate
    assert candidate is not None
    files = state.migrations
    if action.applied and candidate.version != action.version:
        note = recorder.note("up", candidate.version, candidate.migration, REPAIR)
        trial = diagnosis.finding.trial
        return [replace(note, statements_total=trial.total if trial else 0)]
    number = -1 if action.version is None else action.version
    marked = recorder.note("force", action.version, files.by_version.get(number), REPAIR)
    return [*_baseline_attempts(diagnosis, state, recorder), marked]


def _baseline_attempts(
    diagnosis: Diagnosis, state: DatabaseState, recorder: Recorder
) -> list[NewAttempt]:
    """Return baseline rows for the versions applied before the file and not in the history."""
    candidate = diagnosis.candidate
    recorded = replay(state.inspection.history or ())
    missing = [v for v in candidate.base if v not in recorded] if candidate else []
    return baseline(missing, state.migrations, recorder)


def _close_attempt(session: Session, diagnosis: Diagnosis, action: Action) -> None:
    """Record the end of an attempt that the history shows as running."""
    candidate = diagnosis.candidate
    attempt = (candidate.attempt or candidate.undo) if candidate else None
    if candidate is None or attempt is None or attempt.outcome is not Outcome.RUNNING:
        return
    done = diagnosis.finding.done
    how = f"{done} of its statements were done" if candidate.attempt else "gone on with"
    text = f"cut off; by rung repair {how} ({action.kind.value})"
    end = UpdateAttempt(attempt.attempt, outcome=Outcome.FAILED, error=text)
    session.commit(of_records((end,)), Unobserved())


def _stamp(inspection: Inspection, live: Snapshot) -> str:
    last = inspection.history[-1] if inspection.history else None
    facts = (
        inspection.ledger,
        last and (last.id, last.outcome, last.statements_done),
        live.fingerprint,
    )
    return sha256(repr(facts).encode()).hexdigest()
