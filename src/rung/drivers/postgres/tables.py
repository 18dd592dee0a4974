"""
The tables of ours: their names, what each is, and what stands between us and its rows. Pure.

A name is `NAME` or `SCHEMA.NAME`, taken literally, without case folding, as golang-migrate
takes it; a part that has a dot or a quote in it stands in double quotes.

A view, a policy, a trigger or a cast may run a function of whoever made it, with our rights.
So what is not plainly a table is never read, and nothing is written where a function of a
role that is less than us would run.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from rung.drivers.inspection import Obstacle
from rung.drivers.postgres import quoting
from rung.drivers.postgres.quoting import statement
from rung.errors import UsageError
from rung.ledger import LEDGER_TABLE
from rung.redaction import redacted_word

if TYPE_CHECKING:
    from rung.drivers.postgres.quoting import Sql


_PART = r'(?:"(?:[^"]|"")+"|[^".]+)'
_NAME = re.compile(rf"(?:({_PART})\.)?({_PART})\Z")
_PLAIN = re.compile(r"\w+\Z")
_LONGEST = 63
"""Bytes; PostgreSQL cuts a longer name off."""
_HISTORY, _LEASE = "_history", "_lease"
_SPARE = "rung_history"


class Table(NamedTuple):
    """A table's name; without a schema where that is the current one."""

    schema: str | None
    name: str

    @property
    def sql(self) -> Sql:
        """The name in a statement."""
        return quoting.name(*(part for part in self if part is not None))

    def beside(self, suffix: str) -> Table:
        """
        A table in the same schema, named after this one.

        What PostgreSQL would cut off is replaced by a hash of the whole name: two long names
        that begin alike stay two, and everybody who knows one finds the same.
        """
        name = self.name + suffix
        if len(name.encode()) > _LONGEST:
            ending = f"_{hashlib.sha256(self.name.encode()).hexdigest()[:8]}{suffix}"
            room = _LONGEST - len(ending)
            name = self.name.encode()[:room].decode(errors="ignore") + ending
        return Table(self.schema, name)

    def __str__(self) -> str:
        return ".".join(_shown(part) for part in self if part is not None)


class TableNames(NamedTuple):
    """
    Which tables are ledger and history.

    A common recipe for golang-migrate keeps a table of its own under the history's usual name.
    So there is a second name for a history that nobody named.
    """

    ledger: Table = Table(None, LEDGER_TABLE)
    usual: Table = Table(None, LEDGER_TABLE + _HISTORY)
    """The history's name, unless another table has it."""
    spare: Table | None = None
    """The history's name where another table has the usual one; None where it was named."""
    uses_spare: bool = False

    @property
    def history(self) -> Table:
        """The history, as far as is known now."""
        return self.spare if self.uses_spare and self.spare else self.usual

    @property
    def lease(self) -> Table:
        """The lease beside the ledger: by its name alone, so all who share a ledger find it."""
        return self.ledger.beside(_LEASE)

    def at(self, schema: str) -> TableNames:
        """The same with the ledger's schema filled in where none was named."""
        ledger, usual, spare = (
            table and table._replace(schema=table.schema or schema)
            for table in (self.ledger, self.usual, self.spare)
        )
        assert ledger is not None
        assert usual is not None
        return TableNames(ledger, usual, spare, self.uses_spare)


def names_of(ledger: str | None = None, history: str | None = None) -> TableNames:
    """
    Read the names that were given; the history stands beside the ledger by default.

    Raises:
        UsageError: a name cannot be read, or both are the same.
    """
    first = _read("ledger", LEDGER_TABLE if ledger is None else ledger)
    if history is None:
        # A ledger with another name than golang-migrate's has a spare history named after it.
        is_usual = first.name == LEDGER_TABLE
        spare = Table(first.schema, _SPARE) if is_usual else first.beside(f"_{_SPARE}")
        return TableNames(first, first.beside(_HISTORY), spare)
    second = _read("history", history)
    second = second._replace(schema=second.schema or first.schema)
    names = TableNames(first, second)
    if names.lease in (names.ledger, names.history):
        raise UsageError(
            f"{names.lease} is the name of Rung's lease table",
            "name other tables: --ledger-table, --history-table",
        )
    if first == second:
        raise UsageError(
            f"ledger and history cannot both be {first}",
            "give --history-table another name, or leave it out",
        )
    return names


def _read(what: str, text: str) -> Table:
    found = _NAME.match(text)
    if not text:
        raise UsageError(
            f"the name of the {what} table is empty",
            f"name it, or leave --{what}-table out; a shell variable that is not set is empty",
        )
    if found is None or "\0" in text:
        raise UsageError(
            f"invalid table name for the {what}: {redacted_word(text)!r}",
            "write NAME or SCHEMA.NAME; a part with a dot or a quote in it goes in double quotes",
        )
    schema, name = (
        part[1:-1].replace('""', '"') if part and part.startswith('"') else part
        for part in found.groups()
    )
    table = Table(schema, name or "")
    if any(len(part.encode()) > _LONGEST for part in table if part is not None):
        raise UsageError(
            f'table name for the {what} is too long: "{redacted_word(text)}"; PostgreSQL keeps '
            f"{_LONGEST} bytes",
            f"name a shorter one with --{what}-table",
        )
    if table.schema is not None and is_system(table.schema):
        raise UsageError(
            f"the {what} cannot be {table}: its schema is temporary or belongs to the server",
            f"name a schema of your own: --{what}-table SCHEMA.{_shown(table.name)}",
        )
    return table


