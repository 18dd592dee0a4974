"""
How a session holds the lock: by the advisory keys, or behind a pooler by the lease.

Both kinds of lock see each other. Who holds the keys for its session keeps every transaction behind
a pooler from beginning; who holds the lease keeps sessions from starting between its transactions,
for they look at it as soon as they have the keys.

One key is ours. The others are golang-migrate's for this ledger, in both usual forms: its
command line hashes the database's name with the slash of the URL before it, its library
without. All are taken by trying: a query that waits for a lock holds a snapshot, on which a
concurrent index build of the holder would wait in turn, until one of the two is shot.

The formula of golang-migrate's keys: CRC-32 (IEEE) of schema, table and database joined by
NUL bytes, times 1486364155, modulo 2^32.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rung.drivers.inspection import LockHolder
from rung.drivers.postgres.quoting import Sql, statement
from rung.errors import LedgerUnreadable, QueryFailed, RightsMissing, sqlstate

if TYPE_CHECKING:
    from rung.drivers.postgres.inspection import InspectedTables
    from rung.drivers.postgres.lease import Lease
    from rung.drivers.postgres.tables import Table
    from rung.drivers.postgres.wire import Reply, Row, Wire


_SALT = 1486364155
_OURS = 0x52756E67
"""The upper half of our key: above every key of golang-migrate's, which fit in 32 bits."""


def foreign_key(schema: str, table: str, database: str) -> int:
    """golang-migrate's advisory key for a ledger, by the name it knows the database by."""
    name = b"\0".join(part.encode() for part in (schema, table, database))
    return zlib.crc32(name) * _SALT & 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one ledger."""

    ours: int
    foreign: tuple[int, ...]

    @classmethod
    def of(cls, ledger: Table, database: str, path: str = "") -> Keys:
        """
        The keys of a ledger in a database.

        Args:
            ledger: with its schema.
            database: the database's own name.
            path: the path of the URL that we were given; where it is not the database's name
                with a slash, golang-migrate's command locks by it, given the same URL.
        """
        names = dict.fromkeys((f"/{database}", database, path or database))
        keys = tuple(foreign_key(ledger.schema or "", ledger.name, name) for name in names)
        return cls(_OURS << 32 | keys[1], keys)

    @property
    def all(self) -> tuple[int, ...]:
        """Every key, ours first."""
        return (self.ours, *self.foreign)


def take_keys(keys: tuple[int, ...], unless: Sql | None = None) -> Sql:
    """
    Try each key until one is not to be had; the number of those taken.

    CASE goes from left to right: of two runs that try at once one gets the first key, and
    the other touches no further one, so that they cannot turn each other away. None is
    touched where `unless` is true.
    """
    first = f"WHEN {unless} THEN 0 " if unless else ""
    tries = (
        f"WHEN NOT pg_catalog.pg_try_advisory_lock({key}) THEN {number}"
        for number, key in enumerate(keys)
    )
    return Sql(f"SELECT CASE {first}{' '.join(tries)} ELSE {len(keys)} END")


def try_for_transaction(keys: tuple[int, ...]) -> Sql:
    """
    Try each key for the transaction alone, until one is not to be had; whether all were.

    From left to right, as `take_keys` does.
    """
    tries = (f"WHEN NOT pg_catalog.pg_try_advisory_xact_lock({key}) THEN false" for key in keys)
    return Sql(f"CASE {' '.join(tries)} ELSE true END")


def hold_keys(keys: tuple[int, ...]) -> Sql:
    """A condition on a row of pg_locks named `l`: it is a hold on one of these keys."""
    return statement("holds_a_key", keys=Sql(", ".join(map(str, keys))))


def give_keys_back(keys: tuple[int, ...]) -> Sql:
    """Give each key back; a row of booleans."""
    return Sql("SELECT " + ", ".join(f"pg_catalog.pg_advisory_unlock({key})" for key in keys))


_ALIVE = Sql("SET LOCAL client_connection_check_interval = '5s'")
"""A pooler takes no options; the server notices in here that the pooler gave us up."""


@dataclass(frozen=True, slots=True)
class TransactionGuard:
    """What each transaction begins with; nothing at all where the session holds its keys."""

    keys: tuple[Sql, ...] = ()
    lease: tuple[Sql, ...] = ()
    settings: tuple[Sql, ...] = ()
    """For the transaction alone, in place of what a session is given once."""

    @classmethod
    def of(cls, lease: Lease, *, watched: bool) -> TransactionGuard:
        """The fence of a lease; `watched` where the server can look after us."""
        return cls((lease.try_keys,), (lease.check,), (_ALIVE,) if watched else ())


_OTHER_SHAPE = (
    sqlstate.UNDEFINED_COLUMN,
    sqlstate.DATATYPE_MISMATCH,
    sqlstate.WRONG_OBJECT_TYPE,
    sqlstate.UNDEFINED_FUNCTION,
)
"""No such column, another type, no table, no such operator."""


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

    def __init__(self, wire: Wire, keys: Keys, lease: Lease) -> None:
        self._wire, self._keys, self._lease = wire, keys, lease

    def take(self, at: InspectedTables) -> bool:
        """Take every key, or none; none while a run behind a pooler holds the lease."""
        keys = self._keys.all
        if not at.rights.lease.exists:
            reply = insist(self._wire, take_keys(keys), self._lease.is_there)
            new = reply.rows(1)[0][0] == "t"
            return self._all(keys, reply) and (not new or self._may_go_on(self._states()))
        check_lease_rights(at)
        guarded = take_keys(keys, unless=self._lease.held)
        reply = self._wire.ask(f"{guarded};\n{self._lease.state}")
        check_lease_shape(reply, at)
        checked(reply)
        if len(reply.rows(1)) > 1:
            self.release()
            raise several(self._lease, len(reply.rows(1)))
        return self._all(keys, reply) and self._may_go_on(reply.rows(1))

    def heartbeat(self) -> None:
        """Nothing: the session lives."""

    def release(self) -> None:
        """Give all keys back."""
        self._wire.ask(give_keys_back(self._keys.all))

    def release_foreign(self) -> None:
        """Give back golang-migrate's keys, keeping our own."""
        self._wire.ask(give_keys_back(self._keys.foreign))

    def try_foreign(self) -> bool:
        """Take golang-migrate's keys again, all or none."""
        return self._all(self._keys.foreign, insist(self._wire, take_keys(self._keys.foreign)))

    def _all(self, keys: tuple[int, ...], reply: Reply) -> bool:
        taken = keys[: int(reply.rows(0)[0][0] or 0)]
        if taken and len(taken) < len(keys):
            self._wire.ask(give_keys_back(taken))
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


