"""
Who else may write our tables, and since which row the history is closed to them. Pure.

Rows of the history can be forged by whoever may write it, so the note that it is closed stands
where the owner alone can write: in the comment on the table. It says which row was the newest
when the history was found closed under a lock that kept every writer out, and carries the state
of the catalog then (`rights_state` in others.sql). A right that was granted and revoked between
two of our runs has changed that state, though the rights look the same again; then nothing is
known until a later run notes it anew, and no row up to that note is trusted. Not noticed: a
membership in pg_write_all_data that came and went between two runs, which leaves no trace.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rung.drivers.found import OtherWriters
from rung.drivers.postgres import quoting
from rung.drivers.postgres.quoting import Sql
from rung.drivers.postgres.statements import statement

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from rung.drivers.postgres.wire import Row

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


def writers_question() -> Sql:
    """The part of `look_place` that asks who else may write."""
    through = statement("written_through", table=Sql("t.oid"), owner=Sql("t.relowner"))
    return statement("other_writers", written_through=through)


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
