"""
What is found to be wrong, or left over, in a database and on its server, as values.

Drivers and the runs above them find it; nothing here looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that was found."""

    kind: str
    """
    invalid index, reindex leftover, pending detach, stale lock, lock holder, prepared
    transaction, expired lease, open to others, untrusted table, trigger or rule, scratch database,
    unvalidated constraint, dirty ledger, unfinished attempt, ledger ahead of the schema or schema
    not checked.
    """
    name: str
    """What it is about: an index, a partition, a process, a version; qualified and quoted."""
    said: str
    """A sentence."""
    mend: str = ""
    """The SQL or the command that mends it; empty where nothing has to be done, or can be."""
    harmless: bool = False
    """Worth knowing, and nothing that has to be mended: it is under way, or only a remark."""


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """All that was found, the grave before the harmless."""

    database: str
    dirty: bool
    ailments: tuple[Problem, ...] = ()

    @property
    def grave(self) -> tuple[Problem, ...]:
        """What has to be mended."""
        return tuple(one for one in self.ailments if not one.harmless)

    @property
    def harmless(self) -> tuple[Problem, ...]:
        """What is only worth knowing."""
        return tuple(one for one in self.ailments if one.harmless)
