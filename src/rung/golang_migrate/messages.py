"""
Translate Rung's errors into golang-migrate's lines.

The first line is golang-migrate's to the letter, where it has one. Rung's lines follow: the place
in the file, the database state, and what to do next. Some words depend on the library that
golang-migrate uses for a database.
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
    RunError,
    RungError,
    SchemaMissing,
    SourceNotFound,
    sqlstate,
)
from rung.golang_migrate.faults import GoFault
from rung.golang_migrate.schemes import ErrorStyle
from rung.ledger import NO_VERSION

if TYPE_CHECKING:
    from rung.errors import SourceError

_REFUSED = re.compile(
    r'connection to server at "(?P<host>[^"]*)"(?: \((?P<address>[^)]*)\))?, '
    r"port (?P<port>\d+) failed: Connection refused"
)
_NO_SOCKET = re.compile(r'connection to server on socket "([^"]*)" failed: No such file')
_FATAL = re.compile(r"FATAL:  (.*)")
_NO_TLS = "server does not support SSL, but SSL was required"
_FIXED_LINES: dict[type[RungError], str] = {
    EmptySource: "first .: file does not exist",
    LockNotAcquired: "timeout: can't acquire database lock",
    SchemaMissing: "failed to open database: no schema",
}


def to_go_fault(
    error: RungError, error_style: ErrorStyle, *, has_time_limit: bool = False
) -> GoFault:
    """
    Translate an error of the engine into a fault.

    Args:
        error: the error.
        error_style: the style of the database's errors.
        has_time_limit: whether files run under a time limit.
    """
    if isinstance(error, RunError):
        error.again_by("")  # a command of `rung` would not be what was run
    return GoFault(
        _first_line(error, error_style, has_time_limit=has_time_limit),
        *_lines(_detail_lines(error)),
    )


def source_fault(url: str, error: SourceError) -> GoFault:
    """Return the fault of a source that cannot be opened, with its redacted URL."""
    opened = f'failed to open source, "{url}":'
    match error:
        case SourceNotFound():
            return GoFault(f"{opened} open .: {error.reason}")
        case DuplicateMigration():
            return GoFault(f"{opened} duplicate migration file: {error.files[1]}")
    return GoFault(f"{opened} {error.cause}", *_lines([error.hint]))


def not_found(version: int) -> str:
    """Return the line for a version that has no file."""
    return (
        f"no migration found for version {version}: "
        f"read down for version {version} .: file does not exist"
    )


def _first_line(error: RungError, error_style: ErrorStyle, *, has_time_limit: bool) -> str:
    match error:
        case MigrationFailed():
            timed_out = has_time_limit and error.server.sqlstate == sqlstate.QUERY_CANCELED
            return _migration_failure(error, error_style, timed_out=timed_out)
        case ConnectionFailed() if error.reason:
            return f"failed to open database: {_connection_reason(error.reason, error_style)}"
        case DirtyLedger():
            version = NO_VERSION if error.version is None else error.version
            return f"Dirty database version {version}. Fix and force version."
        case MissingMigrationFile():
            return not_found(error.version)
    return _FIXED_LINES.get(type(error), error.cause)


def _detail_lines(error: RungError) -> list[str]:
    """Return the lines below the first; none where golang-migrate's line is complete."""
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


def _migration_failure(error: MigrationFailed, error_style: ErrorStyle, *, timed_out: bool) -> str:
    message, sqlstate, detail, *_ = error.server
    place = error.place
    if error_style is ErrorStyle.SQLITE:
        return f"{message} in line 0: {place.sql}"
    if error_style is ErrorStyle.PGX and timed_out:
        details = "timeout: context deadline exceeded"
        return f"migration failed in line 0: {place.sql} (details: {details})"
    has_column = bool(place.column)
    text = f"migration failed: {message}"
    if has_column or error_style is ErrorStyle.PGX:
        text += f" (column {place.column})"
    text += f", {detail}" if detail else ""
    default_line = 1 if error_style is ErrorStyle.PGX else 0
    details = f"ERROR: {message} (SQLSTATE {sqlstate})"
    details = details if error_style is ErrorStyle.PGX else f"pq: {message}"
    line = place.line if has_column else default_line
    return f"{text} in line {line}: {place.sql} (details: {details})"


def _connection_reason(reason: str, error_style: ErrorStyle) -> str:
    """Return the commonest connection errors in lib/pq's words, others unchanged."""
    if error_style is ErrorStyle.PQ:
        if match := _REFUSED.search(reason):
            address = match["address"] or match["host"]
            return f"dial tcp {address}:{match['port']}: connect: connection refused"
        if match := _NO_SOCKET.search(reason):
            return f"dial unix {match[1]}: connect: no such file or directory"
        if match := _FATAL.search(reason):
            return f"pq: {match[1]}"
        if _NO_TLS in reason:
            return "pq: SSL is not enabled on the server"
    return " ".join(reason.split())


def _lines(texts: list[str]) -> list[str]:
    return [line for text in texts for line in text.splitlines() if line]