def is_system(schema: str) -> bool:
    """Whether a schema is the server's own, or temporary: nobody else may use the prefix."""
    return schema.startswith("pg_") or schema == "information_schema"


def _shown(part: str) -> str:
    part = redacted_word(part)
    return part if _PLAIN.match(part) else '"' + part.replace('"', '""') + '"'


_KINDS = {"v": "view", "f": "foreign table", "m": "materialized view"}
_TABLES = ("r", "p")
_DEFERS, _UPDATE_GUARD, _INSERT, _DELETE, _UPDATE, _RULES = 1, 2, 4, 8, 16, 64
_NOTHING = quoting.NULL


class TableFacts(NamedTuple):
    """The facts about one table; the defaults are those of a plain table of our own."""

    kind: str = "r"
    """As `pg_class.relkind` has it."""
    plain_types: bool = True
    """Whether no column that we read is of a type that somebody made here."""
    owner: str = ""
    hidden: frozenset[str] = frozenset()
    """What row security hides rows from: r SELECT, a INSERT, w UPDATE, d DELETE."""
    events: int = 0
    """What its triggers and rules fire for, as `trigger_events` adds it up."""
    publications: str = ""
    """Those that refuse UPDATE and DELETE, for the table has no key."""
    strangers: str = ""
    """What of it would run a function of a role that is less than us, in words."""
    remedy: str = ""
    """The statements that give us the domains among them."""
    foreign_below: str = ""
    """The command that takes a foreign table out of it, whose rows are read with its own."""

    misfits: str = ""
    """The columns of a ledger whose type is not a ledger's, with it."""
    unwritable: str = ""
    """The columns of a ledger that take no value of ours, or want one that we do not give."""

    @property
    def is_table(self) -> bool:
        """Whether it is a table, and not a view or a foreign table."""
        return self.kind in _TABLES

    @property
    def may_be_read(self) -> bool:
        """Whether a SELECT shows every row, and runs nothing that others wrote."""
        return self.is_table and self.plain_types and "r" not in self.hidden

    @property
    def takes_update(self) -> bool:
        """Whether golang-migrate's writes and an UPDATE come to the same for its triggers."""
        noticed = self.events & (_INSERT | _UPDATE_GUARD)
        return not (noticed or self.publications or "w" in self.hidden)

    @property
    def takes_delete(self) -> bool:
        """Whether no trigger and no publication stands against a DELETE."""
        return not (self.events & _DELETE or self.publications or "d" in self.hidden)

    def hides(self, what: str, table: Table, role: str) -> Obstacle | None:
        """Why rows of it may be hidden from us; None where none is."""
        if not self.is_table or not self.hidden:
            return None
        if "r" in self.hidden:
            cause = f'row-level security hides the {what} {table} from role "{role}"'
        else:
            cause = f'row-level security does not let role "{role}" write the {what} {table}'
        who, name = quoting.name(role), table.sql
        return Obstacle(
            f"{cause}; its policies were not evaluated",
            f'connect as its owner "{self.owner}", or let the owner run one of '
            f"`CREATE POLICY rung ON {name} TO {who} USING (true);` and "
            f"`ALTER TABLE {name} DISABLE ROW LEVEL SECURITY;`, or a superuser "
            f"`ALTER ROLE {who} BYPASSRLS;`",
        )

    def is_other(self, what: str, table: Table) -> Obstacle | None:
        """Why it is not to be read at all; None where it is a plain table."""
        option = "lease" if what == "lease" else f"--{what}-table"
        if not self.is_table:
            kind = _KINDS.get(self.kind, "relation that is not a table")
            return Obstacle(
                f'the {what} {table} is a {kind} of "{self.owner}" and was not read: reading it '
                "would run its owner's code with our rights",
                f"rename the {kind}, or restore the table under that name"
                + ("" if what == "lease" else f"; {option} names another table"),
            )
        if self.foreign_below:
            return Obstacle(
                f"the {what} {table} was not read: it has a foreign table as a child, which "
                "would be read with our rights",
                f"detach the foreign table: `{self.foreign_below}`",
            )
        if not self.plain_types:
            return Obstacle(
                f"the {what} {table} has a column of a type that was made in this database, and "
                "was not read: a cast of it would run with our rights",
                "give its columns the types that Rung gives them",
            )
        return None

    def is_untrusted(self, what: str, table: Table) -> Obstacle | None:
        """Why it is not to be written; None where nothing of a lesser role would run."""
        if not self.strangers:
            return None
        if self.remedy:
            return Obstacle(
                f"the {what} {table} has {self.strangers}, which would run with our rights",
                f"drop the column, or have its type be ours: `{self.remedy}`",
            )
        return Obstacle(
            f"the {what} {table} has {self.strangers}, which would run with our rights",
            "drop it, or have a superuser or our own role own its function "
            "(`ALTER FUNCTION NAME() OWNER TO ROLE;`) or, of a rule, the table",
        )

    def is_unwritable(self, what: str, table: Table) -> Obstacle | None:
        """Why no row of ours fits into it; None where one does."""
        if not self.unwritable:
            return None
        return Obstacle(
            f"the {what} {table} cannot be written because of its columns: {self.unwritable}",
            "make version and dirty plain columns, and give every other column a default or "
            f"drop it; or name another table with --{what}-table",
        )


