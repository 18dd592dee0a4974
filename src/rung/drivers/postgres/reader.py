"""
A connection to PostgreSQL that only looks: a `Reader`, and the ground of the `Session`.

Loads nothing that writes, so that asking for the version stays quick.
"""

from __future__ import annotations

import math
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from rung.drivers.inspection import History, ServerContext, TwinLedger
from rung.drivers.postgres import inspection, quoting
from rung.drivers.postgres.connect import SessionSettings, SideConnection
from rung.drivers.postgres.quoting import statement
from rung.drivers.postgres.wire import Wire
from rung.errors import DatabaseError, Stopped, TableLocked
from rung.errors.base import UNCHANGED
from rung.events import ignore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.cancellation import CancelToken
    from rung.drivers.inspection import Inspection, Location
    from rung.drivers.postgres.blockers import BlockerMonitor, OwnWatch
    from rung.drivers.postgres.connect import Connector
    from rung.drivers.postgres.inspection import InspectedTables
    from rung.drivers.postgres.quoting import Sql
    from rung.drivers.postgres.tables import TableNames
    from rung.drivers.postgres.wire import Reply, Row
    from rung.events import Event, Listener
    from rung.ledger import Attempt
    from rung.script.expected_names import ExpectedName
    from rung.snapshot import Snapshot, Stamp

_SHORTEST: Final = 0.5
_LONG: Final = 1.0
"""Seconds of a wait after which the blocking sessions are looked up."""
_MOST_TWINS: Final = 5
"""How many ledgers of other schemas are read."""
_LONGEST_LOOK: Final = 3.0
"""Seconds that such a look may take, on a server that does not answer."""


