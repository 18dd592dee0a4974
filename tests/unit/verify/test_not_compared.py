"""What a migration changes that two schemas do not show."""

from __future__ import annotations

import pytest

from rung.script import Dialect
from rung.verify.not_compared import not_compared


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("INSERT INTO t VALUES (1)", ("rows",)),
        ("UPDATE t SET x = 1", ("rows",)),
        ("COPY t FROM stdin;\n1\n\\.\n", ("rows",)),
        ("TRUNCATE t", ("rows",)),
        ("WITH a AS (DELETE FROM t RETURNING 1) SELECT 1 FROM a", ("rows",)),
        ("DO $$ BEGIN UPDATE t SET x = 1; END $$", ("rows",)),
        ("ALTER ROLE joe SET work_mem = '1MB'", ("roles",)),
        ("GRANT admin TO joe", ("roles",)),
        ("DO $$ BEGIN CREATE ROLE joe; END $$", ("roles",)),
        ("SELECT setval('s', 9); DELETE FROM t", ("rows", "values of sequences")),
        ("ALTER SEQUENCE s RESTART WITH 9", ("values of sequences",)),
        ("SELECT lo_create(7)", ("large objects",)),
    ],
)
def test_what_no_schema_shows(sql: str, found: tuple[str, ...]) -> None:
    """Rows, roles, the values of sequences and large objects are named."""
    assert not_compared([sql], Dialect.POSTGRES) == found


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (x int); ALTER SEQUENCE s AS int",
        "GRANT SELECT ON t TO joe",
        "CREATE USER MAPPING FOR joe SERVER s",
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'DELETE FROM t'",
        "CREATE TRIGGER g BEFORE UPDATE ON t EXECUTE FUNCTION f()",
        "COPY t TO stdout",
        "SELECT 1 FROM t FOR UPDATE",
    ],
)
def test_what_a_schema_shows(sql: str) -> None:
    """What is compared, or changes nothing, is not named."""
    assert not_compared([sql], Dialect.POSTGRES) == ()
