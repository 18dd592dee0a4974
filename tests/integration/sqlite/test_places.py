"""Where the database is and what stands in it: looked at without a trace, refused in words."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing
from tests.integration.sqlite.sites import Site

import rung
from rung.database import Database
from rung.errors import (
    ConnectionFailed,
    DatabaseBusy,
    DatabaseDamaged,
    EditedMigrations,
    LedgerElsewhere,
    LedgerUnreadable,
    OutOfOrderMigrations,
    ReadOnlyDatabase,
    RungError,
    UnversionedDatabase,
)
from rung.events import StepStarted, Warned
from rung.ledger import LedgerState
from rung.migrator import Migrator

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.events import Event

NOBODY = 65534
AS_NOBODY = f"""
import os, sys
import rung
rung.Migrator("sqlite://:memory:", sys.argv[2]).up()
os.setgid({NOBODY}); os.setuid({NOBODY})  # root's own folders cannot be read any more
try:
    migrator = rung.Migrator("sqlite://" + sys.argv[1], sys.argv[2])
    print("version", migrator.version().version)
    migrator.up()
except rung.RungError as error:
    print(type(error).__name__, error.cause)
"""


def test_reading_makes_nothing(site: Site) -> None:
    """Where no file exists yet, inspecting and planning report that and leave no trace."""
    site.add_tables(1)
    migrator = site.migrator()

    assert migrator.version() == LedgerState()
    assert [line.state for line in migrator.status().lines] == ["pending"]
    assert [step.version for step in migrator.plan().plan.steps] == [1]
    assert (migrator.history(), migrator.everything()) == ((), ())
    assert [file.name for file in site.file.parent.iterdir()] == ["migrations"]


def test_reading_changes_nothing(site: Site) -> None:
    """No table is made in a database that has none, whatever pragma the URL asks for."""
    site.ask("CREATE TABLE a (x)")
    before = site.file.read_bytes()
    site.migrator("?_journal=WAL").status()

    assert site.file.read_bytes() == before


def test_a_run_with_nothing_to_do_writes_nothing(site: Site) -> None:
    """Up to date is found by looking: no lock, no write."""
    site.add_tables(1).up()
    before = site.file.read_bytes(), site.file.stat().st_mtime_ns

    assert site.up() == ()
    assert (site.file.read_bytes(), site.file.stat().st_mtime_ns) == before


def test_the_ledger_is_golang_migrates(site: Site) -> None:
    """Its table and index stand in the file byte for byte, and sqlite_sequence does not."""
    site.add_tables(1).up()

    assert site.ask("SELECT name, sql FROM sqlite_master WHERE tbl_name = 'schema_migrations'") == [
        ("schema_migrations", "CREATE TABLE schema_migrations (version uint64,dirty bool)"),
        ("version_unique", "CREATE UNIQUE INDEX version_unique ON schema_migrations (version)"),
    ]
    assert site.ask("SELECT typeof(version), typeof(dirty) FROM schema_migrations") == [
        ("integer", "integer")
    ]
    assert site.ask("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'") == []


@pytest.mark.parametrize("name", ["my-mig", "select", "Größe x", "mig"])
def test_other_names(site: Site, name: str) -> None:
    """Any name will do; a second ledger in one file is none the worse without the index."""
    site.add_tables(1).up()
    other = site.migrator(f"?x-migrations-table={name}")
    site.add_tables(2)
    failing(LedgerElsewhere, lambda: other.force(2))
    other.force(2, new_ledger=True)

    assert other.version() == LedgerState(2)
    assert site.migrator().version() == LedgerState(1)
    named = Database(site.url, ledger_table=name)
    assert Migrator(named, site.folder).version() == LedgerState(2)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("('x', 0)", "an invalid version: (x, 0)"),
        ("(1.5, 0)", "an invalid version: (1.5, 0)"),
        ("(NULL, 0)", "an invalid version: (NULL, 0)"),
        ("(1, 'perhaps')", "an invalid version: (1, perhaps)"),
        ("(1, 0), (2, 0)", "more than one row: 1 and 2"),
    ],
)
def test_a_ledger_that_is_none(site: Site, row: str, said: str) -> None:
    """What cannot be read is an error, never the state before the first migration."""
    site.add_tables(1).up()
    site.ask("DELETE FROM schema_migrations")
    site.ask(f"INSERT INTO schema_migrations VALUES {row}")

    assert said in failing(LedgerUnreadable, site.migrator().version).cause
    assert said in failing(LedgerUnreadable, site.migrator().up).cause
    site.migrator().force(1)
    assert site.ledger() == [(1, 0)]


def test_a_table_of_another_shape(site: Site) -> None:
    """A table with the ledger's name and other columns is not a ledger."""
    site.ask("CREATE TABLE schema_migrations (id int)")

    assert "no such column" in failing(LedgerUnreadable, site.migrator().version).cause


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("ALTER TABLE schema_migrations_history RENAME COLUMN tool TO x", "is not a history table"),
        ("UPDATE schema_migrations_history SET started = 'soon'", 'row 1, column started: "soon"'),
        ("UPDATE schema_migrations_history SET version = -5", 'row 1, column version: "-5"'),
        ("UPDATE schema_migrations_history SET version = 1e30", "row 1, column version"),
        ("UPDATE schema_migrations_history SET finished = x'00'", "row 1, column finished"),
        (
            "UPDATE schema_migrations_history SET started = '0001-01-01T00:00:00+23:00'",
            "row 1, column started",
        ),
        ("UPDATE schema_migrations_history SET outcome = 'skipped'", 'column outcome: "skipped"'),
        ("UPDATE schema_migrations_history SET direction = 'x'", 'row 1, column direction: "x"'),
        ("UPDATE schema_migrations_history SET version = NULL", "row 1, column version: NULL"),
        (
            "UPDATE schema_migrations_history SET outcome = 'x', tool_version = '99.1'",
            "a newer Rung",
        ),
    ],
)
def test_a_history_that_is_none(site: Site, change: str, said: str) -> None:
    """A history that cannot be read stops a run, and so does one that a newer Rung wrote."""
    site.add_tables(1).up()
    site.ask(change)
    site.add_tables(2)

    error = failing(LedgerUnreadable, site.migrator().up)
    assert said in error.cause + error.hint.replace("the newer", "a newer")