def key_holder(wire: Wire, keys: Keys) -> LockHolder | None:
    """Who holds one of the keys, for how long it has been idle, and what would end it."""
    rows = insist(wire, statement("lock_holder", held=hold_keys(keys.all))).rows(0)
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


def check_lease_rights(at: InspectedTables) -> None:
    """
    Check that our role may use the lease, or make it.

    Raises:
        RightsMissing: it may not.
    """
    if grants := at.rights.grants_for_lease(at.names):
        verb = "use" if at.rights.lease.exists else "make"
        raise RightsMissing(
            f'role "{at.rights.role}" may not {verb} {at.names.lease}, the lease table for runs '
            "behind a pooler",
            f"grant it: {grants}",
        )


def check_lease_shape(reply: Reply, at: InspectedTables) -> None:
    """
    Check that a failure does not come from another table with the name of the lease.

    Raises:
        LedgerUnreadable: it does.
    """
    if reply.error and any(is_state(reply, state) for state in _OTHER_SHAPE):
        raise LedgerUnreadable(
            f"{at.names.lease} exists but is not a lease table: {reply.error.message.message}",
            "Rung uses that name for its lease table; rename the other table",
        )


def is_state(reply: Reply, state: str) -> bool:
    """Whether a message failed with a SQLSTATE."""
    return reply.error is not None and reply.error.message.sqlstate == state
