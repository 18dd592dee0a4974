"""
Reads the one message of the idle look: where we are and what we may do, ledger and history.

A missing or forbidden history is an answer, and so is a missing ledger: the message ends at
the first statement that fails, and how far it came tells which. It also ends before anything
is read that would run what others wrote.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from rung.drivers.history_rows import entries, ledger_state
from rung.drivers.inspection import NOT_CHECKED, History, Inspection, Location, OtherWriters
from rung.drivers.postgres import quoting
from rung.drivers.postgres.privileges import (
    COLUMNS,
    Note,
    Rights,
    TablePrivileges,
    read_note,
    read_writers,
    rights_state,
    writers_question,
)
from rung.drivers.postgres.quoting import Sql, statement
from rung.drivers.postgres.tables import (
    TableFacts,
    facts_of,
    facts_places,
    is_system,
    is_unusual,
    may_read,
)
from rung.drivers.transaction import StoredSql
from rung.errors import (
    ConnectionFailed,
    DatabaseDamaged,
    LedgerElsewhere,
    LedgerUnreadable,
    QueryFailed,
    RowSecurityHides,
    SchemaMissing,
    TableLocked,
    sqlstate,
)
from rung.ledger import LedgerState
from rung.script.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from rung.drivers.inspection import Obstacle
    from rung.drivers.postgres.tables import Table, TableNames
    from rung.drivers.postgres.wire import Reply, Row, ServerError
    from rung.errors import DatabaseError, ServerMessage
    from rung.ledger import Attempt


_LEDGER_AT, _HISTORY_AT = 2, 3
"""Which statement of the message reads which; before them stand `look_place` and `may_read`."""
_SHAPE = (
    "a ledger has the columns (version bigint not null primary key, dirty boolean not null); "
    "rename the other table, or name another ledger with --ledger-table"
)


class InspectedTables(NamedTuple):
    """Where we are, which tables are ours there, and what we may do with them."""

    place: Location
    names: TableNames
    """With their schemas."""
    rights: Rights
    tables: tuple[str, ...] = ()
    """Without a ledger: the tables of its schema that no extension owns."""
    other_writers: OtherWriters = NOT_CHECKED
    note: Note = Note()
    """What the history says of who could write it."""
    twin_schemas: tuple[str, ...] = ()
    """The other schemas that have a ledger, where ours is missing and the catalog was asked."""
    ledger_facts: TableFacts = TableFacts()
    history_facts: TableFacts = TableFacts()
    lease_facts: TableFacts = TableFacts()

    @property
    def reads_history(self) -> bool:
        """Whether there is a history, and reading it runs nothing that others wrote."""
        return self.rights.history.exists and self.history_facts.may_be_read

    @property
    def reads_lease(self) -> bool:
        """The same of the lease."""
        return self.rights.lease.exists and self.lease_facts.may_be_read

    @property
    def may_write_history(self) -> bool:
        """Whether there is a history that we may write."""
        return self.reads_history and self.rights.may_write_history

    @property
    def obstacles(self) -> tuple[Obstacle, ...]:
        """What keeps a run from writing our tables, other than rights."""
        found: list[Obstacle | None] = []
        for what, table, facts, here in (
            ("ledger", self.names.ledger, self.ledger_facts, self.rights.ledger),
            ("history", self.names.history, self.history_facts, self.rights.history),
            ("lease", self.names.lease, self.lease_facts, self.rights.lease),
        ):
            found += (facts.is_other(what, table), facts.is_untrusted(what, table))
            found.append(facts.is_unwritable(what, table))
            truncates = what == "ledger" and "TRUNCATE" in (here.rights or ())
            if not (truncates and "a" not in facts.hidden):
                found.append(facts.hides(what, table, self.rights.role))
        return tuple(obstacle for obstacle in found if obstacle)


def where_question(names: TableNames, *, briefly: bool = False) -> Sql:
    """
    The first statement alone: where we are.

    Planning the facts of our tables takes ten times as long as all the rest, and a run with nothing
    to do needs none of them. Asked `briefly`, they are left out, but for whether there are any.
    """
    places = facts_places(names, Sql("history_place.oid"))
    places |= (
        {
            "table_facts": is_unusual(),
            "twin_schemas": quoting.NULL,
            "other_writers": quoting.NULL,
            "rights_state": quoting.NULL,
            "note_stands": Sql("false"),
        }
        if briefly
        else {
            "twin_schemas": statement("twin_schemas", ledger_name=quoting.text(names.ledger.name)),
            "other_writers": writers_question(),
            "rights_state": rights_state(),
            "note_stands": statement("note_stands"),
        }
    )
    return statement(
        "look_place",
        ledger_schema=quoting.text(names.ledger.schema),
        ledger_name=quoting.text(names.ledger.name),
        history_schema=quoting.text(names.history.schema),
        lease_name=quoting.text(names.lease.name),
        **places,
    )


def question(names: TableNames, *, history: History = History.ALL, briefly: bool = False) -> Sql:
    """
    The message: four statements; a name without a schema is found on the search path.

    Args:
        names: as far as they are known.
        history: how much of the history is read, which is the last of them.
        briefly: whether the facts of our tables are left out.
    """
    ledger = statement("look_ledger", ledger=names.ledger.sql)
    reads = history is not History.NONE
    parts = (where_question(names, briefly=briefly), may_read(names, history=reads), ledger)
    return Sql(";\n".join((*parts, *((history_question(names, history),) if reads else ()))))


def needs_facts(reply: Reply) -> bool:
    """Whether the brief question met a table that is more than a plain one, and says too little."""
    if not reply.results:
        return False
    unusual = _columns(reply.rows(0)[0])[3][2] is not None
    return unusual or (reply.done == 1 and _state(reply) == sqlstate.DIVISION_BY_ZERO)


def asks_again(reply: Reply, names: TableNames, at: InspectedTables) -> bool:
    """
    Whether a second message is needed: another table has the history's usual name.

    The same where the history is not to be read, and the first message ended at its guard.
    """
    guarded = (
        reply.done == 1 and _state(reply) == sqlstate.DIVISION_BY_ZERO and not at.reads_history
    )
    return guarded or names.uses_spare != at.names.uses_spare


def history_question(names: TableNames, history: History = History.ALL) -> Sql:
    """The history alone."""
    if history is History.CURRENT:
        return statement("look_current_history", history=names.history.sql)
    return statement("look_history", history=names.history.sql)


def tables_question(names: TableNames) -> Sql:
    """The question for the tables beside a ledger that is there; names with their schemas."""
    ours = (names.ledger, names.history, names.lease)
    rows = (
        f"({quoting.text(table.schema)}::pg_catalog.name, "
        f"{quoting.text(table.name)}::pg_catalog.name)"
        for table in ours
    )
    schema = quoting.text(names.ledger.schema)
    return statement("tables_beside", schema=schema, ours=Sql(", ".join(rows)))


def standing(reply: Reply, names: TableNames, meant: Collection[str] = ()) -> InspectedTables:
    """
    Where we are.

    Args:
        reply: to `where_question`, or to `question`.
        names: as they were asked for.
        meant: the roles that are to write the ledger besides us.

    Raises:
        LedgerUnreadable: no schema on the path.
        LedgerElsewhere: a ledger stands in another schema of the path.
        RowSecurityHides: rows of ledger or history may be hidden from us.
        DatabaseError: anything else that the server refused, by what it comes from.
    """
    if not reply.results:
        raise read_failure(reply.error.message if reply.error else None, "the catalog")
    row = reply.rows(0)[0]
    place, (ledgers, quoted, role), facts, (tables, picked, lines, twins) = _columns(row)
    database, schema, read_only, pid, version, strings = place
    if schema is None or database is None or pid is None:
        raise SchemaMissing(
            "no schema of search_path exists, so the ledger cannot be created",
            "create the schema, or name another with search_path or --ledger-table",
        )
    if names.ledger.schema is None and is_system(schema):
        raise SchemaMissing(
            f"the ledger cannot be in the current schema {schema}: it is temporary or belongs "
            "to the server",
            "put a schema of your own first in search_path, or name one with --ledger-table",
        )
    if names.ledger.schema is None:
        _check_place(names.ledger, schema, quoted, ledgers)
    server = f"PostgreSQL {version}"
    dialect = Dialect.POSTGRES if strings == "on" else Dialect.POSTGRES_ESCAPES
    spare = names.spare is not None and picked == names.spare.name
    here = names.at(schema)._replace(uses_spare=spare)
    shown = str(here.ledger)
    found = Location(database, schema, read_only == "t", server, dialect, int(pid), shown)
    lease = (*facts[8:], *facts[2:4])  # its schema is the ledger's
    rights = Rights(role or "", _here(facts[:4]), _here(facts[4:8]), _here(lease))
    known = facts_of(lines)
    each = (known.get(what, TableFacts()) for what in ("ledger", "history", "lease"))
    last = row[-COLUMNS:]
    others = read_writers(last, meant, has_history=rights.history.exists)
    note = read_note(last)
    at = InspectedTables(found, here, rights, _lines(tables), others, note, _lines(twins), *each)
    _check_hidden(at)
    return at


def answer(reply: Reply, at: InspectedTables, *, reads: bool = True) -> Inspection:
    """
    What the whole reply tells.

    Args:
        reply: to `question`.
        at: where we are.
        reads: whether the history was asked for.

    Raises:
        LedgerUnreadable: no right to read it, another shape, several rows.
        DatabaseError: it could not be read for another reason: locked, damaged, cancelled.
    """
    missing = at.rights.grants_for_history(at.names)
    if reply.done == _LEDGER_AT and _state(reply) == sqlstate.UNDEFINED_TABLE:
        return Inspection(
            at.place,
            LedgerState(),
            ledger_exists=False,
            history=None,
            tables=at.tables,
            missing_grant=missing,
            other_writers=at.other_writers,
            obstacles=at.obstacles,
            history_is_spare=at.names.uses_spare,
        )
    ledger = _ledger(reply, at)
    kept = history(reply, at.names.history, _HISTORY_AT) if at.reads_history and reads else None
    return Inspection(
        at.place,
        ledger,
        ledger_exists=True,
        history=kept,
        missing_grant=missing,
        writable=at.rights.may_write_ledger,
        other_writers=at.other_writers,
        obstacles=at.obstacles,
        history_is_spare=at.names.uses_spare,
    )


def _check_hidden(at: InspectedTables) -> None:
    """Refuse what would be told of a ledger or a history whose rows we may not see."""
    role = at.rights.role
    if other := at.ledger_facts.is_other("ledger", at.names.ledger):
        raise LedgerUnreadable(*other)
    if misfits := at.ledger_facts.misfits:
        raise LedgerUnreadable(
            (f"{at.names.ledger} exists but is not a schema_migrations table: {misfits}"), _SHAPE
        )
    for what, table, facts in (
        ("ledger", at.names.ledger, at.ledger_facts),
        ("history", at.names.history, at.history_facts),
    ):
        hidden = facts.hides(what, table, role)
        if hidden and "r" in facts.hidden:
            raise RowSecurityHides(*hidden)


def _columns(row: Row) -> tuple[Row, Row, Row, Row]:
    """The parts of `look_place`."""
    return row[:6], row[6:9], row[9:19], row[19:23]


def _here(facts: Row) -> TablePrivileges:
    table, rights, schema, schema_rights = facts
    return TablePrivileges(
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
        f"the current schema is {schema}, but {table} exists in: {', '.join(found)}",
        f"name the ledger: --ledger-table SCHEMA.{table}, or leave one schema in search_path",
    )


def _ledger(reply: Reply, at: InspectedTables) -> LedgerState:
    table = at.names.ledger
    if reply.done <= _LEDGER_AT:
        raise _unreadable(reply.error, at)
    rows = reply.rows(_LEDGER_AT)
    if len(rows) > 1:
        shown = " and ".join(str(row[0]) for row in rows)
        raise LedgerUnreadable(
            f"the ledger {table} has more than one row: {shown}, perhaps more",
            "find which is true and record it: `rung force V` leaves that one row",
        )
    if not rows:
        return LedgerState()
    version, dirty = rows[0]
    return ledger_state(version, {"t": True, "f": False}.get(dirty or ""), str(table))


def history(reply: Reply, table: Table, index: int = 0) -> tuple[Attempt, ...] | None:
    """The rows of `look_history`; None where there is no history, or none to read."""
    if reply.error is None:
        return entries(reply.rows(index), str(table), _moment)
    if _state(reply) in {sqlstate.UNDEFINED_TABLE, sqlstate.INSUFFICIENT_PRIVILEGE}:
        return None
    if not is_of_shape(_state(reply)):
        raise read_failure(reply.error.message, f"the history {table}")
    raise LedgerUnreadable(
        f"{table} exists but is not a history table: {reply.error.message.message}",
        "rename the other table, or name another history with --history-table",
    )


def _moment(value: str) -> datetime:
    return datetime.fromtimestamp(float(value), UTC)


def _unreadable(error: ServerError | None, at: InspectedTables) -> DatabaseError:
    table = at.names.ledger
    if error and error.message.sqlstate == sqlstate.INSUFFICIENT_PRIVILEGE:
        grants = at.rights.grants_for_reading(at.names)
        return LedgerUnreadable(
            f"could not read the ledger {table}: {error.message.message}",
            f"grant the role SELECT on it: {grants}" if grants else "grant the role SELECT on it",
        )
    if error and not is_of_shape(error.message.sqlstate):
        return read_failure(error.message, f"the ledger {table}")
    said = f": {error.message.message}" if error else ""
    return LedgerUnreadable(
        f"{table} exists but is not a schema_migrations table{said}",
        _SHAPE,
    )


def halves(row: Row) -> Iterator[StoredSql]:
    """The texts that a row of `stored_halves` holds."""
    version, id_, formula, *halves = row
    number = None if formula is None else int(formula)
    for direction, (checksum, digest, sql) in (("up", halves[:3]), ("down", halves[3:])):
        if sql is not None:
            at = (int(version or 0), direction, checksum, sql)
            yield StoredSql(*at, int(id_ or 0), digest, number)


OTHER_SHAPE: Final = frozenset(
    {
        sqlstate.UNDEFINED_TABLE,
        sqlstate.UNDEFINED_COLUMN,
        sqlstate.AMBIGUOUS_COLUMN,
        sqlstate.AMBIGUOUS_FUNCTION,
        sqlstate.DATATYPE_MISMATCH,
        sqlstate.WRONG_OBJECT_TYPE,
        sqlstate.CANNOT_COERCE,
        sqlstate.UNDEFINED_FUNCTION,
        sqlstate.INDETERMINATE_DATATYPE,
    }
)
"""No such table, column, function or operator; another type; not something to select from."""
_LOCKED: Final = frozenset({sqlstate.LOCK_NOT_AVAILABLE, sqlstate.DEADLOCK_DETECTED})
_DAMAGED: Final = frozenset(
    {
        sqlstate.DATA_CORRUPTED,
        sqlstate.INDEX_CORRUPTED,
        sqlstate.IO_ERROR,
        sqlstate.UNDEFINED_FILE,
        sqlstate.DUPLICATE_FILE,
    }
)
_ENDED: Final = frozenset(
    {
        sqlstate.ADMIN_SHUTDOWN,
        sqlstate.CRASH_SHUTDOWN,
        sqlstate.CANNOT_CONNECT_NOW,
        sqlstate.IDLE_SESSION_TIMEOUT,
        sqlstate.IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        sqlstate.TRANSACTION_TIMEOUT,
    }
)
_ADVICE: Final = {
    sqlstate.QUERY_CANCELED: (
        "try again; if it was a timeout, raise `statement_timeout` of the role or the URL"
    ),
    sqlstate.CLASS_INSUFFICIENT_RESOURCES: (
        "try again when the server has memory, disk space or connections to spare"
    ),
}
_CAUSES_OF_DAMAGE: Final = {
    sqlstate.INDEX_CORRUPTED: "an index of it is damaged",
    sqlstate.IO_ERROR: "the server could not read its file",
    sqlstate.UNDEFINED_FILE: "its file is missing",
}


def is_of_shape(sqlstate: str) -> bool:
    """Whether a failure says that a table is not of the shape that was asked for."""
    return sqlstate in OTHER_SHAPE


def read_failure(message: ServerMessage | None, what: str) -> DatabaseError:
    """
    The error for a read that failed for another reason than the table's shape.

    Args:
        message: the server's; None where there is no answer at all.
        what: what was read, in a few words: `the ledger public.schema_migrations`.
    """
    if message is None:
        return QueryFailed(f"could not read {what}: the server sent no answer")
    state, said = message.sqlstate, _said(message)
    if state in _LOCKED:
        return TableLocked(what=what, said=f"it is locked: {said}", sqlstate=state)
    if state in _DAMAGED:
        return DatabaseDamaged(
            what=what,
            damage=_CAUSES_OF_DAMAGE.get(state, "it is damaged"),
            said=said,
            sqlstate=state,
        )
    if state in _ENDED or state.startswith(sqlstate.CLASS_CONNECTION_EXCEPTION):
        advice = "try again when the server answers: `rung wait`"
        return ConnectionFailed(f"the connection was lost: {said}", advice, message.message)
    scarce = state.startswith(sqlstate.CLASS_INSUFFICIENT_RESOURCES)
    why = "the server is out of a resource: " if scarce else ""
    advice = _ADVICE.get(sqlstate.CLASS_INSUFFICIENT_RESOURCES if scarce else state, "")
    return QueryFailed(f"could not read {what}: {why}{said}", advice, state)


def _said(message: ServerMessage) -> str:
    return f"{message.message} (SQLSTATE {message.sqlstate})"
