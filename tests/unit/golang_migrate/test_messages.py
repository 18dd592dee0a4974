"""Errors of the engine in golang-migrate's words, and what of ours stands below."""

from __future__ import annotations

import pytest

from rung.errors import (
    ConnectionFailed,
    LedgerUnreadable,
    LockNotAcquired,
    MigrationFailed,
    SchemaMissing,
    ServerMessage,
    SourceLocation,
)
from rung.golang_migrate.messages import to_go_fault
from rung.golang_migrate.schemes import ErrorStyle

SYNTAX = ServerMessage('syntax error at or near "selct"', "42601")
DOUBLE = ServerMessage("duplicate key", "23505", "Key (id)=(1) already exists.", "a hint")
LATE = ServerMessage("canceling statement due to user request", "57014")
SQL = "select 1;\nselct 2;"
KNOWN, UNKNOWN = (
    SourceLocation("1_a.up.sql", 2, 1, "selct 2;", sql=SQL),
    SourceLocation("1_a.up.sql", 2, sql=SQL),
)


def failed(server: ServerMessage, place: SourceLocation) -> MigrationFailed:
    """A migration that the database refused."""
    now = "clean at no version"
    return MigrationFailed((), now, version=1, direction="up", place=place, server=server)


@pytest.mark.parametrize(
    ("error_style", "server", "place", "said"),
    [
        (
            *(ErrorStyle.PQ, SYNTAX, KNOWN),
            (
                f'migration failed: syntax error at or near "selct" (column 1) in line 2: {SQL} '
                '(details: pq: syntax error at or near "selct")'
            ),
        ),
        (
            *(ErrorStyle.PGX, SYNTAX, KNOWN),
            (
                f'migration failed: syntax error at or near "selct" (column 1) in line 2: {SQL} '
                '(details: ERROR: syntax error at or near "selct" (SQLSTATE 42601))'
            ),
        ),
        (
            *(ErrorStyle.PQ, DOUBLE, UNKNOWN),
            (
                f"migration failed: duplicate key, Key (id)=(1) already exists. in line 0: {SQL} "
                "(details: pq: duplicate key)"
            ),
        ),
        (
            *(ErrorStyle.PGX, DOUBLE, UNKNOWN),
            (
                "migration failed: duplicate key (column 0), Key (id)=(1) already exists. "
                f"in line 1: {SQL} (details: ERROR: duplicate key (SQLSTATE 23505))"
            ),
        ),
        (
            *(ErrorStyle.SQLITE, ServerMessage('near "selct": syntax error'), UNKNOWN),
            f'near "selct": syntax error in line 0: {SQL}',
        ),
    ],
)
def test_a_failed_file(
    error_style: ErrorStyle, server: ServerMessage, place: SourceLocation, said: str
) -> None:
    """The library's words, the true line and column, the whole file."""
    assert to_go_fault(failed(server, place), error_style).text == said


def test_what_stands_below() -> None:
    """The place with the hint, the state, and what to do."""
    fault = to_go_fault(failed(DOUBLE, KNOWN), ErrorStyle.PQ)

    assert fault.more == (
        "  --> 1_a.up.sql:2:1",
        "  2 | selct 2;",
        "    | ^^^^^",
        "detail: Key (id)=(1) already exists.",
        "hint: a hint",
        "database: clean at no version",
        "hint: fix 1_a.up.sql and run the same command again; no force is needed",
    )


@pytest.mark.parametrize(
    ("error_style", "has_time_limit", "said"),
    [
        (
            *(ErrorStyle.PGX, True),
            f"migration failed in line 0: {SQL} (details: timeout: context deadline exceeded)",
        ),
        (
            *(ErrorStyle.PQ, True),
            f"migration failed: {LATE.message} in line 0: {SQL} (details: pq: {LATE.message})",
        ),
        (
            *(ErrorStyle.PGX, False),
            (
                f"migration failed: {LATE.message} (column 0) in line 1: {SQL} "
                f"(details: ERROR: {LATE.message} (SQLSTATE 57014))"
            ),
        ),
    ],
)
def test_a_time_limit(error_style: ErrorStyle, said: str, *, has_time_limit: bool) -> None:
    """Pgx speaks of its own deadline."""
    assert (
        to_go_fault(failed(LATE, UNKNOWN), error_style, has_time_limit=has_time_limit).text == said
    )


REFUSED = (
    'connection failed: connection to server at "127.0.0.1", port 1 failed: Connection refused\n'
    "\tIs the server running on that host and accepting TCP/IP connections?"
)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (REFUSED, "dial tcp 127.0.0.1:1: connect: connection refused"),
        (
            REFUSED.replace('"127.0.0.1"', '"localhost" (::1)'),
            "dial tcp ::1:1: connect: connection refused",
        ),
        (
            'connection to server at "h", port 1 failed: FATAL:  database "x" does not exist',
            'pq: database "x" does not exist',
        ),
        (
            "server does not support SSL, but SSL was required",
            "pq: SSL is not enabled on the server",
        ),
        ("something\n else", "something else"),
    ],
)
def test_a_connection_that_is_refused(reason: str, said: str) -> None:
    """The commonest in lib/pq's words, the others in libpq's, on one line."""
    fault = to_go_fault(ConnectionFailed("No connection.", "Check it.", reason), ErrorStyle.PQ)

    assert fault.lines == (f"error: failed to open database: {said}",)


def test_a_lock_that_is_not_to_be_had() -> None:
    """golang-migrate's line, and who holds it."""
    fault = to_go_fault(LockNotAcquired(1.0, "The lock is held by process 7."), ErrorStyle.PQ)

    assert fault.lines == (
        "error: timeout: can't acquire database lock",
        "The lock is held by process 7.",
    )


def test_a_search_path_without_a_schema() -> None:
    """golang-migrate's line alone."""
    fault = to_go_fault(SchemaMissing("No schema.", "Make one."), ErrorStyle.PQ)

    assert fault.lines == ("error: failed to open database: no schema",)


def test_another_ledger_is_named_as_golang_migrate_does() -> None:
    """It has no option for it."""
    error = LedgerUnreadable("it is a view", "--ledger-table names another table")
    fault = to_go_fault(error, ErrorStyle.PQ)

    assert fault.lines[-1] == "hint: x-migrations-table in the database's URL names another table"
