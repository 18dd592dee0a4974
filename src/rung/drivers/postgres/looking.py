"""
Reads the one message of the idle look: where we are, the ledger, the history.

A missing or forbidden history is an answer, and so is a missing ledger: the message ends at
the first statement that fails, and how far it came tells which.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rung.drivers.found import Look, Place
from rung.drivers.postgres import quoting
from rung.drivers.postgres.statements import statement
from rung.errors import LedgerElsewhere, LedgerUnreadable, QueryFailed
from rung.ledger import HISTORY_TABLE, LEDGER_TABLE, HistoryEntry, LedgerState, Outcome

if TYPE_CHECKING:
    from rung.drivers.postgres.quoting import Sql
    from rung.drivers.postgres.wire import Reply, Row, ServerError

_NO_TABLE = "42P01"
_NO_RIGHT = "42501"


def where_question() -> Sql:
    """The first statement alone: where we are."""
    return statement("look_place", ledger_name=quoting.text(LEDGER_TABLE))


def question() -> Sql:
    """The message: three statements, whose names are found on the search path."""
    ledger = statement("look_ledger", ledger=quoting.name(LEDGER_TABLE))
    history = statement("look_history", history=quoting.name(HISTORY_TABLE))
    return quoting.Sql(f"{where_question()};\n{ledger};\n{history}")


def place(reply: Reply) -> Place:
    """
    Where we are.

    Raises:
        LedgerUnreadable: no schema on the path.
        LedgerElsewhere: a ledger stands in another schema of the path.
        QueryFailed: anything else that the server refused.
    """
    if not reply.results:
        raise _failed(reply.error)
    database, schema, read_only, pid, version, strings, ledgers, quoted = reply.rows(0)[0]
    if schema is None or database is None or pid is None:
        raise LedgerUnreadable(
            "No schema of the search path exists, so there is no place for the ledger.",
            "Create the schema, or name another one with search_path.",
        )
    _check_place(schema, quoted, ledgers)
    server = f"PostgreSQL {version}"
    return Place(database, schema, read_only == "t", server, int(pid), strings == "on")


def answer(reply: Reply) -> Look:
    """
    What the whole reply tells.

    Raises:
        LedgerUnreadable: no schema on the path, no right, another shape, several rows.
        LedgerElsewhere, QueryFailed: as for `place`.
    """
    found = place(reply)
    missing = reply.done == 1 and bool(reply.error) and _state(reply) == _NO_TABLE
    if missing:
        return Look(found, LedgerState(), ledger_exists=False, history=None)
    return Look(found, _ledger(reply), ledger_exists=True, history=_history(reply))


def _state(reply: Reply) -> str:
    return reply.error.message.sqlstate if reply.error else ""


def _check_place(schema: str, quoted: str | None, ledgers: str | None) -> None:
    found = ledgers.split("\n") if ledgers else []
    if not found or found == [quoted]:
        return
    raise LedgerElsewhere(
        f"The current schema is {schema}, and {LEDGER_TABLE} stands in: {', '.join(found)}.",
        "Name one schema with search_path in the URL, so that there is one ledger to go by.",
    )


def _ledger(reply: Reply) -> LedgerState:
    if reply.done == 1:
        raise _unreadable(reply.error)
    rows = reply.rows(1)
    if len(rows) > 1:
        shown = " and ".join(str(row[0]) for row in rows)
        raise LedgerUnreadable(
            f"The ledger {LEDGER_TABLE} has more than one row: {shown}, perhaps more.",
            "Find out which is true and write it: rung force V leaves that one row.",
        )
    if not rows:
        return LedgerState()
    version, dirty = rows[0]
    try:
        return LedgerState(int(version or ""), dirty == "t")
    except ValueError:
        raise _unreadable(reply.error) from None


def _history(reply: Reply) -> tuple[HistoryEntry, ...] | None:
    if reply.error is None:
        return tuple(_entry(row) for row in reply.rows(2))
    if _state(reply) in {_NO_TABLE, _NO_RIGHT}:
        return None
    raise LedgerUnreadable(
        f"{HISTORY_TABLE} is there and is no history: {reply.error.message.message}.",
        "Move the other table away, or choose another schema with search_path.",
    )


def _entry(row: Row) -> HistoryEntry:
    (id_, attempt, version, name, direction, outcome, total, done, in_flight, started,
     finished, error, up, down, formula, tool, tool_version, user, host) = row  # fmt: skip
    return HistoryEntry(
        id=int(id_ or 0),
        attempt=attempt or "",
        version=_number(version),
        name=name or "",
        direction=direction or "",
        outcome=Outcome(outcome),
        statements_total=int(total or 0),
        statements_done=int(done or 0),
        in_flight=_number(in_flight),
        started=_moment(started) or datetime.fromtimestamp(0, UTC),
        finished=_moment(finished),
        error=error,
        up_checksum=up,
        down_checksum=down,
        checksum_formula=_number(formula),
        tool=tool or "",
        tool_version=tool_version or "",
        database_user=user or "",
        host=host or "",
    )


def _number(value: str | None) -> int | None:
    return None if value is None else int(value)


def _moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(float(value), UTC)


def _unreadable(error: ServerError | None) -> LedgerUnreadable:
    if error and error.message.sqlstate == _NO_RIGHT:
        return LedgerUnreadable(
            f"The ledger {LEDGER_TABLE} may not be read: {error.message.message}.",
            f"Grant the role SELECT on {LEDGER_TABLE}.",
        )
    said = f": {error.message.message}" if error else ""
    return LedgerUnreadable(
        f"{LEDGER_TABLE} is there and is no ledger{said}.",
        "A ledger is (version bigint not null primary key, dirty boolean not null). "
        "Move the other table away, or choose another schema with search_path.",
    )


def _failed(error: ServerError | None) -> QueryFailed:
    if error is None:
        return QueryFailed("The server sent no answer.")
    return QueryFailed(error.message.message, "", error.message.sqlstate)
