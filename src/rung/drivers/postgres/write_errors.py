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
from rung.errors import TableRefused, TablesUntrusted, sqlstate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.drivers.inspection import Obstacle
    from rung.drivers.postgres.inspection import InspectedTables
    from rung.drivers.postgres.own_table_facts import TableFacts
    from rung.drivers.postgres.quoting import Sql
    from rung.drivers.postgres.table_names import Table, TableNames
    from rung.drivers.postgres.wire import Reply, Wire
    from rung.drivers.transaction import StatementFailure

_MISSHAPEN = frozenset(
    (
        sqlstate.NUMERIC_VALUE_OUT_OF_RANGE,
        sqlstate.INVALID_TEXT_REPRESENTATION,
        sqlstate.NOT_NULL_VIOLATION,
        sqlstate.GENERATED_ALWAYS,
        sqlstate.UNDEFINED_COLUMN,
        sqlstate.DATATYPE_MISMATCH,
    )
)
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


def explained(wire: Wire, at: InspectedTables, failure: StatementFailure) -> StatementFailure:
    """The same failure, with what of the database refused a write of ours, or has our name."""
    if failure.triggers is not None:
        return failure
    if failure.own_table:
        table = at.names.ledger if failure.own_table == "ledger" else at.names.history
        own = own_write(failure, table, wire.ask(guards_of(table)), at.ledger_facts)
        return replace(failure, own=own, server=failure.server._replace(detail=""))
    taken = name_taken(failure, at.names) if failure.statement is not None else ""
    return replace(failure, remedy=taken) if taken else failure


def guards_of(table: Table) -> Sql:
    """The question for all that may refuse a write to a table of ours, or its making."""
    schema, name = quoting.text(table.schema), quoting.text(table.name)
    return statement("guards", schema=schema, name=name)


def own_write(failure: StatementFailure, table: Table, reply: Reply, facts: TableFacts) -> OwnWrite:
    """
    The facts about a write of ours that was rejected.

    Args:
        failure: of the write.
        table: the ledger or the history.
        reply: to `guards_of`.
        facts: of the ledger, as it was found.
    """
    rows = [] if reply.error else reply.rows(0)
    kinds = _GUARDING if any(kind == "table" for kind, _ in rows) else frozenset(("event trigger",))
    if failure.altered:
        kinds = _ALTERING
    elif failure.server.sqlstate == sqlstate.OBJECT_NOT_IN_PREREQUISITE_STATE:
        kinds = frozenset(("publication",))
    objects = tuple(f"{kind} {name}" for kind, name in rows if kind in kinds)
    if failure.server.sqlstate == sqlstate.OBJECT_NOT_IN_PREREQUISITE_STATE:
        remedy = _key_for(failure.own_table, table, facts)
    else:
        other = f"name another {failure.own_table}: `--{failure.own_table}-table"
        remedy = f"{_first_way(failure, objects)}, or {other} SCHEMA.NAME`"
    return OwnWrite(f"the {failure.own_table} {table}", objects, remedy)


def _key_for(what: str, table: Table, facts: TableFacts) -> str:
    """What gives a published table the key that it lacks."""
    key = "version" if what == "ledger" else "id"
    full = f"run `ALTER TABLE {table.sql} REPLICA IDENTITY FULL;`"
    if what == "ledger" and not facts.publications:
        return f"{full}, or change the file to leave its key alone"
    return f"{full} or `ALTER TABLE {table.sql} ADD PRIMARY KEY ({key});`, or grant TRUNCATE on it"


def _first_way(failure: StatementFailure, objects: Sequence[str]) -> str:
    """What to do where the table is to stay: of a rule only where there is one."""
    if failure.altered and objects:
        return f"change {' and '.join(objects)} to leave Rung's rows unchanged"
    if failure.altered:
        return "remove the trigger or rule on it from the file that creates it"
    if objects:
        return f"change {' or '.join(objects)} to allow it for our role"
    if failure.server.sqlstate in _MISSHAPEN:
        return f"give the {failure.own_table} its columns ({_COLUMNS[failure.own_table]})"
    return "follow the server's message"


_ALTERING = frozenset(("trigger", "rule"))
"""What may make another row of ours than we write, or none."""
_GUARDING = _ALTERING | {"check constraint", "policy"}
"""What may refuse a write to a table that is there."""


def table_refused(failure: StatementFailure) -> TableRefused:
    """The error where no migration is under way."""
    cause, advice = _told(failure)
    return TableRefused(cause, advice, failure.server.sqlstate)


def refused_history(failure: StatementFailure) -> str:
    """The warning of a run that goes on without a history."""
    assert failure.own is not None
    seen = f" ({', '.join(failure.own.objects)})" if failure.own.objects else ""
    said = "; ".join(failure.server.lines())
    return (
        f"the database rejects {failure.own.table}{seen}: {said}. This run is not recorded; to "
        "keep a history, name a table where it is allowed: `--history-table SCHEMA.NAME`"
    )


def _told(failure: StatementFailure) -> tuple[str, str]:
    assert failure.own is not None
    table, objects, remedy = failure.own
    seen = f" ({', '.join(objects)})" if objects else ""
    said = "\n".join(failure.server.lines())
    return f"the database rejects Rung's own write to {table}{seen}: {said}", remedy


def in_spare_place(names: TableNames) -> str:
    """What is said once of a history that has its second name; empty where it has the usual."""
    if not names.uses_spare:
        return ""
    return (
        f"another table is named {names.usual}, or a file creates one; the history is kept in "
        f"{names.history}"
    )


def name_taken(failure: StatementFailure, names: TableNames) -> str:
    """What to do where a file makes a table that has a name of ours; empty where it has not."""
    if failure.server.sqlstate != sqlstate.DUPLICATE_TABLE:
        return ""
    for what, table in (("ledger", names.ledger), ("history", names.history)):
        if re.search(rf"(?<!\w){re.escape(table.name)}(?!\w)", failure.server.message):
            return (
                f"rename the file's table, remove its CREATE TABLE, or give Rung's {what} another "
                f"name (--{what}-table NAME)"
            )
    return ""
