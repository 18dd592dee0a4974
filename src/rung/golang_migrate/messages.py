"""
What went wrong, in golang-migrate's words: from an error of Rung's to the line that is printed.

The first line is golang-migrate's to the letter, as far as it has one. Below it stand lines
of ours: the place in the file, what state the database is in, and what to do next. Where a
word comes from depends on the library that golang-migrate uses for a database.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rung.errors import (
    ConnectionFailed,
    DirtyLedger,
    DuplicateMigration,
    EmptySource,
    LockNotAcquired,
    MigrationFailed,
    MissingMigrationFile,
    RungError,
    SchemaMissing,
    SourceNotFound,
)
from rung.golang_migrate.faults import GoFault
from rung.golang_migrate.schemes import ErrorStyle
from rung.ledger import NO_VERSION

if TYPE_CHECKING:
    from rung.errors import SourceError

_CANCELLED = "57014"
_REFUSED = re.compile(
    r'connection to server at "(?P<host>[^"]*)"(?: \((?P<address>[^)]*)\))?, '
    r"port (?P<port>\d+) failed: Connection refused"
)
_NO_SOCKET = re.compile(r'connection to server on socket "([^"]*)" failed: No such file')
_FATAL = re.compile(r"FATAL:  (.*)")
_NO_TLS = "server does not support SSL, but SSL was required"
_FIXED: dict[type[RungError], str] = {
    EmptySource: "first .: file does not exist",
    LockNotAcquired: "timeout: can't acquire database lock",
    SchemaMissing: "failed to open database: no schema",
}


def fault_of(error: RungError, tongue: ErrorStyle, *, timed: bool = False) -> GoFault:
    """
    The fault that an error of the engine becomes.

    Args:
        error: what was raised.
        tongue: whose words the database's errors have.
        timed: whether files run under a time limit.
    """
    return GoFault(_first_line(error, tongue, timed=timed), *_lines(_more(error)))


def source_fault(url: str, error: SourceError) -> GoFault:
    """The fault of a source that cannot be opened; its URL is shown, without secrets."""
    opened = f'failed to open source, "{url}":'
    match error:
        case SourceNotFound():
            return GoFault(f"{opened} open .: {error.reason}")
        case DuplicateMigration():
            return GoFault(f"{opened} duplicate migration file: {error.files[1]}")
    return GoFault(f"{opened} {error.cause}", *_lines([error.hint]))


def not_found(version: int) -> str:
    """The line for a version that has no file."""
    return (
        f"no migration found for version {version}: "
        f"read down for version {version} .: file does not exist"
    )


def _first_line(error: RungError, tongue: ErrorStyle, *, timed: bool) -> str:
    match error:
        case MigrationFailed():
            late = timed and error.server.sqlstate == _CANCELLED
            return _failed(error, tongue, late=late)
        case ConnectionFailed() if error.reason:
            return f"failed to open database: {_refused(error.reason, tongue)}"
        case DirtyLedger():
            version = NO_VERSION if error.version is None else error.version
            return f"Dirty database version {version}. Fix and force version."
        case MissingMigrationFile():
            return not_found(error.version)
    return _FIXED.get(type(error), error.cause)


def _more(error: RungError) -> list[str]:
    """What stands below the first line; nothing where golang-migrate's line says it all."""
    match error:
        case EmptySource() | SchemaMissing() | ConnectionFailed():
            return []
        case LockNotAcquired():
            return [error.holder]
        case MigrationFailed():
            return list(error.lines())
    # golang-migrate has no option for it.
    url = "x-migrations-table in the database's URL"
    return [line.replace("--ledger-table", url) for line in error.lines()]


def _failed(error: MigrationFailed, tongue: ErrorStyle, *, late: bool) -> str:
    message, sqlstate, detail, *_ = error.server
    place = error.place
    if tongue is ErrorStyle.SQLITE:
        return f"{message} in line 0: {place.sql}"
    if tongue is ErrorStyle.PGX and late:
        details = "timeout: context deadline exceeded"
        return f"migration failed in line 0: {place.sql} (details: {details})"
    known = bool(place.column)
    said = f"migration failed: {message}"
    if known or tongue is ErrorStyle.PGX:
        said += f" (column {place.column})"
    said += f", {detail}" if detail else ""
    unknown = 1 if tongue is ErrorStyle.PGX else 0
    details = f"ERROR: {message} (SQLSTATE {sqlstate})"
    details = details if tongue is ErrorStyle.PGX else f"pq: {message}"
    line = place.line if known else unknown
    return f"{said} in line {line}: {place.sql} (details: {details})"


def _refused(reason: str, tongue: ErrorStyle) -> str:
    """The commonest refusals in the library's words; others in those of libpq or SQLite."""
    if tongue is ErrorStyle.PQ:
        if found := _REFUSED.search(reason):
            address = found["address"] or found["host"]
            return f"dial tcp {address}:{found['port']}: connect: connection refused"
        if found := _NO_SOCKET.search(reason):
            return f"dial unix {found[1]}: connect: no such file or directory"
        if found := _FATAL.search(reason):
            return f"pq: {found[1]}"
        if _NO_TLS in reason:
            return "pq: SSL is not enabled on the server"
    return " ".join(reason.split())


def _lines(texts: list[str]) -> list[str]:
    return [line for text in texts for line in text.splitlines() if line]
