"""The outcome of each migration, and the report of all of them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from rung.snapshot import Aspect, diff_tree, differences, possible_renames

if TYPE_CHECKING:
    from rung.errors import SourceLocation
    from rung.snapshot import Difference, DiffNode, Snapshot
    from rung.source import Migration


class ProofOutcome(StrEnum):
    """What came of a check."""

    PROVED = "proved"
    REFUTED = "refuted"
    NOT_PROVED = "not proved"
    IRREVERSIBLE = "irreversible"
    """Declared by `-- rung: irreversible REASON`: only the up was run."""


@dataclass(frozen=True, slots=True)
class Fix:
    """SQL to append to a down file; after it the schema was equal to the one before the up."""

    sql: str


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """
    How a schema differs from the one that it should be equal to.

    Args:
        left: what is there and should not be, with its parts below it.
        missing: what should be there.
        changed: what is defined differently.
        order_only: tables that differ in the order of their columns alone.
        renames: pairs of a missing and a left object that are possibly the same one.
    """

    left: tuple[DiffNode, ...] = ()
    missing: tuple[DiffNode, ...] = ()
    changed: tuple[Difference, ...] = ()
    order_only: tuple[str, ...] = ()
    renames: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.but_for_order or self.order_only)

    @property
    def but_for_order(self) -> bool:
        """Whether more than the order of columns differs."""
        return bool(self.left or self.missing or self.changed)

    @classmethod
    def between(cls, expected: Snapshot, actual: Snapshot) -> SchemaChange:
        """Compare the schema that was expected with the one that is there."""
        tree = diff_tree(expected, actual)
        kinds = {kind: [one for one in tree if one.difference.kind == kind] for kind in _KINDS}
        changed = [one.difference for one in kinds["changed"]]
        return cls(
            tuple(kinds["added"]),
            tuple(kinds["removed"]),
            tuple(one for one in changed if one.aspect is not Aspect.ORDER),
            tuple(_table(one.identity) for one in changed if one.aspect is Aspect.ORDER),
            possible_renames(expected, actual),
        )


_KINDS = ("added", "removed", "changed")


def _table(identity: str) -> str:
    return identity.removeprefix("column order of ")


@dataclass(frozen=True, slots=True)
class MigrationProof:
    """
    The outcome of one migration.

    Args:
        migration: its files.
        outcome: proved, refuted, not proved or irreversible.
        why: the reason, where it is not proved by the schema: a sentence without a stop.
        after_down: how the schema after the down differs from the one before the up.
        after_again: how the schema after the second up differs from the one after the first.
        fix: SQL that repairs what the down leaves and misses; None where none was proved.
        not_compared: what the files change besides the schema, such as rows.
        place: of the statement that failed; None where none did.
    """

    migration: Migration
    outcome: ProofOutcome
    why: str = ""
    after_down: SchemaChange = SchemaChange()
    after_again: SchemaChange = SchemaChange()
    fix: Fix | None = None
    not_compared: tuple[str, ...] = ()
    place: SourceLocation | None = None

    @property
    def version(self) -> int:
        """The version of the migration."""
        return self.migration.version


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """
    The proofs, oldest migration first, and where they were found.

    Args:
        proofs: one for each migration that was asked about.
        total: how many migrations the source has.
        server: the scratch server, such as `PostgreSQL 15.18`.
        role: whose rights the files had there, in words.
        notes: what about the scratch database differs from the target, in clauses.
        seconds: how long it took.
    """

    proofs: tuple[MigrationProof, ...]
    total: int
    server: str
    role: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def outcome(self) -> ProofOutcome:
        """The outcome of all: one that is refuted counts before one that is not proved."""
        found = {one.outcome for one in self.proofs}
        for outcome in (ProofOutcome.REFUTED, ProofOutcome.NOT_PROVED):
            if outcome in found:
                return outcome
        return ProofOutcome.PROVED

    def count(self, outcome: ProofOutcome) -> int:
        """Count the migrations with an outcome."""
        return sum(one.outcome is outcome for one in self.proofs)


def is_equal(expected: Snapshot, actual: Snapshot) -> bool:
    """Report whether nothing differs, the order of columns included."""
    return not differences(expected, actual)
