"""
Counts what a statement would take away: exactly, up to a bound, and for a bounded time.

Each question has a transaction of its own that only reads. It waits for no lock longer than a
run would, and row security never hides rows from it in silence: what could not be counted says
why.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from rung.drivers.postgres import quoting
from rung.drivers.postgres.message import CLOSING, Message, file_pieces, ours
from rung.drivers.postgres.quoting import Sql, statement
from rung.drivers.postgres.snapshot import read_snapshot
from rung.errors import sqlstate
from rung.script.data_loss import CHANGES_BY, MOST_ROWS, ROWS_OF, VALUES_IN, DataLoss, DryRun, Gone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.drivers.postgres.tables import TableNames
    from rung.drivers.postgres.wire import Reply, Row, Wire
    from rung.script import Script


_WITHIN = 2.0
"""Seconds for one question."""
_ALTOGETHER = 20.0
"""Seconds for all of them; what is left is not counted."""
_LIMITS = (
    Sql("BEGIN READ ONLY"),
    Sql("SET LOCAL lock_timeout = '200ms'"),
    Sql("SET LOCAL row_security = off"),
)
_WITH_ROWS = {"r": "", "p": "", "m": "", "f": "a foreign table"}
_REASONS = {
    sqlstate.INSUFFICIENT_PRIVILEGE: "no right to read all of them",
    sqlstate.LOCK_NOT_AVAILABLE: "the table is locked",
    sqlstate.QUERY_CANCELED: "counting took too long",
    sqlstate.OBJECT_NOT_IN_PREREQUISITE_STATE: "it is not populated",
}
_CLASSES = {"schema": "pg_catalog.pg_namespace"}
_NOTHING_MORE = "too much to count"


def has_value(column: str) -> Sql:
    """
    The condition that a row has a value in a column.

    A composite value with an empty field is none that `IS NOT NULL` is true of.
    """
    return Sql(f"WHERE {column} IS DISTINCT FROM NULL")


class Counting:
    """
    Counts on one connection that has no transaction open.

    Args:
        wire: the connection.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._until = time.monotonic() + _ALTOGETHER

    def count(self, losses: Sequence[DataLoss]) -> tuple[DataLoss, ...]:
        """The same losses with their rows, each followed by what its cascade takes along."""
        return tuple(found for loss in losses for found in self._counted(loss))

    def count_one(self, loss: DataLoss) -> DataLoss:
        """A loss with its rows, without what goes along; its name as the catalog has it."""
        return next(iter(self._counted(replace(loss, cascade=False))))

    def _counted(self, loss: DataLoss) -> Iterator[DataLoss]:
        if loss.kind == "schema":
            yield loss
            row = self._row(statement("lost_schema", schema=quoting.text(loss.table)))
            if row and loss.cascade:
                yield from self._along("pg_catalog.pg_namespace", row[0] or "", "0")
            return
        if loss.kind in ("sequence", "database", "view", CHANGES_BY):
            yield loss
            return
        column = quoting.text(loss.column or None)
        row = self._row(statement("lost_relation", table=quoting.text(loss.table), column=column))
        if row is None:
            yield loss.uncounted(loss.unknown_reason or "the table does not exist now")
            return
        oid, kind, name, number, named = (value or "" for value in row)
        yield self._of_relation(loss, kind, Sql(name), Sql(named))
        if loss.cascade and loss.kind != ROWS_OF:
            yield from self._along("pg_catalog.pg_class", oid, number or "0")
        elif loss.kind == ROWS_OF:
            yield from self._referencing(oid, cascade=loss.cascade)

    def _of_relation(self, loss: DataLoss, kind: str, name: Sql, column: Sql) -> DataLoss:
        """A loss with the rows of the table that its name stands for."""
        if loss.unknown_reason or kind not in _WITH_ROWS:
            return loss
        if reason := _WITH_ROWS[kind]:
            return loss.uncounted(reason)
        if loss.column and not column:
            return loss.uncounted("the column does not exist now")
        condition = has_value(column) if loss.column else Sql("")
        bound = Sql(str(MOST_ROWS + 1))
        reply = self._ask(statement("first_rows", table=name, condition=condition, bound=bound))
        if reply is None:
            return loss.uncounted(_NOTHING_MORE)
        if reply.error:
            state = reply.error.message.sqlstate
            return loss.uncounted(_REASONS.get(state, "they could not be read"))
        return loss.counted(int(reply.rows(reply.done - 1)[0][0] or 0))

    def _along(self, catalog: str, oid: str, column: str) -> Iterator[DataLoss]:
        """What a cascade takes along, counted."""
        reply = self._ask(
            statement(
                "taken_along",
                catalog=quoting.text(catalog),
                oid=quoting.number(int(oid)),
                column=quoting.number(int(column)),
            )
        )
        if reply is None or reply.error:
            yield DataLoss("objects", "that depend on it").uncounted("they could not be listed")
            return
        for kind, table, named in reply.rows(reply.done - 1):
            loss = DataLoss(kind or "", table or "", named or "")
            counts = loss.kind in ("table", "materialized view", "foreign table", "column")
            yield self.count_one(loss) if counts else loss

    def _referencing(self, oid: str, *, cascade: bool) -> Iterator[DataLoss]:
        """Tables of which rows go along, by their foreign keys."""
        places = {"oid": quoting.number(int(oid)), "all": quoting.truth(cascade)}
        reply = self._ask(statement("referencing", **places))
        if reply is None or reply.error:
            yield DataLoss(ROWS_OF, "that refer to it").uncounted("they could not be listed")
            return
        for kind, table, _ in reply.rows(reply.done - 1):
            loss = DataLoss(kind or VALUES_IN, table or "")
            alone = loss.uncounted("by their foreign key")
            yield self.count_one(loss) if cascade else alone

    def _row(self, question: Sql) -> Row | None:
        reply = self._ask(question)
        if reply is None or reply.error:  # a name that can be none
            return None
        rows = reply.rows(reply.done - 1)
        return rows[0] if rows else None

    def _ask(self, question: Sql) -> Reply | None:
        """Ask, and end the transaction; None where all the time is used up."""
        left = self._until - time.monotonic()
        if left <= 0:
            return None
        sql = ours("", *_LIMITS, question).sql
        reply = self._wire.ask(sql, within=min(_WITHIN, left))
        self._wire.ask("ROLLBACK")
        return reply


