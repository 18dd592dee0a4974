"""
Has SQL run on the live database in a transaction that is rolled back, and tells what went.

What is sent was judged before: it changes the schema and nothing else. From its first lock on it
has two seconds altogether; then a second connection cancels it. lock_timeout bounds how long it
waits for locks, not how long it holds them.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rung.drivers.postgres import quoting, snapshot
from rung.drivers.postgres.counting import has_value
from rung.drivers.postgres.message import CLOSING, Message, file_pieces, ours
from rung.drivers.postgres.quoting import Sql
from rung.drivers.postgres.statements import statement
from rung.losses import DryRun, Gone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.drivers.postgres.names import Names
    from rung.drivers.postgres.wire import Reply, Wire
    from rung.losses import Loss
    from rung.statements import Script

_WITHIN = 2.0
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


def dry_run(wire: Wire, names: Names, undo: Script, tables: Sequence[str]) -> DryRun:
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


def relations(wire: Wire, names: Names) -> Relations:
    """What is there, and whether it was made since the ledger was marked dirty."""
    reply = wire.ask(ours("", *_BEGIN, *_asking(names)).sql)
    wire.ask("ROLLBACK")
    return {} if reply.error else _relations(reply, reply.done - 2)


def row_guard(losses: Sequence[Loss]) -> str:
    """
    SQL that locks tables and fails where they hold other rows than were counted.

    Args:
        losses: counted tables, and columns; their names as the catalog has them.
    """
    tables = dict.fromkeys(loss.table for loss in losses if loss.kind != "materialized view")
    locks = (f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;\n" for table in tables)
    return "".join((*locks, *map(_guarded, losses)))


def _guarded(loss: Loss) -> str:
    """A cast that fails with a text that says why: there is no other RAISE in plain SQL."""
    values = {
        "table": Sql(loss.table),
        "condition": Sql(f" {has_value(loss.column)}") if loss.column else Sql(""),
        "rows": quoting.number(loss.rows),
        "what": quoting.text(f"{loss.table} holds other rows by now than were counted"),
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
        return "the tables that it names are larger than 100 MB"
    if triggers := found.rows(len(asked) - 1)[0][0]:
        return f"event triggers would run code that nobody can look into ({triggers})"
    return ""


def _ran(wire: Wire, names: Names, undo: Script) -> DryRun:
    before = wire.ask(ours("", *_BEGIN, *_asking(names)).sql)
    if before.error:
        return DryRun(f"what is there could not be listed: {before.error.message.message}")
    there = _relations(before, len(_BEGIN) + 2)
    live = wire.ask(snapshot.question(names))
    if live.error:
        return DryRun(f"the schema could not be read: {live.error.message.message}")
    until = time.monotonic() + _WITHIN
    pieces = (*file_pieces(undo, 1, len(undo.statements)), CLOSING, ours("", _IMMEDIATE))
    ran = wire.ask(Message(pieces).sql, within=_WITHIN)
    if ran.error:
        return DryRun(_failed(ran))
    left = wire.ask(ours("", *_asking(names)).sql, within=max(until - time.monotonic(), 0.01))
    if left.error:
        return DryRun(_failed(left))
    after = wire.ask(snapshot.question(names), within=max(until - time.monotonic(), 0.01))
    if after.error:
        return DryRun(_failed(after))
    stayed = _relations(left, 2)
    gone = [one for key, one in there.items() if key not in stayed]
    whole = {one.name for one in gone if not one.column}
    kept = tuple(one for one in gone if not (one.column and one.name in whole))
    return DryRun("", snapshot.answer(live), snapshot.answer(after), kept)


def _asking(names: Names) -> tuple[Sql, ...]:
    """The list of relations, with the search path as it was behind it."""
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
    if message.sqlstate == "57014":
        return "the dry run took longer than two seconds"
    if message.sqlstate == "55P03":
        return "a table that it needs is locked by somebody else"
    return f"the dry run failed: {message.message} (SQLSTATE {message.sqlstate})"
