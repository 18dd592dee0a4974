"""Errors of going on with a file that stopped in the middle."""

from __future__ import annotations

from rung.errors.plan import PlanError


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
