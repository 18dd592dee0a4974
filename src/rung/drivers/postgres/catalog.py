"""
Asks the catalog what became of a statement, or of an attempt, outside a transaction. Reads only.

Names are looked up on the search path that the script had set before the statement: what set
it is run again in a transaction that is rolled back.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rung.drivers.postgres import quoting
from rung.drivers.postgres.lock import insist
from rung.drivers.postgres.message import CLOSING, Message, file_pieces, ours
from rung.drivers.postgres.quoting import Sql, statement
from rung.errors import QueryFailed
from rung.script import RerunSafety, rerun_rule_of
from rung.script.expected_names import TYPE
from rung.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from rung.drivers.postgres.ledger_sql import LedgerSql
    from rung.drivers.postgres.table_names import TableNames
    from rung.drivers.postgres.wire import Reply, Wire
    from rung.errors import ServerMessage
    from rung.ledger import Attempt
    from rung.script import RerunRule, Script
    from rung.script.data_loss import DataLoss
    from rung.script.expected_names import ExpectedName


_PLAIN_LITERAL = re.compile(r"'([^'\\]*)'\Z")


def was_finished(
    wire: Wire, script: Script, number: int, before: Sequence[int], ledger: Sql
) -> bool | None:
    """
    Whether a statement was finished; False where it is to be run again, None where unknown.

    Args:
        wire: idle, with no transaction open.
        script: as it ran.
        number: the statement.
        before: the numbers of the statements that had set the session.
        ledger: the table, dirty: what is older than its row is not the file's.
    """
    inquiry = rerun_rule_of(script, script.statements[number - 1])
    if inquiry.trace in {RerunSafety.NONE, RerunSafety.UNKNOWN}:
        return False if inquiry.trace is RerunSafety.NONE else None
    question = _question(inquiry, ledger)
    if question is None:
        return None
    setting = (p for n in before for p in (*file_pieces(script, n, n), CLOSING))
    asking = Message((ours("", Sql("BEGIN")), *setting, ours("", question)))
    reply = wire.ask(asking.sql)
    wire.ask("ROLLBACK")
    if reply.error:
        return None
    return reply.rows(reply.done - 1)[0][0] == ("f" if _asks_the_reverse(inquiry) else "t")


def code_of(wire: Wire, names: Collection[str]) -> tuple[str | None, ...]:
    """The code of the functions of these names that are not the server's own."""
    if not names:
        return ()
    listed = Sql(", ".join(quoting.text(name) for name in sorted(names)))
    return tuple(code for (code,) in insist(wire, statement("function_code", names=listed)).rows(0))


def left_nothing(wire: Wire, tables: LedgerSql, attempt_id: str) -> bool:
    """Whether the catalog has no row that is newer than the note of what was under way."""
    if not tables.records:
        return False
    places = {"history": tables.history, "attempt": quoting.text(attempt_id)}
    reply = wire.ask(statement("left_nothing", **places))
    return reply.error is None and reply.rows(0) == [("t",)]


def ledger_changed_since(wire: Wire, tables: LedgerSql, entry: Attempt) -> bool:
    """Whether the ledger's row has a later transaction than the history's."""
    names = {"ledger": tables.ledger, "history": tables.history}
    reply = wire.ask(statement("written_behind", **names, id=quoting.number(entry.id)))
    return reply.error is None and reply.rows(0)[0][0] == "t"


def _question(inquiry: RerunRule, ledger: Sql) -> Sql | None:
    """The question; None where the names cannot be read from the script."""
    trace, name, table = inquiry
    names = {"name": quoting.text(name)}
    since = statement("made_since", ledger=ledger)
    if not name:
        return None
    match trace:
        case RerunSafety.INDEX_BUILT:
            return statement("index_built", **names, table=quoting.text(table), since=since)
        case RerunSafety.INDEX_DROPPED:
            return statement("relation_gone", **names)
        case RerunSafety.PARTITION_DETACHED:
            return statement("partition_detached", **names, table=quoting.text(table))
        case RerunSafety.MADE | RerunSafety.DROPPED:
            since = since if trace is RerunSafety.MADE else statement("made_whenever")
            return statement(f"{table.lower()}_there", **names, since=since)
    found = _PLAIN_LITERAL.match(name)
    return statement("prepared_there", name=quoting.text(found[1])) if found else None


