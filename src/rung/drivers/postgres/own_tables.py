"""
Makes our tables, closed to others from the first moment, and notes since when the history is.

What a role may do with a new table shows only behind its CREATE: default privileges give more,
and so may an event trigger. So the transaction that makes one is of three messages, and commits
with the last, which has taken from others all but SELECT.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rung.drivers.postgres import quoting
from rung.drivers.postgres.ledger_sql import NOT_FOR_LONG, LedgerSql
from rung.drivers.postgres.lock import insist
from rung.drivers.postgres.message import Message, ours
from rung.drivers.postgres.privileges import rights_state
from rung.drivers.postgres.quoting import Sql, statement
from rung.drivers.postgres.reply import MessageResult
from rung.drivers.postgres.table_names import Table
from rung.drivers.postgres.write_errors import refused_history
from rung.errors import QueryFailed, RightsMissing

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.drivers.postgres.execute import PostgresSender
    from rung.drivers.postgres.inspection import InspectedTables
    from rung.drivers.postgres.message import Piece
    from rung.drivers.postgres.privileges import TablePrivileges
    from rung.drivers.postgres.wire import Wire
    from rung.drivers.transaction import StatementFailure


def table_statements(wire: Wire, at: InspectedTables) -> tuple[tuple[Sql, ...], tuple[Sql, ...]]:
    """
    What makes the ledger, and what makes the history, where they are missing.

    Raises:
        RightsMissing: the ledger cannot be made, or not be written.
        QueryFailed: the schema of one of them is not there.
    """
    if at.rights.ledger.exists and not at.rights.may_write_ledger:
        raise may_not_write(at)
    return _make_ledger(at), _make_history(wire, at)


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
    made, _ = running.exchange(making)
    if made.failure:
        return made
    asked, reply = running.exchange(Message((ours("remade", tables.revokes),)))
    if asked.failure:
        return asked
    closing = ours("remade", *(Sql(row[0] or "") for row in reply.rows(0)))
    ended, _ = running.exchange(Message((closing, *ending), (), making.script))
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


def _make_ledger(at: InspectedTables) -> tuple[Sql, ...]:
    if at.rights.ledger.exists:
        return ()
    _check_schema("ledger", at.names.ledger, at.rights.ledger)
    if grants := at.rights.grants_for_ledger(at.names):
        raise RightsMissing(
            f'role "{at.rights.role}" may not create the ledger {at.names.ledger}',
            f"grant it: {grants}",
        )
    return (LedgerSql.of(at).make_ledger(),)


def _make_history(wire: Wire, at: InspectedTables) -> tuple[Sql, ...]:
    """With the ledger's readers; nothing where our rights do not suffice."""
    if at.rights.history.exists:
        return ()
    _check_schema("history", at.names.history, at.rights.history)
    if at.rights.grants_for_history(at.names):
        return ()
    tables = LedgerSql.of(at)
    readers = _readers(wire, at)
    places = {"history": tables.history, "readers": Sql(", ".join(readers))}
    grants = (statement("grant_reading", **places),) if readers else ()
    return (tables.make_history(), *grants)


def _readers(wire: Wire, at: InspectedTables) -> list[str]:
    if not at.rights.ledger.exists:
        return []
    schema, name = at.names.ledger
    places = {"schema": quoting.text(schema), "name": quoting.text(name)}
    question = statement("grantees", right=quoting.text("SELECT"), **places)
    return [row[0] or "" for row in insist(wire, question).rows(0)]


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
