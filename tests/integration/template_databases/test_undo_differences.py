"""Every migration up, down and up again on a test database: what the comparison sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.integrations.reversibility import undo_differences

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Database


def write(folder: Path, **halves: str) -> Path:
    """Write migrations: `up1="..."` is the up half of version 1."""
    for half, text in halves.items():
        (folder / f"{half[-1]}_m.{half[:-1]}.sql").write_text(text)
    return folder


def test_an_order_of_columns_that_is_not_restored(database: Database, tmp_path: Path) -> None:
    """A column that a down adds again comes last, and that is said."""
    source = write(
        tmp_path,
        up1="CREATE TABLE a (first int, id int);",
        up2="ALTER TABLE a DROP COLUMN first;",
        down2="ALTER TABLE a ADD COLUMN first int;",
    )
    [said] = undo_differences(database.conninfo, source)

    assert said == (
        "version 2, after its down: column order of table public.a is 'id, first' in the "
        "database, 'first, id' in the one before"
    )


def test_our_own_tables_are_not_compared(database: Database, tmp_path: Path) -> None:
    """The first down leaves ledger and history behind, which is no fault of its own."""
    source = write(tmp_path, up1="CREATE TABLE a ();", down1="DROP TABLE a;")

    assert undo_differences(database.conninfo, source) == ()


def test_a_first_down_that_drops_the_schema(database: Database, tmp_path: Path) -> None:
    """A snapshot needs no ledger, and no schema for one."""
    source = write(tmp_path, up1="CREATE SCHEMA app;", down1="DROP SCHEMA app;")

    assert undo_differences(database.conninfo, source) == ()
