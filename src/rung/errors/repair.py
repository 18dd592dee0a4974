"""Errors of finding out what a dirty database holds, and of mending it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.errors.base import _Told
from rung.errors.database import DatabaseError
from rung.errors.plan import PlanError

if TYPE_CHECKING:
    from collections.abc import Sequence


class ScratchFailed(DatabaseError):
    """
    A database to try things on could not be made, or not be filled.

    Args:
        cause: what happened, with the server's reason.
        advice: what to do.
    """

    @property
    def state(self) -> str:
        return "Nothing was done to the dirty database."


class RepairUndecided(DatabaseError):
    """
    What is there does not say what to do, or nothing that could be done is proven.

    Args:
        cause: what was found, in a sentence.
        advice: what would decide it.
        missing: the numbers of the statements that leave no trace, where it is for them.
    """

    def __init__(self, cause: str, advice: str = "", missing: Sequence[int] = ()) -> None:
        super().__init__(cause, advice)
        self.args = (cause, advice, tuple(missing))
        self.missing = tuple(missing)

    @property
    def state(self) -> str:
        return "Nothing was done; the database is still dirty."


class CannotResume(PlanError):
    """
    The file that left the ledger dirty cannot be gone on with.

    Args:
        version: the version that the ledger names, or whose attempt stopped.
        reason: why not, in a sentence without its end.
        command: what to run instead; left out, what looks at the schema itself.
        direction: of the attempt that stopped, where that is known: then the version is its own.
    """

    def __init__(
        self,
        version: int | None,
        reason: str,
        command: str = "rung repair",
        direction: str = "",
    ) -> None:
        super().__init__(version, reason, command, direction)
        self.version, self.reason, self.command = version, reason, command
        self.direction = direction

    @property
    def cause(self) -> str:
        if self.direction:
            return (
                f"The {self.direction} of version {self.version}, which left the database dirty, "
                f"cannot be resumed: {self.reason}."
            )
        shown = "no version" if self.version is None else f"version {self.version}"
        return f"What left the database dirty at {shown} cannot be resumed: {self.reason}."

    @property
    def state(self) -> str:
        return "Nothing was run; the database is as it was found, dirty."

    @property
    def advice(self) -> str:
        if self.command != "rung repair":
            return f"Run: `{self.command}`"
        return (
            "`rung repair` compares the schema with the file, statement by statement, and asks "
            "before it does anything."
        )


class NotCertifiable(_Told):
    """The migrations do not run undisturbed, or not twice alike: there is nothing to hold to."""

    @property
    def state(self) -> str:
        return "No database was touched but one that was thrown away."
