"""
The lease: a row of ours that stands for the lock behind a pooler, as SQL. Pure.

A pooler gives each transaction another session, so no lock of a session holds there. Instead
one row names the run that may go on, until when, and each of its transactions begins with a
fence: it takes the advisory keys for itself alone and makes sure that the row is still ours.
Whoever takes the row over does so under the same keys. So a run that was stopped for long and
lost the lease can do nothing more when it wakes up. All times are the server's.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung._version import __version__
from rung.drivers.postgres import quoting
from rung.drivers.postgres.advisory_keys import try_for_transaction
from rung.drivers.postgres.privileges import remember, revokes
from rung.drivers.postgres.quoting import Sql, statement

if TYPE_CHECKING:
    from rung.drivers.postgres.table_names import Table

LIFETIME = 30.0
"""
Seconds for which the lease stays ours after a sign of life.

Six signs of life may be lost before somebody takes over, as while a pooler restarts; and a
run after one that was killed waits no longer than a person would.
"""

BEAT_EVERY = 5.0
"""Seconds between two signs of life."""

_JUDGED = frozenset(
    {"take_lease", "lease_is_held", "lease_state", "break_lease", "lease_holder", "lease_occupant"}
)
"""The statements that tell a lease that is alive from a stale one."""
_ALIVE = Sql("SET LOCAL client_connection_check_interval = '5s'")
"""A pooler takes no options; the server notices in here that the pooler gave us up."""


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


def _seconds(seconds: float) -> Sql:
    return Sql(f"pg_catalog.make_interval(secs => {seconds:.6f})")