def facts_of(text: str | None) -> dict[str, TableFacts]:
    """Read the lines of `table_facts`: `ledger`, `history`, `lease`, each where it is there."""
    found = {}
    for line in (text or "").split("\n") if text else ():
        what, kind, plain, owner, hidden, events, *others = line.split("\t")
        found[what] = TableFacts(kind, plain == "t", owner, frozenset(hidden), int(events), *others)
    return found


def facts_places(names: TableNames, place: Sql) -> dict[str, Sql]:
    """
    The parts of `look_place` that ask for the facts, and for the history's name.

    Args:
        names: as far as they are known.
        place: the oid of the history's schema.
    """
    usual = quoting.text(names.usual.name)
    spare = quoting.text(names.spare.name) if names.spare else _NOTHING
    picked = statement(
        "pick_history",
        usual=usual,
        spare=spare,
        usual_is_history=statement("is_history", place=place, name=usual),
        spare_is_history=statement("is_history", place=place, name=spare),
        place=place,
    )
    return {"table_facts": _table_facts(), "pick_history": picked}


@cache
def _table_facts() -> Sql:
    return statement(
        "table_facts",
        is_plain=_is_plain(quoting.Sql("c.what OPERATOR(pg_catalog.=) 'ledger'")),
        hides_rows=_is_hidden("r", "policy_shows"),
        hides_inserts=_is_hidden("a", "policy_admits"),
        hides_updates=_is_hidden("w", "policy_shows", "policy_admits"),
        hides_deletes=_is_hidden("d", "policy_shows"),
        trigger_events=trigger_events(quoting.Sql("c.oid")),
        foreign_below=statement("foreign_below"),
        is_misfit=statement("is_misfit"),
        is_unwritable=statement("is_unwritable"),
    )


@cache
def is_unusual() -> Sql:
    """Whether a table of ours is more than a plain one, in place of its facts."""
    misfit, unwritable = statement("is_misfit"), statement("is_unwritable")
    return statement("is_unusual", is_misfit=misfit, is_unwritable=unwritable)


def may_read(names: TableNames, *, history: bool) -> Sql:
    """
    The guard in front of the reads of one message.

    Args:
        names: the ledger's, and the history's that is read.
        history: whether the history is read.
    """
    ledger = _oid(names.ledger)
    tables = (ledger, _oid(names.history)) if history else (ledger,)
    return statement(
        "may_read",
        tables=quoting.Sql(", ".join(tables)),
        is_plain=_is_plain(quoting.Sql(f"(c.oid OPERATOR(pg_catalog.=) {ledger})")),
        hides_rows=_is_hidden("r", "policy_shows"),
    )


def check_triggers(ledger: Sql, events: int, history: Sql, history_events: int) -> Sql:
    """Raise, telling what the triggers of ledger and history fire for, unless it is this."""
    of_ledger, of_history = (
        trigger_events(statement("found_by_path", name=quoting.text(table)))
        for table in (ledger, history)
    )
    return statement(
        "check_triggers",
        ledger_events=quoting.number(events),
        history_events=quoting.number(history_events),
        of_ledger=of_ledger,
        of_history=of_history,
    )


def may_be_deferred(events: int) -> bool:
    """Whether a trigger may fire at COMMIT only."""
    return bool(events & _DEFERS)


def changes_records(events: int) -> bool:
    """Whether a trigger or rule may change what is inserted or updated."""
    return bool(events & (_INSERT | _UPDATE | _RULES))


def trigger_events(table: Sql) -> Sql:
    """What the triggers of a table fire for."""
    return statement("trigger_events", table=table)


def _is_plain(is_ledger: Sql) -> Sql:
    return statement("is_plain", is_ledger=is_ledger, foreign_below=statement("foreign_below"))


@cache
def _is_hidden(command: str, *conditions: str) -> Sql:
    applies = statement("policy_applies", command=quoting.Sql(f"'{command}'::\"char\""))
    is_open = quoting.Sql(" AND ".join(statement(one) for one in conditions))
    return statement("is_hidden", applies=applies, open=is_open)


def _oid(table: Table) -> Sql:
    name = quoting.text(table.name)
    if table.schema is None:
        return statement("found_by_path", name=quoting.text(table.sql))
    return statement("found_in_schema", schema=quoting.text(table.schema), name=name)
