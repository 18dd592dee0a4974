"""Errors of inspecting and repairing a dirty database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.errors.base import _Worded
from rung.errors.database import DatabaseError
from rung.errors.plan import PlanError

if TYPE_CHECKING:
    from collections.abc import Sequence


class ScratchFailed(DatabaseError):
    """
    The scratch database could not be created, or the files do not run there.

    Args:
        message: what happened, with the server's reason.
        remedy: what to do.
    """

    @property
    def database(self) -> str:
        return "still dirty; nothing was changed"


@dataclass(eq=False, repr=False)
class RepairUndecided(DatabaseError):
    """
    The schema does not show what to do, or no repair is proven.

    Args:
        message: the finding.
        remedy: what would decide it.
        missing: the numbers of the statements that leave no trace in the schema.
    """

    missing: Sequence[int] = ()

    @property
    def database(self) -> str:
        return "still dirty; nothing was changed"


@dataclass(eq=False, repr=False)
class CannotResume(PlanError):
    """
    The migration that left the ledger dirty cannot be resumed.

    Args:
        version: the version that the ledger names, or whose attempt stopped.
        reason: why not, without a stop.
        command: what to run instead; by default the command that inspects the schema.
        direction: of the attempt that stopped, where that is known: then the version is its own.
    """

    version: int | None
    reason: str
    command: str = "rung repair"
    direction: str = ""

    @property
    def cause(self) -> str:
        at = "no version" if self.version is None else f"version {self.version}"
        what = (
            f"the {self.direction} of {at}" if self.direction else f"the run that stopped at {at}"
        )
        return f"cannot resume {what}: {self.reason}"

    @property
    def database(self) -> str:
        return "still dirty; nothing was run"

    @property
    def hint(self) -> str:
        if self.command != "rung repair":
            return f"run `{self.command}`"
        return (
            "run `rung repair`: it compares the schema with the file, statement by statement, and "
            "asks before it changes anything"
        )


class NotCertifiable(_Worded):
    """The migrations fail without faults, or two runs of them differ: there is no baseline."""

    @property
    def database(self) -> str:
        return "only disposable databases were used"
