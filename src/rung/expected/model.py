"""What is expected of a database at a version, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

MOST_NAMES = 1_000
"""Names that are looked up at the most: the newest."""
RELATION, TYPE, COLUMN = "relation", "type", "column"
OF_TYPES: Final = frozenset({"type", "domain"})


class ExpectedName(NamedTuple):
    """One name that must be there, as the catalog has it."""

    kind: str
    """table, foreign table, view, materialized view, sequence, index, type, domain or column."""
    schema: str
    """Empty where the file names none: then it is found on the search path."""
    name: str
    """Of a column its table's."""
    column: str
    version: int
    file: str
    """The file that makes it."""

    @property
    def catalog(self) -> str:
        """Where it is looked up: among relations, types or columns."""
        if self.column:
            return COLUMN
        return TYPE if self.kind in OF_TYPES else RELATION

    def __str__(self) -> str:
        where = f"{self.schema}.{self.name}" if self.schema else self.name
        return f'column "{self.column}" of {where}' if self.column else f"{self.kind} {where}"


class NotRead(NamedTuple):
    """A part of a file that may make or drop names, and that nobody can read from outside."""

    file: str
    what: str

    def __str__(self) -> str:
        return f"{self.what} in {self.file}"


@dataclass(frozen=True, slots=True)
class Expected:
    """What files make up to a version."""

    names: tuple[ExpectedName, ...] = ()
    """In the order of the files; at most `MOST_NAMES`."""
    anywhere: bool = False
    """Whether a file changes the search path: a name without a schema may be in any schema."""
    not_read: tuple[NotRead, ...] = ()
    left_out: int = 0
    """How many names are above that bound, the oldest."""
