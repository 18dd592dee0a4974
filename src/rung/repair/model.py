"""The values of a diagnosis: what may have run, what it could have left, what was found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rung.ledger import Attempt, LedgerState
    from rung.planning.plan import Plan
    from rung.repair.rollback import Rollback
    from rung.script import Script
    from rung.script.data_loss import DataLoss
    from rung.snapshot import Difference, Snapshot
    from rung.source import Direction, Migration


@dataclass(frozen=True, slots=True)
class Candidate:
    """A half that may be what left the ledger dirty."""

    migration: Migration
    direction: Direction
    before: int | None
    """Where the ledger was before it."""
    after: int | None
    """Where it would be after it."""
    base: tuple[int, ...]
    """The versions that were applied before it, in the order they were."""
    attempt: Attempt | None = None
    """The history's row of it; None where another tool ran it."""
    undo: Attempt | None = None
    """The history's row of a roll back of it by us that stopped in the middle."""

    @property
    def version(self) -> int:
        """The version of the migration."""
        return self.migration.version

    @property
    def file(self) -> str:
        """The name of the file."""
        half = self.migration.half(self.direction)
        return half.file if half else ""


@dataclass(frozen=True, slots=True)
class State:
    """
    A point at which a file could have stopped.

    `half` is the number of a statement that was begun and left something of itself behind: an
    index that is not valid.
    """

    done: int
    snapshot: Snapshot
    half: int | None = None


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What a file came to on scratch: each state it could have left, and where it failed."""

    suspect: Candidate
    script: Script
    states: tuple[State, ...]
    failure: str = ""
    """Why a statement of it failed there, in the server's words; empty where none did."""

    @property
    def total(self) -> int:
        """How many statements the file has."""
        return len(self.script.statements)

    def leaves_trace(self, number: int) -> bool:
        """Whether the schema tells if a statement ran; unknown ones are taken to tell."""
        known = {state.done: state.snapshot for state in self.states if state.half is None}
        before, after = known.get(number - 1), known.get(number)
        return before is None or after is None or before != after


@dataclass(frozen=True, slots=True)
class StateMatch:
    """
    What the comparison came to.

    `tried` is None where nothing was left to compare. `done` is None where that is not known;
    `reason` says why then, and `open` numbers the statements whose fate would decide it.
    """

    tried: TrialResult | None
    done: int | None = None
    half: int | None = None
    evidence: tuple[str, ...] = ()
    """What it rests on, in sentences."""
    reason: str = ""
    open: tuple[int, ...] = ()
    at_least: int = 0
    """Where statements are open: how many are done by the schema, but for those."""
    differences: tuple[Difference, ...] = ()
    """From the nearest state to the live schema, where none is equal."""
    unseen: str = ""
    """Why the session that the file had set cannot be made again; empty where it can."""
    drift: int = 0
    """How many objects differ that none of the files has to do with."""


class Fate(Enum):
    """What became of a statement."""

    APPLIED = "applied"
    NOT_APPLIED = "not applied"
    HALF = "half: left an invalid index"
    UNKNOWN = "unknown: leaves no trace"


@dataclass(frozen=True, slots=True)
class StatementFound:
    """One statement of the file, its beginning masked, and what became of it."""

    number: int
    line: int
    sql: str
    fate: Fate
    trace: bool = True
    """False where the schema cannot tell, and something else has."""


class ActionKind(Enum):
    """What mends a dirty database."""

    MARK = "mark"
    """Write the ledger, clean; runs no SQL of a file."""
    RESUME = "resume"
    """Run the file from the statement where it stopped."""
    ROLL_BACK = "roll back"
    """Undo what is half there, with SQL that is proved to take away nothing else."""


@dataclass(frozen=True, slots=True)
class Action:
    """
    What is proposed.

    `version` is where the ledger stands behind it. `sql` is what runs, its secrets masked: of
    the file, of the undo, or on the ledger.
    """

    kind: ActionKind
    version: int | None
    words: str
    sql: str
    plan: Plan | None = None
    """For `RESUME` and `ROLL_BACK`: what the runner carries out."""
    caution: str = ""
    """What the proof does not hold for, in a sentence; empty where there is no such."""
    applied: bool = False
    """For `MARK`: whether all of an up is there."""
    losses: tuple[DataLoss, ...] = ()
    """For `ROLL_BACK`: the rows and values that it takes away; it needs a word of its own then."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """
    What a dirty database holds, and the one action that is proposed.

    `action` is None where nothing is proposed; `reason` and `advice` say why then, and what
    would help. `stamp` tells whether ledger, history or schema have moved since.
    """

    ledger: LedgerState
    scratch: str
    """What the file was tried on, for people."""
    finding: StateMatch
    statements: tuple[StatementFound, ...] = ()
    action: Action | None = None
    reason: str = ""
    advice: str = ""
    stamp: str = ""
    rollback: Rollback | None = None
    """What is known of rolling back; None where that was not looked at."""

    @property
    def suspect(self) -> Candidate | None:
        """The file that left the ledger dirty."""
        return self.finding.tried.suspect if self.finding.tried else None
