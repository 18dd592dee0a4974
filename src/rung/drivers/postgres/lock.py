"""
How a session holds the lock: by advisory keys, or behind a pooler by the lease.

Both kinds see each other. Who holds the keys for its session keeps every transaction behind a
pooler from beginning; who holds the lease keeps sessions from starting between its
transactions, for they look at it as soon as they have the keys.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from rung.drivers.inspection import LockHolder
from rung.drivers.postgres import advisory_keys, lease, quoting
from rung.drivers.postgres.lease import TransactionGuard
from rung.drivers.postgres.message import ours
from rung.drivers.postgres.quoting import Sql, statement
from rung.errors import LedgerUnreadable, QueryFailed, RightsMissing, sqlstate

if TYPE_CHECKING:
    from collections.abc import Collection

    from rung.drivers.postgres.connect import SideConnection
    from rung.drivers.postgres.inspection import InspectedTables
    from rung.drivers.postgres.lease import Lease
    from rung.drivers.postgres.wire import Reply, Row, Wire

_LOST_TO_ANOTHER = (
    sqlstate.DIVISION_BY_ZERO,
    sqlstate.UNIQUE_VIOLATION,
    sqlstate.SERIALIZATION_FAILURE,
    sqlstate.UNDEFINED_TABLE,
    sqlstate.DUPLICATE_TABLE,
)
"""1/0 for a key; the table or its row made or dropped at the same moment, as the server sees it."""
_OTHER_SHAPE = (
    sqlstate.UNDEFINED_COLUMN,
    sqlstate.DATATYPE_MISMATCH,
    sqlstate.WRONG_OBJECT_TYPE,
    sqlstate.UNDEFINED_FUNCTION,
)
"""No such column, another type, no table, no such operator."""
_BEGIN, _COMMIT, _ROLLBACK = Sql("BEGIN"), Sql("COMMIT"), Sql("ROLLBACK")


class SessionLock(Protocol):
    """The lock of one session on one ledger."""

    @property
    def fence(self) -> TransactionGuard:
        """What each transaction begins with."""

    @property
    def shares_session(self) -> bool:
        """Whether other clients get the server's session between our transactions."""

    def take(self, at: InspectedTables) -> bool:
        """Take it, or nothing; never wait in the server."""

    def heartbeat(self) -> None:
        """Give a sign of life, where one is due."""

    def release(self) -> None:
        """Give it back; quiet where it is not ours any more."""

    def release_foreign(self) -> None:
        """Give back the keys on which another tool may queue."""

    def try_foreign(self) -> bool:
        """Take them again, all or none."""


class AdvisoryLock:
    """The keys, held by the session; the lease is only looked at."""

    fence = TransactionGuard()
    shares_session = False

    def __init__(self, wire: Wire, keys: advisory_keys.Keys, lease: Lease) -> None:
        self._wire, self._keys, self._lease = wire, keys, lease

    def take(self, at: InspectedTables) -> bool:
        """Take every key, or none; none while a run behind a pooler holds the lease."""
        keys = self._keys.all
        if not at.rights.lease.exists:
            reply = insist(self._wire, advisory_keys.take(keys), self._lease.is_there)
            new = reply.rows(1)[0][0] == "t"
            return self._all(keys, reply) and (not new or self._may_go_on(self._states()))
        _check_rights(at)
        guarded = advisory_keys.take(keys, unless=self._lease.held)
        reply = self._wire.ask(f"{guarded};\n{self._lease.state}")
        _check_shape(reply, at)
        checked(reply)
        if len(reply.rows(1)) > 1:
            self.release()
            raise several(self._lease, len(reply.rows(1)))
        return self._all(keys, reply) and self._may_go_on(reply.rows(1))

    def heartbeat(self) -> None:
        """Nothing: the session lives."""

    def release(self) -> None:
        """Give all keys back."""
        self._wire.ask(advisory_keys.give_back(self._keys.all))

    def release_foreign(self) -> None:
        """Give back golang-migrate's keys, keeping our own."""
        self._wire.ask(advisory_keys.give_back(self._keys.foreign))

    def try_foreign(self) -> bool:
        """Take golang-migrate's keys again, all or none."""
        return self._all(
            self._keys.foreign, insist(self._wire, advisory_keys.take(self._keys.foreign))
        )

    def _all(self, keys: tuple[int, ...], reply: Reply) -> bool:
        taken = keys[: int(reply.rows(0)[0][0] or 0)]
        if taken and len(taken) < len(keys):
            self._wire.ask(advisory_keys.give_back(taken))
        return len(taken) == len(keys)

    def _states(self) -> list[Row]:
        """Of a lease that was made since we looked."""
        return insist(self._wire, self._lease.state).rows(0)

    def _may_go_on(self, states: list[Row]) -> bool:
        """Under the keys: whether nobody holds the lease. One that is expired ends here."""
        if len(states) > 1:
            self.release()
            raise several(self._lease, len(states))
        found = {row[0] for row in states}
        if "held" in found:
            self.release()
            return False
        if "expired" in found:
            insist(self._wire, self._lease.break_expired)
        return True


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
        _check_rights(at)
        if not (self._made or at.rights.lease.exists):
            self._make(at)
        reply = self._wire.ask(self._lease.take)
        if reply.error:
            _check_shape(reply, at)
            self._made = self._made and not _is_state(reply, sqlstate.UNDEFINED_TABLE)
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
        due = self._held and now - self._renewed >= lease.BEAT_EVERY
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


