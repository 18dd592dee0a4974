"""Errors of planning: what was asked for does not fit the files and the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

from rung.errors.base import RungError


class PlanError(RungError):
    """What was asked for does not fit the files and the ledger. Nothing was run."""


class DirtyLedger(PlanError):
    """
    An earlier run did not finish.

    Args:
        version: the version the ledger names; None or -1 where it names none.
        attempt: what the history knows of the attempt, in a sentence; may be empty.
    """

    def __init__(self, version: int | None, attempt: str = "") -> None:
        super().__init__(version, attempt)
        self.version, self.attempt = version, attempt

    @property
    def cause(self) -> str:
        shown = "no version" if self.version is None else f"version {self.version}"
        return f"The database is dirty at {shown}: an earlier run did not finish."

    @property
    def looked_at(self) -> str:
        return self.attempt or "The history has no row of it: another tool left it so."

    @property
    def state(self) -> str:
        return "Nothing was run; the database is as it was found."

    @property
    def advice(self) -> str:
        return (
            "Compare the schema with the files, mend it by hand, then record the version it is "
            "really at: rung force V (rung force -- -1 for none)."
        )


class VersionNotInSource(PlanError):
    """
    A version was named that has no file.

    Args:
        version: the version.
        role: "ledger" where the database is at it, "target" where it was asked for.
        known: the versions that have files, ascending.
    """

    def __init__(self, version: int, role: str, known: Sequence[int]) -> None:
        super().__init__(version, role, tuple(known))
        self.version, self.role, self.known = version, role, tuple(known)

    @property
    def ahead(self) -> bool:
        """True where the database is at a version above every file: an older checkout."""
        return self.role == "ledger" and self.version > max(self.known, default=-1)

    @property
    def cause(self) -> str:
        if self.ahead:
            return f"The database is ahead: it is at version {self.version}, which has no file."
        if self.role == "ledger":
            return f"The database is at version {self.version}, which has no file."
        return f"There is no migration with version {self.version}."

    @property
    def looked_at(self) -> str:
        if not self.known:
            return "The source holds no migrations."
        below = [v for v in self.known if v < self.version][-1:]
        above = [v for v in self.known if v > self.version][:1]
        near = " and ".join(str(v) for v in below + above)
        return f"The source holds {len(self.known)} migrations; the nearest: {near}."

    @property
    def state(self) -> str:
        return "Nothing was run; the database is as it was."

    @property
    def advice(self) -> str:
        if self.ahead:
            return "Run the newer checkout that has the file, or go down with it first."
        if self.role == "ledger":
            return "Bring the file back, or record the true version: rung force V."
        return "See rung status for the versions there are."


class ConfirmationRequired(PlanError):
    """Something would be lost and nobody said yes."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    @property
    def cause(self) -> str:
        return f"{self.what} was not confirmed."

    @property
    def state(self) -> str:
        return "Nothing was run; the database is as it was."

    @property
    def advice(self) -> str:
        return "Answer y on a terminal, or pass --yes where there is none."


class PlanChanged(PlanError):
    """The plan that somebody was shown is no longer the one that would run."""

    @property
    def cause(self) -> str:
        return "The database moved on since the plan was shown."

    @property
    def state(self) -> str:
        return "Nothing was run; the database is as the other run left it."

    @property
    def advice(self) -> str:
        return "Look at rung status and ask again."
