"""What golang-migrate could not run on a fresh database is named."""

from __future__ import annotations

import pytest

from rung.script import golang_migrate_refuses, read
from rung.script.dialect import Dialect

ONE = "it is one transaction there, and "
POSTGRES = [
    ("CREATE TABLE a (x int);\nCREATE TABLE b (x int);", ""),
    ("CREATE INDEX CONCURRENTLY i ON a (x);", ""),
    ("BEGIN;\nCREATE TABLE a (x int);\nCOMMIT;\nBEGIN;\nCREATE TABLE b (x int);\nCOMMIT;", ""),
    (
        "CREATE TABLE a (x int);\nCREATE INDEX CONCURRENTLY i ON a (x);",
        f"{ONE}CREATE INDEX CONCURRENTLY on line 2 cannot run inside one",
    ),
    (
        "SELECT 1;\nCOPY a FROM stdin;\n1\n\\.\n",
        "only psql and rung read the data of the COPY on line 2",
    ),
]
SQLITE = [
    ("CREATE TABLE a (x int);\nCREATE TABLE b (x int);", ""),
    ("VACUUM;", f"{ONE}VACUUM on line 1 cannot run inside one"),
    (
        "BEGIN;\nCREATE TABLE a (x int);\nCOMMIT;",
        f"{ONE}BEGIN on line 1 opens a second",
    ),
]


@pytest.mark.parametrize(("sql", "reason"), POSTGRES)
def test_on_postgresql(sql: str, reason: str) -> None:
    """One message is one transaction there, and COPY data is no SQL."""
    assert golang_migrate_refuses(read(sql)) == reason


@pytest.mark.parametrize(("sql", "reason"), SQLITE)
def test_on_sqlite(sql: str, reason: str) -> None:
    """There is a transaction around every file."""
    assert golang_migrate_refuses(read(sql, Dialect.SQLITE)) == reason


def test_a_byte_order_mark() -> None:
    """It is sent along, and is no SQL."""
    assert "byte order mark" in golang_migrate_refuses(read("SELECT 1;"), byte_order_mark=True)
