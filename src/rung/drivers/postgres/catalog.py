"""
Asks the catalog what became of a statement or attempt, and what failed work left. Reads only.

Names are looked up on the search path that the script had set before the statement: what set
it is run again in a transaction that is rolled back. For `rung doctor`, a question that the server
refuses (a right that is missing, a catalog that an older server does not have) finds nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rung.diagnostics import Problem
from rung.drivers.postgres import quoting
from rung.drivers.postgres.lock import hold_keys, insist
from rung.drivers.postgres.message import CLOSING, Message, file_pieces, ours
from rung.drivers.postgres.own_tables import guards_of
from rung.drivers.postgres.privileges import removals, revokes
from rung.drivers.postgres.quoting import Sql, statement
from rung.drivers.postgres.tables import changes_records
from rung.errors import QueryFailed
from rung.script import RerunSafety, rerun_rule_of
from rung.script.expected_names import TYPE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from rung.drivers.postgres.inspection import InspectedTables
    from rung.drivers.postgres.lease import Lease
    from rung.drivers.postgres.ledger_sql import LedgerSql
    from rung.drivers.postgres.tables import TableNames
    from rung.drivers.postgres.wire import Row, Wire
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


SCRATCH = "rung_scratch_"
"""How the names begin of databases to try things on."""
_IDLE = Sql("interval '1 minute'")
"""How long a holder of the lock may be idle in a run that is alive."""
_OLD = Sql("interval '1 hour'")
_MINUTE, _HOUR = 60, 3600


class DiagnosticsReader:
    """
    One look through everything.

    Args:
        wire: idle, outside a transaction.
        keys: the advisory keys of the ledger.
        lease: the ledger's, whether there is one or not.
        at: where we are.
        writers: the roles that are to write the ledger besides us.
    """

    def __init__(
        self,
        wire: Wire,
        keys: tuple[int, ...],
        lease: Lease,
        at: InspectedTables,
        writers: tuple[str, ...] = (),
    ) -> None:
        self._wire, self._keys, self._lease = wire, keys, lease
        self._at, self._writers = at, writers

    def find(self) -> tuple[Problem, ...]:
        """All that was found."""
        return (
            *self._untrusted(),
            *self._others(),
            *self._altering(),
            *self._indexes(),
            *self._detaches(),
            *self._locks(),
            *self._leases(),
            *self._prepared(),
            *self._scratch(),
            *self._constraints(),
        )

    def _ask(self, question: Sql) -> list[Row]:
        reply = self._wire.ask(question)
        return [] if reply.error else reply.rows(0)

    def _untrusted(self) -> Iterator[Problem]:
        """What of our tables would run others' code, so that every run is refused."""
        names, at = self._at.names, self._at
        for what, table, facts in (
            ("ledger", names.ledger, at.ledger_facts),
            ("history", names.history, at.history_facts),
            ("lease", names.lease, at.lease_facts),
        ):
            for found in (
                facts.is_other(what, table),
                facts.is_untrusted(what, table),
                facts.is_unwritable(what, table),
            ):
                if found is not None:
                    said = f"Runs stop because {found.cause}. To do: {found.advice}."
                    yield Problem("untrusted table", str(table), said, facts.remedy)

    def _others(self) -> Iterator[Problem]:
        """Who else may write our tables, with the REVOKE for each; the owner can run it."""
        names, found = self._at.names, self._at.other_writers
        tables = (
            (names.ledger, found.ledger),
            (names.history, found.history),
            (names.lease, found.lease),
        )
        for table, ways in tables:
            if not ways:
                continue
            shared = names.ledger.sql if table is names.history else table.sql
            question = revokes((table.sql,), shared, self._writers, only_others=True)
            statements = [f"{row[0]};" for row in self._ask(question)]
            statements += [row[0] or "" for row in self._ask(removals(table.sql))]
            yield Problem(
                "open to others",
                str(table),
                f"Other roles may write it: {'; '.join(ways)}.",
                " ".join(statements),
            )

    def _altering(self) -> Iterator[Problem]:
        """The triggers and rules that may change what we write, or swallow it."""
        names, at = self._at.names, self._at
        for table, events in (
            (names.ledger, at.ledger_facts.events),
            (names.history, at.history_facts.events),
        ):
            rows = self._ask(guards_of(table)) if changes_records(events) else []
            if found := [f"{kind} {name}" for kind, name in rows if kind in ("trigger", "rule")]:
                yield Problem(
                    "trigger or rule",
                    str(table),
                    f"It has {', '.join(found)}: a run fails if one of them changes or drops "
                    "what Rung writes.",
                    harmless=True,
                )

    def _indexes(self) -> Iterator[Problem]:
        question = statement(
            "invalid_indexes",
            builder=statement("index_builder"),
            key_parts=statement("key_parts"),
        )
        for row in self._ask(question):
            yield _index(row)

    def _detaches(self) -> Iterator[Problem]:
        for parent, part in self._ask(statement("pending_detaches", only=Sql(""))):
            yield Problem(
                "pending detach",
                part or "",
                f"Its detach from {parent} was begun and not finished: it takes no new rows, "
                "and no other partition can be detached.",
                f"ALTER TABLE {parent} DETACH PARTITION {part} FINALIZE;",
            )

    def _locks(self) -> Iterator[Problem]:
        held = hold_keys(self._keys)
        holders = self._ask(statement("lock_holders", held=held, idle=_IDLE))
        for pid, who, idle, seconds, long in holders:
            holds = f"It holds this ledger's lock ({who})"
            if idle != "t":
                said = f"{holds} and is active; every run waits for it."
                yield Problem("lock holder", f"process {pid}", said, harmless=True)
                continue
            yield Problem(
                "stale lock" if long == "t" else "lock holder",
                f"process {pid}",
                f"{holds} and has been idle for {_ago(seconds)}; every run waits for it.",
                f"SELECT pg_terminate_backend({pid});",
                harmless=long != "t",
            )

    def _leases(self) -> Iterator[Problem]:
        if self._ask(self._lease.is_there) != [("t",)]:
            return
        states = self._ask(self._lease.state)
        if len(states) > 1:
            yield Problem(
                "several leases",
                str(self._lease.table),
                f"It has {len(states)} rows, but only one is allowed; runs stop.",
                f"DROP TABLE {self._lease.table.sql};",
            )
        elif states == [("expired",)]:
            until = next((row[8] for row in self._ask(self._lease.occupant)), "")
            yield Problem(
                "expired lease",
                "the lease of this ledger",
                f"A run behind a pooler held it until {until}, and its heartbeat is overdue; "
                "the next run takes it over.",
                "rung unlock",
                harmless=True,
            )

    def _prepared(self) -> Iterator[Problem]:
        for gid, owner, seconds in self._ask(statement("old_prepared", old=_OLD)):
            named = quoting.text(gid)
            yield Problem(
                "prepared transaction",
                gid or "",
                f"It was prepared {_ago(seconds)} ago by {owner} and never ended: it keeps its "
                "locks, and concurrent index builds wait for it.",
                f"ROLLBACK PREPARED {named}; or COMMIT PREPARED {named};",
            )

    def _scratch(self) -> Iterator[Problem]:
        prefix = quoting.text(SCRATCH)
        for name, quoted, what in self._ask(statement("left_scratch", prefix=prefix)):
            kind = f"scratch {(what or '').lower()}"
            yield Problem(
                kind,
                name or "",
                f"It is a {kind} of a run that ended before it could drop it.",
                f"DROP {what} {quoted};",
            )

    def _constraints(self) -> Iterator[Problem]:
        for name, quoted, table in self._ask(statement("unvalidated")):
            yield Problem(
                "unvalidated constraint",
                f"{table} {name}",
                "It is NOT VALID: new rows are checked, older rows are not.",
                f"ALTER TABLE {table} VALIDATE CONSTRAINT {quoted};",
                harmless=True,
            )


