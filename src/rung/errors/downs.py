"""Errors of going down: versions that cannot be reverted, and stored SQL that nobody has read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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
    """The reason that was declared, or why the stored down cannot be run."""


_BRING_BACK = "bring the files back that were applied"
_KINDS = {
    "irreversible": "is declared irreversible: {detail}",
    "empty": "has an empty down: {file} holds no statement",
    "missing": "has no down file",
    "edited": "was applied with another up than the file's, so {file} does not belong to it",
}


class DownRefused(PlanError):
    """
    Versions on the way down cannot be reverted.

    Args:
        problems: every one of them, in the order in which they would be reverted.
        command: the command that reverts as many versions as were asked for.
    """

    def __init__(self, problems: Sequence[DownProblem], command: str) -> None:
        super().__init__(tuple(problems), command)
        self.problems, self.command = tuple(problems), command

    @property
    def cause(self) -> str:
        shown = ", ".join(f"{one.version} ({one.name})" for one in self.problems)
        return f"cannot revert {shown}"

    @property
    def looked_at(self) -> str:
        return "\n".join(map(_of_problem, self.problems))

    @property
    def advice(self) -> str:
        kinds = {one.kind for one in self.problems}
        if "irreversible" in kinds:
            return "write a new migration that takes the change back, and run `rung up`"
        unwritten, edited = bool(kinds & {"empty", "missing"}), "edited" in kinds
        write = (
            "write the down; or, if there is nothing to revert, declare it there: "
            "-- rung: empty REASON"
        )
        if unwritten and not self.command.startswith(("rung down", "rung goto")):
            return f"{write}\n{_BRING_BACK}" if edited else write
        if unwritten and edited:
            options = "--allow-missing-down --use-edited-down"
            return (
                f"{write}\n{_BRING_BACK}\nor pass the empty and missing ones, and run the down "
                f"files of the others, if they revert what is there: `{self._with(options)}`"
            )
        if unwritten:
            return f"{write}; or pass it: `{self._with('--allow-missing-down')}`"
        return (
            f"{_BRING_BACK}; or, if the down file reverts what is there, run it: "
            f"`{self._with('--use-edited-down')}`"
        )

    def _with(self, options: str) -> str:
        """The command with options, each once."""
        words = self.command.split()
        return " ".join([*words, *(one for one in options.split() if one not in words)])


def _of_problem(problem: DownProblem) -> str:
    said = _KINDS[problem.kind].format(file=problem.file, detail=problem.detail)
    kept = f"; its stored down {problem.detail}" if problem.detail else ""
    more = "" if problem.kind == "irreversible" else kept
    return f"{problem.version} ({problem.name}) {said}{more}."


class RedoUnfinished(PlanError):
    """
    A redo would revert one migration more than the one that the last redo left unapplied.

    Args:
        version: what was reverted, and whose up has failed since.
        name: its title.
    """

    def __init__(self, version: int, name: str) -> None:
        super().__init__(version, name)
        self.version, self.name = version, name

    @property
    def cause(self) -> str:
        return (
            f"version {self.version} ({self.name}) was reverted and its up has failed since; "
            "a redo now would revert the migration before it"
        )

    @property
    def advice(self) -> str:
        return (
            "fix its file and apply it: `rung up`; to redo the one before it, revert that first: "
            "`rung down`"
        )


class StoredSqlUnconfirmed(PlanError):
    """
    A stored down would run that others could have written, and nobody has read it.

    Args:
        version: the version that it reverts.
        sha256: the SHA-256 of the text.
        reason: why it may not run unseen, in a few words.
        sql: the text, which holds no secret.
        command: the command that asked for it.
    """

    def __init__(self, version: int, sha256: str, reason: str, sql: str, command: str) -> None:
        super().__init__(version, sha256, reason, sql, command)
        self.version, self.sha256, self.reason = version, sha256, reason
        self.sql, self.command = sql, command

    @property
    def cause(self) -> str:
        return f"the stored down of version {self.version} may not run before it was read"

    @property
    def looked_at(self) -> str:
        return f"{self.reason}\nIts text is:\n{on_a_screen(self.sql.splitlines())}"

    @property
    def advice(self) -> str:
        return (
            "read it, and if it is what has to run, let this text run: "
            f"`{self.command} --yes --run-stored-sql {self.sha256}`"
        )
