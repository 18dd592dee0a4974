"""Errors of the database and its lock, before or between migrations."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from rung.errors.base import UNCHANGED, RungError, _Worded

_READ_ONLY = "unchanged; it was only read"
_DAMAGE = (
    "stop writing to the database, read the server's log, check the disk, and restore a backup; "
    "REINDEX rebuilds an index that alone is damaged"
)


class DatabaseError(_Worded):
    """The database cannot be used as it is."""


class DriverMissing(DatabaseError):
    """The Python package for this database is not installed, or the scheme is unrecognized."""


@dataclass(eq=False, repr=False)
class ConnectionFailed(DatabaseError):
    """
    No connection could be made.

    Args:
        message: what happened, with the reason.
        remedy: what to do.
        reason: the server's or the library's own words, redacted; empty where there are none.
    """

    reason: str = ""


class _Untouched(DatabaseError):
    """Found before anything was run."""

    @property
    def database(self) -> str:
        return UNCHANGED


class LedgerUnreadable(_Untouched):
    """The ledger table has another shape or several rows, or our role may not read it."""


class RowSecurityHides(LedgerUnreadable):
    """Row-level security hides rows of the ledger or the history."""


@dataclass(eq=False, repr=False)
class TableRefused(_Untouched):
    """
    A rule of the database rejects writes to the ledger or the history; no file is at fault.

    Args:
        message: what was rejected and by what, with the server's words.
        remedy: the way out.
        sqlstate: the server's.
    """

    sqlstate: str = ""


class TablesUntrusted(_Untouched):
    """A write to our tables would run code of a less privileged role, or rows are hidden."""


class SchemaMissing(LedgerUnreadable):
    """No schema of the search path exists, so the ledger cannot be created."""


class LedgerElsewhere(_Untouched):
    """A ledger exists in another schema of the search path; a second would start over."""


class RightsMissing(_Untouched):
    """Our role may not create or write the ledger; the hint holds the GRANT."""


class PooledConnection(_Untouched):
    """A file needs one session for all of it, and a pooler gives each transaction another."""


class ReadOnlyDatabase(_Untouched):
    """There is work to do, and the server is read-only (a standby, a read-only session)."""


@dataclass(eq=False, repr=False)
class QueryFailed(DatabaseError):
    """
    A statement of Rung's own failed.

    Args:
        message: the server's message.
        remedy: what to do.
        sqlstate: the five-character SQLSTATE, empty where there is none.
    """

    sqlstate: str = ""


@dataclass(eq=False, repr=False)
class DatabaseBusy(QueryFailed):
    """
    Another program kept the database locked for longer than the database itself waits.

    Args:
        label: the database as people may see it.
        said: what it said.
        waited: seconds.
    """

    _: KW_ONLY
    label: str = ""
    said: str = ""
    waited: float = 0.0

    @property
    def cause(self) -> str:
        return f"could not read {self.label}: locked for {self.waited:g} s: {self.said}"

    @property
    def hint(self) -> str:
        return (
            "wait for the program that writes there, or wait longer than "
            f"{self.waited:g} s: _busy_timeout=MILLISECONDS in the URL"
        )


@dataclass(eq=False, repr=False)
class TableLocked(DatabaseBusy):
    """
    Another transaction kept one of our tables locked; its content could not be read.

    Args:
        what: what was to be read or written: `the ledger public.schema_migrations`.
        said: what the server said.
        sqlstate: of that.
        holders: the lock holders, a line each, as far as our role may see them.
        ending: the SQL that ends the first holder; empty where none is known.
    """

    _: KW_ONLY
    what: str
    holders: tuple[str, ...] = ()
    ending: str = ""

    @property
    def cause(self) -> str:
        return f"could not read {self.what}: {self.said}"

    @property
    def detail(self) -> str:
        return "\n".join(self.holders)

    @property
    def database(self) -> str:
        return _READ_ONLY

    @property
    def hint(self) -> str:
        ending = f", or end the lock holder: `{self.ending}`" if self.ending else ""
        return f"try again when the lock is free{ending}"


@dataclass(eq=False, repr=False)
class DatabaseDamaged(QueryFailed):
    """
    The database's own files are damaged, as its server or library says.

    Args:
        what: what was to be read.
        damage: what is damaged, in a few words.
        said: what the database said.
        sqlstate: of that; empty where there is none.
        remedy: the way out; empty for the general one.
    """

    _: KW_ONLY
    what: str
    damage: str
    said: str

    @property
    def cause(self) -> str:
        return f"could not read {self.what}: {self.damage}: {self.said}"

    @property
    def database(self) -> str:
        return _READ_ONLY

    @property
    def hint(self) -> str:
        return self.remedy or _DAMAGE


@dataclass(eq=False, repr=False)
class VersionNotReached(RungError):
    """
    The database answers, and did not reach the version that was waited for.

    Args:
        wanted: the version waited for.
        version: where the database is; None before the first.
        dirty: whether its ledger is marked dirty.
        waited: seconds.
    """

    wanted: int
    version: int | None
    dirty: bool
    waited: float

    @property
    def cause(self) -> str:
        return f"the database did not reach version {self.wanted} within {self.waited:.1f} s"

    @property
    def database(self) -> str:
        at = "no version" if self.version is None else f"version {self.version}"
        return f"{'dirty' if self.dirty else 'clean'} at {at}"

    @property
    def hint(self) -> str:
        return "see `rung history` for the outcome of the last run"


@dataclass(eq=False, repr=False)
class LockNotAcquired(RungError):
    """
    Another run held the lock for longer than this one waits.

    Args:
        waited: seconds waited.
        holder: the lock holder, in a sentence; may be empty.
        unlocking: what was to be broken: "lease", or "lock", which only its holder frees.
    """

    waited: float
    holder: str = ""
    unlocking: str = ""

    @property
    def cause(self) -> str:
        if self.unlocking:
            return "cannot break the lock: its holder is alive"
        return f"could not acquire the migration lock within {self.waited:.1f} s"

    @property
    def detail(self) -> str:
        return self.holder

    @property
    def database(self) -> str:
        return "another run is in progress; this one ran nothing"

    @property
    def hint(self) -> str:
        if self.unlocking == "lock":
            return "wait for the other run to end, or end it; only a lease can be broken"
        if self.unlocking:
            return (
                "wait for the other run to end, or end it. If that run is certainly dead, break "
                "its lease: `rung unlock --allow-live-holder`"
            )
        return "wait for the other run to end, or wait longer: --wait-for-lock DURATION"