class PostgresReader:
    """See `rung.drivers.contract.Reader`."""

    _looks_for_twins = True
    """Whether every look tells of the ledgers in other schemas; who writes asks when it counts."""
    _cancels: tuple[str, ...] = ()
    """The applications whose queries may be cancelled; by a reader none."""

    def __init__(
        self,
        connector: Connector,
        stop: CancelToken,
        names: TableNames,
        writers: tuple[str, ...] = (),
        within: float | None = None,
        listener: Listener = ignore,
    ) -> None:
        self._deadline = None if within is None else time.monotonic() + within
        """For all that is read; None where each question has the time of `_within`."""
        self._within: float | None = None
        opened = connector.open(within)
        self._connection = opened.connection
        self._opened = opened
        self._settings = SessionSettings() if opened.taken else opened.settings
        """What every reset would lose."""
        before = opened.settings.where if opened.taken else opened.settings
        self._wire = Wire(opened.connection, stop, before.for_message)
        self._wire.while_waiting.append(self._meanwhile)
        self._side = SideConnection(connector)
        self._waits: OwnWatch | None = None
        self._listener = listener
        self._names = self._asked = names
        """With the schema, once it is found: a file may make another one that comes first."""
        self._place_is_named = names.ledger.schema is not None
        self._twins: tuple[TwinLedger, ...] | None = None
        self._writers = writers
        """The roles that are to write the ledger besides us."""
        self._standing: InspectedTables | None = None
        self._stale = False
        """Whether that is from before we held the lock."""

    def _ask(self, sql: Sql) -> Reply:
        """
        Ask for what is read, for as long as this reader may.

        Raises:
            TableLocked: the time is over.
            Stopped: as asked.
        """
        left = None if self._deadline is None else self._deadline - time.monotonic()
        within = self._within if left is None else max(_SHORTEST, left)
        with self._wire.reading():
            reply = self._wire.ask(sql, within=within)
        if reply.error is None or not reply.cancelled:
            return reply
        if not reply.late:
            raise Stopped((), UNCHANGED, ())
        from rung.events import held_by

        holders = self._waits.blockers if self._waits else ()
        ending = next((one.ending for one in holders if one.ending), "")
        said = f"{'it is locked: ' if holders else ''}no answer in {self._wire.waited:.1f} s"
        raise TableLocked(
            what="ledger and history", said=said, holders=held_by(holders), ending=ending
        )

    def _meanwhile(self, waited: float) -> None:
        """Look up the sessions that block us; the monitor is imported only when a wait is long."""
        left = math.inf if self._deadline is None else self._deadline - time.monotonic()
        if waited < _LONG or left < _LONGEST_LOOK:
            return
        if self._waits is None:
            from rung.drivers.postgres.blockers import OwnWatch

            self._waits = OwnWatch(self._watcher)
        self._waits(waited)

    @cached_property
    def _watcher(self) -> BlockerMonitor:
        from rung.drivers.postgres.blockers import BlockerMonitor

        watcher = BlockerMonitor(self._side, lambda: self._process, self._cancels)
        watcher.listener = self._tell
        return watcher

    def _tell(self, event: Event) -> None:
        self._listener(event)

    @property
    def _process(self) -> int | None:
        """Our server process, as far as it is known; behind a pooler it is another each time."""
        if self._standing is None:
            return self._connection.info.backend_pid
        place = self._standing.place
        return None if place.pooled else place.process

    def inspect(self, *, briefly: bool = False, history: History = History.ALL) -> Inspection:
        """Read all that a decision needs, in one round trip, without lock or write."""
        reply = self._ask(inspection.question(self._names, history=history, briefly=briefly))
        if briefly and inspection.needs_facts(reply):
            return self.inspect(history=history)
        standing = inspection.standing(reply, self._names, self._writers)
        if self._is_behind_pooler(standing):
            if briefly:
                return self.inspect(history=history)
            reply = self._ask(inspection.question(self._names, history=history))
            standing = inspection.standing(reply, self._names, self._writers)
        asked, standing = self._names, self._settle_in(standing)
        if inspection.asks_again(reply, asked, standing):
            history = history if standing.reads_history else History.NONE
            reply = self._wire.ask(
                inspection.question(standing.names, history=history, briefly=briefly)
            )
        reads = history is not History.NONE
        with self._naming_holders():
            look = inspection.answer(reply, standing, reads=reads)
        if not look.ledger_exists:
            kept = self.read_history() if standing.reads_history and reads else look.history
            twins = self.twin_ledgers() if self._looks_for_twins else ()
            return replace(look, history=kept, twins=twins)
        if reads and look.explains_nothing:
            found = self._ask(inspection.tables_question(standing.names))
            return replace(look, tables=tuple(row[0] or "" for row in found.rows(0)))
        return look

    def twin_ledgers(self) -> tuple[TwinLedger, ...]:
        """Where our ledger is missing, and its schema was not named: those of other schemas."""
        at = self._found
        if at.rights.ledger.exists or self._place_is_named:
            return ()
        if self._twins is None:
            schemas = at.twin_schemas[:_MOST_TWINS]
            self._twins = tuple(twin for one in schemas for twin in self._read_twin(one))
        return self._twins

    def _read_twin(self, schema: str) -> Iterator[TwinLedger]:
        names = self._asked.at(schema)
        reply = self._ask(inspection.question(names))
        with suppress(DatabaseError):
            standing = inspection.standing(reply, names, self._writers)
            found = inspection.answer(reply, standing)
            # Others could have planted a history that they may write: it only leads to a warning.
            history = () if standing.other_writers.history else found.history
            yield TwinLedger(str(names.ledger), history or ())

    def locate(self) -> Location:
        """Find where the ledger is, without reading it."""
        return self._found.place

    def read_history(self) -> tuple[Attempt, ...] | None:
        """The history alone, oldest first; None where there is none to read."""
        if not self._found.reads_history:
            return None
        names = self._found.names
        reply = self._ask(inspection.history_question(names))
        with self._naming_holders():
            return inspection.history(reply, names.history)

    def snapshot(self) -> Snapshot:
        """Read the whole schema but for ledger, history and lease; needs no ledger."""
        from rung.drivers.postgres.snapshot import read_snapshot
        from rung.errors import QueryFailed, SchemaMissing

        names = self._names
        with suppress(SchemaMissing):  # then no table of ours can exist
            names = self._found.names
        with self._wire.reading():
            reply, snapshot = read_snapshot(self._wire, names)
        if snapshot is None:
            lines = reply.error.message.lines() if reply.error else ()
            sqlstate = reply.error.message.sqlstate if reply.error else ""
            raise QueryFailed("\n".join(lines), "", sqlstate)
        return snapshot

    def stamp(self) -> Stamp | None:
        """Read what tells cheaply that the schema has not changed; None without the rights."""
        from rung.drivers.postgres.snapshot import read_stamp

        with self._wire.reading():
            return read_stamp(self._wire)

    def server_context(self) -> ServerContext:
        """What of the server a file's SQL may lean on."""
        return _server_context(self._wire.ask(statement("surroundings")).rows(0))

    def absent(self, names: Sequence[ExpectedName], *, anywhere: bool) -> tuple[ExpectedName, ...]:
        """Those of some names that the database does not have; one question of the catalog."""
        from rung.drivers.postgres.catalog import absent_question
        from rung.errors import QueryFailed

        if not names:
            return ()
        schema = self._found.names.ledger.schema
        reply = self._ask(absent_question(names, schema, anywhere=anywhere))
        if reply.error:
            message = reply.error.message
            raise QueryFailed("\n".join(message.lines()), "", message.sqlstate)
        return tuple(names[int(row[0] or 0)] for row in reply.rows(0))

    @property
    def _found(self) -> InspectedTables:
        """Where we stand: as it was last looked at, or looked at now."""
        if self._standing is None:
            reply = self._ask(inspection.where_question(self._names))
            standing = inspection.standing(reply, self._names, self._writers)
            if self._is_behind_pooler(standing):
                return self._found
            return self._settle_in(standing)
        return self._standing

    @contextmanager
    def _naming_holders(self) -> Iterator[None]:
        """Have an error of a locked table say who holds it, as far as that is seen now."""
        try:
            yield
        except TableLocked as locked:
            from rung.drivers.postgres.blockers import blocker
            from rung.events import held_by

            names = self._found.names
            ours = (names.ledger, names.history)
            schemas, tables = zip(*(map(quoting.text, table) for table in ours), strict=True)
            places = {"schemas": schemas, "names": tables}
            listed = {place: quoting.Sql(", ".join(texts)) for place, texts in places.items()}
            reply = self._wire.ask(statement("locked_by", **listed), within=_LONG)
            holders = () if reply.error else tuple(blocker(row) for row in reply.rows(0))
            ending = next((one.ending for one in holders if one.ending), "")
            what, said, state = locked.what, locked.said, locked.sqlstate
            raise TableLocked(
                what=what, said=said, sqlstate=state, holders=held_by(holders), ending=ending
            ) from None

    def _is_behind_pooler(self, standing: InspectedTables) -> bool:
        """Find out that we are, and ask for nothing more of the session than a message's time."""
        if standing.place.process == self._connection.info.backend_pid:
            return False
        shared = self._opened.settings.for_shared
        found = self._wire.prelude != shared
        self._wire.prelude, self._settings = shared, self._opened.settings
        return found

    def _settle_in(self, standing: InspectedTables) -> InspectedTables:
        """
        Find out whether the server process that answers is the one we were told of.

        Only there do settings of the session stay ours; else they go before each message.
        """
        pooled = standing.place.process != self._connection.info.backend_pid
        loose = tuple(name for name, _ in self._settings.items) if pooled else ()
        place = replace(standing.place, pooled=pooled, loose=loose)
        self._names = standing.names
        self._stale = False
        self._standing = standing._replace(place=place)
        if self._wire.prelude and not pooled:
            self._wire.prelude = ()
            if self._settings.items:
                self._wire.ask("; ".join(self._settings.for_session))
        return self._standing

    def close(self) -> None:
        """Close the connection, and the one beside it."""
        self._side.close()
        self._connection.close()


_VERSIONS = 10_000
"""server_version_num counts minor versions below that."""


def _server_context(rows: list[Row]) -> ServerContext:
    """What the rows of the statement `surroundings` tell."""

    def named(what: str) -> list[str]:
        return [name or "" for kind, name, _ in rows if kind == what]

    number = int(named("version")[0])
    return ServerContext(
        named("user")[0],
        tuple(named("role")),
        tuple((name or "", value or "") for kind, name, value in rows if kind == "setting"),
        number // _VERSIONS,
        memberships=tuple(named("member")),
        makes_roles="make roles" in named("may"),
        leaves_database="leave the database" in named("may"),
        extensions=tuple((name or "", at or "") for kind, name, at in rows if kind == "extension"),
        version=f"{number // _VERSIONS}.{number % _VERSIONS}",
    )
