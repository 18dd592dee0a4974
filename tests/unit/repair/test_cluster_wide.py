"""Statements that reach beyond their database are told from those that do not."""

from __future__ import annotations

import pytest

from rung.repair.cluster_wide import creates_role, is_cluster_wide
from rung.script import read


@pytest.mark.parametrize(
    ("sql", "beyond", "role"),
    [
        ("ALTER DATABASE chatapp SET search_path = app", True, False),
        ("CREATE DATABASE other", True, False),
        ("ALTER SYSTEM SET work_mem = '1MB'", True, False),
        ("CREATE SUBSCRIPTION s CONNECTION 'host=h' PUBLICATION p", True, False),
        ("GRANT CONNECT ON DATABASE chatapp TO app", True, False),
        ("REVOKE ALL ON DATABASE chatapp FROM PUBLIC", True, False),
        ("COMMENT ON DATABASE chatapp IS 'x'", True, False),
        ("COMMENT ON TABLE users IS 'x'", False, False),
        ("ALTER ROLE app LOGIN", True, False),
        ("DROP USER app", True, False),
        ("CREATE ROLE app", False, True),
        ("CREATE USER app", False, True),
        ("CREATE USER MAPPING FOR app SERVER s", False, False),
        ("DROP USER MAPPING FOR app SERVER s", False, False),
        ("GRANT SELECT ON users TO app", False, False),
        ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO app", False, False),
        ("CREATE TABLE database (x int)", False, False),
        ("(SELECT 1)", False, False),
    ],
)
def test_a_statement(sql: str, *, beyond: bool, role: bool) -> None:
    """Servers, other databases and roles are beyond; to make a role is wanted on scratch too."""
    (statement,) = read(sql).statements

    assert (is_cluster_wide(statement), creates_role(statement)) == (beyond, role)
