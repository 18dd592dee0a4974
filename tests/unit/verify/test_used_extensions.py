"""The extensions that files use and create nowhere."""

from __future__ import annotations

import pytest

from rung.source import Migration, MigrationFile, MigrationSet
from rung.verify.used_extensions import extensions_not_created

_SQL = {
    "CREATE INDEX i ON t USING gin (a gin_trgm_ops)": ["pg_trgm"],
    "CREATE TABLE t (id uuid DEFAULT uuid_generate_v4(), a CITEXT)": ["citext", "uuid-ossp"],
    'CREATE EXTENSION "uuid-ossp"; SELECT uuid_generate_v4()': [],
    "CREATE EXTENSION IF NOT EXISTS citext; CREATE TABLE t (a citext)": [],
    "CREATE FUNCTION app.uuid_generate_v7() RETURNS uuid LANGUAGE sql AS 'SELECT 1'": [],
    "SELECT 1 -- not unaccent": [],
    "SELECT 1": [],
}


@pytest.mark.parametrize(("sql", "extensions"), _SQL.items(), ids=list(_SQL))
def test_extensions_that_no_file_creates(sql: str, extensions: list[str]) -> None:
    """Known by a name of theirs, unless the files create the extension or such a name."""
    up = MigrationFile("1_a.up.sql", "a", sql)
    found = extensions_not_created(MigrationSet("x", (Migration(1, up, None),)))

    assert found == tuple(extensions)
