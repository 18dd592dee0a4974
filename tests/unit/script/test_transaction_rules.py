"""What PostgreSQL refuses inside a transaction; the table is as 15 and 18 answered."""

from __future__ import annotations

import pytest

from rung.script import read

REFUSED = {
    "DO $$ BEGIN COMMIT; END $$": "DO with COMMIT",
    "do language plpgsql $x$ begin if a then rollback and chain; end if; end $x$": (
        "DO with ROLLBACK"
    ),
    "DO 'begin; commit; end' LANGUAGE plpgsql": "DO with COMMIT",
    "CREATE INDEX CONCURRENTLY ON t(a)": "CREATE INDEX CONCURRENTLY",
    "create unique index concurrently if not exists i ON t(a)": "CREATE UNIQUE INDEX CONCURRENTLY",
    "DROP INDEX CONCURRENTLY IF EXISTS i": "DROP INDEX CONCURRENTLY",
    "REINDEX TABLE CONCURRENTLY t": "REINDEX TABLE CONCURRENTLY",
    "REINDEX (VERBOSE, CONCURRENTLY) INDEX i": "REINDEX INDEX CONCURRENTLY",
    "REINDEX (CONCURRENTLY on) TABLE t": "REINDEX TABLE CONCURRENTLY",
    "REINDEX (CONCURRENTLY off, CONCURRENTLY 1) TABLE t": "REINDEX TABLE CONCURRENTLY",
    "REINDEX (CONCURRENTLY off) TABLE CONCURRENTLY t": "REINDEX TABLE CONCURRENTLY",
    "REINDEX SCHEMA public": "REINDEX SCHEMA",
    "REINDEX (VERBOSE) DATABASE d": "REINDEX DATABASE",
    "REINDEX SYSTEM": "REINDEX SYSTEM",
    "VACUUM": "VACUUM",
    "vacuum (analyze) t": "VACUUM",
    "CREATE DATABASE d": "CREATE DATABASE",
    "DROP DATABASE IF EXISTS d": "DROP DATABASE",
    "CREATE TABLESPACE s LOCATION '/a'": "CREATE TABLESPACE",
    "DROP TABLESPACE s": "DROP TABLESPACE",
    "ALTER SYSTEM SET work_mem = '4MB'": "ALTER SYSTEM",
    "ALTER DATABASE d SET TABLESPACE s": "ALTER DATABASE SET TABLESPACE",
    "ALTER DATABASE d TABLESPACE s": "ALTER DATABASE SET TABLESPACE",
    "CREATE SUBSCRIPTION s CONNECTION 'a' PUBLICATION p": (
        "CREATE SUBSCRIPTION with a replication slot"
    ),
    "CREATE SUBSCRIPTION s CONNECTION 'a' PUBLICATION p WITH (enabled = false, connect)": (
        "CREATE SUBSCRIPTION with a replication slot"
    ),
    "DROP SUBSCRIPTION s": "DROP SUBSCRIPTION",
    "ALTER SUBSCRIPTION s REFRESH PUBLICATION": "ALTER SUBSCRIPTION REFRESH PUBLICATION",
    "ALTER SUBSCRIPTION s ADD PUBLICATION p": "ALTER SUBSCRIPTION ADD PUBLICATION with refresh",
    "ALTER SUBSCRIPTION s SET PUBLICATION p WITH (copy_data = false)": (
        "ALTER SUBSCRIPTION SET PUBLICATION with refresh"
    ),
    "CLUSTER": "CLUSTER of all tables",
    "CLUSTER (VERBOSE false)": "CLUSTER of all tables",
    "ALTER TABLE IF EXISTS t DETACH PARTITION p CONCURRENTLY": "DETACH PARTITION CONCURRENTLY",
    "COMMIT PREPARED 'a'": "COMMIT PREPARED",
    "ROLLBACK PREPARED 'a'": "ROLLBACK PREPARED",
    "DISCARD ALL": "DISCARD ALL",
}
ALLOWED = [
    "CREATE INDEX concurrently_made ON t(a)",
    'CREATE INDEX "CONCURRENTLY" ON t(a)',
    "CREATE UNIQUE INDEX i ON t(a)",
    "DROP INDEX i",
    "REINDEX TABLE t",
    "REINDEX (CONCURRENTLY false) TABLE t",
    "REINDEX (CONCURRENTLY 'off', VERBOSE) TABLE t",
    "REINDEX (CONCURRENTLY on, CONCURRENTLY 0) TABLE t",
    "ANALYZE",
    "ALTER TABLESPACE s SET (seq_page_cost = 1)",
    "ALTER DATABASE d SET work_mem = '4MB'",
    "ALTER DATABASE d CONNECTION LIMIT 5",
    "CREATE SUBSCRIPTION s CONNECTION 'a' PUBLICATION p WITH (connect = false)",
    "CREATE SUBSCRIPTION s CONNECTION 'a' PUBLICATION p WITH (create_slot = 'false')",
    "ALTER SUBSCRIPTION s ENABLE",
    "ALTER SUBSCRIPTION s SET PUBLICATION p WITH (refresh = false)",
    "CLUSTER t USING i",
    "CLUSTER (VERBOSE) t",
    "ALTER TABLE t DETACH PARTITION p",
    "ALTER TABLE t DETACH PARTITION p FINALIZE",
    "DISCARD TEMP",
    "ALTER TYPE e ADD VALUE 'c'",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
    "CHECKPOINT",
    "CALL p()",
    "DO 'x'",
    "DO",
    "DO $$ BEGIN CREATE TEMP TABLE x ON COMMIT DROP AS SELECT 1; END $$",
    "DO $$ BEGIN PERFORM '; COMMIT;'; /* ; */ -- COMMIT;\n END $$",
    "DO LANGUAGE plpython3u $$ ; COMMIT; $$",
    "CREATE UNIQUE",
    "DROP",
]


@pytest.mark.parametrize(("text", "expected"), REFUSED.items())
def test_refused_statements(text: str, expected: str) -> None:
    """What PostgreSQL runs only outside a transaction is named."""
    assert expected == read(text).statements[0].needs_no_transaction


@pytest.mark.parametrize("text", ALLOWED)
def test_allowed_statements(text: str) -> None:
    """What PostgreSQL runs inside a transaction is not named."""
    assert not read(text).statements[0].needs_no_transaction


@pytest.mark.parametrize("text", [*REFUSED, *ALLOWED])
def test_concurrent_builds(text: str) -> None:
    """A refused CONCURRENTLY, and nothing else, waits for old snapshots."""
    one = read(text).statements[0]

    assert one.concurrent_build == one.needs_no_transaction.endswith("CONCURRENTLY")
