"""
Makes our tables, closed to others from the first moment; and says what refuses our writes to them.

What a role may do with a new table shows only behind its CREATE: default privileges give more,
and so may an event trigger. So the transaction that makes one is of three messages, and commits
with the last, which has taken from others all but SELECT.

A trigger, a rule, a check constraint or a publication of the team's may refuse what we write
to ledger and history, and an event trigger that these tables are made. No file is at fault.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from rung.drivers.postgres import quoting
from rung.drivers.postgres.ledger_sql import NOT_FOR_LONG, LedgerSql
from rung.drivers.postgres.lock import insist
from rung.drivers.postgres.message import Message, MessageResult, ours
from rung.drivers.postgres.privileges import rights_state
from rung.drivers.postgres.quoting import Sql, statement
from rung.drivers.postgres.tables import Table
from rung.drivers.transaction import OwnWrite
from rung.errors import QueryFailed, RightsMissing, TableRefused, TablesUntrusted, sqlstate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rung.drivers.inspection import Obstacle
    from rung.drivers.postgres.execute import PostgresSender
    from rung.drivers.postgres.inspection import InspectedTables
    from rung.drivers.postgres.message import Piece
    from rung.drivers.postgres.privileges import TablePrivileges
    from rung.drivers.postgres.tables import TableFacts, TableNames
    from rung.drivers.postgres.wire import Reply, Wire
    from rung.drivers.transaction import StatementFailure


def table_statements(wire: Wire, at: InspectedTables) -> tuple[tuple[Sql, ...], tuple[Sql, ...]]:
    """
    What makes the ledger, and what makes the history, where they are missing.

    The ledger's readers may read the history; without the rights to make it there is none.

    Raises:
        RightsMissing: the ledger cannot be made, or not be written.
        QueryFailed: the schema of one of them is not there.
    """
    if at.rights.ledger.exists and not at.rights.may_write_ledger:
        raise may_not_write(at)
    tables, rights, names = LedgerSql.of(at), at.rights, at.names
    if not rights.ledger.exists:
        _check_schema("ledger", names.ledger, rights.ledger)
        if grants := rights.grants_for_ledger(names):
            raise RightsMissing(
                f'role "{rights.role}" may not create the ledger {names.ledger}',
                f"grant it: {grants}",
            )
    if not rights.history.exists:
        _check_schema("history", names.history, rights.history)
    ledger = () if rights.ledger.exists else (tables.make_ledger(),)
    if rights.history.exists or rights.grants_for_history(names):
        return ledger, ()
    if not rights.ledger.exists:
        return ledger, (tables.make_history(),)
    schema, name = (quoting.text(part) for part in names.ledger)
    question = statement("grantees", right=quoting.text("SELECT"), schema=schema, name=name)
    readers = ", ".join(row[0] or "" for row in insist(wire, question).rows(0))
    reading = statement("grant_reading", history=tables.history, readers=Sql(readers))
    return ledger, (tables.make_history(), *((reading,) if readers else ()))


def make_closed(
    running: PostgresSender, tables: LedgerSql, making: Message, ending: tuple[Piece, ...]
) -> MessageResult:
    """
    Make tables, and take from others what they were given with them, before it is committed.

    Args:
        running: what sends it.
        tables: those that are made.
        making: opens a transaction, remembers which are there, and makes the others.
        ending: what of the transaction stands behind, with its COMMIT.
    """
    made = running.send(making)
    if made.failure:
        return made
    asked = running.send(Message((ours("remade", tables.revokes),)))
    if asked.failure or asked.reply is None:
        return asked
    closing = ours("remade", *(Sql(row[0] or "") for row in asked.reply.rows(0)))
    ended = running.send(Message((closing, *ending), (), making.script))
    return replace(ended, notices=(*made.notices, *ended.notices))


def make_tables(
    running: PostgresSender,
    ledger: tuple[Sql, ...],
    history: tuple[Sql, ...],
    explain: Callable[[StatementFailure], StatementFailure],
) -> tuple[MessageResult, str]:
    """
    Make what is missing; why there is no history, where a rule of the database refuses it.

    Both at once; where that is refused, each by itself, so that the ledger does not go
    without for the history's sake.
    """
    if not (ledger or history):
        return MessageResult(), ""
    ran = running.make(*ledger, *history)
    if not (history and ran.failure and ran.failure.own_table):
        return ran, ""
    first = running.make(*ledger) if ledger else MessageResult()
    if first.failure:
        return first, ""
    ran = running.make(*history)
    if ran.failure and ran.failure.own_table:
        return MessageResult(), refused_history(explain(ran.failure))
    return ran, ""


def other_ledgers(wire: Wire, at: InspectedTables) -> tuple[str, ...]:
    """The tables of a ledger's shape under another name; none where ours is there."""
    if at.rights.ledger.exists:
        return ()
    question = statement("other_ledgers", name=quoting.text(at.names.ledger.name))
    return tuple(str(Table(schema, name or "")) for schema, name in insist(wire, question).rows(0))


def note_statements(wire: Wire, at: InspectedTables, *, new: bool) -> tuple[Sql, ...]:
    """
    What notes in the history's comment since which row it is closed; none where nothing changed.

    A `new` history has no row to ask for. Every writer is kept out meanwhile, and rights and rows
    are looked at again under that lock: a row that was written before it and is committed after it
    would pass as closed.
    """
    note, writers, history = at.note, at.other_writers, at.names.history.sql
    is_open = bool(writers.history)
    noted = not note.says_closed if is_open else writers.closed_after is not None
    if noted or not (at.may_write_history and note.may_write):
        return ()
    asked = None if new else insist(wire, statement("newest_row", history=history)).rows(0)[0][0]
    newest = Sql(asked or "0")
    check = statement(
        "check_closed",
        history=history,
        name=quoting.text(history),
        rights_state=rights_state(),
        state=quoting.text(note.state),
        newest=newest,
    )
    comment = quoting.text(note.written(None if is_open else int(newest)))
    return (
        NOT_FOR_LONG,
        statement("keep_writers_out", history=history),
        check,
        statement("comment_history", history=history, comment=comment),
    )


def _check_schema(what: str, table: Table, here: TablePrivileges) -> None:
    if here.schema_rights is None:
        raise QueryFailed(
            f"the schema of the {what} {table} does not exist",
            f"create it: CREATE SCHEMA {quoting.name(table.schema or '')};",
        )


def may_not_write(at: InspectedTables) -> RightsMissing:
    """The error of a ledger that our rights do not let us write."""
    return RightsMissing(
        f'role "{at.rights.role}" may not write the ledger {at.names.ledger}',
        f"grant it: {at.rights.grants_for_ledger(at.names)}",
    )


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
    assert failure.own is not None
    table, objects, remedy = failure.own
    seen = f" ({', '.join(objects)})" if objects else ""
    said = "\n".join(failure.server.lines())
    cause = f"the database rejects Rung's own write to {table}{seen}: {said}"
    return TableRefused(cause, remedy, failure.server.sqlstate)


def refused_history(failure: StatementFailure) -> str:
    """The warning of a run that goes on without a history."""
    assert failure.own is not None
    seen = f" ({', '.join(failure.own.objects)})" if failure.own.objects else ""
    said = "; ".join(failure.server.lines())
    return (
        f"the database rejects {failure.own.table}{seen}: {said}. This run is not recorded; to "
        "keep a history, name a table where it is allowed: `--history-table SCHEMA.NAME`"
    )


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