def _asks_the_reverse(inquiry: RerunRule) -> bool:
    """Whether the question is for what is not there any more once it is finished."""
    return inquiry.trace in {RerunSafety.DROPPED, RerunSafety.PREPARED_RESOLVED}


_KEEP_PATH = Sql(
    "SELECT pg_catalog.set_config('rung.search_path', pg_catalog.current_setting('search_path'), "
    "true)"
)
_PATH = Sql("SET LOCAL search_path = pg_catalog, pg_temp")
"""Names of others come qualified, and no temporary table stands before a catalog."""
_PUT_BACK_PATH = Sql("SELECT set_config('search_path', current_setting('rung.search_path'), true)")
"""For a transaction that was open before, and goes on."""
_NO_JIT = Sql("SET LOCAL jit = off")
"""To compile these once takes seconds, and to run them milliseconds."""
_BEFORE = (_KEEP_PATH, _PATH, _NO_JIT)
_PARTS = ("snapshot_tables", "snapshot_code", "snapshot_about")


def question(names: TableNames) -> Sql:
    """
    The message that asks for everything.

    Args:
        names: ledger, history and lease, with their schemas; they are left out.
    """
    scope = statement(
        "snapshot_scope",
        ledger_schema=quoting.text(names.ledger.schema),
        ledger=quoting.text(names.ledger.name),
        lease=quoting.text(names.lease.name),
        history_schema=quoting.text(names.history.schema),
        history=quoting.text(names.history.name),
    )
    parts = (statement(part, scope=scope) for part in _PARTS)
    return Sql(ours("", *_BEFORE, *parts, _PUT_BACK_PATH).sql)


def answer(reply: Reply) -> Snapshot:
    """The snapshot that a whole reply to the question is."""
    return Snapshot.of(_entries(reply))


def _entries(reply: Reply) -> Iterator[tuple[str, str]]:
    for number in range(len(_PARTS)):
        for identity, text in reply.rows(len(_BEFORE) + number):
            yield identity or "", text or ""


def absent_question(names: Sequence[ExpectedName], schema: str | None, *, anywhere: bool) -> Sql:
    """
    The question for the numbers, from 0, of the names that are not there.

    Args:
        names: at least one.
        schema: the ledger's; what was made beside it is found there, whatever the search path.
        anywhere: whether a name without a schema may be in any.
    """
    return statement(
        "absent_names",
        wanted=Sql(", ".join(_row(number, name) for number, name in enumerate(names))),
        anywhere=quoting.truth(anywhere),
        ledger_schema=quoting.text(schema),
    )


def _row(number: int, name: ExpectedName) -> str:
    """A cast to `name` cuts a name off where the server does."""
    texts = (name.schema or None, name.name, name.column or None)
    parts = (f"{quoting.text(text)}::pg_catalog.name" for text in texts)
    is_type = quoting.truth(name.catalog == TYPE)
    return f"({number}, {is_type}, {', '.join(parts)})"


def drop_statements(losses: Sequence[DataLoss]) -> tuple[Sql, ...]:
    """
    One DROP … CASCADE for each object; what an earlier cascade took is no error.

    Args:
        losses: objects whose `table` is their quoted, qualified name as the catalog gives it.
    """
    return tuple(Sql(f"DROP {loss.kind.upper()} IF EXISTS {loss.table} CASCADE") for loss in losses)


def everything_question(names: TableNames, schema: str | None) -> Sql:
    """The question for every object of a schema, and the history, but not the lease."""
    return statement(
        "everything",
        schema=quoting.text(schema),
        history_schema=quoting.text(names.history.schema),
        history_name=quoting.text(names.history.name),
        lease_schema=quoting.text(names.lease.schema),
        lease_name=quoting.text(names.lease.name),
    )


def drop_refused(server: ServerMessage) -> QueryFailed:
    """The error of a drop that the server refused."""
    return QueryFailed(
        "the server rejects the drop: " + "\n".join(server.lines()),
        "nothing was dropped; connect as a role that owns all listed objects, or name that "
        "role with --role",
        server.sqlstate,
    )
