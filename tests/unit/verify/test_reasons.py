"""Why a failure on a scratch database says nothing of the file."""

from __future__ import annotations

import pytest

from rung.errors import ConnectionFailed, MigrationFailed, ServerMessage, SourceLocation
from rung.script import Dialect
from rung.source import MigrationFile
from rung.verify.reasons import scratch_reason


def _reason(sqlstate: str, sql: str = "SELECT 1", message: str = "", *absent: str) -> str:
    error = MigrationFailed(
        (),
        "clean at version 1",
        version=2,
        direction="up",
        place=SourceLocation("2_b.up.sql", 1),
        server=ServerMessage(message, sqlstate),
    )
    file = MigrationFile("2_b.up.sql", "b", sql)
    return scratch_reason(error, file, Dialect.POSTGRES, absent)


@pytest.mark.parametrize(
    ("sqlstate", "sql", "message"),
    [
        ("42501", "SELECT 1", ""),
        ("08001", "SELECT 1", ""),
        ("53100", "SELECT 1", ""),
        ("57P02", "SELECT 1", ""),
        ("0A000", "CREATE EXTENSION x", ""),
        ("58P01", "LOAD 'x'", ""),
        ("55000", "SELECT 1", "pg_stat_statements must be loaded via shared_preload_libraries"),
        ("42704", 'GRANT SELECT ON t TO "App"', ""),
        ("42704", "ALTER TABLE t OWNER TO joe", ""),
        ("42704", "CREATE SCHEMA s AUTHORIZATION joe", ""),
        ("42704", "CREATE POLICY p ON t TO joe", ""),
        ("42704", "DO $$ BEGIN ALTER TABLE t OWNER TO joe; END $$", ""),
    ],
)
def test_scratch_is_the_reason(sqlstate: str, sql: str, message: str) -> None:
    """Rights, roles, extensions, settings and resources are the server's."""
    assert _reason(sqlstate, sql, message)


@pytest.mark.parametrize(
    ("sqlstate", "sql"),
    [
        ("42601", "SELEC 1"),
        ("42704", "ALTER TABLE t ADD COLUMN role txt"),
        ("42883", "SELECT f()"),
        ("0A000", "SELECT 1"),
        ("55000", "REFRESH MATERIALIZED VIEW CONCURRENTLY m"),
        ("23505", "INSERT INTO t VALUES (1)"),
    ],
)
def test_the_file_is_the_reason(sqlstate: str, sql: str) -> None:
    """What fails in the same way on every server refutes the file."""
    assert not _reason(sqlstate, sql)


def test_an_extension_of_the_target_may_be_missing() -> None:
    """A function that is not there may be the extension's."""
    assert "(postgis)" in _reason("42883", "SELECT st_x()", "", "postgis")


def test_a_lost_connection_refutes_nothing() -> None:
    """The server may have been stopped."""
    assert scratch_reason(ConnectionFailed("gone"), None, Dialect.POSTGRES)
