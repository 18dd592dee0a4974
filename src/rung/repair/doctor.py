"""Find the problems of a database: the driver's, and those of ledger and history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.diagnostics import Diagnostics, Problem
from rung.execution import warnings
from rung.execution.resume_evidence import find_interrupted
from rung.execution.state import read_state
from rung.ledger import Outcome
from rung.planning.history_replay import replay
from rung.planning.resume import rolls_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.drivers.contract import Session
    from rung.drivers.inspection import Inspection
    from rung.execution.command import Target
    from rung.source import MigrationSet


def diagnose_server(
    target: Target,
    migrations: MigrationSet | None,
    without: str = "no migrations are given (--source)",
) -> Diagnostics:
    """
    Return the problems of a database; reads only.

    Args:
        target: the database.
        migrations: the files to compare the schema with; None to compare nothing.
        without: why there are no files, in a sentence.
    """
    with target.connected() as session:
        inspection = session.inspect()
        holder = session.lock_holder()
        running_lock = "" if holder is None else str(holder)
        own_problems = (
            *_ledger(inspection, session, running_lock),
            *_attempts(inspection, running_lock),
        )
        ahead = () if running_lock else _ahead(session, inspection, migrations, without)
        finder = session.capabilities.problems
        found = () if finder is None else finder.problems()
        problems = (*own_problems, *ahead, *found)
    ordered = sorted(problems, key=lambda one: one.harmless)
    return Diagnostics(inspection.place.database, inspection.ledger.dirty, tuple(ordered))


def _ahead(
    session: Session, inspection: Inspection, migrations: MigrationSet | None, without: str
) -> Iterator[Problem]:
    """Yield names that the files create and the schema lacks."""
    if migrations is not None:
        yield from warnings.ledger_problems(session, read_state(session, migrations))
        return
    applied = replay(inspection.history or ()).values()
    if inspection.ledger.version is not None and not (applied and all(one.ran for one in applied)):
        text = (
            "Some versions count as applied although no run of Rung applied them; whether the "
            "schema has "
        )
        text += f"what their files create was not checked: {without}."
        yield warnings.not_checked(inspection.place.ledger, text)


def _ledger(inspection: Inspection, session: Session, running_lock: str) -> Iterator[Problem]:
    if not inspection.ledger.dirty:
        return
    name = inspection.place.ledger
    if running_lock:
        text = f"The database is {inspection.ledger}; a run may be in progress. {running_lock}"
        yield Problem("dirty ledger", name, text, harmless=True)
        return
    entry = find_interrupted(inspection, session)
    cause = "the history has no attempt that left it dirty"
    if entry is not None:
        flight = f", and statement {entry.in_flight} was running" if entry.in_flight else ""
        cause = (
            f"the {entry.direction} of version {entry.version} stopped after statement "
            f"{entry.statements_done} of {entry.statements_total}{flight}"
        )
    can_resume = entry is not None and not rolls_back(entry, inspection.history or ())
    remedy = f"rung {entry.direction} --resume" if entry and can_resume else "rung repair"
    yield Problem("dirty ledger", name, f"The database is {inspection.ledger}: {cause}.", remedy)


def _attempts(inspection: Inspection, running_lock: str) -> Iterator[Problem]:
    """Yield the attempts without an end, except the one that made the ledger dirty or may run."""
    history = inspection.history or ()
    for entry in history:
        may_run = entry is history[-1] and (bool(running_lock) or inspection.ledger.dirty)
        if entry.outcome is Outcome.RUNNING and not may_run:
            yield Problem(
                "unfinished attempt",
                f"{entry.direction} {entry.version}",
                f"Row {entry.id} of the history has no end: that run died. A later run or a "
                "person has resolved it since.",
                harmless=True,
            )
