"""Which statements may leave the session changed."""

from __future__ import annotations

import pytest

from rung.script import read


@pytest.mark.parametrize(
    "text",
    [
        "SET search_path = a",
        "SET SESSION ROLE a",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        "SET ROLE a",
        "RESET ALL",
        "DISCARD PLANS",
        "PREPARE a AS SELECT 1",
        "LISTEN a",
        "LOAD 'a'",
        "DO $$BEGIN END$$",
        "CALL a()",
        "DECLARE a CURSOR WITH HOLD FOR SELECT 1",
        "CREATE TEMP TABLE a ()",
        "create local temporary table a ()",
        "CREATE OR REPLACE TEMP VIEW a AS SELECT 1",
        "CREATE TEMP SEQUENCE a",
        "SELECT 1 INTO TEMP a",
        "WITH a AS (SELECT 1) SELECT * INTO LOCAL TEMPORARY TABLE b FROM a",
        "CREATE TABLE pg_temp.a ()",
        'CREATE TABLE "pg_temp".a ()',
        "SELECT pg_catalog.set_config('search_path', '', false)",
        "INSERT INTO a SELECT PG_ADVISORY_LOCK(1)",
    ],
)
def test_statements_that_touch_the_session(text: str) -> None:
    """Settings, temporary objects, prepared statements, locks and blocks of code touch it."""
    assert read(text).touches_session


@pytest.mark.parametrize(
    "text",
    [
        "SET LOCAL search_path = a",
        "SET CONSTRAINTS ALL DEFERRED",
        "BEGIN; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; COMMIT",
        "EXECUTE a",
        "DECLARE a CURSOR FOR SELECT 1",
        "CREATE TABLE temp (temporary int)",
        "SELECT 'set_config', 'pg_temp' -- pg_advisory_lock",
        "UPDATE a SET b = 1",
        "ALTER ROLE a SET search_path = b",
        "CREATE FUNCTION f() RETURNS void SET search_path = a AS 'SET x = 1' LANGUAGE sql",
        "SELECT 1 INTO temp_table",
        "CREATE UNLOGGED TABLE a ()",
    ],
)
def test_statements_that_leave_the_session_alone(text: str) -> None:
    """What ends with the transaction, stands in strings or is a mere name does not."""
    assert not read(text).touches_session
