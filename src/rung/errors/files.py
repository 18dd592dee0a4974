"""Errors of the migration files and of the SQL in them. None has touched a database."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rung.errors.base import UNCHANGED, RungError, listed
from rung.errors.location import SourceLocation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self


@dataclass(eq=False, repr=False)
class SourceError(RungError):
    """The migration files cannot be used as they are. Nothing was run."""

    @property
    def database(self) -> str:
        return UNCHANGED


@dataclass(eq=False, repr=False)
class SourceNotFound(SourceError):
    """There is no such folder or package."""

    source: str
    reason: str

    @property
    def cause(self) -> str:
        return f'could not read migrations from "{self.source}": {self.reason}'

    @property
    def hint(self) -> str:
        return "name the folder with --source DIR or RUNG_SOURCE, or a package as package:NAME"


@dataclass(eq=False, repr=False)
class EmptySource(SourceError):
    """
    The source has no migrations.

    Args:
        source: the folder or package.
        version: the version that the database is at; None where it is at none, or not read.
    """

    source: str
    version: int | None = None

    @property
    def cause(self) -> str:
        return f'no migrations in "{self.source}"'

    @property
    def detail(self) -> str:
        return "Migrations are files named VERSION_TITLE.up.sql and VERSION_TITLE.down.sql."

    @property
    def hint(self) -> str:
        return "name another folder with --source, or create a migration: `rung create NAME`"


@dataclass(eq=False, repr=False)
class ForeignSource(SourceError):
    """
    The source has only migrations of another tool.

    Args:
        source: the folder or package.
        tool: the other tool's name.
        files: the names of its files.
        way: how to convert them.
    """

    source: str
    tool: str
    files: Sequence[str]
    way: str

    @property
    def cause(self) -> str:
        return f'no migrations in "{self.source}", only files of {self.tool}'

    @property
    def detail(self) -> str:
        many = "1 file" if len(self.files) == 1 else f"{len(self.files)} files"
        return f"Found {many} of {self.tool}: {listed(self.files)}."

    @property
    def hint(self) -> str:
        return self.way


@dataclass(eq=False, repr=False)
class MigrationsBelow(SourceError):
    """
    There are migrations in folders below the source, which are not read.

    Args:
        source: the folder or package.
        folders: the folders by their path from there, with the number of files in each.
    """

    source: str
    folders: Mapping[str, int]

    @property
    def cause(self) -> str:
        return f'"{self.source}" has migrations in subfolders, which are not read'

    @property
    def detail(self) -> str:
        found = [
            f"{path} ({count} file{'' if count == 1 else 's'})"
            for path, count in self.folders.items()
        ]
        return f"Subfolders with migrations: {listed(found)}."

    @property
    def hint(self) -> str:
        meant = shlex.quote(f"{self.source}/{next(iter(self.folders))}")
        return (
            f"name one folder, as in `rung up --source {meant}`, or move the files into one "
            "folder, or move the subfolder elsewhere"
        )


@dataclass(eq=False, repr=False)
class NameUnusable(SourceError):
    """The name of a migration file cannot be shown, or kept in the history."""

    file: str
    problem: str

    @property
    def cause(self) -> str:
        return f'the name of the migration file "{self.file}" {self.problem}'

    @property
    def hint(self) -> str:
        return "rename the file"


@dataclass(eq=False, repr=False)
class SourceUnreadable(SourceError):
    """A migration file exists and cannot be read (permissions, a FIFO, a dangling link)."""

    file: str
    reason: str

    @property
    def cause(self) -> str:
        return f"could not read migration file {self.file}: {self.reason}"

    @property
    def hint(self) -> str:
        return "repair or remove the file; Rung never treats an unreadable file as empty"


@dataclass(eq=False, repr=False)
class DuplicateMigration(SourceError):
    """
    Two files claim the same direction of one version.

    Args:
        version: the version.
        direction: "up" or "down".
        files: their names.
        free: the next number that no file has, as it is written.
        rename_command: renames the second of them, and its counterpart, to that number.
    """

    version: int
    direction: str
    files: Sequence[str]
    free: str = ""
    rename_command: str = ""

    @property
    def cause(self) -> str:
        names = " and ".join(self.files)
        return f"version {self.version} has two {self.direction} files: {names}"

    @property
    def hint(self) -> str:
        if not self.free:
            return "rename one of them to a number above the newest"
        return (
            f"the next free number is {self.free}; rename the file that was applied nowhere: "
            f"`{self.rename_command}`"
        )


@dataclass(eq=False, repr=False)
class VersionTooLarge(SourceError):
    """The ledger cannot hold the version."""

    file: str

    @property
    def cause(self) -> str:
        return f"the version of {self.file} is above 9223372036854775807 (2^63-1)"

    @property
    def detail(self) -> str:
        return "The ledger's version column is a bigint."

    @property
    def hint(self) -> str:
        return "rename the file to a smaller number"


@dataclass(eq=False, repr=False)
class TextUnreadable(SourceError):
    """A migration file is not text that a database accepts."""

    file: str
    reason: str

    @property
    def cause(self) -> str:
        return f"cannot use migration file {self.file}: it {self.reason}"

    @property
    def hint(self) -> str:
        return "save it as UTF-8 text"


@dataclass(eq=False, repr=False)
class ScriptError(RungError):
    """
    The SQL of a file is rejected before anything runs.

    Args:
        problem: what is wrong there.
        line: 1-based line of the place.
        file: the file's name, or empty where the text has none yet.
        column: 1-based, in characters; 0 where only the line is known.
        way: what to write instead; empty where the kind of error says it.
    """

    problem: str
    line: int
    file: str = ""
    column: int = 0
    way: str = ""

    def in_file(self, file: str) -> Self:
        """Return the same error for a text that has a name."""
        return replace(self, file=file)

    @property
    def located(self) -> str:
        """The place and the cause on one line."""
        return f"{self.where}: {self.problem}"

    @property
    def cause(self) -> str:
        return self.problem

    @property
    def where(self) -> SourceLocation:
        return SourceLocation(self.file, self.line, self.column)

    @property
    def database(self) -> str:
        return UNCHANGED

    @property
    def hint(self) -> str:
        return self.way


class UnterminatedToken(ScriptError):
    """A string, comment, dollar quote or COPY block is never closed."""

    @property
    def hint(self) -> str:
        return "close it; the location is where it begins"


class UnbalancedTransaction(ScriptError):
    """A BEGIN without its COMMIT, or the reverse."""

    @property
    def hint(self) -> str:
        return "pair it, or remove it: Rung runs a file in one transaction by itself"


class StatementMisplaced(ScriptError):
    """A statement that the server always rejects inside a transaction stands inside one."""

    @property
    def hint(self) -> str:
        return (
            "write COMMIT before it, or remove the file's BEGIN: outside of a transaction such a "
            "statement is run alone"
        )


class DirectiveUnusable(ScriptError):
    """A directive for Rung lacks its value or has a malformed one."""

    @property
    def hint(self) -> str:
        return "write the directive in a line of its own: -- rung: compatible-with 7"


class ClientCommand(ScriptError):
    """A line is a command of psql or of SQLite's shell, which no server executes."""


class ForeignMarker(ScriptError):
    """A line is another tool's marker for a down in the same file."""


class DeclarationUnusable(DirectiveUnusable):
    """A declaration lacks its reason or is untrue, or a directive is unrecognized."""

    @property
    def hint(self) -> str:
        return f"write the directive in a line of its own: {self.way or '-- rung: empty REASON'}"
