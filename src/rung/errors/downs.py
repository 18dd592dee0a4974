"""Errors of going down: versions that cannot be reverted, and stored SQL that is unconfirmed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rung.errors.base import listed
from rung.errors.plan import PlanError, on_a_screen

if TYPE_CHECKING:
    from collections.abc import Sequence


class DownProblem(NamedTuple):
    """Why a version cannot be reverted."""

    version: int
    name: str
    file: str
    """The down file; empty where there is none."""
    kind: str
    """irreversible, empty, missing, or edited: the file belongs to another up than what ran."""
    detail: str = ""
    """The declared reason, or why the stored down cannot be run."""


_RESTORE = "restore the files as they were applied"
_KINDS = {
    "irreversible": "is declared irreversible: {detail}",
    "empty": "has an empty down: {file} has no statement",
    "missing": "has no down file",
    "edited": "was applied with another up than the file's, so {file} does not belong to it",
}


@dataclass(eq=False, repr=False)
class DownRefused(PlanError):
    """
    Versions on the way down cannot be reverted.

    Args:
        problems: every one of them, in the order in which they would be reverted.
        command: the command that reverts as many versions as were asked for.
    """

    problems: Sequence[DownProblem]
    command: str

    @property
    def cause(self) -> str:
        shown = listed([f"{one.version} ({one.name})" for one in self.problems])
        return f"cannot revert {'version' if len(self.problems) == 1 else 'versions'} {shown}"

    @property
    def detail(self) -> str:
        sentences = []
        for one in self.problems:
            fact = _KINDS[one.kind].format(file=one.file, detail=one.detail)
            if one.detail and one.kind != "irreversible":
                fact += f"; its stored down {one.detail}"
            sentences.append(f"Version {one.version} ({one.name}) {fact}.")
        return "\n".join(sentences)

    @property
    def hint(self) -> str:
        kinds = {one.kind for one in self.problems}
        if "irreversible" in kinds:
            return "write a new migration that undoes the change, and run `rung up`"
        unwritten, edited = bool(kinds & {"empty", "missing"}), "edited" in kinds
        write = (
            "write the down; or, if there is nothing to revert, declare it there: "
            "-- rung: empty REASON"
        )
        if unwritten and not self.command.startswith(("rung down", "rung goto")):
            return f"{write}\n{_RESTORE}" if edited else write
        if unwritten and edited:
            options = "--allow-missing-down --use-edited-down"
            return (
                f"{write}\n{_RESTORE}\nor skip the empty and missing ones, and run the down files "
                f"of the others, if they revert what exists: `{self._with(options)}`"
            )
        if unwritten:
            return f"{write}; or skip it: `{self._with('--allow-missing-down')}`"
        return (
            f"{_RESTORE}; or, if the down file reverts what exists, run it: "
            f"`{self._with('--use-edited-down')}`"
        )

    def _with(self, options: str) -> str:
        """Add options to the command, each once."""
        words = self.command.split()
        return " ".join([*words, *(one for one in options.split() if one not in words)])


@dataclass(eq=False, repr=False)
class RedoUnfinished(PlanError):
    """
    A redo would revert the migration below the one that the last redo left unapplied.

    Args:
        version: what was reverted, and failed to be applied since.
        name: its title.
    """

    version: int
    name: str

    @property
    def cause(self) -> str:
        return (
            f"version {self.version} ({self.name}) was reverted and its up has failed since; "
            "a redo now would revert the migration before it"
        )

    @property
    def hint(self) -> str:
        return (
            "fix its file and apply it: `rung up`; to redo the one before it, revert that first: "
            "`rung down`"
        )


@dataclass(eq=False, repr=False)
class StoredSqlUnconfirmed(PlanError):
    """
    Other roles could have written the stored down that would run, and it was not confirmed.

    Args:
        version: the version that it reverts.
        sha256: the SHA-256 of the text.
        reason: why it must be read first, in a few words.
        sql: the text, which holds no secret.
        command: the command that asked for it.
    """

    version: int
    sha256: str
    reason: str
    sql: str
    command: str

    @property
    def cause(self) -> str:
        return f"the stored down of version {self.version} must be read before it runs"

    @property
    def detail(self) -> str:
        return f"{self.reason}\nIts text:\n{on_a_screen(self.sql.splitlines())}"

    @property
    def hint(self) -> str:
        return (
            "read it, and if it may run, confirm it: "
            f"`{self.command} --yes --run-stored-sql {self.sha256}`"
        )
