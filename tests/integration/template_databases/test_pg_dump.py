"""What pg_dump adds to the snapshot where every migration is taken up, down and up again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rung.integrations import pg_dump
from rung.integrations.reversibility import undo_differences

if TYPE_CHECKING:
    import pytest
    from tests.servers import Database


def write(folder: Path, **halves: str) -> Path:
    """Write migrations: `up1="..."` is the up half of version 1."""
    for half, text in halves.items():
        (folder / f"{half[-1]}_m.{half[:-1]}.sql").write_text(text)
    return folder


def test_an_order_of_columns_that_is_not_restored(database: Database, tmp_path: Path) -> None:
    """The snapshot leaves it out, and pg_dump sees it."""
    source = write(
        tmp_path,
        up1="CREATE TABLE a (first int, id int);",
        up2="ALTER TABLE a DROP COLUMN first;",
        down2="ALTER TABLE a ADD COLUMN first int;",
    )
    [said] = undo_differences(database.conninfo, source)

    assert said.startswith("version 2, after its down: pg_dump writes other lines:\n")
    assert "-    first integer," in said


def test_our_own_tables_are_not_compared(database: Database, tmp_path: Path) -> None:
    """The first down leaves ledger and history behind, which is no fault of its own."""
    source = write(tmp_path, up1="CREATE TABLE a ();", down1="DROP TABLE a;")

    assert undo_differences(database.conninfo, source) == ()
    assert "schema_migrations" not in str(pg_dump.dump_of(database.conninfo))


def test_without_a_pg_dump(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where none reads the server, the snapshot is the one opinion, and nothing fails for it."""
    monkeypatch.setattr(pg_dump, "_programs", lambda _: iter(()))
    source = write(tmp_path, up1="CREATE TABLE a ();", down1="DROP TABLE a;")

    assert pg_dump.dump_of(database.conninfo) is None
    assert undo_differences(database.conninfo, source) == ()


def test_a_password_is_not_on_the_command_line() -> None:
    """Everybody on the machine can read that; the environment is our own."""
    url = "postgresql://ada:hidden@host/chat?connect_timeout=5"
    command, environment = pg_dump.command_of(Path("pg_dump"), url)

    assert "hidden" not in str(command)
    assert "connect_timeout=5" in command[-1]
    assert environment["PGPASSWORD"] == "hidden"
