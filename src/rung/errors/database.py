"""Errors of the database and its lock, before or between migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.errors.base import RungError, _Told

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOOKED_ONLY = "Nothing was changed by this look."
_DAMAGE = (
    "stop writing to it, look into the server's log and at the disk, and restore a backup; "
    "a damaged index alone is rebuilt by REINDEX"
)


class DatabaseError(_Told):
    """The database cannot be used as it is."""


class DriverMissing(DatabaseError):
    """The Python package for this database is not installed, or the scheme is unknown."""


class ConnectionFailed(DatabaseError):
    """
    No connection could be made.

    Args:
        cause: what happened, with the reason.
        advice: what to do.
        reason: the server's or the library's own words, masked; empty where there are none.
    """

    def __init__(self, cause: str, advice: str = "", reason: str = "") -> None:
        super().__init__(cause, advice)
        self.args = (cause, advice, reason)
        self.reason = reason


class _Untouched(DatabaseError):
    """Found before anything was run."""

    @property
    def state(self) -> str:
        return "Nothing was run; the database is as it was."


class LedgerUnreadable(_Untouched):
    """The ledger is there and is not a ledger, has several rows, or may not be read."""


class RowSecurityHides(LedgerUnreadable):
    """Row-level security hides rows of ledger or history: nothing is known of them."""


class TableRefused(_Untouched):
    """
    A rule of the database refuses our own ledger or history; no file is at fault.

    Args:
        cause: what was refused and by what, with the server's words.
        advice: the way out.
        sqlstate: the server's.
    """

    def __init__(self, cause: str, advice: str = "", sqlstate: str = "") -> None:
        super().__init__(cause, advice)
        self.args = (cause, advice, sqlstate)
        self.sqlstate = sqlstate


class TablesUntrusted(_Untouched):
    """A write of ours would run code of a role that is less than us, or rows are hidden."""


class SchemaMissing(LedgerUnreadable):
    """No schema of the search path is there, so there is no place for the ledger."""


class LedgerElsewhere(_Untouched):
    """A ledger stands in another schema of the search path; a second would start over."""


class RightsMissing(_Untouched):
    """Our role may not make or write the ledger; the advice holds the GRANT that would mend it."""


class PooledConnection(_Untouched):
    """A file needs one session for all of it, and a pooler gives each transaction another."""


class ReadOnlyDatabase(_Untouched):
    """There is work to do, and this server takes no writes (a standby, a read-only session)."""


class QueryFailed(DatabaseError):
    """
    A statement of Rung's own failed.

    Args:
        cause: the server's message.
        advice: what to do.
        sqlstate: the five-character SQLSTATE, empty where there is none.
    """

    def __init__(self, cause: str, advice: str = "", sqlstate: str = "") -> None:
        super().__init__(cause, advice)
        self.args = (cause, advice, sqlstate)
        self.sqlstate = sqlstate


class DatabaseBusy(QueryFailed):
    """
    Another program kept the database locked for longer than the database itself waits.

    Args:
        shown: the database as people may see it.
        said: what it said.
        waited: seconds.
    """

    def __init__(self, shown: str, said: str, waited: float) -> None:
        super().__init__(
            f"Another connection kept {shown} locked for {waited:g} s: {said}.",
            "Wait for the program that writes there, or give it more time than "
            f"{waited:g} s: _busy_timeout=MILLISECONDS in the URL.",
        )
        self.args = (shown, said, waited)


class TableLocked(DatabaseBusy):
    """
    Another transaction kept a table of ours locked; nothing is known of what is in it.

    Args:
        what: what was to be read or written: `the ledger public.schema_migrations`.
        said: what the server said.
        sqlstate: of that.
        holders: who holds it, a line each, as far as our rights show it.
        remedy: the SQL that ends the first holder; empty where none is known.
    """

    def __init__(
        self, what: str, said: str, sqlstate: str, holders: Sequence[str] = (), remedy: str = ""
    ) -> None:
        ending = f", or end what holds it: `{remedy}`" if remedy else ""
        cause = f"could not read {what}: {said}"
        QueryFailed.__init__(self, cause, f"try again when the lock is free{ending}", sqlstate)
        self.args = (what, said, sqlstate, tuple(holders), remedy)
        self.what, self.said, self.holders = what, said, tuple(holders)

    @property
    def looked_at(self) -> str:
        return "\n".join(self.holders)

    @property
    def state(self) -> str:
        return _LOOKED_ONLY


class DatabaseDamaged(QueryFailed):
    """
    The database's own files are damaged, as its server or library says.

    Args:
        what: what was to be read.
        cause: what is damaged, in a few words.
        said: what the database said.
        sqlstate: of that; empty where there is none.
        advice: the way out; empty for the general one.
    """

    def __init__(
        self, what: str, cause: str, said: str, sqlstate: str = "", advice: str = ""
    ) -> None:
        super().__init__(f"could not read {what}: {cause}: {said}", advice or _DAMAGE, sqlstate)
        self.args = (what, cause, said, sqlstate, advice)

    @property
    def state(self) -> str:
        return _LOOKED_ONLY


class VersionNotReached(RungError):
    """
    The database answers, and was not at the version that was waited for.

    Args:
        wanted: the version waited for.
        version: where the database is; None before the first.
        dirty: whether its ledger is marked dirty.
        waited: seconds.
    """

    def __init__(self, wanted: int, version: int | None, dirty: bool, waited: float) -> None:  # noqa: FBT001 - a fact like the others
        super().__init__(wanted, version, dirty, waited)
        self.wanted, self.version, self.dirty, self.waited = wanted, version, dirty, waited

    @property
    def cause(self) -> str:
        return f"The database did not come to version {self.wanted} in {self.waited:.1f} s."

    @property
    def state(self) -> str:
        at = "at no version" if self.version is None else f"at version {self.version}"
        return f"The database is {at}{', dirty' if self.dirty else ''}."

    @property
    def advice(self) -> str:
        return "See `rung history` for what became of the run that was to bring it there."


class LockNotAcquired(RungError):
    """
    Another run holds the lock for longer than we were told to wait.

    Args:
        waited: seconds waited.
        holder: who holds it, in a sentence; may be empty.
        unlocking: what of it was to be broken: "lease", or "lock", which only its holder frees.
    """

    def __init__(self, waited: float, holder: str = "", unlocking: str = "") -> None:
        super().__init__(waited, holder, unlocking)
        self.waited, self.holder, self._unlocking = waited, holder, unlocking

    @property
    def cause(self) -> str:
        if self._unlocking:
            return "the lock is not broken: its holder is alive"
        return f"Another run holds the lock; waited {self.waited:.1f} s for it."

    @property
    def looked_at(self) -> str:
        return self.holder

    @property
    def state(self) -> str:
        return "Nothing was run here; the other run goes on."

    @property
    def advice(self) -> str:
        if self._unlocking == "lock":
            return "wait for it to end, or end it where it runs: its lock is no lease to be broken"
        if self._unlocking:
            return (
                "wait for it to end, or end it where it runs; a lease of a run that is known to "
                "be dead is broken by `rung unlock --allow-live-holder`"
            )
        return "Wait for it to end, or allow more time: --wait-for-lock DURATION."