def key_holder(wire: Wire, keys: advisory_keys.Keys) -> LockHolder | None:
    """Who holds one of the keys, for how long it has been idle, and what would end it."""
    rows = insist(wire, statement("lock_holder", held=advisory_keys.held(keys.all))).rows(0)
    if not rows:
        return None
    pid, user, application, address, since, idle = (value or "" for value in rows[0])
    ending = f"SELECT pg_terminate_backend({int(pid)});"
    quiet = float(idle) if idle else None
    place = address or "this machine"
    return LockHolder(int(pid), user, application, place, since, ending=ending, idle=quiet)


def several(lease: Lease, rows: int) -> LedgerUnreadable:
    """The error of a lease that stands in several rows: nobody can tell which one counts."""
    return LedgerUnreadable(
        f"the lease table {lease.table} has {rows} rows, but only one is allowed",
        "make sure that no run is in progress, then drop it; the next run that needs a lease "
        f"creates it: `DROP TABLE {lease.table.sql};`",
    )


def lock_lost(holder: LockHolder | None) -> QueryFailed:
    """The error of a write of ours that the fence turned back."""
    who = "" if holder is None else f" {holder}"
    return QueryFailed(
        f"the lock was lost, and nothing was written: another run took the lease over{who}",
        "run the same command again",
    )


def insist(wire: Wire, *questions: Sql) -> Reply:
    """
    Ask, and have an answer; what stands behind is answered by a later snapshot.

    Raises:
        QueryFailed: the server refused.
    """
    return checked(wire.ask(";\n".join(questions)))


def checked(reply: Reply) -> Reply:
    """
    The same reply, if it is one.

    Raises:
        QueryFailed: the server refused.
    """
    if reply.error:
        message = reply.error.message
        raise QueryFailed("\n".join(message.lines()), "", message.sqlstate)
    return reply


def _check_rights(at: InspectedTables) -> None:
    if grants := at.rights.grants_for_lease(at.names):
        verb = "use" if at.rights.lease.exists else "make"
        raise RightsMissing(
            f'role "{at.rights.role}" may not {verb} {at.names.lease}, the lease table for runs '
            "behind a pooler",
            f"grant it: {grants}",
        )


def _check_shape(reply: Reply, at: InspectedTables) -> None:
    if reply.error and any(_is_state(reply, state) for state in _OTHER_SHAPE):
        raise LedgerUnreadable(
            f"{at.names.lease} exists but is not a lease table: {reply.error.message.message}",
            "Rung uses that name for its lease table; rename the other table",
        )


def _lost_to_another(reply: Reply) -> bool:
    """False, where a message failed because another run was quicker."""
    if not any(_is_state(reply, state) for state in _LOST_TO_ANOTHER):
        checked(reply)
    return False


def _is_state(reply: Reply, state: str) -> bool:
    return reply.error is not None and reply.error.message.sqlstate == state
