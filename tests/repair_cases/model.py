"""What a case of a dirty database is, and how it is judged: for the tests and for counting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung import Goto, Migrator
from rung.cancellation import CancelToken
from rung.database import Database
from rung.drivers import open_driver
from rung.errors import RungError
from rung.ledger import LedgerState
from rung.snapshot import Snapshot, differences

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.repair_cases.stage import Stage

    from rung.repair import Diagnosis


@dataclass(frozen=True, slots=True)
class Expected:
    """The right diagnosis, and the database after the repair."""

    direction: str
    done: int | None
    """How many statements; None where the evidence does not decide."""
    action: str | None
    """mark, resume, roll back; None where nothing may be proposed."""
    ledger: int | None
    """The version at which the database is clean after the repair."""
    version: int = 2
    half: int | None = None
    open: tuple[int, ...] = ()
    """The statements whose state would decide, where `done` is None."""
    said: int | None = None
    """What a person then says is done; the action follows from it."""
    drift: int = 0
    fixed: str = ""
    """What a person does to the rows between the diagnosis and the repair, as it advises."""


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of dirty database."""

    name: str
    sentence: str
    """How it came to be."""
    make: Callable[[Stage], None]
    expected: Expected
    needs_golang_migrate: bool = False
    drift: tuple[str, ...] = ()
    """What stands in the identity of the objects that were made past every tool, and stay."""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `repair` came to on a case."""

    case: str
    diagnosed: bool
    repaired: bool
    told: str
    """What was wrong; empty where nothing was."""


def try_case(case: Case, stage: Stage, twin: str) -> Verdict:
    """
    Make a dirty database, diagnose and repair it, and judge both.

    Args:
        case: which.
        stage: with an empty database.
        twin: the URL of another empty database, for an undisturbed run to compare with.
    """
    case.make(stage)
    if not stage.ask("SELECT 1 FROM schema_migrations WHERE dirty"):
        return Verdict(case.name, diagnosed=False, repaired=False, told="it was not made dirty")
    migrator = Migrator(stage.url, stage.folder)
    try:
        found = migrator.diagnose()
        wrong = _misjudged(case.expected, found)
        if not wrong and case.expected.said is not None:
            found = migrator.diagnose(done=case.expected.said)
    except RungError as error:
        return Verdict(case.name, diagnosed=False, repaired=False, told=str(error))
    if wrong or found is None:
        return Verdict(case.name, diagnosed=False, repaired=False, told=wrong)
    wrong = _repair_and_check(case, stage, twin, migrator, found)
    return Verdict(case.name, diagnosed=True, repaired=not wrong, told=wrong)


def _misjudged(expected: Expected, found: Diagnosis | None) -> str:
    if found is None or found.candidate is None:
        return "no diagnosis"
    facts = (
        found.candidate.version,
        found.candidate.direction.value,
        found.finding.done,
        found.finding.partial,
        found.finding.undecided,
        found.finding.drift,
    )
    wanted = (
        expected.version,
        expected.direction,
        expected.done,
        expected.half,
        expected.open,
        expected.drift,
    )
    if facts != wanted:
        return f"{facts} instead of {wanted}; {found.finding}"
    if expected.said is None and _kind(found) != expected.action:
        return f"{_kind(found)} instead of {expected.action}: {found.reason}"
    return ""


def _kind(found: Diagnosis) -> str | None:
    return found.action.kind.value if found.action else None


def _repair_and_check(
    case: Case, stage: Stage, twin: str, migrator: Migrator, found: Diagnosis
) -> str:
    """Return what is wrong after the repair; empty where all is well."""
    if _kind(found) != case.expected.action:
        return f"{_kind(found)} instead of {case.expected.action}: {found.reason}"
    if found.action is None:
        return "" if migrator.version().dirty else "something was done"
    if case.expected.fixed:
        stage.ask(case.expected.fixed)
    try:
        migrator.repair(found)
    except RungError as error:
        return str(error)
    if migrator.version() != LedgerState(case.expected.ledger):
        return f"the ledger is {migrator.version()}"
    states = {line.version: line.state for line in migrator.status().lines}
    wanted = {
        version: "applied" if version <= (case.expected.ledger or 0) else "pending"
        for version in states
    }
    if states != wanted:
        return f"the migrations are {states}"
    if case.expected.ledger is not None:
        Migrator(twin, stage.folder).run(Goto(case.expected.ledger))
    apart = differences(_schema(twin), _schema(stage.url))
    strange = [one for one in apart if not any(name in one.identity for name in case.drift)]
    return f"the schema differs: {strange}" if strange else ""


def _schema(url: str) -> Snapshot:
    with open_driver(Database(url)).connect(CancelToken()) as session:
        return session.snapshot()
