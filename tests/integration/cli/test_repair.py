"""`rung repair`: what it says, what it asks, and what it leaves alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from rung import Migrator
from rung.errors import PlanChanged, RepairUndecided

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.cli.conftest import Ended, Screen
    from tests.servers import Database

_DIRTY = "UPDATE schema_migrations SET version = 2, dirty = true"
_LEFTOVERS = "SELECT datname FROM pg_database WHERE datname LIKE 'rung_scratch%'"


@pytest.fixture
def dirty(named: Database, rung: Callable[..., Ended], folder: Path) -> Database:
    """
    Give a database at version 1 in which another tool failed at version 2.

    Not on its way down from 3: that down has no statement of which it could be in doubt.
    """
    (folder / "3_empty.down.sql").write_text("-- rung: empty its up makes nothing\n")
    assert rung("goto", "1").code == 0
    named.psql(_DIRTY)
    return named


def test_a_clean_database(rung: Callable[..., Ended]) -> None:
    """There is nothing to do, and that is no error."""
    rung("goto", "1")
    ended = rung("repair")

    assert (ended.code, ended.out) == (0, "")
    assert "database: clean at version 1; nothing to repair" in ended.err
    assert json.loads(rung("repair", "--json").out)["diagnosis"] is None


def test_nothing_is_done_unasked(dirty: Database, rung: Callable[..., Ended]) -> None:
    """Without a terminal --yes is required; the diagnosis is printed in any case."""
    ended = rung("repair")

    assert ended.code == 2
    assert "1  line 1  not applied  ALTER TABLE users ADD COLUMN role text" in ended.out
    assert "Proposed: mark the database clean at version 1" in ended.err
    assert "UPDATE public.schema_migrations SET version = 1, dirty = false;" in ended.err
    assert rung("version").out == "2 (dirty)\n"


def test_it_is_done_and_recorded(dirty: Database, rung: Callable[..., Ended]) -> None:
    """The next up goes on, and the history knows who has marked it."""
    assert rung("repair", "--yes").code == 0
    last = dirty.psql("SELECT version, direction, outcome, tool FROM schema_migrations_history")[-1]

    assert last == (1, "force", "done", "rung repair")
    assert rung("version").out == "1\n"
    assert rung("up").code == 0


def test_as_data(dirty: Database, rung: Callable[..., Ended]) -> None:
    """Without --yes nothing is done; with it what was done is told."""
    found, done = rung("repair", "--json"), rung("repair", "--json", "--yes")
    told, after = json.loads(found.out), json.loads(done.out)

    assert (found.code, told["dirty"], told["repaired"]) == (4, True, False)
    assert told["diagnosis"]["action"]["kind"] == "mark"
    assert [one["state"] for one in told["diagnosis"]["statements"]] == ["not applied"]
    assert (done.code, after["version"], after["dirty"], after["repaired"]) == (0, 1, False, True)


def test_a_server_for_scratch(dirty: Database, rung: Callable[..., Ended]) -> None:
    """What is made on a server that is named is dropped again."""
    ended = rung("repair", "--scratch", dirty.server.url(), "--yes")

    assert ended.code == 0
    assert f"run on scratch (PostgreSQL {dirty.major}" in ended.out
    assert dirty.psql(_LEFTOVERS) == []


def test_a_server_that_makes_none(dirty: Database, rung: Callable[..., Ended]) -> None:
    """The server's own words are told, and nothing is left of the attempt."""
    dirty.psql("CREATE ROLE plain_one LOGIN")
    url = dirty.server.url().replace("postgres@", "plain_one@")
    ended = rung("repair", "--scratch", url)
    dirty.psql("DROP ROLE plain_one")

    assert ended.code == 4
    assert "permission denied to create database" in ended.err
    assert dirty.psql(_LEFTOVERS) == []


def test_what_does_not_run_on_scratch(
    dirty: Database, rung: Callable[..., Ended], folder: Path
) -> None:
    """An applied file that only ran because somebody had prepared the database by hand."""
    (folder / "1_users.up.sql").write_text("CREATE TABLE users (id int, x by_hand);\n")
    dirty.psql("DROP TABLE schema_migrations_history")
    ended = rung("repair", "--yes")

    assert ended.code == 4
    assert "1_users.up.sql, which is applied, does not run on scratch: line 1: type" in ended.err
    assert rung("version").out == "2 (dirty)\n"


def test_the_evidence_does_not_decide(
    dirty: Database, rung: Callable[..., Ended], folder: Path
) -> None:
    """Not even --yes does anything then; a person's word does."""
    (folder / "2_roles.up.sql").write_text("UPDATE users SET id = 7;\n")
    ended = rung("repair", "--yes")

    assert ended.code == 4
    assert "unknown: leaves no trace  UPDATE users SET id = 7" in ended.out
    assert "rung repair --done K" in ended.err
    assert rung("repair", "--done", "3").code == 4
    assert "error: 99 statements cannot be done: " in rung("repair", "--done", "99").err
    assert rung("repair", "--done", "1", "--yes").code == 0
    assert rung("version").out == "2\n"


