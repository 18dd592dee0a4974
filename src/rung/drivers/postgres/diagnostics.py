"""
Looks through a PostgreSQL database and its server for what failed work has left. Reads only.

A question that the server refuses (a right that is missing, a catalog that an older server
does not have) finds nothing. Ledger and history are looked at above the drivers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.diagnostics import Problem
from rung.drivers.postgres import advisory_keys, quoting
from rung.drivers.postgres.own_table_facts import changes_records
from rung.drivers.postgres.privileges import removals, revokes
from rung.drivers.postgres.quoting import Sql, statement
from rung.drivers.postgres.write_errors import guards_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.drivers.postgres.inspection import InspectedTables
    from rung.drivers.postgres.lease import Lease
    from rung.drivers.postgres.wire import Row, Wire

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
        held = advisory_keys.held(self._keys)
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
        for name, quoted in self._ask(statement("left_scratch", prefix=prefix)):
            yield Problem(
                "scratch database",
                name or "",
                "It is a scratch database of a run that ended before it could drop it.",
                f"DROP DATABASE {quoted};",
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
