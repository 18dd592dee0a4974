"""
The lease: a row of ours that stands for the lock behind a pooler, and as SQL.

A pooler gives each transaction another session, so no lock of a session holds there. Instead
one row names the run that may go on, until when, and each of its transactions begins with a
fence: it takes the advisory keys for itself alone and makes sure that the row is still ours.
Whoever takes the row over does so under the same keys. So a run that was stopped for long and
lost the lease can do nothing more when it wakes up. All times are the server's.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung._version import __version__
from rung.drivers.inspection import LockHolder
from rung.drivers.postgres import quoting
from rung.drivers.postgres.lock import (
    TransactionGuard,
    check_lease_rights,
    check_lease_shape,
    checked,
    insist,
    is_state,
    several,
    try_for_transaction,
)
from rung.drivers.postgres.message import ours
from rung.drivers.postgres.privileges import remember, revokes
from rung.drivers.postgres.quoting import Sql, statement
from rung.errors import sqlstate

if TYPE_CHECKING:
    from collections.abc import Collection

    from rung.drivers.postgres.connect import SideConnection
    from rung.drivers.postgres.inspection import InspectedTables
    from rung.drivers.postgres.tables import Table
    from rung.drivers.postgres.wire import Reply, Wire


LIFETIME = 30.0
"""
Seconds for which the lease stays ours after a sign of life.

Six signs of life may be lost before somebody takes over, as while a pooler restarts; and a
run after one that was killed waits no longer than a person would.
"""

BEAT_EVERY = 5.0
"""Seconds between two signs of life."""

_BEGIN, _COMMIT, _ROLLBACK = Sql("BEGIN"), Sql("COMMIT"), Sql("ROLLBACK")
_JUDGED = frozenset(
    {"take_lease", "lease_is_held", "lease_state", "break_lease", "lease_holder", "lease_occupant"}
)
"""The statements that tell a lease that is alive from a stale one."""


@dataclass(frozen=True, slots=True)
class Lease:
    """
    The lease of one ledger, for one owner.

    Args:
        table: with its schema.
        owner: a UUID of ours, new for each session.
        keys: the advisory keys of the ledger.
    """

    table: Table
    owner: str
    keys: tuple[int, ...]

    def make(self) -> tuple[Sql, ...]:
        """The table with its row, under the keys."""
        there = remember((self.table.sql,))
        return (self.try_keys, there, self._sql("create_lease"), self._sql("fill_lease"))

    @property
    def revokes(self) -> Sql:
        """The question, behind its making, for what leaves others SELECT alone."""
        return revokes((self.table.sql,), self.table.sql, ())

    def share(self, writers: tuple[str, ...]) -> tuple[Sql, ...]:
        """The lease for the ledger's owner and its ledger-writers."""
        places = {"writers": Sql(", ".join(writers))}
        return (self._sql("grant_lease", **places),) if writers else ()

    @property
    def try_keys(self) -> Sql:
        """Take every key for this transaction, or raise by 1/0."""
        return statement("try_keys", keys=try_for_transaction(self.keys))

    @property
    def take(self) -> Sql:
        """One statement: the lease, if it is free and no key is held. A row of what was had."""
        return self._sql(
            "take_lease",
            keys=try_for_transaction(self.keys),
            owner=self._owner,
            ttl=_seconds(LIFETIME),
            process=quoting.number(os.getpid()),
            host=quoting.text(os.uname().nodename),
            tool=quoting.text(f"rung {__version__}"),
        )

    @property
    def beat(self) -> Sql:
        """A sign of life."""
        return self._sql("beat", owner=self._owner, ttl=_seconds(LIFETIME))

    @property
    def check(self) -> Sql:
        """Raise by 1/0 unless the lease is ours; keep it so to the transaction's end."""
        return self._sql("check_lease", owner=self._owner)

    @property
    def give_back(self) -> Sql:
        """Free it, if it is ours."""
        return self._sql("give_lease_back", owner=self._owner)

    @property
    def in_use(self) -> Sql:
        """Whether a transaction of the owner still runs."""
        return self._sql("lease_in_use", owner=self._owner)

    @property
    def held(self) -> Sql:
        """A condition: it is held."""
        return self._sql("lease_is_held")

    @property
    def state(self) -> Sql:
        """`free`, `expired` or `held`."""
        return self._sql("lease_state")

    @property
    def break_expired(self) -> Sql:
        """Free it, if its owner is silent for too long; only under the keys."""
        return self._sql("break_lease")

    @property
    def holder(self) -> Sql:
        """Who holds it."""
        return self._sql("lease_holder")

    @property
    def is_there(self) -> Sql:
        """Whether the table exists, in the eyes of this very statement."""
        schema, name = self.table
        places = {"schema": quoting.text(schema), "name": quoting.text(name)}
        return statement("lease_is_there", **places)

    @property
    def _owner(self) -> Sql:
        return Sql(f"{quoting.text(self.owner)}::pg_catalog.uuid")

    @property
    def occupant(self) -> Sql:
        """Whose it is, dead or alive."""
        return self._sql("lease_occupant")

    def break_of(self, owner: str) -> Sql:
        """Free it, if it is this owner's; only under the keys."""
        return self._sql("break_lease_of", owner=Sql(f"{quoting.text(owner)}::pg_catalog.uuid"))

    def _sql(self, which: str, **places: Sql) -> Sql:
        if which in _JUDGED:
            places["stale"] = statement("lease_is_stale", longest=_seconds(2 * LIFETIME))
        return statement(which, lease=self.table.sql, **places)


def _seconds(seconds: float) -> Sql:
    return Sql(f"pg_catalog.make_interval(secs => {seconds:.6f})")


