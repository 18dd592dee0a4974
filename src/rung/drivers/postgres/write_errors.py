"""
Our own writes that the database refuses: what of it does so, and the way out. Pure.

A trigger, a rule, a check constraint or a publication of the team's may refuse what we write
to ledger and history, and an event trigger that these tables are made. No file is at fault.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from rung.drivers.postgres import quoting
from rung.drivers.postgres.quoting import statement
from rung.drivers.transaction import OwnWrite
from rung.errors import TableRefused, TablesUntrusted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.drivers.inspection import Obstacle
    from rung.drivers.postgres.inspection import InspectedTables
    from rung.drivers.postgres.own_table_facts import TableFacts
    from rung.drivers.postgres.quoting import Sql
    from rung.drivers.postgres.table_names import Names, Table
    from rung.drivers.postgres.wire import Reply, Wire
    from rung.drivers.transaction import StatementFailure

_NO_KEY, _NAME_TAKEN = "55000", "42P07"
_MISSHAPEN = frozenset(("22003", "22P02", "23502", "428C9", "42703", "42804"))
"""A value that a column does not take: of its type, for being generated, or for want of one."""
_COLUMNS = {
    "ledger": "version bigint not null primary key, dirty boolean not null, and no column besides "
    "that must be given",
    "history": "those that Rung makes",
}


def check_trusted(obstacles: Sequence[Obstacle]) -> None:
    """
    Refuse to write tables of ours where a lesser role's code would run, or rows are hidden.

    Raises:
        TablesUntrusted: that is so.
    """
    if obstacles:
        first, *more = obstacles
        cause = "; ".join((first.cause, *(other.cause for other in more)))
        raise TablesUntrusted(cause, first.advice)


def explained(wire: Wire, at: InspectedTables, refusal: StatementFailure) -> StatementFailure:
    """The same refusal, with what of the database refused a write of ours, or has our name."""
    if refusal.triggers is not None:
        return refusal
    if refusal.own_table:
        table = at.names.ledger if refusal.own_table == "ledger" else at.names.history
        own = own_write(refusal, table, wire.ask(guards_of(table)), at.ledger_facts)
        return replace(refusal, own=own, server=refusal.server._replace(detail=""))
    taken = name_taken(refusal, at.names) if refusal.statement is not None else ""
    return replace(refusal, remedy=taken) if taken else refusal


def guards_of(table: Table) -> Sql:
    """The question for all that may refuse a write to a table of ours, or its making."""
    schema, name = quoting.text(table.schema), quoting.text(table.name)
    return statement("guards", schema=schema, name=name)


def own_write(refusal: StatementFailure, table: Table, reply: Reply, facts: TableFacts) -> OwnWrite:
    """
    What is known of a write of ours that was refused.

    Args:
        refusal: of the write.
        table: the ledger or the history.
        reply: to `guards_of`.
        facts: of the ledger, as it was found.
    """
    rows = [] if reply.error else reply.rows(0)
    kinds = _GUARDING if any(kind == "table" for kind, _ in rows) else frozenset(("event trigger",))
    if refusal.altered:
        kinds = _ALTERING
    elif refusal.server.sqlstate == _NO_KEY:
        kinds = frozenset(("publication",))
    objects = tuple(f"{kind} {name}" for kind, name in rows if kind in kinds)
    if refusal.server.sqlstate == _NO_KEY:
        remedy = _key_for(refusal.own_table, table, facts)
    else:
        other = f"name another {refusal.own_table}: `--{refusal.own_table}-table"
        remedy = f"{_first_way(refusal, objects)}, or {other} SCHEMA.NAME`"
    return OwnWrite(f"the {refusal.own_table} {table}", objects, remedy)


def _key_for(what: str, table: Table, facts: TableFacts) -> str:
    """What gives a published table the key that it lacks."""
    key = "version" if what == "ledger" else "id"
    full = f"run `ALTER TABLE {table.sql} REPLICA IDENTITY FULL;`"
    if what == "ledger" and not facts.publications:
        return f"{full}, or change the file to leave its key alone"
    return f"{full} or `ALTER TABLE {table.sql} ADD PRIMARY KEY ({key});`, or grant TRUNCATE on it"


def _first_way(refusal: StatementFailure, objects: Sequence[str]) -> str:
    """What to do where the table is to stay: of a rule only where there is one."""
    if refusal.altered and objects:
        return f"change {' and '.join(objects)} to leave Rung's rows unchanged"
    if refusal.altered:
        return "remove the trigger or rule on it from the file that creates it"
    if objects:
        return f"change {' or '.join(objects)} to allow it for our role"
    if refusal.server.sqlstate in _MISSHAPEN:
        return f"give the {refusal.own_table} its columns ({_COLUMNS[refusal.own_table]})"
    return "follow the server's message"


_ALTERING = frozenset(("trigger", "rule"))
"""What may make another row of ours than we write, or none."""
_GUARDING = _ALTERING | {"check constraint", "policy"}
"""What may refuse a write to a table that is there."""


def table_refused(refusal: StatementFailure) -> TableRefused:
    """The error where no migration is under way."""
    cause, advice = _told(refusal)
    return TableRefused(cause, advice, refusal.server.sqlstate)


def refused_history(refusal: StatementFailure) -> str:
    """The warning of a run that goes on without a history."""
    assert refusal.own is not None
    seen = f" ({', '.join(refusal.own.objects)})" if refusal.own.objects else ""
    said = "; ".join(refusal.server.lines())
    return (
        f"the database rejects {refusal.own.table}{seen}: {said}. This run is not recorded; to "
        "keep a history, name a table where it is allowed: `--history-table SCHEMA.NAME`"
    )


def _told(refusal: StatementFailure) -> tuple[str, str]:
    assert refusal.own is not None
    table, objects, remedy = refusal.own
    seen = f" ({', '.join(objects)})" if objects else ""
    said = "\n".join(refusal.server.lines())
    return f"the database rejects Rung's own write to {table}{seen}: {said}", remedy


def in_spare_place(names: Names) -> str:
    """What is said once of a history that has its second name; empty where it has the usual."""
    if not names.uses_spare:
        return ""
    return (
        f"another table is named {names.usual}, or a file creates one; the history is kept in "
        f"{names.history}"
    )


def name_taken(refusal: StatementFailure, names: Names) -> str:
    """What to do where a file makes a table that has a name of ours; empty where it has not."""
    if refusal.server.sqlstate != _NAME_TAKEN:
        return ""
    for what, table in (("ledger", names.ledger), ("history", names.history)):
        if re.search(rf"(?<!\w){re.escape(table.name)}(?!\w)", refusal.server.message):
            return (
                f"rename the file's table, remove its CREATE TABLE, or give Rung's {what} another "
                f"name (--{what}-table NAME)"
            )
    return ""
