"""What is asked of the catalog about a statement whose end nobody saw, read from its text."""

from __future__ import annotations

import pytest

from rung.script import (
    Dialect,
    RerunRule,
    RerunSafety,
    keeps_contents,
    may_run_twice,
    read,
    rerun_rule_of,
)

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


_KEEPS, _TWICE, _ONCE = (True, True), (False, True), (False, False)
_REPEATED = {
    # "reclaims storage", "collects statistics", "rebuilds an index using the data stored in the
    # index's table", "physically reordered", "an immediate checkpoint": each keeps every row.
    "VACUUM FULL t": _KEEPS,
    "ANALYZE": _KEEPS,
    "REINDEX TABLE t": _KEEPS,
    "CLUSTER t USING i": _KEEPS,
    "CHECKPOINT": _KEEPS,
    # "releases internal resources associated with a database session".
    "DISCARD ALL": _KEEPS,
    # "completely replaces the contents of a materialized view": twice is as once, but the rows of
    # before are gone, so no rollback is proved after it.
    "REFRESH MATERIALIZED VIEW v": _TWICE,
    # "writes the given parameter setting to the postgresql.auto.conf file".
    "ALTER SYSTEM SET work_mem = '1MB'": _TWICE,
    "ALTER TABLE t ADD COLUMN c int": _ONCE,
    "INSERT INTO t VALUES (1)": _ONCE,
    "NOTIFY c": _ONCE,
    "CALL p()": _ONCE,
}


@pytest.mark.parametrize(("sql", "expected"), _REPEATED.items())
def test_what_may_run_twice(sql: str, expected: tuple[bool, bool]) -> None:
    """By PostgreSQL's documentation; what may run twice is resumed without a question."""
    script = read(f"{sql};")
    (statement,) = script.statements

    assert (keeps_contents(statement), may_run_twice(statement)) == expected
    trace = rerun_rule_of(script, statement).trace
    assert (trace is RerunSafety.NONE) == may_run_twice(statement)


def test_a_pragma_may_run_twice() -> None:
    """A PRAGMA sets a value or asks for one; it may be stored in the file."""
    (statement,) = read("PRAGMA user_version = 5;", Dialect.SQLITE).statements

    assert may_run_twice(statement)
    assert not keeps_contents(statement)


@pytest.mark.parametrize(("sql", "expected"), _CASES.items(), ids=lambda value: str(value)[:40])
def test_an_inquiry(sql: str, expected: RerunRule) -> None:
    """Names stand as in the file, for the server to fold and to find."""
    script = read(f"{sql};")

    assert expected == rerun_rule_of(script, script.statements[0])
