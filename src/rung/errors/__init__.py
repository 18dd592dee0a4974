"""
The whole error tree. Facts are attributes; the text is made from them.

Every error answers four questions, in this order: what went wrong (`cause`), what was
looked at (`looked_at`), what state the database is in now (`state`), and what to do next
(`advice`). An error never holds a secret: whoever raises one passes masked text.

    RungError
    ├── UsageError                  an argument that no database was asked about
    ├── SourceError                 the migration files
    │   ├── SourceNotFound
    │   ├── EmptySource
    │   ├── ForeignSource           the migrations of another tool
    │   ├── MigrationsBelow         in folders that are not entered
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
    │   ├── ClientCommand           psql's own line, or the sqlite3 shell's
    │   └── ForeignMarker           another tool's sign of a down in the same file
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
    │   │   └── RowSecurityHides    of ledger or history nothing is known
    │   ├── LedgerElsewhere
    │   ├── RightsMissing
    │   ├── TableRefused            our own tables, by a rule of the database
    │   ├── TablesUntrusted         our own tables, where others' code would run
    │   ├── PooledConnection
    │   ├── ReadOnlyDatabase
    │   ├── ScratchFailed           a database to try things on
    │   ├── RepairUndecided         nothing is proven to mend a dirty one
    │   └── QueryFailed
    │       ├── DatabaseDamaged     its own files are damaged
    │       └── DatabaseBusy        another connection kept it locked
    │           └── TableLocked     a table of ours
    ├── VersionNotReached           waited for a version in vain
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
    └── NotCertifiable              the migrations do not run undisturbed
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
    ServerMessage,
    SourceLocation,
    Stopped,
    UnexpectedTransactionControl,
)

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