def test_late_and_edited_files(site: Site) -> None:
    """Files are compared with what was applied, as SQLite reads them."""
    site.add("1_a", "CREATE TABLE [a;b] (x);").add("3_c", "CREATE TABLE c (`x'` int);").up()
    site.add("3_c", "create  TABLE c (`x'` int); -- no change\n")
    assert site.up() == ()

    site.add("2_b", "-- rung: allow-out-of-order\nCREATE TABLE [it's] (x);")
    assert site.up() == (2,)
    site.add("3_c", "CREATE TABLE c (`y'` int);")
    assert failing(EditedMigrations, site.migrator().up).detail.splitlines()[-2:] == [
        "-CREATE TABLE c (`x'` int);",
        "+CREATE TABLE c (`y'` int);",
    ]
    site.migrator().accept_edit(3)
    site.add("0_z", "CREATE TABLE z (x);")
    failing(OutOfOrderMigrations, site.migrator().up)


@pytest.mark.parametrize("name", ["a b%20#?.db", "größe.db", "file.db"])
def test_names_of_files(site: Site, name: str) -> None:
    """A plain name is the file of that name, up to the question mark."""
    path = site.file.with_name(name.partition("?")[0])
    site.add_tables(1)

    assert Migrator(f"sqlite3://{path}", site.folder).up().version == 1
    assert path.exists()


