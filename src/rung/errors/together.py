"""Errors of running all that is pending in one transaction."""

from __future__ import annotations

from rung.errors.plan import PlanError


class AtomicRefused(PlanError):
    """
    A file cannot be in one transaction with others.

    Args:
        version: its version.
        file: its name.
        reason: why not, in a sentence without its end.
    """

    def __init__(self, version: int, file: str, reason: str) -> None:
        super().__init__(version, file, reason)
        self.version, self.file, self.reason = version, file, reason

    @property
    def cause(self) -> str:
        return f"{self.file} cannot be in one transaction with others: {self.reason}."

    @property
    def advice(self) -> str:
        return "Leave --atomic out; or run the files up to that one first, and --atomic behind it."
