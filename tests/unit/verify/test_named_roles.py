"""The roles that files name and create nowhere."""

from __future__ import annotations

import pytest

from rung.source import Migration, MigrationFile, MigrationSet
from rung.verify.named_roles import roles_not_created

_SQL = {
    'GRANT SELECT, UPDATE (a) ON t TO Ann, GROUP "B b" WITH GRANT OPTION': ["B b", "ann"],
    "REVOKE ALL ON FUNCTION f(text) FROM ann CASCADE": ["ann"],
    "GRANT ann TO bob": ["ann", "bob"],
    "ALTER TABLE t OWNER TO ann": ["ann"],
    "CREATE SCHEMA s AUTHORIZATION ann": ["ann"],
    "CREATE POLICY p ON t FOR SELECT TO ann USING (true)": ["ann"],
    "ALTER DEFAULT PRIVILEGES FOR ROLE ann GRANT SELECT ON TABLES TO bob": ["ann", "bob"],
    "GRANT SELECT ON t TO PUBLIC, CURRENT_USER, pg_monitor": [],
    "CREATE ROLE ann; GRANT SELECT ON t TO ann": [],
    "DO $$ BEGIN CREATE ROLE ann; END $$; GRANT SELECT ON t TO ann": [],
    "DO $$ BEGIN IF true THEN GRANT SELECT ON t TO ann; END IF; -- GRANT b TO c\nEND $$": ["ann"],
    "ALTER ROLE ann RENAME TO bob; GRANT SELECT ON t TO bob": [],
    "INSERT INTO t VALUES ('GRANT SELECT ON t TO ann')": [],
    "CREATE VIEW v AS SELECT a FROM t": [],
}


@pytest.mark.parametrize(("sql", "roles"), _SQL.items(), ids=list(_SQL))
def test_roles_that_no_file_creates(sql: str, roles: list[str]) -> None:
    """Named in an up or a down; those that a file may create are left to the file."""
    up, down = MigrationFile("1_a.up.sql", "a", ""), MigrationFile("1_a.down.sql", "a", sql)

    assert roles_not_created(MigrationSet("x", (Migration(1, up, down),))) == tuple(roles)