_LOST_TO_ANOTHER = (
    sqlstate.DIVISION_BY_ZERO,
    sqlstate.UNIQUE_VIOLATION,
    sqlstate.SERIALIZATION_FAILURE,
    sqlstate.UNDEFINED_TABLE,
    sqlstate.DUPLICATE_TABLE,
)
"""1/0 for a key; the table or its row made or dropped at the same moment, as the server sees it."""


def _lost_to_another(reply: Reply) -> bool:
    """False, where a message failed because another run was quicker."""
    if not any(is_state(reply, state) for state in _LOST_TO_ANOTHER):
        checked(reply)
    return False


class LeaseLock:
    """The lease, kept by signs of life; no key is held but inside a transaction."""

    shares_session = True

    def __init__(
        self, wire: Wire, side: SideConnection, lease: Lease, writers: Collection[str]
    ) -> None:
        self._wire, self._side, self._lease = wire, side, lease
        self._meant = writers
        self._made = self._held = False
        self._renewed = 0.0
        self._watched = True
        wire.while_waiting.append(self._meanwhile)

    @property
    def fence(self) -> TransactionGuard:
        """The keys for this transaction alone, and proof that the lease is ours."""
        return TransactionGuard.of(self._lease, watched=self._watched)

    def take(self, at: InspectedTables) -> bool:
        """
        Take the lease, which is made first where it is missing.

        Where nothing can be written there is nothing to take.
        """
        if at.place.read_only:
            return True
        check_lease_rights(at)
        if not (self._made or at.rights.lease.exists):
            self._make(at)
        reply = self._wire.ask(self._lease.take)
        if reply.error:
            check_lease_shape(reply, at)
            self._made = self._made and not is_state(reply, sqlstate.UNDEFINED_TABLE)
            return _lost_to_another(reply)
        had, taken, rows = reply.rows(0)[0]
        if int(rows or 0) > 1:
            raise several(self._lease, int(rows or 0))
        if had == "t" and rows == "0":
            self._make(at)
        if taken == "1":
            self._begin()
        return self._held

    def heartbeat(self) -> None:
        """
        Give a sign of life before a message, where none was given for a while.

        Inside a transaction nobody takes the lease, and nobody would see the sign.
        """
        if not self._wire.in_transaction and self._is_due():
            self._wire.settle(self._lease.beat)

    def release(self) -> None:
        """Free the lease, if it is still ours."""
        if self._held:
            self._held = False
            self._wire.settle(self._lease.give_back)

    def release_foreign(self) -> None:
        """Nothing: outside a transaction no key is held."""

    def try_foreign(self) -> bool:
        """Nothing to take: the next transaction takes them for itself."""
        return True

    def _begin(self) -> None:
        self._held, self._renewed = True, time.monotonic()
        watched = self._wire.ask(ours("", _BEGIN, *self.fence.settings, _COMMIT).sql)
        if watched.error:
            self._watched = False
            self._wire.ask(_ROLLBACK)

    def _make(self, at: InspectedTables) -> None:
        """Make the table or its row; quiet where another is at it."""
        writers = self._writers(at)
        making = (_BEGIN, *self._lease.make(), self._lease.revokes)
        reply = self._wire.settle(ours("", *making).sql)
        if reply.error is None:
            revoked = (Sql(row[0] or "") for row in reply.rows(reply.done - 1))
            closing = (*revoked, *self._lease.share(writers), _COMMIT)
            reply = self._wire.settle(ours("", *closing).sql)
        if reply.error:
            self._wire.ask(_ROLLBACK)
        self._made = reply.error is None or _lost_to_another(reply)

    def _writers(self, at: InspectedTables) -> tuple[str, ...]:
        schema, name = at.names.ledger
        places = {"schema": quoting.text(schema), "name": quoting.text(name)}
        question = statement("grantees", right=quoting.text("INSERT"), **places)
        found = insist(self._wire, question).rows(0)
        return tuple(who or "" for who, name, owns in found if owns == "t" or name in self._meant)

    def _meanwhile(self, _waited: float) -> None:
        """While a reply is awaited: the sign of life comes from beside."""
        if self._is_due():
            self._side.ask(self._lease.beat)

    def _is_due(self) -> bool:
        """Whether a sign of life is due; then it is taken as given, and the next one awaited."""
        now = time.monotonic()
        due = self._held and now - self._renewed >= BEAT_EVERY
        if due:
            self._renewed = now
        return due


def lease_holder(wire: Wire, lease: Lease) -> LockHolder | None:
    """Who holds the lease; None where nobody does, or it cannot be seen."""
    reply = wire.ask(lease.holder)
    if reply.error or not reply.rows(0):
        return None
    process, user, tool, host, since, silent = (value or "" for value in reply.rows(0)[0])
    return LockHolder(int(process or 0), user, tool, host, since, float(silent or 0))


def lease_occupant(wire: Wire, lease: Lease) -> LockHolder | None:
    """
    Whose the lease is, dead or alive.

    Raises:
        LedgerUnreadable: it stands in several rows.
    """
    rows = insist(wire, lease.occupant).rows(0)
    if len(rows) > 1:
        raise several(lease, len(rows))
    if not rows:
        return None
    process, user, tool, host, since, silent, owner, stale, until = (v or "" for v in rows[0])
    quiet = float(silent or 0)
    return LockHolder(int(process or 0), user, tool, host, since, quiet, owner, stale == "t", until)


def break_lease(wire: Wire, lease: Lease, holder: LockHolder) -> bool:
    """Free a lease under the keys, if it is still that holder's."""
    breaking = (_BEGIN, lease.try_keys, lease.break_of(holder.lease), _COMMIT)
    reply = wire.settle(ours("", *breaking).sql)
    if reply.error:
        wire.ask(_ROLLBACK)
    return reply.error is None and bool(reply.rows(2))
