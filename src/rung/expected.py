"""
The names that a database must have where it is at a version: what the files plainly make. Pure.

A name counts where a file makes it in so many words (CREATE TABLE, VIEW, INDEX, SEQUENCE, TYPE,
DOMAIN; ADD COLUMN; RENAME TO) and nothing behind it up to that version may have taken it away.
What only might be there is not claimed: a column of an IF EXISTS, a name in a temporary schema,
what code makes (DO, CALL). What may have taken names away without saying which (CASCADE, DROP
SCHEMA, code that drops, a file that cannot be read) ends every claim before it. So a name that
is looked up and not found was never made by its file, or somebody removed it by hand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from rung.dialect import Dialect
from rung.errors import ScriptError
from rung.statements import StatementReader, read, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rung.migrations import Migration
    from rung.statements import Script, Statement

MOST_NAMES = 1_000
"""Names that are looked up at the most: the newest."""
RELATION, TYPE, COLUMN = "relation", "type", "column"

_KINDS: Final = {
    ("TABLE",): "table",
    ("FOREIGN", "TABLE"): "foreign table",
    ("VIRTUAL", "TABLE"): "table",
    ("VIEW",): "view",
    ("MATERIALIZED", "VIEW"): "materialized view",
    ("SEQUENCE",): "sequence",
    ("INDEX",): "index",
    ("TYPE",): "type",
    ("DOMAIN",): "domain",
}
_OF_TYPES: Final = frozenset({"type", "domain"})
_MAY_BE_OWNED: Final = frozenset({"index", "sequence"})
"""They go with a table; behind a rename it is not followed with which."""
_TELLING: Final = frozenset(
    {
        *("CREATE", "ALTER", "DROP", "ROLLBACK", "ABORT"),
        *("DO", "CALL", "EXECUTE", "PREPARE", "SELECT", "WITH", "EXPLAIN", "VALUES"),
    }
)
"""The first words of statements that may make or take away a name."""
_CODE: Final = frozenset({"DO", "CALL", "EXECUTE"})
_NO_COLUMN: Final = frozenset(
    {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE", "NOT", "INDEX", "PERIOD"}
)
"""What follows ADD where it adds no column."""
_CASCADE = re.compile(r'(?<!DELETE )(?<!UPDATE )(?<!")\bCASCADE\b')
_TAKES_AWAY = re.compile(r"drop|rename|set\s+schema", re.IGNORECASE)
_ELSEWHERE = re.compile(r"search_path|set\s+schema|set\s+(session\s+|local\s+)?role", re.IGNORECASE)
_ESCAPED = re.compile(r'\bU&"', re.IGNORECASE)
_PART = re.compile(r'"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|[^."`\[\]]+')


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
        return TYPE if self.kind in _OF_TYPES else RELATION

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


def expected_names(migrations: Iterable[Migration], dialect: Dialect) -> Expected:
    """
    What the ups of applied migrations make and leave.

    Args:
        migrations: ascending by version.
        dialect: the SQL that the database reads.
    """
    claims = _Claims(dialect)
    texts = []
    for migration in migrations:
        if migration.up is not None:
            texts.append(migration.up.text)
            claims.take(migration.version, migration.up.file, migration.up.text)
    found = tuple(sorted((one.made for one in claims.held.values()), key=lambda m: m.version))
    return Expected(
        found[-MOST_NAMES:],
        any(_ELSEWHERE.search(text) for text in texts),
        tuple(claims.not_read),
        max(0, len(found) - MOST_NAMES),
    )


def used_by(names: Iterable[ExpectedName], statements: Iterable[str]) -> tuple[ExpectedName, ...]:
    """
    Those of some names that SQL statements use; of a column, its table in the same statement.

    Args:
        names: what is not there, say.
        statements: SQL, with placeholders of whatever style; comments do not count.
    """
    words = [words_of(text) for text in statements]

    def is_used(name: ExpectedName) -> bool:
        wanted = {part.casefold() for part in (name.name, name.column) if part}
        return any(wanted <= said for said in words)

    return tuple(name for name in names if is_used(name))


@dataclass(frozen=True, slots=True)
class _Claim:
    """A name, and what takes it along where that is dropped."""

    made: ExpectedName
    table: str = ""
    """Folded: the table of an index or a column, the parent of a partition."""


class _Claims:
    """The names that are there behind the files so far."""

    def __init__(self, dialect: Dialect) -> None:
        self.held: dict[tuple[str, ...], _Claim] = {}
        self.not_read: list[NotRead] = []
        self._dialect = dialect
        self._temporary: set[str] = set()
        self._code_takes_away = False
        """Whether a file makes a function that drops or renames: from there on a call may."""
        self._version, self._file, self._claims = 0, "", True

    def take(self, version: int, file: str, text: str) -> None:
        """Read one up file."""
        self._version, self._file = version, file
        try:
            script = read(text, self._dialect)
        except ScriptError:
            self._end_all("statements that cannot be read")
            return
        rolls_back = any(one.words[:1] in {("ROLLBACK",), ("ABORT",)} for one in script.statements)
        self._claims = not rolls_back and "pg_temp" not in text.lower()
        for statement in script.statements:
            if statement.words and statement.words[0] in _TELLING:
                self._take(script, statement)

    def _take(self, script: Script, statement: Statement) -> None:
        reader = StatementReader(script, statement)
        text = script.text[statement.start : statement.end]
        if _ESCAPED.search(text) and statement.words[0] in {"ALTER", "DROP"}:
            self._end_all("an escaped name")
        elif reader.take("CREATE"):
            self._created(reader, text)
        elif reader.take("ALTER"):
            self._altered(reader)
        elif reader.take("DROP"):
            self._dropped(reader)
        else:
            self._called(statement.words[0], reader, text)

    # --- what makes names ----------------------------------------------------------------

    def _created(self, reader: StatementReader, text: str) -> None:
        reader.take("OR", "REPLACE")
        _ = reader.take("GLOBAL") or reader.take("LOCAL")
        temporary = reader.take("TEMP") or reader.take("TEMPORARY")
        _ = reader.take("UNLOGGED") or reader.take("RECURSIVE") or reader.take("UNIQUE")
        kind = next((kind for words, kind in _KINDS.items() if reader.take(*words)), "")
        if not kind:
            is_code = reader.take("FUNCTION") or reader.take("PROCEDURE")
            self._code_takes_away |= is_code and _TAKES_AWAY.search(text) is not None
            return
        reader.take("CONCURRENTLY")
        reader.take("IF", "NOT", "EXISTS")
        if kind == "index":
            self._indexed(reader)
            return
        name = reader.name()
        if temporary:
            self._temporary.add(_folded(name))
        elif not (kind.endswith("view") and self._temporary & words_of(reader.rest())):
            parent = reader.name() if reader.take("PARTITION", "OF") else ""
            self._claim(kind, name, "", _folded(parent))

    def _indexed(self, reader: StatementReader) -> None:
        """In PostgreSQL an index is in its table's schema, whatever its own name is."""
        if reader.take("ON"):
            return
        name = reader.name()
        reader.take("ON")
        reader.take("ONLY")
        table = reader.name()
        if self._dialect is not Dialect.SQLITE:
            parts = _PART.findall(table)
            name = ".".join((*parts[:-1], name))
        if _folded(table) not in self._temporary:
            self._claim("index", name, "", _folded(table))

    def _claim(self, kind: str, name: str, column: str = "", table: str = "") -> None:
        parts = [_plain(part, self._dialect) for part in _PART.findall(name)]
        under = _plain(column, self._dialect) if column else ""
        if not parts or None in (*parts, under) or _ESCAPED.search(name) or not self._claims:
            return
        schema, bare = ([""] + [part or "" for part in parts])[-2:]
        if self._dialect is Dialect.SQLITE:
            if schema.lower() not in {"", "main"}:
                return
            schema = ""
        if bare.casefold() in self._temporary:
            return
        made = ExpectedName(kind, schema, bare, under or "", self._version, self._file)
        key = (made.catalog, schema, bare.casefold(), made.column.casefold())
        self.held[key] = _Claim(made, table)

    # --- what changes them ---------------------------------------------------------------

    def _altered(self, reader: StatementReader) -> None:
        if reader.take("SCHEMA") or _CASCADE.search(reader.rest().upper()):
            self._end_all()
        kind = next((kind for words, kind in _KINDS.items() if reader.take(*words)), "")
        if not kind:
            return
        certain = not reader.take("IF", "EXISTS")
        reader.take("ONLY")
        name = reader.name()
        reader.take("*")
        if kind in _OF_TYPES:
            self._altered_type(reader, kind, name)
            return
        more = True
        while more:
            self._action(reader, name, certain=certain)
            more = reader.step_over_comma()

    def _altered_type(self, reader: StatementReader, kind: str, name: str) -> None:
        if reader.take("RENAME", "TO"):
            self._end_named(TYPE, name)
            self._claim(kind, _beside(name, reader.name()))
        elif reader.take("SET", "SCHEMA"):
            self._end_named(TYPE, name)

    def _action(self, reader: StatementReader, name: str, *, certain: bool) -> None:
        """One of the actions of an ALTER TABLE, or of another relation."""
        if reader.take("RENAME"):
            self._renamed(reader, name, certain=certain)
        elif reader.take("SET", "SCHEMA"):
            self._end_relation(name)
        elif reader.take("ATTACH", "PARTITION"):
            self._attached(_folded(reader.name()), _folded(name))
        elif reader.take("DROP"):
            self._dropped_part(reader, name)
        elif reader.take("ADD"):
            if reader.holds("USING", "INDEX"):
                self._end_indexes(name)
            is_column = reader.take("COLUMN")
            reader.take("IF", "NOT", "EXISTS")
            column = reader.name()
            if certain and (is_column or column.upper() not in _NO_COLUMN):
                self._claim("column", name, column, _folded(name))

    def _renamed(self, reader: StatementReader, name: str, *, certain: bool) -> None:
        if reader.take("TO"):
            old, new = _folded(name), reader.name()
            self._temporary |= {_folded(new)} if old in self._temporary else set()
            lasts = [one for one in self._relations(old) if one.made.kind not in _MAY_BE_OWNED]
            self._end_relation(name)
            if certain and lasts:
                self._claim(lasts[0].made.kind, _beside(name, new), "", lasts[0].table)
        elif reader.take("CONSTRAINT"):
            self._end_named(RELATION, reader.name())
        else:
            reader.take("COLUMN")
            self._end_column(name, reader.name())
            if reader.take("TO") and certain:
                self._claim("column", name, reader.name(), _folded(name))

    def _dropped_part(self, reader: StatementReader, name: str) -> None:
        self._end_indexes(name)
        if reader.take("CONSTRAINT"):
            reader.take("IF", "EXISTS")
            self._end_named(RELATION, reader.name())
            return
        reader.take("COLUMN")
        reader.take("IF", "EXISTS")
        self._end_column(name, reader.name())

    def _dropped(self, reader: StatementReader) -> None:
        whole = reader.take("SCHEMA") or reader.take("EXTENSION") or reader.take("OWNED")
        if whole or _CASCADE.search(reader.rest().upper()):
            self._end_all()
        kind = next((kind for words, kind in _KINDS.items() if reader.take(*words)), "")
        if not kind:
            return
        reader.take("CONCURRENTLY")
        reader.take("IF", "EXISTS")
        for name in reader.names():
            if kind in _OF_TYPES:
                self._end_named(TYPE, name)
            else:
                self._end_relation(name)

    def _called(self, first: str, reader: StatementReader, text: str) -> None:
        """What runs code: it may do anything that it says, and more."""
        if _TAKES_AWAY.search(text) or (self._code_takes_away and first != "PREPARE"):
            self._end_all(f"code behind {first}")
        elif first in _CODE:
            self.not_read.append(NotRead(self._file, f"code behind {first}"))
        if reader.step_behind("INTO") and (reader.take("TEMP") or reader.take("TEMPORARY")):
            reader.take("TABLE")
            self._temporary.add(_folded(reader.name()))

    # --- the end of claims ---------------------------------------------------------------

    def _relations(self, bare: str) -> list[_Claim]:
        """What is claimed under a folded name, in whatever schema."""
        held = (one for one in self.held.values() if one.made.catalog == RELATION)
        return [one for one in held if one.made.name.casefold() == bare]

    def _end(self, is_gone: Callable[[_Claim], bool]) -> None:
        self.held = {key: claim for key, claim in self.held.items() if not is_gone(claim)}

    def _end_all(self, not_read: str = "") -> None:
        self.held.clear()
        if not_read:
            self.not_read.append(NotRead(self._file, not_read))

    def _end_named(self, catalog: str, name: str) -> None:
        bare = _folded(name)
        self._end(lambda one: one.made.catalog == catalog and one.made.name.casefold() == bare)

    def _end_indexes(self, table: str) -> None:
        """And sequences, which a column may own."""
        bare = _folded(table)
        self._end(
            lambda one: (
                one.made.kind == "sequence" or (one.made.kind == "index" and one.table == bare)
            )
        )

    def _end_column(self, table: str, column: str) -> None:
        where, what = _folded(table), _folded(column)
        self._end(
            lambda one: (
                one.made.catalog == COLUMN
                and one.table == where
                and one.made.column.casefold() == what
            )
        )

    def _end_relation(self, name: str) -> None:
        """With its columns, indexes and partitions, and whatever sequence it may own."""
        gone, last = {_folded(name)}, 0
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

    def _attached(self, partition: str, parent: str) -> None:
        for key, claim in self.held.items():
            if claim.made.catalog == RELATION and claim.made.name.casefold() == partition:
                self.held[key] = _Claim(claim.made, parent)


def _folded(name: str) -> str:
    """The last part of a name, for comparing: schema and letter case do not count."""
    parts = _PART.findall(name)
    return _bare(parts[-1]).casefold() if parts else ""


def _bare(part: str) -> str:
    part = part.strip()
    if part[:1] in {'"', "`"}:
        return part[1:-1].replace(part[0] * 2, part[0])
    return part[1:-1] if part.startswith("[") else part


def _plain(part: str, dialect: Dialect) -> str | None:
    """A part of a name as the catalog has it; None where that cannot be told from outside."""
    quoted = part.strip()[:1] in {'"', "`", "["}
    bare = _bare(part)
    if not bare or (not quoted and not bare.isascii()):
        return None
    return bare if quoted or dialect is Dialect.SQLITE else bare.lower()


def _beside(name: str, new: str) -> str:
    """A new name in the schema of an old one."""
    return ".".join((*_PART.findall(name)[:-1], new))
