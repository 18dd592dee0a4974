"""The doctor's visit: what the driver finds, and what ledger and history say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.diagnostics import Diagnostics, Problem
from rung.execution import warnings
from rung.execution.state import left_by, read_state
from rung.ledger import Outcome
from rung.planning.history_replay import replay
from rung.planning.resume import rolls_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.drivers.contract import Session
    from rung.drivers.inspection import Inspection
    from rung.execution.command import Target
    from rung.ledger import Attempt
    from rung.source import MigrationSet


def diagnose_server(
    target: Target,
    migrations: MigrationSet | None,
    without: str = "No migrations are named (--source).",
) -> Diagnostics:
    """
    Look through a database; reads only.

    Args:
        target: the database.
        migrations: the files; None where there are none to compare the schema with.
        without: why there are none, in a sentence.
    """
    with target.connected() as session:
        look = session.look()
        holder = session.holder()
        under_way = "" if holder is None else str(holder)
        ours = (*_ledger(look, session, under_way), *_attempts(look, under_way))
        ahead = () if under_way else _ahead(session, look, migrations, without)
        found = (*ours, *ahead, *session.ailments())
    ordered = sorted(found, key=lambda one: one.harmless)
    return Diagnostics(look.place.database, look.ledger.dirty, tuple(ordered))


def _ahead(
    session: Session, look: Inspection, migrations: MigrationSet | None, without: str
) -> Iterator[Problem]:
    """Whether the ledger is ahead of the schema, by what the files make."""
    if migrations is not None:
        yield from warnings.ailments(session, read_state(session, migrations))
        return
    applied = replay(look.history or ()).values()
    if look.ledger.version is not None and not (applied and all(one.ran for one in applied)):
        said = "Versions count as applied that no run of Rung's applied; whether the schema has "
        said += f"what their files make was not checked. {without}"
        yield warnings.not_checked(look.place.ledger, said)


def _ledger(look: Inspection, session: Session, under_way: str) -> Iterator[Problem]:
    if not look.ledger.dirty:
        return
    name = look.place.ledger
    if under_way:
        said = f"The database is {look.ledger}; a run may be under way. {under_way}"
        yield Problem("dirty ledger", name, said, harmless=True)
        return
    entry = left_by(look, session)
    told = _stopped(entry) if entry else "the history does not know the attempt that left it so"
    goes_on = entry is not None and not rolls_back(entry, look.history or ())
    way = f"rung {entry.direction} --resume" if entry and goes_on else "rung repair"
    yield Problem("dirty ledger", name, f"The database is {look.ledger}: {told}.", way)


def _stopped(entry: Attempt) -> str:
    flight = f", and statement {entry.in_flight} was under way" if entry.in_flight else ""
    return (
        f"the {entry.direction} of version {entry.version} stopped behind statement "
        f"{entry.statements_done} of {entry.statements_total}{flight}"
    )


def _attempts(look: Inspection, under_way: str) -> Iterator[Problem]:
    """The rows without an end but the one that the ledger is dirty by, or that may be at work."""
    history = look.history or ()
    for entry in history:
        alive = entry is history[-1] and (bool(under_way) or look.ledger.dirty)
        if entry.outcome is Outcome.RUNNING and not alive:
            yield Problem(
                "unfinished attempt",
                f"{entry.direction} {entry.version}",
                f"The history's row {entry.id} never got its end: that run died. The ledger was "
                "settled since, by a later run or by hand.",
                harmless=True,
            )
