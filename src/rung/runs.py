"""
Where the parts are put together: look, plan, lock, runner.

Functions on a `Target`. A look without the lock may conclude only that nothing is to do;
anything else is drawn again under the lock before it is acted on or reported.
"""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rung.drivers.work import Attempt
from rung.errors import DirtyLedger, PlanChanged, PlanError, ReadOnlyDatabase, VersionNotInSource
from rung.ledger import Outcome
from rung.locks import Patience, held
from rung.losses import losses
from rung.plan import make_plan
from rung.runner import Context, Recorder, RunReport, prepare, run_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.drivers.base import Session
    from rung.drivers.found import Look, Place
    from rung.losses import Loss
    from rung.migrations import MigrationSet
    from rung.plan import Goal, Plan
    from rung.runner import Prepared
    from rung.target import Target


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan with its SQL read, and what it would take away; nothing was touched."""

    plan: Plan
    prepared: tuple[Prepared, ...]
    losses: tuple[Loss, ...] = ()


def preview(target: Target, migrations: MigrationSet, goal: Goal) -> Preview:
    """Plan a goal and read its SQL, touching nothing."""
    with target.connected() as session:
        look = session.look()
        plan = _plan(goal, migrations, look)
        prepared = _prepare(plan, look)
        gone = tuple(loss for item in prepared for loss in losses(item.script))
        return Preview(plan, prepared, session.estimate(gone))


def carry_out(
    target: Target, migrations: MigrationSet, goal: Goal, expected: Plan | None
) -> RunReport:
    """Go where the goal says; refuse any plan but the expected one, where one is given."""
    with target.connected() as session:
        idle = _idle(goal, migrations, session.look())
        return idle or _locked(target, migrations, goal, session, expected)


def check_known(version: int, migrations: MigrationSet) -> None:
    """
    Refuse a version without a file.

    Raises:
        VersionNotInSource: that is so.
    """
    if version not in migrations.by_version:
        raise VersionNotInSource(version, "target", migrations.versions)


def force(target: Target, version: int | None) -> None:
    """Write the ledger, clean at a version, with a row of the history."""
    with _writing(target) as session:
        session.ensure_tables()
        session.force(version, _note(version, "force"))


def everything(target: Target) -> tuple[Loss, ...]:
    """All objects that `drop` would remove."""
    with target.connected() as session:
        return session.everything()


def drop(target: Target, expected: tuple[Loss, ...] | None) -> tuple[Loss, ...]:
    """Remove everything in the ledger's schema that no extension owns; returns what went."""
    with _writing(target) as session:
        gone = session.everything()
        if expected is not None and _named(gone) - _named(expected):
            raise PlanChanged
        session.drop_everything()
        return gone


def _named(losses: tuple[Loss, ...]) -> set[tuple[str, str]]:
    return {(loss.kind, loss.table) for loss in losses}


def _locked(
    target: Target,
    migrations: MigrationSet,
    goal: Goal,
    session: Session,
    expected: Plan | None,
) -> RunReport:
    idle: list[RunReport] = []

    def nothing_left() -> bool:
        idle.extend(filter(None, [_idle(goal, migrations, session.look())]))
        return bool(idle)

    patience = Patience(target.wait_for_lock)
    began = patience.clock()
    with held(session, patience, target.listener, target.stop, nothing_left) as won:
        waited = patience.clock() - began
        if not won:
            return replace(idle[0], waited=waited)
        look = session.look()
        plan = _plan(goal, migrations, look)
        if not plan.steps:
            return RunReport((), look.ledger.version, plan.short, waited)
        if expected is not None and plan != expected:
            raise PlanChanged
        prepared = _prepare(plan, look)
        _make_ready(target, session, look)
        report = run_plan(_context(target, session, look, patience), plan, prepared)
        return replace(report, waited=waited)


def _make_ready(target: Target, session: Session, look: Look) -> None:
    _check_writable(target, look.place)
    if not look.ledger_exists or look.history is None:
        session.ensure_tables()


def _context(target: Target, session: Session, look: Look, patience: Patience) -> Context:
    plain = look.place.plain_backslashes
    return Context(
        driver=target.driver,
        session=session,
        listener=target.listener,
        stop=target.stop,
        patience=patience,
        recorder=Recorder.of(look.history or (), plain_backslashes=plain),
    )


def _idle(goal: Goal, migrations: MigrationSet, look: Look) -> RunReport | None:
    """The report of a run with nothing to do; None where there may be something."""
    try:
        plan = make_plan(goal, migrations, look.ledger)
    except PlanError:
        return None
    if plan.steps or not look.ledger_exists:
        return None
    return RunReport((), look.ledger.version, plan.short)


@contextmanager
def _writing(target: Target) -> Iterator[Session]:
    """A session that holds the lock, for what has no plan."""
    patience = Patience(target.wait_for_lock)
    with target.connected() as session:
        _check_writable(target, session.locate())
        with held(session, patience, target.listener, target.stop, lambda: False):
            yield session


def _check_writable(target: Target, place: Place) -> None:
    if place.read_only:
        raise ReadOnlyDatabase(
            f"{target.driver.shown} takes no writes: it is a standby or a read-only session.",
            "Connect to the primary, with a role and settings that may write.",
        )


def _plan(goal: Goal, migrations: MigrationSet, look: Look) -> Plan:
    try:
        return make_plan(goal, migrations, look.ledger)
    except DirtyLedger as dirty:
        raise DirtyLedger(dirty.version, _unfinished(look)) from None


def _prepare(plan: Plan, look: Look) -> tuple[Prepared, ...]:
    return prepare(plan, plain_backslashes=look.place.plain_backslashes)


def _unfinished(look: Look) -> str:
    """What the history knows of the attempt that left the ledger dirty."""
    last = look.history[-1] if look.history else None
    if last is None or last.outcome is Outcome.DONE:
        return ""
    place = f"{last.statements_done} of {last.statements_total} statements are committed"
    flight = f"; statement {last.in_flight} was under way" if last.in_flight else ""
    error = f"; {last.error}" if last.error else ""
    return (
        f"The history says: {last.direction} of version {last.version} ({last.name}) began "
        f"{last.started:%Y-%m-%d %H:%M:%S %Z} on {last.host}; {place}{flight}{error}."
    )


def _note(version: int | None, direction: str) -> Attempt:
    """The history row of what is no migration."""
    return Attempt(str(uuid.uuid4()), version, "", direction, None, None, None, None, 0)
