"""The values of a diagnosis: candidates, the states they could have left, the proposed action."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from rung.snapshot import Aspect

if TYPE_CHECKING:
    from rung.ledger import Attempt, LedgerState
    from rung.planning.plan import Plan
    from rung.repair.rollback import Rollback
    from rung.script import Script
    from rung.script.data_loss import DataLoss
    from rung.snapshot import Difference, Snapshot
    from rung.source import Direction, Migration


def comparable(snapshot: Snapshot) -> Snapshot:
    """
    Return the part of a snapshot by which the states of a file are told apart.

    A scratch database has other owners and settings than the live one, and the order of its
    columns says nothing about what a file did. It may run on another major version, which is said
    then: a definition that is written differently there matches no state.
    """
    kept = snapshot.without(Aspect.OWNER, Aspect.ORDER, Aspect.DATABASE)
    return replace(kept, server="")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A migration file that may have left the ledger dirty."""

    migration: Migration
    direction: Direction
    before: int | None
    """The ledger's version before the file ran."""
    after: int | None
    """The ledger's version after a complete run of the file."""
    base: tuple[int, ...]
    """The versions that were applied before the file, in the order of their application."""
    attempt: Attempt | None = None
    """The history's row of the file's run; None where another tool ran it."""
    undo: Attempt | None = None
    """The history's row of an interrupted rollback of the file by `rung repair`."""

    @property
    def version(self) -> int:
        """Return the version of the migration."""
        return self.migration.version

    @property
    def file(self) -> str:
        """Return the name of the file."""
        file = self.migration.half(self.direction)
        return file.file if file else ""


@dataclass(frozen=True, slots=True)
class State:
    """
    A state of the schema at which a file could have stopped.

    Attributes:
        done: how many statements are complete.
        snapshot: the schema.
        partial: the number of a statement that began and left an invalid index.
    """

    done: int
    snapshot: Snapshot
    partial: int | None = None


@dataclass(frozen=True, slots=True)
class TrialResult:
    """The run of a file on a scratch database: each state it could leave, and its failure."""

    candidate: Candidate
    script: Script
    states: tuple[State, ...]
    failure: str = ""
    """The server's message where a statement failed there; else empty."""

    @property
    def total(self) -> int:
        """Return the number of statements of the file."""
        return len(self.script.statements)

    def leaves_trace(self, number: int) -> bool:
        """
        Report whether a statement changes the schema.

        True also for a statement that did not run on scratch: what it changes is not known.
        """
        snapshots = {state.done: state.snapshot for state in self.states if state.partial is None}
        before, after = snapshots.get(number - 1), snapshots.get(number)
        return before is None or after is None or before != after


@dataclass(frozen=True, slots=True)
class StateMatch:
    """
    The result of comparing the live schema with the states that files could have left.

    `trial` is None where there was nothing to compare. Where `done` is None, the number of
    complete statements is not known: `reason` says why, and `undecided` holds the numbers of
    the statements whose state would decide it.
    """

    trial: TrialResult | None
    done: int | None = None
    partial: int | None = None
    evidence: tuple[str, ...] = ()
    """The grounds of the result, in sentences."""
    reason: str = ""
    undecided: tuple[int, ...] = ()
    at_least: int = 0
    """Where statements are undecided: how many are complete in any case, by the schema."""
    differences: tuple[Difference, ...] = ()
    """From the nearest state to the live schema, where no state is equal to it."""
    unrestorable: str = ""
    """Why the session settings that the file made cannot be restored; empty where they can."""
    drift: int = 0
    """How many objects differ that no candidate touches."""


class StatementState(Enum):
    """The state of a statement in the dirty database."""

    APPLIED = "applied"
    NOT_APPLIED = "not applied"
    PARTLY_APPLIED = "partly applied: left an invalid index"
    UNKNOWN = "unknown: leaves no trace"


@dataclass(frozen=True, slots=True)
class StatementReport:
    """One statement of the file, its secrets redacted, and its state."""

    number: int
    line: int
    sql: str
    state: StatementState
    trace: bool = True
    """False where the schema does not show the state, and other evidence decided it."""


class ActionKind(Enum):
    """The kinds of repair."""

    MARK = "mark"
    """Write the ledger as clean; run no SQL of a file."""
    RESUME = "resume"
    """Run the file from the statement where it stopped."""
    ROLL_BACK = "roll back"
    """Undo the part that ran, with SQL that is proved to remove nothing else."""


@dataclass(frozen=True, slots=True)
class Action:
    """
    A proposed repair.

    `version` is the ledger's version after it. `sql` is what runs, with its secrets redacted:
    the rest of the file, the undo, or the statement on the ledger.
    """

    kind: ActionKind
    version: int | None
    description: str
    sql: str
    plan: Plan | None = None
    """For `RESUME` and `ROLL_BACK`: the plan that the executor runs."""
    caution: str = ""
    """What the proof does not cover, in a sentence; else empty."""
    applied: bool = False
    """For `MARK`: whether the up is completely applied."""
    losses: tuple[DataLoss, ...] = ()
    """For `ROLL_BACK`: the rows and values that it deletes; these need a consent of their own."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """
    What a dirty database holds, and the one action that is proposed.

    Where nothing is proposed, `action` is None, and `reason` and `advice` say why, and what
    would help. `stamp` identifies the ledger, history and schema that were inspected.
    """

    ledger: LedgerState
    scratch: str
    """What the file was tried on, for display: `PostgreSQL 16.4`."""
    finding: StateMatch
    statements: tuple[StatementReport, ...] = ()
    action: Action | None = None
    reason: str = ""
    advice: str = ""
    stamp: str = ""
    rollback: Rollback | None = None
    """Whether a rollback is proved; None where a rollback was not considered."""

    @property
    def candidate(self) -> Candidate | None:
        """Return the file that left the ledger dirty; None where no file could have."""
        return self.finding.trial.candidate if self.finding.trial else None
