"""
The error tree. The facts are attributes, and every text is made from them.

Every error is a dataclass and answers, in this order: what went wrong (`cause`), where
(`where`), the facts at hand (`detail`), the state of the database now (`database`), and what
to do next (`hint`), with a command where there is one. An error never holds a secret: its
facts are redacted before it is raised.

    RungError
    ├── UsageError                  an argument, before any database is connected
    ├── SourceError                 the migration files
    │   ├── SourceNotFound
    │   ├── EmptySource
    │   ├── ForeignSource           migrations of another tool
    │   ├── MigrationsBelow         in subfolders, which are not read
    │   ├── NameUnusable
    │   ├── SourceUnreadable
    │   ├── DuplicateMigration
    │   ├── VersionTooLarge
    │   └── TextUnreadable
    ├── ScriptError                 the SQL of one file, before it runs
    │   ├── UnterminatedToken
    │   ├── UnbalancedTransaction
    │   ├── StatementMisplaced
    │   ├── DirectiveUnusable
    │   │   └── DeclarationUnusable
    │   ├── ClientCommand           a command of psql or of the sqlite3 shell
    │   └── ForeignMarker           another tool's marker for a down in the same file
    ├── PlanError                   files and ledger do not fit together
    │   ├── DirtyLedger
    │   ├── CannotResume
    │   ├── AtomicRefused
    │   ├── MissingMigrationFile
    │   ├── UnwrittenMigration
    │   ├── DownRefused
    │   ├── RedoUnfinished
    │   ├── StoredSqlUnconfirmed
    │   ├── OutOfOrderMigrations
    │   ├── EditedMigrations
    │   ├── UnversionedDatabase
    │   ├── StoredSqlUnusable
    │   ├── PlanChanged
    │   └── ConfirmationRequired
    ├── DatabaseError               the database, before or between migrations
    │   ├── DriverMissing
    │   ├── ConnectionFailed
    │   ├── LedgerUnreadable
    │   │   ├── SchemaMissing
    │   │   └── RowSecurityHides    row-level security hides rows
    │   ├── LedgerElsewhere
    │   ├── RightsMissing
    │   ├── TableRefused            a rule of the database rejects our own tables
    │   ├── TablesUntrusted         a write to our own tables would run others' code
    │   ├── PooledConnection
    │   ├── ReadOnlyDatabase
    │   ├── ScratchFailed           the scratch database
    │   ├── RepairUndecided         no repair is proven
    │   └── QueryFailed
    │       ├── DatabaseDamaged     its own files are damaged
    │       └── DatabaseBusy        another connection kept it locked
    │           └── TableLocked     one of our own tables
    ├── VersionNotReached           `wait` timed out
    ├── LockNotAcquired             another run holds the lock
    ├── RunError                    a run that began; carries how far it got
    │   ├── MigrationFailed
    │   ├── LedgerMoved
    │   ├── LockLost
    │   ├── LedgerDropped
    │   ├── OwnWriteRefused
    │   ├── UnexpectedTransactionControl
    │   ├── ConnectionLost
    │   └── Stopped
    ├── EmbeddedError               the embedded PostgreSQL
    │   ├── BinariesNotFound
    │   └── ServerNotStarted
    └── NotCertifiable              the migrations fail without faults
"""

from __future__ import annotations

from rung.errors.base import (
    RungError,
    UsageError,
)
from rung.errors.database import (
    ConnectionFailed,
    DatabaseBusy,
    DatabaseDamaged,
    DatabaseError,
    DriverMissing,
    LedgerElsewhere,
    LedgerUnreadable,
    LockNotAcquired,
    PooledConnection,
    QueryFailed,
    ReadOnlyDatabase,
    RightsMissing,
    RowSecurityHides,
    SchemaMissing,
    TableLocked,
    TableRefused,
    TablesUntrusted,
    VersionNotReached,
)
from rung.errors.downs import DownProblem, DownRefused, RedoUnfinished, StoredSqlUnconfirmed
from rung.errors.embedded import (
    BinariesNotFound,
    EmbeddedError,
    ServerNotStarted,
)
from rung.errors.files import (
    ClientCommand,
    DeclarationUnusable,
    DirectiveUnusable,
    DuplicateMigration,
    EmptySource,
    ForeignMarker,
    ForeignSource,
    MigrationsBelow,
    NameUnusable,
    ScriptError,
    SourceError,
    SourceNotFound,
    SourceUnreadable,
    StatementMisplaced,
    TextUnreadable,
    UnbalancedTransaction,
    UnterminatedToken,
    VersionTooLarge,
)
from rung.errors.location import SourceLocation
from rung.errors.plan import (
    AtomicRefused,
    ConfirmationRequired,
    DirtyLedger,
    EditedFile,
    EditedMigrations,
    MissingMigrationFile,
    OutOfOrderMigrations,
    PlanChanged,
    PlanError,
    StoredSqlUnusable,
    UnversionedDatabase,
    UnwrittenMigration,
)
from rung.errors.repair import CannotResume, NotCertifiable, RepairUndecided, ScratchFailed
from rung.errors.run import (
    ConnectionLost,
    LedgerDropped,
    LedgerMoved,
    LockLost,
    MigrationFailed,
    OwnWriteRefused,
    RunError,
    Stopped,
    UnexpectedTransactionControl,
)
from rung.errors.server_message import ServerMessage

__all__ = [
    "AtomicRefused",
    "BinariesNotFound",
    "CannotResume",
    "ClientCommand",
    "ConfirmationRequired",
    "ConnectionFailed",
    "ConnectionLost",
    "DatabaseBusy",
    "DatabaseDamaged",
    "DatabaseError",
    "DeclarationUnusable",
    "DirectiveUnusable",
    "DirtyLedger",
    "DownProblem",
    "DownRefused",
    "DriverMissing",
    "DuplicateMigration",
    "EditedFile",
    "EditedMigrations",
    "EmbeddedError",
    "EmptySource",
    "ForeignMarker",
    "ForeignSource",
    "LedgerDropped",
    "LedgerElsewhere",
    "LedgerMoved",
    "LedgerUnreadable",
    "LockLost",
    "LockNotAcquired",
    "MigrationFailed",
    "MigrationsBelow",
    "MissingMigrationFile",
    "NameUnusable",
    "NotCertifiable",
    "OutOfOrderMigrations",
    "OwnWriteRefused",
    "PlanChanged",
    "PlanError",
    "PooledConnection",
    "QueryFailed",
    "ReadOnlyDatabase",
    "RedoUnfinished",
    "RepairUndecided",
    "RightsMissing",
    "RowSecurityHides",
    "RunError",
    "RungError",
    "SchemaMissing",
    "ScratchFailed",
    "ScriptError",
    "ServerMessage",
    "ServerNotStarted",
    "SourceError",
    "SourceLocation",
    "SourceNotFound",
    "SourceUnreadable",
    "StatementMisplaced",
    "Stopped",
    "StoredSqlUnconfirmed",
    "StoredSqlUnusable",
    "TableLocked",
    "TableRefused",
    "TablesUntrusted",
    "TextUnreadable",
    "UnbalancedTransaction",
    "UnexpectedTransactionControl",
    "UnterminatedToken",
    "UnversionedDatabase",
    "UnwrittenMigration",
    "UsageError",
    "VersionNotReached",
    "VersionTooLarge",
]