"""Seconds from the first lock to the end."""
_MOST_BYTES = 100 * 1024 * 1024
_BEGIN = (
    Sql("BEGIN"),
    Sql("SET LOCAL lock_timeout = '200ms'"),
    Sql("SET LOCAL idle_in_transaction_session_timeout = '5s'"),
)
_CATALOG_FIRST = Sql("SET LOCAL search_path = pg_catalog, pg_temp")
_PUT_BACK = Sql("ROLLBACK TO SAVEPOINT rung_path")
_POINT = Sql("SAVEPOINT rung_path")
_IMMEDIATE = Sql("SET CONSTRAINTS ALL IMMEDIATE")

Relations = dict[tuple[str, str], Gone]
"""By oid and number of the column, 0 for the relation itself."""


def dry_run(wire: Wire, names: TableNames, undo: Script, tables: Sequence[str]) -> DryRun:
    """
    Run SQL and roll it back.

    Args:
        wire: idle, with no transaction open.
        names: of ledger, history and lease.
        undo: what to run; only what changes the schema and nothing else.
        tables: the names of the tables that it names, as it writes them.
    """
    if reason := _why_not(wire, tables):
        return DryRun(reason)
    try:
        return _ran(wire, names, undo)
    finally:
        wire.ask("ROLLBACK")


def relations(wire: Wire, names: TableNames) -> Relations:
    """What is there, and whether it was made since the ledger was marked dirty."""
    reply = wire.ask(ours("", *_BEGIN, *_asking(names)).sql)
    wire.ask("ROLLBACK")
    return {} if reply.error else _relations(reply, reply.done - 2)


