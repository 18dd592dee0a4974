"""What cannot be read is said to be that: a lock, a timeout, a damaged file is no "no ledger"."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest
from tests.integration.engine.sites import failing

from rung.errors import DatabaseError, LedgerUnreadable, TableLocked
from rung.render.errors import full_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.engine.sites import Site


@contextmanager
def locked(site: Site, *tables: str) -> Iterator[int]:
    """Keep tables locked by a transaction that idles; gives its process."""
    with psycopg.connect(site.database.conninfo, application_name="lunch") as other:
        for table in tables:
            other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield other.info.backend_pid


@pytest.mark.parametrize("table", ["schema_migrations", "schema_migrations_history"])
def test_a_locked_table_is_no_other_table(site: Site, table: str) -> None:
    """The role's lock_timeout ends the look: the holder is named, with what ends it."""
    site.add_tables(1).up()
    patient = f"{site.database.conninfo} options='-c lock_timeout=300ms'"
    with locked(site, table) as holder:
        error = failing(TableLocked, site.migrator(patient).status)

    assert "idle in transaction" in error.detail
    assert "lunch" in error.detail
    assert f"`SELECT pg_terminate_backend({holder});`" in error.hint
    assert "no ledger" not in full_text(error)


def test_a_statement_timeout_is_no_other_table(site: Site) -> None:
    """The server's words are told, and the setting."""
    site.add_tables(1).up()
    hasty = f"{site.database.conninfo} options='-c statement_timeout=300ms'"
    with locked(site, "schema_migrations"):
        error = failing(DatabaseError, site.migrator(hasty).status)

    assert not isinstance(error, LedgerUnreadable)
    assert "statement_timeout" in error.hint


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("finished", "'infinity'"),
        ("started", "'-infinity'"),
        ("finished", "'290000-01-01'"),
        ("version", "-5"),
        ("statements_total", "-1"),
        ("tool", "NULL"),
        ("attempt", "NULL"),
    ],
)
def test_a_value_that_cannot_be_has_a_place(site: Site, column: str, value: str) -> None:
    """Every command that reads the history names the row and the column."""
    site.add_tables(1).up()
    site.ask(f"ALTER TABLE schema_migrations_history ALTER {column} DROP NOT NULL")
    site.ask(f"UPDATE schema_migrations_history SET {column} = {value}")
    migrator = site.migrator()
    for command in (migrator.status, migrator.history, migrator.up, migrator.plan):
        assert f"row 1, column {column}" in failing(LedgerUnreadable, command).cause


@pytest.mark.parametrize("row", ["NULL, false", "-7, false", "1, NULL"])
def test_a_ledger_that_holds_no_version(site: Site, row: str) -> None:
    """What stands there is shown; `force` writes a version over it."""
    site.add_tables(1).up()
    site.ask("ALTER TABLE schema_migrations DROP CONSTRAINT schema_migrations_pkey")
    for column in ("version", "dirty"):
        site.ask(f"ALTER TABLE schema_migrations ALTER {column} DROP NOT NULL")
    site.ask(f"UPDATE schema_migrations SET (version, dirty) = ({row})")
    assert f"({row})" in failing(LedgerUnreadable, site.migrator().version).cause

    site.migrator().force(1)
    assert site.ledger() == [(1, False)]