def test_a_relative_name_and_a_link(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative name is found from the working directory; a link leads to the same lock."""
    monkeypatch.chdir(site.file.parent)
    site.add_tables(1).up()
    Path("link.db").symlink_to("chat.db")

    assert Migrator("sqlite://link.db", site.folder).version() == LedgerState(1)
    assert Migrator("sqlite://file:chat.db?cache=private", site.folder).version() == LedgerState(1)


def test_in_memory(site: Site) -> None:
    """A database in memory can be migrated, and is gone; a note says so."""
    site.add_tables(1)
    told: list[object] = []
    migrator = Migrator("sqlite://:memory:", site.folder, listener=told.append)

    assert migrator.up().version == 1
    assert migrator.version() == LedgerState()
    assert any(isinstance(one, Warned) and "in memory" in one.message for one in told)


def test_what_cannot_be_opened(site: Site) -> None:
    """A folder that is missing, a folder or a pipe in place of a file, a file of another kind."""
    os.mkfifo(site.file.parent / "pipe")
    (site.file.parent / "other.db").write_bytes(b"no database" * 1000)
    for name, said in (
        ("nowhere/a.db", "no folder /"),
        ("migrations", "is a folder"),
        ("pipe", "is not a regular file"),
        ("other.db", "not a SQLite database"),
    ):
        migrator = Migrator(f"sqlite://{site.file.parent / name}", site.folder)
        assert said in failing(ConnectionFailed, migrator.version).cause


@pytest.mark.parametrize(
    ("harm", "kind", "said"),
    [
        (lambda data: b"x" * 100 + data[100:], ConnectionFailed, "is damaged, encrypted"),
        (lambda data: data[:100] + b"\xff" * 1000 + data[1100:], DatabaseDamaged, "malformed"),
        (lambda data: data[:4096] + b"\xff" * (len(data) - 4096), DatabaseDamaged, "malformed"),
    ],
)
def test_a_damaged_file(
    site: Site, harm: Callable[[bytes], bytes], kind: type[RungError], said: str
) -> None:
    """It is called damaged, and never a database without a ledger or with another's."""
    site.add_tables(1, 2).up()
    site.file.write_bytes(harm(site.file.read_bytes()))
    for command in (site.migrator().status, site.migrator().up):
        assert said in failing(kind, command).cause


@pytest.mark.parametrize("what", ["removed", "replaced"])
@pytest.mark.parametrize("more", ["", "VACUUM;"])
def test_a_file_that_goes_away_in_mid_run(site: Site, what: str, more: str) -> None:
    """Nothing is told as applied that stands in no file any more."""

    def listener(event: Event) -> None:
        if isinstance(event, StepStarted) and event.version == 2:
            kept = site.file.read_bytes()
            site.file.unlink()
            if what == "replaced":
                site.file.write_bytes(kept)

    site.add_tables(1).add("2_b", f"CREATE TABLE b (x);{more}").add_tables(3)
    error = failing(RungError, site.migrator(listener=listener).up)

    assert "was replaced or removed while it was in use" in str(error)
    assert site.file.exists() == (what == "replaced")
    if what == "replaced":
        assert (site.ledger(), site.tables()) == ([(1, 0)], {"t1"})


def test_a_pragma_that_cannot_be_set(site: Site) -> None:
    """What the URL asks for and SQLite refuses stops the run."""
    site.add_tables(1)
    site.ask("CREATE TABLE a (x)")
    with closing(sqlite3.connect(site.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        failing(DatabaseBusy, lambda: site.migrator("?_journal=WAL&_timeout=20").force(1))

    assert site.tables() == {"a"}


def test_a_read_only_uri(site: Site) -> None:
    """It can be read, and refuses a run before anything is tried."""
    site.add_tables(1).up()
    site.add_tables(2)
    migrator = Migrator(f"sqlite3://file:{site.file}?mode=ro", site.folder)

    assert migrator.version() == LedgerState(1)
    assert "is read-only" in failing(ReadOnlyDatabase, migrator.up).cause


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody without rights")
@pytest.mark.parametrize(
    ("file_mode", "folder_mode", "said"),
    [
        (0o444, 0o777, "ReadOnlyDatabase"),
        (0o666, 0o755, "RightsMissing could not create the lock file"),
        (0o000, 0o777, "ConnectionFailed"),
    ],
)
def test_without_rights(file_mode: int, folder_mode: int, said: str) -> None:
    """Who may not write can read; who cannot make files beside the database is told so."""
    open_folder = Path(tempfile.mkdtemp())
    site = Site(open_folder / "chat.db", open_folder / "migrations")
    site.folder.mkdir()
    try:
        site.add_tables(1).up()
        site.add_tables(2)
        site.file.chmod(file_mode)
        open_folder.chmod(folder_mode)
        told = _as_nobody(site)
    finally:
        shutil.rmtree(open_folder)

    assert said in told
    assert ("version 1" in told) == bool(file_mode)


def test_tables_without_a_ledger(site: Site) -> None:
    """They stop the first run, with their names."""
    site.ask("CREATE TABLE a (x)")
    site.add_tables(1)

    assert failing(UnversionedDatabase, site.migrator().up).tables == ("a",)


def test_write_ahead_logs(site: Site) -> None:
    """A database that keeps a log is read while another connection writes."""
    site.add_tables(1)
    site.migrator("?_journal=WAL").up()
    with closing(sqlite3.connect(site.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO t1 VALUES (1)")

        assert site.migrator().version() == LedgerState(1)
    assert site.ask("PRAGMA journal_mode") == [("wal",)]


def _as_nobody(site: Site) -> str:
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(site.file), str(site.folder)],
        env={**os.environ, "PYTHONPATH": str(Path(rung.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr
