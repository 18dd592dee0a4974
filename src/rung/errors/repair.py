"""Errors of finding out what a dirty database holds, and of mending it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.errors.database import DatabaseError

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
