"""Errors of the migration files and of the SQL in them. None has touched a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

from rung.errors.base import RungError


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


class SourceUnreadable(SourceError):
    """A migration file is there and cannot be read (permissions, dangling link)."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(file, reason)
        self.file, self.reason = file, reason

    @property
    def cause(self) -> str:
        return f"The migration file {self.file} cannot be read: {self.reason}."

    @property
    def advice(self) -> str:
        return "Mend or remove the file; an unreadable file is never taken for an empty one."


class DuplicateMigration(SourceError):
    """Two files claim one half of one version."""

    def __init__(self, version: int, direction: str, files: Sequence[str]) -> None:
        super().__init__(version, direction, tuple(files))
        self.version, self.direction, self.files = version, direction, tuple(files)

    @property
    def cause(self) -> str:
        names = " and ".join(self.files)
        return f"Version {self.version} has two {self.direction} files: {names}."

    @property
    def advice(self) -> str:
        return "Give one of them a number of its own, above the newest."


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
        file: the file's name, or empty where the text has none yet.
        line: 1-based line of the place.
        problem: what is wrong there.
    """

    def __init__(self, problem: str, line: int, file: str = "") -> None:
        super().__init__(problem, line, file)
        self.problem, self.line, self.file = problem, line, file

    @property
    def cause(self) -> str:
        place = f"{self.file}, line {self.line}" if self.file else f"line {self.line}"
        return f"{place}: {self.problem}."

    @property
    def state(self) -> str:
        return "Nothing was run; the database is as it was."


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


class DirectiveUnusable(ScriptError):
    """A line that speaks to Rung itself does not say what it has to."""

    @property
    def advice(self) -> str:
        return "Write it so, in a line of its own: -- rung: compatible-with 7"
