"""Errors of the migration files and of the SQL in them. None has touched a database."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rung.errors.base import RungError, listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self


class SourceError(RungError):
    """The migration files cannot be used as they are. Nothing was run."""

    @property
    def state(self) -> str:
        return "Nothing was run; the database is as it was."


class SourceNotFound(SourceError):
    """There is no such folder or package."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, reason)
        self.source, self.reason = source, reason

    @property
    def cause(self) -> str:
        return f"No migrations can be read from {self.source}: {self.reason}."

    @property
    def advice(self) -> str:
        return "Name the folder with --source DIR, RUNG_SOURCE, or a package as package:NAME."


class EmptySource(SourceError):
    """
    There is nothing to migrate with.

    Args:
        source: where nothing was found.
        version: the version that the database is at; None where it is at none, or not known.
    """

    def __init__(self, source: str, version: int | None = None) -> None:
        super().__init__(source, version)
        self.source, self.version = source, version

    @property
    def cause(self) -> str:
        return f"There are no migrations in {self.source}."

    @property
    def looked_at(self) -> str:
        return "Looked for files named VERSION_NAME.up.sql and VERSION_NAME.down.sql."

    @property
    def advice(self) -> str:
        return "Name the right folder with --source, or begin with: `rung create NAME`."


class ForeignSource(SourceError):
    """
    There are only migrations of another tool.

    Args:
        source: where they were found.
        tool: whose they are.
        files: their names.
        way: how to make migrations of them.
    """

    def __init__(self, source: str, tool: str, files: Sequence[str], way: str) -> None:
        super().__init__(source, tool, tuple(files), way)
        self.source, self.tool, self.files, self.way = source, tool, tuple(files), way

    @property
    def cause(self) -> str:
        many = "1 file" if len(self.files) == 1 else f"{len(self.files)} files"
        return f"{self.source} holds {many} of {self.tool} and no migration: {listed(self.files)}"

    @property
    def advice(self) -> str:
        return self.way


class MigrationsBelow(SourceError):
    """
    There are migrations in folders below the source, which are not entered.

    Args:
        source: where they were found.
        folders: the folders by their path from there, with the number of files in each.
    """

    def __init__(self, source: str, folders: Mapping[str, int]) -> None:
        super().__init__(source, dict(folders))
        self.source, self.folders = source, dict(folders)

    @property
    def cause(self) -> str:
        found = [
            f"{path} ({count} file{'' if count == 1 else 's'})"
            for path, count in self.folders.items()
        ]
        return f"{self.source} has migrations in folders below it: {listed(found)}"

    @property
    def advice(self) -> str:
        meant = shlex.quote(f"{self.source}/{next(iter(self.folders))}")
        return (
            f"name the folder that is meant, as in `rung up --source {meant}`, or move the files "
            "into one folder, or the folder elsewhere"
        )


class NameUnusable(SourceError):
    """The name of a migration file cannot be shown, or kept in the history."""

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(file, problem)
        self.file, self.problem = file, problem

    @property
    def cause(self) -> str:
        return f'the name of the migration file "{self.file}" {self.problem}'

    @property
    def advice(self) -> str:
        return "rename the file"