def test_a_terminal_is_asked(
    dirty: Database,
    rung: Callable[..., Ended],
    folder: Path,
    on_terminal: Callable[..., Screen],
) -> None:
    """First what became of a statement that leaves no trace, then whether to go on."""
    (folder / "2_roles.up.sql").write_text("UPDATE users SET id = 7;\n")
    screen = on_terminal("repair")
    screen.wait_for("Did statement 1 on line 1 run? UPDATE users SET id = 7")
    screen.type("n\n")
    screen.wait_for("[y/N] ")
    screen.type("y\n")

    assert screen.end() == 0
    assert rung("version").out == "1\n"


def test_what_moved_since(dirty: Database, folder: Path) -> None:
    """A diagnosis is of one moment; behind a change of ledger or schema nothing is done."""
    migrator = Migrator(dirty.url, folder)
    found = migrator.diagnose()
    assert found is not None
    dirty.psql("ALTER TABLE users ADD COLUMN role text")
    with pytest.raises(PlanChanged):
        migrator.repair(found)
    again = migrator.diagnose()

    assert again is not None
    assert again.action is not None
    assert (again.action.kind.value, again.action.version) == ("mark", 2)


def test_nothing_proposed_is_nothing_done(dirty: Database, folder: Path) -> None:
    """The library refuses to repair what is undecided."""
    dirty.psql("ALTER TABLE users ADD COLUMN role int")
    migrator = Migrator(dirty.url, folder)
    found = migrator.diagnose()

    assert found is not None
    assert [one.identity for one in found.finding.differences] == ["column public.users.role"]
    with pytest.raises(RepairUndecided):
        migrator.repair(found)


def test_a_file_that_is_gone(dirty: Database, rung: Callable[..., Ended], folder: Path) -> None:
    """What was applied before is replayed from the history."""
    (folder / "1_users.up.sql").unlink()
    (folder / "1_users.down.sql").unlink()
    ended = rung("repair", "--yes")

    assert ended.code == 0
    assert rung("version").out == "1\n"


def test_files_about_the_server(dirty: Database, rung: Callable[..., Ended], folder: Path) -> None:
    """Roles that are there already, and names of the database, do not keep files from scratch."""
    (folder / "1_users.up.sql").write_text(
        "CREATE ROLE repaired_one;\nCREATE TABLE users (id int);\n"
        "GRANT SELECT ON users TO repaired_one;\n"
        f"ALTER DATABASE {dirty.name} SET work_mem = '1MB';\n"
    )
    dirty.psql("DROP TABLE schema_migrations_history; CREATE ROLE repaired_one")
    ended = rung("repair", "--scratch", dirty.server.url(), "--yes")
    dirty.psql("DROP ROLE repaired_one")

    assert (ended.code, rung("version").out) == (0, "1\n")


def test_another_role(dirty: Database, rung: Callable[..., Ended], folder: Path) -> None:
    """Who is no superuser sees the same schema, and files make the same for him on scratch."""
    dirty.psql("CREATE ROLE plain_two LOGIN; GRANT ALL ON SCHEMA public TO plain_two")
    dirty.psql("GRANT ALL ON schema_migrations, schema_migrations_history TO plain_two")
    up = "CREATE TABLE mine (x int);\nGRANT SELECT ON mine TO postgres;"
    (folder / "2_roles.up.sql").write_text(up)
    dirty.psql(f"SET ROLE plain_two; {up}")
    url = dirty.url.replace("postgres@", "plain_two@")
    ended = rung("repair", "--database", url, "--yes")
    dirty.psql("DROP OWNED BY plain_two; DROP ROLE plain_two")

    assert (ended.code, rung("version").out) == (0, "2\n")


@pytest.fixture
def half_run(named: Database, rung: Callable[..., Ended], folder: Path) -> Database:
    """Give a database in which a file stopped, and the application filled what it had made."""
    up = "CREATE TABLE r (i int);\nCREATE INDEX CONCURRENTLY i ON users (nosuch);\n"
    (folder / "2_roles.up.sql").write_text(up)
    (folder / "2_roles.down.sql").write_text("DROP TABLE r;\n")
    rung("up")
    named.psql("INSERT INTO r VALUES (1)")
    return named


def test_rows_are_not_lost_by_a_yes(half_run: Database, rung: Callable[..., Ended]) -> None:
    """They are listed; nothing is done without an option of its own."""
    for words in (("--yes",), ("--yes", "--json")):
        ended = rung("repair", *words)
        assert ended.code == 4
        assert half_run.psql("SELECT i FROM r") == [(1,)]
    found = json.loads(ended.out)["diagnosis"]

    assert found["rollback"]["proof"] == "proved"
    lost = found["action"]["data_loss"]
    assert [(one["table"], one["rows"]) for one in lost] == [("public.r", 1)]
    ended = rung("repair", "--yes", "--allow-data-loss")
    assert (ended.code, rung("version").out) == (0, "1\n")
    assert "It loses:\n  table public.r (1 row)\n" in ended.err


def test_a_terminal_is_asked_about_rows(
    half_run: Database, on_terminal: Callable[..., Screen]
) -> None:
    """The question about them is another than whether to go on."""
    screen = on_terminal("repair")
    screen.wait_for("Lose this data?")
    screen.type("n\n")

    assert screen.end() == 4
    assert half_run.psql("SELECT i FROM r") == [(1,)]
