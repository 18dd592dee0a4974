"""What reading a database finds, as values; the part of the contract that a look needs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from rung.ledger import LEDGER_TABLE, Outcome

if TYPE_CHECKING:
    from rung.ledger import Attempt, LedgerState
    from rung.script.dialect import Dialect


@dataclass(frozen=True, slots=True)
class Location:
    """Where a session is."""

    database: str
    schema: str
    """Where the ledger is or will be."""
    read_only: bool
    """A standby, or a session that takes no writes."""
    server: str
    """Kind and version, for people."""
    dialect: Dialect
    """How the database reads SQL here."""
    process: int | None = None
    """The server process of the connection, where the database has such."""
    ledger: str = LEDGER_TABLE
    """The ledger's name, with its schema where the database has such, for people."""
    pooled: bool = False
    """True behind a pooler that may give each transaction another server connection."""
    loose: tuple[str, ...] = ()
    """Settings of ours that hold inside transactions only, for that reason."""


class History(Enum):
    """How much of the history an inspection reads."""

    NONE = "none"
    CURRENT = "current"
    """
    What decides which versions are applied, and whatever is unfinished or unrecognized. Left out
    are the rows of a version before its last attempt that ended well, but for `force` and
    `baseline`, which concern other versions too: `replay` comes to the same without them.
    """
    ALL = "all"


@dataclass(frozen=True, slots=True)
class OtherWriters:
    """
    Who besides us may write our tables, each in words: `role "app" has UPDATE`.

    What others can write is data: no text out of such a table runs unseen.
    """

    ledger: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    lease: tuple[str, ...] = ()
    closed_after: int | None = None
    """
    The id of the last history row that others could have written; 0 where they never could,
    None where that is not known.
    """


NOT_CHECKED = OtherWriters()
"""Nothing is known of other writers: no stored text may run unseen."""


class Obstacle(NamedTuple):
    """Why a table of ours is not read, or not written, and what to do; both for people."""

    cause: str
    advice: str

    def __str__(self) -> str:
        return f"{self.cause}; {self.advice}"


class TwinLedger(NamedTuple):
    """A ledger under our name in another schema, where ours is missing."""

    table: str
    """With its schema, for people."""
    history: tuple[Attempt, ...] = ()
    """What the history beside it says; nothing where there is none of ours, or none to read."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """
    What one round trip tells of a database.

    `history` is newest last, and None where there is none or it may not be read.
    """

    place: Location
    ledger: LedgerState
    ledger_exists: bool
    history: tuple[Attempt, ...] | None
    tables: tuple[str, ...] = ()
    """
    The tables of the ledger's schema that no extension owns, where no migration is recorded that
    could have created them: no ledger, or an empty one and no successful attempt in the history.
    """
    missing_grant: str = ""
    """What has to be granted so that a history can be written; empty where it can be."""
    writable: bool = True
    """False where our rights do not let us write the ledger that is there."""
    obstacles: tuple[Obstacle, ...] = ()
    """What keeps a run from writing our tables, other than rights; reading is warned of it."""
    history_is_spare: bool = False
    """Whether the history has its second name, for another table has the usual one."""
    other_writers: OtherWriters = NOT_CHECKED
    """Who else may write ledger, history and lease."""
    twins: tuple[TwinLedger, ...] = ()
    """What `twin_ledgers` gives, for those who only read."""

    @property
    def explains_nothing(self) -> bool:
        """Whether an empty ledger is all that there is, as where a first try failed."""
        empty = self.ledger_exists and self.ledger.row is None and not self.ledger.dirty
        told = any(row.outcome is Outcome.DONE for row in self.history or ())
        return empty and not told and not self.missing_grant and not self.obstacles


@dataclass(frozen=True, slots=True)
class ServerContext:
    """What of a server a file's SQL may lean on, besides the database."""

    user: str = ""
    """Whose rights our statements have."""
    roles: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    """Those of the database or the role that change what SQL means."""
    major: int | None = None
    """The server's major version, where several may be told apart."""
    memberships: tuple[str, ...] = ()
    """The roles that ours belongs to, or may take on as a superuser."""
    makes_roles: bool = False
    """Whether it may make roles."""
    leaves_database: bool = False
    """Whether it may run programs or reach files of the server, or give itself the right to."""
    extensions: tuple[tuple[str, str], ...] = ()
    """The extensions of the database, each with its schema."""
    version: str = ""
    """The server's version for people: `15.18`."""
    trusts_files: bool = False
    """Whether files run as a superuser on scratch, because somebody asked for it."""
    absent_roles: tuple[str, ...] = ()
    """Roles that files name and the server does not have."""


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Who holds the lock, as far as our rights show it."""

    pid: int
    user: str = ""
    application: str = ""
    address: str = ""
    since: str = ""
    silent: float | None = None
    """Where it holds a lease behind a pooler: seconds since its last sign of life."""
    lease: str = ""
    """Of a lease: its owner's id."""
    stale: bool = False
    """Of a lease: whether no run that is alive keeps it."""
    until: str = ""
    """Of a lease: when it expires, `never` where it does not say."""
    ending: str = ""
    """What ends who holds it, to be run by hand; empty where nothing does."""
    idle: float | None = None
    """Seconds since it asked anything of its server; None where it is at work, or not shown."""

    def __str__(self) -> str:
        facts = [f"process {self.pid}"]
        facts += [f'user "{self.user}"'] if self.user else []
        facts += [f'application "{self.application}"'] if self.application else []
        facts += [f"from {self.address}"] if self.address else []
        if self.silent is not None:
            facts += [f"since {self.since}", "behind a pooler"]
            facts += [f"last heartbeat {self.silent:.0f} s ago"]
        elif self.since:
            facts += [f"connected since {self.since}"]
        if self.idle is not None:
            facts += [f"idle for {self.idle:.0f} s"]
        ending = f" To end it: `{self.ending}`" if self.ending else ""
        return "The lock is held by " + ", ".join(facts) + "." + ending


class Ping(Enum):
    """Whether a server takes connections."""

    ANSWERS = "answers"
    """It does; a connection that fails all the same will go on failing."""
    NOT_YET = "not yet"
    """It refuses for now, as while it starts up, or nothing is heard of it."""
    HOPELESS = "hopeless"
    """Nothing was asked: what we connect with makes no sense."""


class Disconnected(Exception):
    """The connection was lost while a message was under way; `reason` is masked."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
