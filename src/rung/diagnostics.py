"""
Problems and leftovers in a database and on its server, as values.

Drivers and the runs above them find them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Problem(NamedTuple):
    """One problem that `doctor` found."""

    kind: str
    """
    invalid index, reindex leftover, pending detach, stale lock, lock holder, prepared
    transaction, expired lease, open to others, untrusted table, trigger or rule, scratch database,
    scratch role, unvalidated constraint, dirty ledger, unfinished attempt, ledger ahead of the
    schema or schema not checked.
    """
    name: str
    """What it is about: an index, a partition, a process, a version; qualified and quoted."""
    description: str
    """A sentence."""
    fix: str = ""
    """The SQL or the command that fixes it; empty where nothing has to be done, or can be."""
    harmless: bool = False
    """True for a remark: nothing has to be fixed."""


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """All problems, the serious ones before the harmless."""

    database: str
    dirty: bool
    problems: tuple[Problem, ...] = ()

    @property
    def serious(self) -> tuple[Problem, ...]:
        """The problems that have to be fixed."""
        return tuple(one for one in self.problems if not one.harmless)

    @property
    def harmless(self) -> tuple[Problem, ...]:
        """The remarks."""
        return tuple(one for one in self.problems if one.harmless)
