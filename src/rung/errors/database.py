"""Errors of the database and its lock, before or between migrations."""

from __future__ import annotations

from rung.errors.base import RungError, _Told


class DatabaseError(_Told):
    """The database cannot be used as it is."""


class DriverMissing(DatabaseError):
    """The Python package for this database is not installed, or the scheme is unknown."""


class ConnectionFailed(DatabaseError):
    """No connection could be made; the server's or the library's reason, masked."""


class LedgerUnreadable(DatabaseError):
    """The ledger is there and is not a ledger, has several rows, or may not be read."""


class LedgerElsewhere(DatabaseError):
    """A ledger stands in another schema of the search path; a second would start over."""


class ReadOnlyDatabase(DatabaseError):
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


class LockNotAcquired(RungError):
    """
    Another run holds the lock for longer than we were told to wait.

    Args:
        waited: seconds waited.
        holder: who holds it, in a sentence; may be empty.
    """

    def __init__(self, waited: float, holder: str = "") -> None:
        super().__init__(waited, holder)
        self.waited, self.holder = waited, holder

    @property
    def cause(self) -> str:
        return f"Another run holds the lock; waited {self.waited:.1f} s for it."

    @property
    def looked_at(self) -> str:
        return self.holder

    @property
    def state(self) -> str:
        return "Nothing was run here; the other run goes on."

    @property
    def advice(self) -> str:
        return "Wait for it to end, or allow more time: --wait-for-lock DURATION."