def _index(row: Row) -> Problem:
    name, table, size, builder, of_reindex, partitioned, made, only, key, system = (
        value or "" for value in row
    )
    what = f"The index on {table} ({size})"
    if builder:
        said = f"{what} is being built right now by {builder}."
        return Problem("invalid index", name, said, harmless=True)
    if partitioned == "t":
        return Problem(
            "invalid index",
            name,
            f"The index on the partitioned table {table} becomes valid when each partition's "
            "index is attached.",
            f"ALTER INDEX {name} ATTACH PARTITION …;",
        )
    if of_reindex == "t":
        said = f"{what} was left by a failed REINDEX CONCURRENTLY; writes keep it up to date."
        return Problem("reindex leftover", name, said, f"DROP INDEX CONCURRENTLY {name};")
    said = (
        f"{what} is invalid because its build failed. Queries do not use it, and writes "
        "maintain it."
    )
    if system == "t":
        return Problem("invalid index", name, said, f"REINDEX INDEX {name};")
    if made:
        where = f" WHERE {only}" if only else ""
        duplicates = (
            f"SELECT {key}, count(*) FROM {table}{where} GROUP BY {key} HAVING count(*) > 1;"  # noqa: S608 - shown, with the server's own quoting
        )
        again = made.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)
        said += f" It is unique: remove the duplicates first: {duplicates}"
        return Problem("invalid index", name, said, f"DROP INDEX CONCURRENTLY {name};\n{again};")
    return Problem("invalid index", name, said, f"REINDEX INDEX CONCURRENTLY {name};")


def _ago(seconds: str | None) -> str:
    """So many seconds in words."""
    whole = int(seconds or 0)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
