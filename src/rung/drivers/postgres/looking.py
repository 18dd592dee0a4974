"""
Reads the one message of the idle look: where we are and what we may do, ledger and history.

A missing or forbidden history is an answer, and so is a missing ledger: the message ends at
the first statement that fails, and how far it came tells which.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from rung.dialect import Dialect
from rung.drivers.found import NOT_CHECKED, Look, OtherWriters, Place
from rung.drivers.history_rows import entry, ledger_state
from rung.drivers.postgres import quoting
from rung.drivers.postgres.others import COLUMNS, Note, read_note, read_writers
from rung.drivers.postgres.read_failures import NO_RIGHT, NO_TABLE, is_of_shape, read_failure
from rung.drivers.postgres.rights import Here, Rights
from rung.drivers.postgres.statements import statement
from rung.errors import LedgerElsewhere, LedgerUnreadable, SchemaMissing
from rung.ledger import LedgerState

if TYPE_CHECKING:
    from collections.abc import Collection

    from rung.drivers.postgres.names import Names, Table
    from rung.drivers.postgres.quoting import Sql
    from rung.drivers.postgres.wire import Reply, Row, ServerError
    from rung.errors import DatabaseError
    from rung.ledger import HistoryEntry


class Standing(NamedTuple):
    """Where we are, which tables are ours there, and what we may do with them."""

    place: Place
    names: Names
    """With their schemas."""
    rights: Rights
    tables: tuple[str, ...] = ()
    """Where there is no ledger: the tables of its schema that no extension owns."""
    other_writers: OtherWriters = NOT_CHECKED
    note: Note = Note()
    """What the history says of who could write it."""


def where_question(names: Names) -> Sql:
    """The first statement alone: where we are."""
    return statement(
        "look_place",
        ledger_schema=quoting.text(names.ledger.schema),
        ledger_name=quoting.text(names.ledger.name),
        history_schema=quoting.text(names.history.schema),
        history_name=quoting.text(names.history.name),
        lease_name=quoting.text(names.lease.name),
        other_writers=statement("other_writers"),
        rights_state=statement("rights_state"),
    )


def question(names: Names) -> Sql:
    """The message: three statements; a name without a schema is found on the search path."""
    ledger = statement("look_ledger", ledger=names.ledger.sql)
    return quoting.Sql(f"{where_question(names)};\n{ledger};\n{history_question(names)}")


def history_question(names: Names) -> Sql:
    """The history alone."""
    return statement("look_history", history=names.history.sql)


def standing(reply: Reply, names: Names, meant: Collection[str] = ()) -> Standing:
    """
    Where we are.

    Args:
        reply: to `where_question`, or to `question`.
        names: as they were asked for.
        meant: the roles that are to write the ledger besides us.

    Raises:
        LedgerUnreadable: no schema on the path.
        LedgerElsewhere: a ledger stands in another schema of the path.
        DatabaseError: anything else that the server refused, by what it comes from.
    """
    if not reply.results:
        raise read_failure(reply.error.message if reply.error else None, "the catalog")
    row = reply.rows(0)[0]
    place, (ledgers, quoted, role), facts, tables = _columns(row)
    database, schema, read_only, pid, version, strings = place
    if schema is None or database is None or pid is None:
        raise SchemaMissing(
            "No schema of the search path exists, so there is no place for the ledger.",
            "Create the schema, or name another one with search_path or --ledger-table.",
        )
    if names.ledger.schema is None:
        _check_place(names.ledger, schema, quoted, ledgers)
    server = f"PostgreSQL {version}"
    dialect = Dialect.POSTGRES if strings == "on" else Dialect.POSTGRES_ESCAPES
    here = names.at(schema)
    shown = str(here.ledger)
    found = Place(database, schema, read_only == "t", server, dialect, int(pid), shown)
    lease = (*facts[8:], *facts[2:4])  # its schema is the ledger's
    rights = Rights(role or "", _here(facts[:4]), _here(facts[4:8]), _here(lease))
    last = row[-COLUMNS:]
    others = read_writers(last, meant, has_history=rights.history.exists)
    return Standing(found, here, rights, _lines(tables), others, read_note(last))


def answer(reply: Reply, at: Standing) -> Look:
    """
    What the whole reply tells.

    Raises:
        LedgerUnreadable: no right to read it, another shape, several rows.
        DatabaseError: it could not be read for another reason: locked, damaged, cancelled.
    """
    missing = at.rights.grants_for_history(at.names)
    if reply.done == 1 and _state(reply) == NO_TABLE:
        return Look(
            at.place,
            LedgerState(),
            ledger_exists=False,
            history=None,
            tables=at.tables,
            missing_grant=missing,
            other_writers=at.other_writers,
        )
    ledger = _ledger(reply, at)
    kept = history(reply, at.names.history, 2) if at.rights.history.exists else None
    return Look(
        at.place,
        ledger,
        ledger_exists=True,
        history=kept,
        missing_grant=missing,
        writable=at.rights.may_write_ledger,
        other_writers=at.other_writers,
    )


def _columns(row: Row) -> tuple[Row, Row, Row, str | None]:
    """The parts of `look_place`."""
    return row[:6], row[6:9], row[9:19], row[19]


def _here(facts: Row) -> Here:
    table, rights, schema, schema_rights = facts
    return Here(
        frozenset((rights or "").split()) if table == "t" else None,
        frozenset((schema_rights or "").split()) if schema == "t" else None,
    )


def _lines(text: str | None) -> tuple[str, ...]:
    return tuple(text.split("\n")) if text else ()


def _state(reply: Reply) -> str:
    return reply.error.message.sqlstate if reply.error else ""


def _check_place(table: Table, schema: str, quoted: str | None, ledgers: str | None) -> None:
    found = _lines(ledgers)
    if not found or found == (quoted,):
        return
    raise LedgerElsewhere(
        f"The current schema is {schema}, and {table} stands in: {', '.join(found)}.",
        f"Say which ledger to go by: --ledger-table SCHEMA.{table}, or one schema in search_path.",
    )


def _ledger(reply: Reply, at: Standing) -> LedgerState:
    table = at.names.ledger
    if reply.done == 1:
        raise _unreadable(reply.error, at)
    rows = reply.rows(1)
    if len(rows) > 1:
        shown = " and ".join(str(row[0]) for row in rows)
        raise LedgerUnreadable(
            f"The ledger {table} has more than one row: {shown}, perhaps more.",
            "Find out which is true and write it: `rung force V` leaves that one row.",
        )
    if not rows:
        return LedgerState()
    version, dirty = rows[0]
    return ledger_state(version, {"t": True, "f": False}.get(dirty or ""), str(table))


def history(reply: Reply, table: Table, index: int = 0) -> tuple[HistoryEntry, ...] | None:
    """The rows of `look_history`; None where there is no history, or none to read."""
    if reply.error is None:
        return tuple(entry(row, str(table), _moment) for row in reply.rows(index))
    if _state(reply) in {NO_TABLE, NO_RIGHT}:
        return None
    if not is_of_shape(_state(reply)):
        raise read_failure(reply.error.message, f"the history {table}")
    raise LedgerUnreadable(
        f"{table} is there and is no history: {reply.error.message.message}.",
        "Move the other table away, or name another one with --history-table.",
    )


def _moment(value: str) -> datetime:
    return datetime.fromtimestamp(float(value), UTC)


def _unreadable(error: ServerError | None, at: Standing) -> DatabaseError:
    table = at.names.ledger
    if error and error.message.sqlstate == NO_RIGHT:
        grants = at.rights.grants_for_reading(at.names)
        return LedgerUnreadable(
            f"The ledger {table} may not be read: {error.message.message}.",
            f"Grant the role SELECT on it: {grants}" if grants else "Grant the role SELECT on it.",
        )
    if error and not is_of_shape(error.message.sqlstate):
        return read_failure(error.message, f"the ledger {table}")
    said = f": {error.message.message}" if error else ""
    return LedgerUnreadable(
        f"{table} is there and is no ledger{said}.",
        "A ledger is (version bigint not null primary key, dirty boolean not null). "
        "Move the other table away, or name another one with --ledger-table.",
    )
