"""What is asked of the catalog about a statement whose end nobody saw, read from its text."""

from __future__ import annotations

import pytest

from rung.script import RerunRule, RerunSafety, read, rerun_rule_of

_CASES = {
    "CREATE INDEX CONCURRENTLY i ON t (x)": RerunRule(RerunSafety.INDEX_BUILT, "i", "t"),
    'create unique index concurrently if not exists "I x" on only s."T" using gin (x)': RerunRule(
        RerunSafety.INDEX_BUILT, '"I x"', 's."T"'
    ),
    "CREATE INDEX CONCURRENTLY ON s.t (x)": RerunRule(RerunSafety.INDEX_BUILT, "", "s.t"),
    "DROP INDEX CONCURRENTLY IF EXISTS s.i CASCADE": RerunRule(RerunSafety.INDEX_DROPPED, "s.i"),
    "ALTER TABLE IF EXISTS ONLY p DETACH PARTITION s.c CONCURRENTLY": RerunRule(
        RerunSafety.PARTITION_DETACHED, "s.c", "p"
    ),
    "REINDEX (VERBOSE) TABLE CONCURRENTLY s.t": RerunRule(RerunSafety.NONE, "s.t", "TABLE"),
    "REINDEX SCHEMA s": RerunRule(RerunSafety.NONE, "s", "SCHEMA"),
    "VACUUM (FULL) t": RerunRule(RerunSafety.NONE),
    "ALTER SYSTEM SET work_mem = '1MB'": RerunRule(RerunSafety.NONE),
    "CREATE DATABASE d": RerunRule(RerunSafety.MADE, "d", "DATABASE"),
    "DROP DATABASE IF EXISTS d": RerunRule(RerunSafety.DROPPED, "d", "DATABASE"),
    "DROP SUBSCRIPTION s": RerunRule(RerunSafety.DROPPED, "s", "SUBSCRIPTION"),
    "COMMIT PREPARED 'x'": RerunRule(RerunSafety.PREPARED_RESOLVED, "'x'"),
    "CALL p()": RerunRule(RerunSafety.UNKNOWN),
    "DO $$ BEGIN COMMIT; END $$": RerunRule(RerunSafety.UNKNOWN),
    "INSERT INTO t VALUES (1)": RerunRule(RerunSafety.UNKNOWN),
}


@pytest.mark.parametrize(("sql", "expected"), _CASES.items(), ids=lambda value: str(value)[:40])
def test_an_inquiry(sql: str, expected: RerunRule) -> None:
    """Names stand as in the file, for the server to fold and to find."""
    script = read(f"{sql};")

    assert expected == rerun_rule_of(script, script.statements[0])