class SourceUnreadable(SourceError):
    """A migration file is there and cannot be read (permissions, a FIFO, a link to nowhere)."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(file, reason)
        self.file, self.reason = file, reason

    @property
    def cause(self) -> str:
        return f"The migration file {self.file} cannot be read: {self.reason}."

    @property
    def advice(self) -> str:
        return "Repair or remove the file; an unreadable file is never taken for an empty one."


class DuplicateMigration(SourceError):
    """
    Two files claim one half of one version.

    Args:
        version: the version.
        direction: "up" or "down".
        files: their names.
        free: the next number that no file has, as it is written.
        rename_command: what gives it to the second of them, and to the other half of that.
    """

    def __init__(
        self,
        version: int,
        direction: str,
        files: Sequence[str],
        free: str = "",
        rename_command: str = "",
    ) -> None:
        super().__init__(version, direction, tuple(files), free, rename_command)
        self.version, self.direction, self.files = version, direction, tuple(files)
        self.free, self.rename_command = free, rename_command

    @property
    def cause(self) -> str:
        names = " and ".join(self.files)
        return f"version {self.version} has two {self.direction} files: {names}"

    @property
    def advice(self) -> str:
        if not self.free:
            return "give one of them a number of its own, above the newest"
        return (
            f"the next free number is {self.free}; give it to the one that was applied nowhere: "
            f"`{self.rename_command}`"
        )


class VersionTooLarge(SourceError):
    """A version that no ledger can hold."""

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self.file = file

    @property
    def cause(self) -> str:
        return f"The version of {self.file} is above 9223372036854775807 (2^63-1)."

    @property
    def looked_at(self) -> str:
        return "The ledger's version column is a bigint, which holds no more."

    @property
    def advice(self) -> str:
        return "Rename the file to a smaller number."


class TextUnreadable(SourceError):
    """A migration file is not the text that a database can be sent."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(file, reason)
        self.file, self.reason = file, reason

    @property
    def cause(self) -> str:
        return f"The migration file {self.file} {self.reason}."

    @property
    def advice(self) -> str:
        return "Save it as UTF-8 text."


class ScriptError(RungError):
    """
    The SQL of a file is refused before anything runs.

    Args:
        problem: what is wrong there.
        line: 1-based line of the place.
        file: the file's name, or empty where the text has none yet.
        column: 1-based, in characters; 0 where only the line is known.
        way: what to write instead; empty where the kind of error says it.
    """

    def __init__(
        self, problem: str, line: int, file: str = "", column: int = 0, way: str = ""
    ) -> None:
        super().__init__(problem, line, file, column, way)
        self.problem, self.line, self.file = problem, line, file
        self.column, self.way = column, way

    def in_file(self, file: str) -> Self:
        """The same error of a text that has a name."""
        return type(self)(self.problem, self.line, file, self.column, self.way)

    @property
    def cause(self) -> str:
        if self.column:
            place = f"{self.file}:" if self.file else "line "
            return f"{place}{self.line}:{self.column}: {self.problem}"
        place = f"{self.file}, line {self.line}" if self.file else f"line {self.line}"
        return f"{place}: {self.problem}."

    @property
    def state(self) -> str:
        return "Nothing was run; the database is as it was."

    @property
    def advice(self) -> str:
        return self.way


class UnterminatedToken(ScriptError):
    """A string, comment, dollar quote or COPY block is never closed."""

    @property
    def advice(self) -> str:
        return "Close it; the place named is where it begins."


class UnbalancedTransaction(ScriptError):
    """A BEGIN without its COMMIT, or the reverse."""

    @property
    def advice(self) -> str:
        return "Pair it, or remove it: Rung runs a file in one transaction by itself."


class StatementMisplaced(ScriptError):
    """A statement that can never run where it stands: the server would refuse it half way."""

    @property
    def advice(self) -> str:
        return (
            "End the transaction with COMMIT before it, or take its BEGIN out: outside of one "
            "such a statement is run alone."
        )


class DirectiveUnusable(ScriptError):
    """A line that speaks to Rung itself does not say what it has to."""

    @property
    def advice(self) -> str:
        return "Write it so, in a line of its own: -- rung: compatible-with 7"


class ClientCommand(ScriptError):
    """A line is a command of psql or of SQLite's shell, which no server reads."""


class ForeignMarker(ScriptError):
    """A line is another tool's sign that what undoes the migration follows in the same file."""


class DeclarationUnusable(DirectiveUnusable):
    """A declaration has no reason or is untrue, or a line was meant as a directive and is none."""

    @property
    def advice(self) -> str:
        return f"write it in a line of its own: {self.way or '-- rung: empty REASON'}"
