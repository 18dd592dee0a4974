"""
Asks the catalog what became of a statement, or of an attempt, outside a transaction. Reads only.

Names are looked up on the search path that the script had set before the statement: what set
it is run again in a transaction that is rolled back.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rung.drivers.postgres import quoting
from rung.drivers.postgres.holding import insist
from rung.drivers.postgres.message import CLOSING, Message, file_pieces, ours
from rung.drivers.postgres.quoting import Sql
from rung.drivers.postgres.statements import statement
from rung.statements import Trace, inquiry_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rung.drivers.postgres.records import Tables
    from rung.drivers.postgres.wire import Wire
    from rung.ledger import HistoryEntry
    from rung.statements import Inquiry, Script

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
    inquiry = inquiry_of(script, script.statements[number - 1])
    if inquiry.trace in {Trace.NONE, Trace.UNKNOWN}:
        return False if inquiry.trace is Trace.NONE else None
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


def left_nothing(wire: Wire, tables: Tables, attempt_id: str) -> bool:
    """Whether the catalog has no row that is newer than the note of what was under way."""
    if not tables.records:
        return False
    places = {"history": tables.history, "attempt": quoting.text(attempt_id)}
    reply = wire.ask(statement("left_nothing", **places))
    return reply.error is None and reply.rows(0) == [("t",)]


def written_behind(wire: Wire, tables: Tables, entry: HistoryEntry) -> bool:
    """Whether the ledger's row has a later transaction than the history's."""
    names = {"ledger": tables.ledger, "history": tables.history}
    reply = wire.ask(statement("written_behind", **names, id=quoting.number(entry.id)))
    return reply.error is None and reply.rows(0)[0][0] == "t"


def _question(inquiry: Inquiry, ledger: Sql) -> Sql | None:
    """The question; None where the names cannot be read from the script."""
    trace, name, table = inquiry
    names = {"name": quoting.text(name)}
    since = statement("made_since", ledger=ledger)
    if not name:
        return None
    match trace:
        case Trace.INDEX_BUILT:
            return statement("index_built", **names, table=quoting.text(table), since=since)
        case Trace.INDEX_DROPPED:
            return statement("relation_gone", **names)
        case Trace.PARTITION_DETACHED:
            return statement("partition_detached", **names, table=quoting.text(table))
        case Trace.MADE | Trace.DROPPED:
            since = since if trace is Trace.MADE else statement("made_whenever")
            return statement(f"{table.lower()}_there", **names, since=since)
    found = _PLAIN_LITERAL.match(name)
    return statement("prepared_there", name=quoting.text(found[1])) if found else None


def _asks_the_reverse(inquiry: Inquiry) -> bool:
    """Whether the question is for what is not there any more once it is finished."""
    return inquiry.trace in {Trace.DROPPED, Trace.PREPARED_RESOLVED}
