"""
What our role may do at ledger, history and lease, and the grants that are missing. Pure.

golang-migrate needs SELECT, INSERT and TRUNCATE on the ledger. With these we write it too;
UPDATE and DELETE in place of TRUNCATE spare readers from waiting for us.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from rung.drivers.inspection import OtherWriters
from rung.drivers.postgres import quoting
from rung.drivers.postgres.quoting import Sql, statement

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from rung.drivers.postgres.tables import Table, TableNames
    from rung.drivers.postgres.wire import Row


_BY_ROW = ("SELECT", "INSERT", "UPDATE", "DELETE")
_BY_TRUNCATE = ("SELECT", "INSERT", "TRUNCATE")
_HISTORY = ("SELECT", "INSERT", "UPDATE")
_LEASE = ("SELECT", "UPDATE")
_SCHEMA = ("USAGE", "CREATE")


class TablePrivileges(NamedTuple):
    """What is there of a table, and what our role may do with it."""

    rights: frozenset[str] | None = None
    """None where there is no such table."""
    schema_rights: frozenset[str] | None = None
    """None where not even its schema is there."""

    @property
    def exists(self) -> bool:
        """Whether the table is there."""
        return self.rights is not None


class Rights(NamedTuple):
    """What our role may do."""

    role: str = ""
    ledger: TablePrivileges = TablePrivileges()
    history: TablePrivileges = TablePrivileges()
    lease: TablePrivileges = TablePrivileges()

    @property
    def by_truncate(self) -> bool:
        """Whether the ledger can be written by TRUNCATE and INSERT alone."""
        return bool(self.ledger_missing(_BY_ROW)) and not self.ledger_missing(_BY_TRUNCATE)

    @property
    def may_write_ledger(self) -> bool:
        """Whether the ledger is there and can be written."""
        if self.ledger.rights is None:
            return False
        return not self.ledger_missing(_BY_ROW) or not self.ledger_missing(_BY_TRUNCATE)

    @property
    def may_write_history(self) -> bool:
        """Whether the history is there and can be written."""
        return self.history.exists and not _lacking(_HISTORY, self.history.rights)

    def ledger_missing(self, wanted: Iterable[str] = _BY_ROW) -> list[str]:
        """Which of these rights on the ledger are missing."""
        return _lacking(wanted, self.ledger.rights)

    def grants_for_ledger(self, names: TableNames) -> str:
        """What has to be granted so that the ledger can be written; empty where it can be."""
        if not self.ledger.exists:
            return self._on_schema(names.ledger, self.ledger, _SCHEMA)
        return "" if self.may_write_ledger else self._on_table(names.ledger, self.ledger, _BY_ROW)

    def grants_for_reading(self, names: TableNames) -> str:
        """What has to be granted so that the ledger can be read."""
        return self._on_table(names.ledger, self.ledger, ("SELECT",))

    def grants_for_history(self, names: TableNames) -> str:
        """What has to be granted so that a history can be written; empty where it can be."""
        if not self.history.exists:
            return self._on_schema(names.history, self.history, _SCHEMA)
        return self._on_table(names.history, self.history, _HISTORY)

    def grants_for_lease(self, names: TableNames) -> str:
        """What has to be granted so that the lease can be taken; empty where it can be."""
        if not self.lease.exists:
            return self._on_schema(names.lease, self.lease, _SCHEMA)
        return self._on_table(names.lease, self.lease, _LEASE)

    def _on_table(self, table: Table, here: TablePrivileges, wanted: Iterable[str]) -> str:
        lacking = _lacking(wanted, here.rights)
        given = f"GRANT {', '.join(lacking)} ON TABLE {table.sql} TO {self._role};"
        usage = self._on_schema(table, here, ("USAGE",))
        return " ".join(filter(None, (usage, given if lacking else "")))

    def _on_schema(self, table: Table, here: TablePrivileges, wanted: Iterable[str]) -> str:
        """Nothing where the schema does not exist: a grant would not help."""
        lacking = [] if here.schema_rights is None else _lacking(wanted, here.schema_rights)
        if not lacking or table.schema is None:
            return ""
        schema = quoting.name(table.schema)
        return f"GRANT {', '.join(lacking)} ON SCHEMA {schema} TO {self._role};"

    @property
    def _role(self) -> str:
        return quoting.name(self.role)


def _lacking(wanted: Iterable[str], rights: frozenset[str] | None) -> list[str]:
    return [right for right in wanted if right not in (rights or ())]


COLUMNS = 5
"""How many columns of `look_place` are read here, at its end."""
_NOTE = re.compile(
    r"^rung: (?:open to others|closed to others after row (\d+), state (\w+))$", re.MULTILINE
)
_OPEN = "rung: open to others"
_EVERYTHING = "pg_write_all_data"
_OTHERWISE = {
    "owner": 'role "{name}" owns it',
    "trigger": 'trigger "{name}" runs a function of role "{how}"',
    "rule": 'rule "{name}" rewrites what is written',
    "child": "its rows are also those of the child table {name}",
}
_MEANT = frozenset({"INSERT", "UPDATE", "DELETE", "TRUNCATE"})
"""What a ledger-writer is meant to have on the ledger; on the lease a part of it."""


class Note(NamedTuple):
    """The comment on the history, and the state of its rights now."""

    comment: str = ""
    state: str = ""
    may_write: bool = False
    """Whether we can act as the owner, who alone can comment."""
    stands: bool = True
    """Whether no change of the table's row in the catalog is newer, such as of its owner."""

    @property
    def closed_after(self) -> int | None:
        """The row after which the history is noted as closed, and nothing was changed since."""
        found = _NOTE.search(self.comment)
        if found is None or not (self.may_write and self.stands) or found[2] != self.state:
            return None
        return int(found[1])

    @property
    def says_closed(self) -> bool:
        """Whether the comment says closed, be it of another state."""
        found = _NOTE.search(self.comment)
        return found is not None and found[1] is not None

    def written(self, closed_after: int | None) -> str:
        """The comment with another note in it; what else it says stays."""
        note = _OPEN
        if closed_after is not None:
            note = f"rung: closed to others after row {closed_after}, state {self.state}"
        if _NOTE.search(self.comment):
            return _NOTE.sub(note, self.comment, count=1)
        return f"{self.comment}\n{note}" if self.comment else note