def row_guard(losses: Sequence[DataLoss]) -> str:
    """
    SQL that locks tables and fails where they hold other rows than were counted.

    Args:
        losses: counted tables, and columns; their names as the catalog has them.
    """
    tables = dict.fromkeys(loss.table for loss in losses if loss.kind != "materialized view")
    locks = (f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;\n" for table in tables)
    return "".join((*locks, *map(_guarded, losses)))


def _guarded(loss: DataLoss) -> str:
    """A cast that fails with a text that says why: there is no other RAISE in plain SQL."""
    values = {
        "table": Sql(loss.table),
        "condition": Sql(f" {has_value(loss.column)}") if loss.column else Sql(""),
        "rows": quoting.number(loss.rows),
        "what": quoting.text(f"{loss.table} has changed since its rows were counted"),
    }
    return statement("row_guard", **values) + ";\n"


def _why_not(wire: Wire, tables: Sequence[str]) -> str:
    """Why it is not sent; empty where it may be."""
    listed = Sql(", ".join(quoting.text(name) for name in tables))
    size, strange = statement("bytes_of", names=listed), statement("strange_event_triggers")
    asked = (*_BEGIN, size, _CATALOG_FIRST, strange)
    found = wire.ask(ours("", *asked).sql, within=_WITHIN)
    wire.ask("ROLLBACK")
    if found.error:
        return _failed(found)
    if int(found.rows(len(_BEGIN))[0][0] or 0) > _MOST_BYTES:
        return "its tables are larger than 100 MB"
    if triggers := found.rows(len(asked) - 1)[0][0]:
        return f"event triggers would run code that cannot be read ({triggers})"
    return ""


def _ran(wire: Wire, names: TableNames, undo: Script) -> DryRun:
    before = wire.ask(ours("", *_BEGIN, *_asking(names)).sql)
    if before.error:
        return DryRun(f"could not list the objects: {before.error.message.message}")
    there = _relations(before, len(_BEGIN) + 2)
    live, schema_before = read_snapshot(wire, names)
    if live.error:
        return DryRun(f"could not read the schema: {live.error.message.message}")
    until = time.monotonic() + _WITHIN
    pieces = (*file_pieces(undo, 1, len(undo.statements)), CLOSING, ours("", _IMMEDIATE))
    ran = wire.ask(Message(pieces).sql, within=_WITHIN)
    if ran.error:
        return DryRun(_failed(ran))
    left = wire.ask(ours("", *_asking(names)).sql, within=max(until - time.monotonic(), 0.01))
    if left.error:
        return DryRun(_failed(left))
    within = max(until - time.monotonic(), 0.01)
    after, schema_after = read_snapshot(wire, names, within)
    if after.error:
        return DryRun(_failed(after))
    stayed = _relations(left, 2)
    gone = [one for key, one in there.items() if key not in stayed]
    whole = {one.name for one in gone if not one.column}
    kept = tuple(one for one in gone if not (one.column and one.name in whole))
    return DryRun("", schema_before, schema_after, kept)


def _asking(names: TableNames) -> tuple[Sql, ...]:
    """The list of relations, with the search path as it was afterwards."""
    ledger = names.ledger.sql
    question = statement("relations_there", ledger=ledger, name=quoting.text(ledger))
    return _POINT, _CATALOG_FIRST, question, _PUT_BACK


def _relations(reply: Reply, index: int) -> Relations:
    return {
        (oid or "", number or ""): Gone(kind or "", name or "", column or "", since == "t")
        for oid, number, kind, name, column, since in reply.rows(index)
    }


def _failed(reply: Reply) -> str:
    assert reply.error is not None
    message = reply.error.message
    if message.sqlstate == sqlstate.QUERY_CANCELED:
        return "the dry run took longer than two seconds"
    if message.sqlstate == sqlstate.LOCK_NOT_AVAILABLE:
        return "a table that it needs is locked"
    return f"the dry run failed: {message.message} (SQLSTATE {message.sqlstate})"
