"""What is expected of a database at a version, as values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from rung.script import words_of
from rung.script.dialect import Dialect
from rung.script.identifiers import is_quoted, parts_of, unquoted

if TYPE_CHECKING:
    from collections.abc import Callable


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


_CHILD = re.compile(r"\b(?:inherits|of)\b", re.IGNORECASE)
"""Of a CREATE TABLE: that the table may go with another one, or with a type."""
_ESCAPED = re.compile(r'\bU&"', re.IGNORECASE)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class _Claim:
    """A name, and what takes it along where that is dropped."""

    made: ExpectedName
    table: str = ""
    """Folded: the table of an index or a column, the parent of a partition."""
    words: frozenset[str] = frozenset()
    """Folded: what it may depend on is among them."""


class Making(NamedTuple):
    """The statement that makes a name."""

    version: int
    file: str
    text: str


class Claims:
    """
    What is claimed to be there.

    Args:
        dialect: how names are read.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.held: dict[tuple[str, ...], _Claim] = {}
        self.temporary: set[str] = set()
        """Folded: the names of temporary tables, which hide others."""
        self._dialect = dialect

    def add(self, made: Making, kind: str, name: str, column: str = "", table: str = "") -> None:
        """
        Claim a name, unless the text does not show how the catalog spells it.

        Args:
            made: the statement that makes it.
            kind: see `ExpectedName`.
            name: as it is written, qualified or not; of a column its table's.
            column: likewise.
            table: folded: what takes it along where that is dropped.
        """
        parts = [_plain(part, self._dialect) for part in parts_of(name)]
        under = _plain(column, self._dialect) if column else ""
        if not parts or None in (*parts, under) or is_escaped(name):
            return
        schema, bare = ([""] + [part or "" for part in parts])[-2:]
        if self._dialect is Dialect.SQLITE:
            if schema.lower() not in {"", "main"}:
                return
            schema = ""
        if bare.casefold() in self.temporary:
            return
        new = ExpectedName(kind, schema, bare, under or "", made.version, made.file)
        key = (new.catalog, schema, bare.casefold(), new.column.casefold())
        depends = not kind.endswith("table") or _CHILD.search(made.text)
        self.held[key] = _Claim(new, table, words_of(made.text) if depends else frozenset())

    def attach(self, partition: str, parent: str) -> None:
        """Have a partition go with its new parent; both folded."""
        for key, claim in self.held.items():
            if claim.made.catalog == RELATION and claim.made.name.casefold() == partition:
                self.held[key] = _Claim(claim.made, parent, claim.words)

    # --- the end of claims ---------------------------------------------------------------

    def relations(self, bare: str) -> list[_Claim]:
        """What is claimed under a folded name, in whatever schema."""
        held = (one for one in self.held.values() if one.made.catalog == RELATION)
        return [one for one in held if one.made.name.casefold() == bare]

    def _end(self, is_gone: Callable[[_Claim], bool]) -> None:
        self.held = {key: claim for key, claim in self.held.items() if not is_gone(claim)}

    def end_all(self) -> None:
        """Nothing is certain any more."""
        self.held.clear()

    def end_named(self, catalog: str, name: str) -> None:
        """One name of a catalog's, in whatever schema."""
        bare = folded(name)
        self._end(lambda one: one.made.catalog == catalog and one.made.name.casefold() == bare)

    def end_mentioned(self, words: set[str], *, only_indexes: bool) -> None:
        """What code names that drops something; or else drops a constraint, an index with it."""
        for one in list(self.held.values()):
            made = one.made
            if made.name.casefold() not in words or (only_indexes and made.kind != "index"):
                continue
            if made.catalog == TYPE:
                self.end_named(TYPE, made.name)
            elif made.catalog == RELATION:
                self.end_relation(made.name)
            elif made.column.casefold() in words:
                self.end_column(made.name, made.column)

    def end_dependents(self, names: set[str]) -> None:
        """What a CASCADE may take along: every view, and in turn what names what goes."""

        def depends(one: _Claim) -> bool:
            return one.made.kind.endswith("view") or bool(one.words & gone)

        gone, last = set(names), -1
        while len(gone) > last:
            last = len(gone)
            found = (one.made for one in self.held.values() if depends(one))
            gone |= {(made.column or made.name).casefold() for made in found}
        self._end(depends)

    def end_indexes(self, table: str) -> None:
        """The indexes of a table, and sequences, which a column may own."""
        bare = folded(table)
        self._end(
            lambda one: (
                one.made.kind == "sequence" or (one.made.kind == "index" and one.table == bare)
            )
        )

    def end_column(self, table: str, column: str) -> None:
        """A column alone."""
        where, what = folded(table), folded(column)
        self._end(
            lambda one: (
                one.made.catalog == COLUMN
                and one.table == where
                and one.made.column.casefold() == what
            )
        )

    def end_relation(self, name: str) -> None:
        """A relation with its columns, indexes and partitions, and any sequence: it may own it."""
        gone, last = {folded(name)}, 0
        while len(gone) > last:
            last = len(gone)
            gone |= {one.made.name.casefold() for one in self.held.values() if one.table in gone}
        self._end(
            lambda one: (
                one.made.kind == "sequence"
                or one.table in gone
                or (one.made.catalog == RELATION and one.made.name.casefold() in gone)
            )
        )


def is_escaped(text: str) -> bool:
    """Whether a name there may have escapes, U&"…": then it cannot be read."""
    return _ESCAPED.search(text) is not None


def folded(name: str) -> str:
    """The last part of a name, for comparing: schema and letter case do not count."""
    parts = parts_of(name)
    return unquoted(parts[-1].strip()).casefold() if parts else ""


def words_in(text: str) -> set[str]:
    """Every word of a text, folded, in strings and comments too."""
    return set(_WORD.findall(text.casefold()))


def _plain(part: str, dialect: Dialect) -> str | None:
    """Return a part of a name as the catalog spells it; None where the text does not show it."""
    part = part.strip()
    bare, quoted = unquoted(part), is_quoted(part)
    if not bare or (not quoted and not bare.isascii()):
        return None
    return bare if quoted or dialect is Dialect.SQLITE else bare.lower()


def beside(name: str, new: str) -> str:
    """A new name in the schema of an old one."""
    return ".".join((*parts_of(name)[:-1], new))
