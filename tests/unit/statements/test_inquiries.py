"""What is asked of the catalog about a statement whose end nobody saw, read from its text."""

from __future__ import annotations

import pytest

from rung.script import Inquiry, Trace, inquiry_of, read

_CASES = {
    "CREATE INDEX CONCURRENTLY i ON t (x)": Inquiry(Trace.INDEX_BUILT, "i", "t"),
    'create unique index concurrently if not exists "I x" on only s."T" using gin (x)': Inquiry(
        Trace.INDEX_BUILT, '"I x"', 's."T"'
    ),
    "CREATE INDEX CONCURRENTLY ON s.t (x)": Inquiry(Trace.INDEX_BUILT, "", "s.t"),
    "DROP INDEX CONCURRENTLY IF EXISTS s.i CASCADE": Inquiry(Trace.INDEX_DROPPED, "s.i"),
    "ALTER TABLE IF EXISTS ONLY p DETACH PARTITION s.c CONCURRENTLY": Inquiry(
        Trace.PARTITION_DETACHED, "s.c", "p"
    ),
    "REINDEX (VERBOSE) TABLE CONCURRENTLY s.t": Inquiry(Trace.NONE, "s.t", "TABLE"),
    "REINDEX SCHEMA s": Inquiry(Trace.NONE, "s", "SCHEMA"),
    "VACUUM (FULL) t": Inquiry(Trace.NONE),
    "ALTER SYSTEM SET work_mem = '1MB'": Inquiry(Trace.NONE),
    "CREATE DATABASE d": Inquiry(Trace.MADE, "d", "DATABASE"),
    "DROP DATABASE IF EXISTS d": Inquiry(Trace.DROPPED, "d", "DATABASE"),
    "DROP SUBSCRIPTION s": Inquiry(Trace.DROPPED, "s", "SUBSCRIPTION"),
    "COMMIT PREPARED 'x'": Inquiry(Trace.PREPARED_RESOLVED, "'x'"),
    "CALL p()": Inquiry(Trace.UNKNOWN),
    "DO $$ BEGIN COMMIT; END $$": Inquiry(Trace.UNKNOWN),
    "INSERT INTO t VALUES (1)": Inquiry(Trace.UNKNOWN),
}


@pytest.mark.parametrize(("sql", "expected"), _CASES.items(), ids=lambda value: str(value)[:40])
def test_an_inquiry(sql: str, expected: Inquiry) -> None:
    """Names stand as in the file, for the server to fold and to find."""
    script = read(f"{sql};")

    assert expected == inquiry_of(script, script.statements[0])
