"""
The names that a database must have where it is at a version: what the files plainly make. Pure.

A name counts where a file makes it in so many words (CREATE TABLE, VIEW, INDEX, SEQUENCE, TYPE,
DOMAIN; ADD COLUMN; RENAME TO) and no later statement up to that version may have removed it.
What only might be there is not claimed: a column of an IF EXISTS, a name in a temporary schema,
what code makes (DO, CALL). A CASCADE ends the claims of all that may depend on what is dropped;
what may have taken away anything (DROP SCHEMA, code that drops what it does not name, a file that
cannot be read) ends every claim before it. So a name that is looked up and not found was never made
by its file, or somebody removed it by hand.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rung.errors import ScriptError
from rung.script import StatementReader, read, words_of
from rung.script.dialect import Dialect
from rung.script.expected_names import (
    MOST_NAMES,
    OF_TYPES,
    RELATION,
    TYPE,
    Claims,
    Expected,
    ExpectedName,
    Making,
    NotRead,
    beside,
    folded,
    is_escaped,
    words_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rung.script import Script, Statement
    from rung.source import Migration

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
_MAY_BE_OWNED: Final = frozenset({"index", "sequence"})
"""They are dropped with a table; after a rename it is not known with which one."""
_TELLING: Final = frozenset(
    {
        *("CREATE", "ALTER", "DROP", "ROLLBACK", "ABORT"),
        *("DO", "CALL", "EXECUTE", "PREPARE", "SELECT", "WITH", "EXPLAIN", "VALUES"),
    }
)
"""The first words of statements that may make or take away a name."""
_CODE: Final = frozenset({"DO", "CALL", "EXECUTE"})
_OF_CODE: Final = ("FUNCTION", "PROCEDURE", "ROUTINE", "AGGREGATE", "TRIGGER", "POLICY", "RULE")
_NO_COLUMN: Final = frozenset(
    {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE", "NOT", "INDEX", "PERIOD"}
)
"""What follows ADD where it adds no column."""
_CASCADE = re.compile(r'(?<!DELETE )(?<!UPDATE )(?<!")\bCASCADE\b')
_TAKES_AWAY = re.compile(
    r"\bdrop(?:'|\s+(?!(?:constraint|trigger|policy|function|procedure|routine|default|not|identity"
    r"|expression|rule|aggregate|cast|operator|role|user)\b)\S)"
    r"|\brename\s+(?!(?:constraint|value|attribute)\b)\S|\bset\s+schema\b",
    re.IGNORECASE,
)
"""Of code: that it drops, renames or moves what is claimed here."""
_CALLS_A_DROP = re.compile(r"\b\w*(?:drop|rename)\w*\s*\(", re.IGNORECASE)
"""Of code: that it calls a function that is named after that."""
_WITHOUT_NAMES = re.compile(
    r"\b(?:execute|cascade|drop\s+(?:schema|owned|extension))\b", re.IGNORECASE
)
"""Such code need not contain the names of the objects that it drops."""
_KEY_WORDS: Final = frozenset(
    {"drop", "column", "if", "exists", "cascade", "constraint", "alter", "add", "set", "on"}
)
_ARGUMENTS = re.compile(r"\([^()]*\)")
_ELSEWHERE = re.compile(r"search_path|set\s+schema|set\s+(session\s+|local\s+)?role", re.IGNORECASE)


def expected_names(migrations: Iterable[Migration], dialect: Dialect) -> Expected:
    """
    What the ups of applied migrations make and leave.

    Args:
        migrations: ascending by version.
        dialect: the SQL that the database reads.
    """
    reader = _FileReader(dialect)
    texts = []
    for migration in migrations:
        if migration.up is not None:
            texts.append(migration.up.text)
            reader.take(migration.version, migration.up.file, migration.up.text)
    held = (one.made for one in reader.claims.held.values())
    found = tuple(sorted(held, key=lambda made: made.version))
    return Expected(
        found[-MOST_NAMES:],
        any(_ELSEWHERE.search(text) for text in texts),
        tuple(reader.not_read),
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


class _FileReader:
    """Reads up files one after the other, and keeps the names that exist after them."""

    def __init__(self, dialect: Dialect) -> None:
        self.claims = Claims(dialect)
        self.not_read: list[NotRead] = []
        self._dialect = dialect
        self._droppers: set[str] = set()
        """Folded: the functions that drop or rename, and those that call one of them."""
        self._made = Making(0, "", "")
        """The statement that is read."""
        self._keeps = True
        """Whether what the file makes stays: it rolls nothing back."""

    def take(self, version: int, file: str, text: str) -> None:
        """Read one up file."""
        self._made = Making(version, file, "")
        try:
            script = read(text, self._dialect)
        except ScriptError:
            self._end_all("statements that cannot be read")
            return
        rolls_back = any(one.words[:1] in {("ROLLBACK",), ("ABORT",)} for one in script.statements)
        self._keeps = not rolls_back and "pg_temp" not in text.lower()
        for statement in script.statements:
            if (statement.words and statement.words[0] in _TELLING) or self._droppers:
                self._take(script, statement)

    def _take(self, script: Script, statement: Statement) -> None:
        reader = StatementReader(script, statement)
        text = script.text[statement.start : statement.end]
        self._made = self._made._replace(text=text)
        if is_escaped(text) and statement.words[:1] in {("ALTER",), ("DROP",)}:
            self._end_all("an escaped name")
        elif reader.take("CREATE"):
            self._created(reader, text)
        elif reader.take("ALTER"):
            self._altered(reader)
        elif reader.take("DROP"):
            self._dropped(reader)
        else:
            self._called(statement.words[0] if statement.words else "", reader, text)

    def _claim(self, kind: str, name: str, column: str = "", table: str = "") -> None:
        if self._keeps:
            self.claims.add(self._made, kind, name, column, table)

    def _end_all(self, not_read: str = "") -> None:
        self.claims.end_all()
        if not_read:
            self.not_read.append(NotRead(self._made.file, not_read))

    # --- what makes names ----------------------------------------------------------------

    def _created(self, reader: StatementReader, text: str) -> None:
        reader.take("OR", "REPLACE")
        _ = reader.take("GLOBAL") or reader.take("LOCAL")
        temporary = reader.take("TEMP") or reader.take("TEMPORARY")
        _ = reader.take("UNLOGGED") or reader.take("RECURSIVE") or reader.take("UNIQUE")
        kind = next((kind for words, kind in _KINDS.items() if reader.take(*words)), "")
        if not kind:
            is_code = reader.take("FUNCTION") or reader.take("PROCEDURE")
            takes_away = _TAKES_AWAY.search(text) or _CALLS_A_DROP.search(text)
            if is_code and (takes_away or self._droppers & words_in(text)):
                self._droppers.add(folded(reader.name()))
            return
        reader.take("CONCURRENTLY")
        reader.take("IF", "NOT", "EXISTS")
        if kind == "index":
            self._indexed(reader)
            return
        name = reader.name()
        if temporary:
            self.claims.temporary.add(folded(name))
        elif not (kind.endswith("view") and self.claims.temporary & words_of(reader.rest())):
            parent = reader.name() if reader.take("PARTITION", "OF") else ""
            self._claim(kind, name, "", folded(parent))

    def _indexed(self, reader: StatementReader) -> None:
        """In PostgreSQL an index is in its table's schema, whatever its own name is."""
        if reader.take("ON"):
            return
        name = reader.name()
        reader.take("ON")
        reader.take("ONLY")
        table = reader.name()
        if self._dialect is not Dialect.SQLITE:
            name = beside(table, name)
        if folded(table) not in self.claims.temporary:
            self._claim("index", name, "", folded(table))

    # --- what changes them ---------------------------------------------------------------

    def _altered(self, reader: StatementReader) -> None:
        if reader.take("SCHEMA"):
            self._end_all()
        cascades = _CASCADE.search(reader.rest().upper()) is not None
        kind = next((kind for words, kind in _KINDS.items() if reader.take(*words)), "")
        if not kind:
            return
        certain = not reader.take("IF", "EXISTS")
        reader.take("ONLY")
        name = reader.name()
        reader.take("*")
        if cascades:  # what it drops is among its words
            self.claims.end_dependents(words_in(reader.rest()) - _KEY_WORDS)
        if kind in OF_TYPES:
            self._altered_type(reader, kind, name)
            return
        more = True
        while more:
            self._action(reader, name, certain=certain)
            more = reader.step_over_comma()

    def _altered_type(self, reader: StatementReader, kind: str, name: str) -> None:
        if reader.take("RENAME", "TO"):
            self.claims.end_named(TYPE, name)
            self._claim(kind, beside(name, reader.name()))
        elif reader.take("SET", "SCHEMA"):
            self.claims.end_named(TYPE, name)

    def _action(self, reader: StatementReader, name: str, *, certain: bool) -> None:
        """One of the actions of an ALTER TABLE, or of another relation."""
        if reader.take("RENAME"):
            self._renamed(reader, name, certain=certain)
        elif reader.take("SET", "SCHEMA"):
            self.claims.end_relation(name)
        elif reader.take("ATTACH", "PARTITION"):
            self.claims.attach(folded(reader.name()), folded(name))
        elif reader.take("DROP"):
            self._dropped_part(reader, name)
        elif reader.take("ADD"):
            if reader.holds("USING", "INDEX"):
                self.claims.end_indexes(name)
            is_column = reader.take("COLUMN")
            reader.take("IF", "NOT", "EXISTS")
            column = reader.name()
            if certain and (is_column or column.upper() not in _NO_COLUMN):
                self._claim("column", name, column, folded(name))

    def _renamed(self, reader: StatementReader, name: str, *, certain: bool) -> None:
        if reader.take("TO"):
            old, new = folded(name), reader.name()
            self.claims.temporary |= {folded(new)} if old in self.claims.temporary else set()
            lasts = [
                one for one in self.claims.relations(old) if one.made.kind not in _MAY_BE_OWNED
            ]
            self.claims.end_relation(name)
            if certain and lasts:
                self._claim(lasts[0].made.kind, beside(name, new), "", lasts[0].table)
        elif reader.take("CONSTRAINT"):
            self.claims.end_named(RELATION, reader.name())
        else:
            reader.take("COLUMN")
            self.claims.end_column(name, reader.name())
            if reader.take("TO") and certain:
                self._claim("column", name, reader.name(), folded(name))

    def _dropped_part(self, reader: StatementReader, name: str) -> None:
        self.claims.end_indexes(name)
        if reader.take("CONSTRAINT"):
            reader.take("IF", "EXISTS")
            self.claims.end_named(RELATION, reader.name())
            return
        reader.take("COLUMN")
        reader.take("IF", "EXISTS")
        self.claims.end_column(name, reader.name())

    def _dropped(self, reader: StatementReader) -> None:
        whole = reader.take("SCHEMA") or reader.take("EXTENSION") or reader.take("OWNED")
        cascades = _CASCADE.search(reader.rest().upper()) is not None
        kind = next((kind for words, kind in _KINDS.items() if reader.take(*words)), "")
        of_code = not kind and any(reader.take(word) for word in _OF_CODE)
        if whole or (cascades and not kind and not of_code):
            self._end_all()
            return
        reader.take("CONCURRENTLY")
        reader.take("IF", "EXISTS")
        if of_code and cascades:
            self.claims.end_dependents(words_in(_ARGUMENTS.sub("", reader.rest())) - _KEY_WORDS)
        names = list(reader.names()) if kind else []
        for name in names:
            if kind in OF_TYPES:
                self.claims.end_named(TYPE, name)
            else:
                self.claims.end_relation(name)
        if names and cascades:
            self.claims.end_dependents(set(map(folded, names)))

    def _called(self, first: str, reader: StatementReader, text: str) -> None:
        """What runs code: it may do anything that it says, and more."""
        takes_away = first in _TELLING and _TAKES_AWAY.search(text) is not None
        calls = first in _TELLING and _CALLS_A_DROP.search(text) is not None
        if first in _CODE:
            self.not_read.append(NotRead(self._made.file, f"code called by {first}"))
        if calls or self._droppers & words_in(text):
            self._end_all(f"a function that drops, called by {first}")
        elif takes_away and (first != "DO" or _WITHOUT_NAMES.search(text)):
            self._end_all(f"code that drops, called by {first}")
        elif first == "DO":
            self.claims.end_mentioned(words_in(text), only_indexes=not takes_away)
        if reader.step_behind("INTO") and (reader.take("TEMP") or reader.take("TEMPORARY")):
            reader.take("TABLE")
            self.claims.temporary.add(folded(reader.name()))