@cache
def writers_question() -> Sql:
    """The part of `look_place` that asks who else may write."""
    through = statement("written_through", table=Sql("t.oid"), owner=Sql("t.relowner"))
    return statement("other_writers", written_through=through)


@cache
def rights_state() -> Sql:
    """The expression of the state of the history's rights."""
    history, owner = Sql("history.oid"), Sql("history.relowner")
    through = statement("written_through", table=history, owner=owner)
    return statement("rights_state", written_through=through)


def remember(tables: Sequence[Sql]) -> Sql:
    """What goes in front of the making of tables, so that `revokes` spares those there are."""
    return statement("remember", tables=_oids(tables))


def revokes(
    tables: Sequence[Sql], ledger: Sql, meant: Sequence[str], *, only_others: bool = False
) -> Sql:
    """
    The question for the statements that leave others SELECT alone on tables of ours.

    Args:
        tables: with their schemas; none that was there at `remember` in the same transaction.
        ledger: which of them may be written by who is meant to, and is granted that.
        meant: these roles.
        only_others: whether who can act as the owner or as us anyway is left alone, and nothing
            is granted; the views on the tables are asked for too.
    """
    through = statement("written_through", table=Sql("t.oid"), owner=Sql("t.relowner"))
    views = statement("held_through_views", written_through=through)
    names = ", ".join(quoting.name(role) for role in meant)
    return statement(
        "revokes",
        tables=_oids(tables),
        ledger=_oids((ledger,)),
        writers=Sql(", ".join(quoting.text(role) for role in meant)),
        given=quoting.text(None if only_others else names or None),
        only=statement("from_others") if only_others else Sql(""),
        through_views=views if only_others else Sql(""),
    )


def removals(table: Sql) -> Sql:
    """The question for the statements that take rules and triggers of others out of a table."""
    return statement("removals", table=_oids((table,)))


def _oids(tables: Sequence[Sql]) -> Sql:
    found = (f"pg_catalog.to_regclass({quoting.text(table)})::pg_catalog.oid" for table in tables)
    return Sql(", ".join(found))


def read_note(columns: Row) -> Note:
    """The note of a history, by the last columns of `look_place`."""
    _, comment, state, may_write, stands = columns
    return Note(comment or "", state or "", may_write == "t", stands == "t")


def read_writers(columns: Row, meant: Collection[str], *, has_history: bool) -> OtherWriters:
    """
    Who else may write, by the last columns of `look_place`.

    Args:
        columns: of the one row.
        meant: the roles that are to write the ledger, which need no mention there.
        has_history: whether there is one; what is not there was written by nobody.
    """
    lines = [line.split("\t") for line in (columns[0] or "").split("\n") if line]
    found = {table: tuple(_words(table, lines, meant)) for table in ("ledger", "history", "lease")}
    closed_after = read_note(columns).closed_after if has_history else 0
    if found["history"]:
        closed_after = None
    return OtherWriters(found["ledger"], found["history"], found["lease"], closed_after)


def _words(table: str, lines: list[list[str]], meant: Collection[str]) -> Iterator[str]:
    """One phrase for each role, with its rights together, and for each other way."""
    rights: dict[str, list[str]] = {}
    for _, kind, name, how in (line for line in lines if line[0] == table):
        if kind == "role":
            rights.setdefault(name, []).append(how)
        else:
            yield _OTHERWISE[kind].format(name=name, how=how)
    for name, held in rights.items():
        if table != "history" and name in meant and _MEANT.issuperset(held):
            continue
        who = name if name == "PUBLIC" else f'role "{name}"'
        if _EVERYTHING in held:
            yield f"{who} is a member of {_EVERYTHING}"
        if plain := sorted(set(held) - {_EVERYTHING}):
            yield f"{who} has {', '.join(plain)}"
