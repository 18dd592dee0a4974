"""version, status, history and plan, and the commands that settle: force and drop."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest
    from tests.integration.cli.conftest import Ended
    from tests.servers import Database

    Rung = Callable[..., Ended]


def test_version_prints_the_version(rung: Rung) -> None:
    """Before the first it is `none`; nothing is created by looking."""
    before = rung("version")
    rung("up", "2")

    assert (before.code, before.out, before.err) == (0, "none\n", "")
    assert rung("version").out == "2\n"
    assert json.loads(rung("version", "--json").out)["version"] == 2


def test_version_needs_no_source(rung: Rung, folder: Path) -> None:
    """Nor does history."""
    rung("up")
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()

    assert [rung("version").code, rung("history").code] == [0, 0]


def test_status_shows_every_migration(rung: Rung) -> None:
    """A table on stdout, a sentence on stderr."""
    rung("up", "2")
    ended = rung("status")

    words = [line.split()[:3] for line in ended.out.splitlines()]
    assert words == [
        ["version", "name", "state"],
        ["1", "users", "applied"],
        ["2", "roles", "applied"],
        ["3", "empty", "pending"],
    ]
    assert ended.err.endswith(", clean at version 2; 1 pending\n")


def test_status_prints_json(rung: Rung, named: Database) -> None:
    """The same as data."""
    rung("up", "2")
    found = json.loads(rung("status", "--json").out)

    assert (found["database"], found["version"], found["pending"]) == (named.name, 2, [3])
    assert [m["state"] for m in found["migrations"]] == ["applied", "applied", "pending"]


def test_a_name_that_is_nearly_right_is_warned_of_once(rung: Rung, folder: Path) -> None:
    """On stderr."""
    (folder / "4_late.sql").write_text("SELECT 1;")

    assert rung("status").err.count("4_late.sql is ignored") == 1


def test_history_shows_every_attempt(rung: Rung, folder: Path) -> None:
    """The failed ones with their error."""
    (folder / "2_roles.up.sql").write_text("SELECT 1/0;\n")
    rung("up")
    lines = rung("history").out.splitlines()

    assert [line.split()[1:5] for line in lines[1:]] == [
        ["1", "users", "up", "done"],
        ["2", "roles", "up", "failed"],
    ]
    assert "division by zero" in lines[2]
    attempts = json.loads(rung("history", "--json").out)["attempts"]
    assert [a["outcome"] for a in attempts] == ["done", "failed"]


def test_plan_shows_statements_and_touches_nothing(rung: Rung) -> None:
    """With lines and modes."""
    ended = rung("plan", "up", "1")

    assert ended.code == 0
    assert ended.out.splitlines() == [
        "up 1 users  1_users.up.sql",
        "  transactional: no statement needs to run outside a transaction",
        "    line 1  CREATE TABLE users (id int)",
        "    line 2  INSERT INTO users VALUES (1), (2)",
        "    line 3  ANALYZE users",
    ]
    assert ended.err == "detail: Would apply 1 migration; the database would be at version 1.\n"
    assert rung("version").out == "none\n"


def test_plan_down_shows_what_would_go(rung: Rung) -> None:
    """With exact counts, and as data; a column of which no row has a value loses none."""
    rung("goto", "2")
    found = json.loads(rung("plan", "down", "--all", "--json").out)

    exact = {"is_minimum": False, "unknown_reason": None}
    assert found["data_loss"] == [
        {"kind": "column", "table": "users", "column": "role", "rows": 0} | exact,
        {"kind": "table", "table": "users", "column": None, "rows": 2} | exact,
    ]
    assert (found["version"], found["target"]) == (2, None)
    assert "  table users (2 rows)\n" in rung("plan", "down", "2").out


def test_force_records_a_version(rung: Rung, named: Database) -> None:
    """Clean, whatever it was, and runs nothing."""
    rung("up", "1")
    named.psql("UPDATE schema_migrations SET dirty = true")
    ended = rung("force", "2")

    assert ended.err.startswith("warning: no valid run of version 2 is recorded")
    assert ended.err.endswith("database: at version 2, as recorded; nothing was run\n")
    assert rung("version").out == "2\n"
    assert json.loads(rung("force", "1", "--json").out)["version"] == 1


def test_force_takes_none(rung: Rung) -> None:
    """Written either way."""
    rung("up", "1")
    first = rung("force", "-1").code, rung("version").out
    rung("force", "2")

    assert first == (0, "none\n")
    assert (rung("force", "--", "-1").code, rung("version").out) == (0, "none\n")


def test_force_to_a_version_without_a_file_must_be_meant(rung: Rung) -> None:
    """It is mostly a slip of the fingers."""
    assert rung("force", "9").code == 1
    assert rung("force", "9", "--allow-missing-file").code == 0
    assert rung("version").out == "9\n"


def test_drop_needs_a_yes_and_takes_all(rung: Rung, named: Database) -> None:
    """It lists what goes first."""
    rung("up")
    refused = rung("drop")
    ended = rung("drop", "--yes")

    assert (refused.code, ended.code) == (2, 0)
    assert "public.users" in refused.err
    assert named.psql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_drop_of_nothing_does_not_ask(rung: Rung) -> None:
    """There is nothing to confirm, and the answer is data with --json."""
    ended = rung("drop", "--json")

    assert (ended.code, json.loads(ended.out)["dropped"]) == (0, [])
    assert ended.err == "database: nothing to drop\n"


def test_settings_of_the_project_are_used(
    rung: Rung, folder: Path, named: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a folder below it, without a word on the command line."""
    monkeypatch.delenv("RUNG_DATABASE")
    table = f"[tool.rung]\ndatabase = '{named.url}'\nsource = 'migrations'\n"
    (folder.parent / "pyproject.toml").write_text(table)
    deep = folder.parent / "src" / "chat"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)

    assert rung("up").err.endswith("database: at version 3; applied 3 migrations\n")
