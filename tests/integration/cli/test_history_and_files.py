"""What a person reads where files, ledger and history do not fit: late, edited, ahead, unknown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.cli.conftest import Ended, Screen
    from tests.servers import Database

    Rung = Callable[..., Ended]

_LEDGER = (
    "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);"
    "CREATE TABLE users (id int, role text); INSERT INTO schema_migrations VALUES (2, false)"
)


def _make_late(folder: Path, rung: Rung, text: str = "SELECT 2;\n") -> None:
    """Version 2 comes when 3 is applied."""
    (folder / "2_roles.up.sql").unlink()
    (folder / "2_roles.down.sql").unlink()
    rung("up")
    (folder / "2_roles.up.sql").write_text(text)


def _edit(folder: Path, rung: Rung) -> None:
    """Version 2 says something else when it is applied."""
    rung("up")
    (folder / "2_roles.up.sql").write_text("ALTER TABLE users ADD COLUMN role int;\n")


# --- baseline -----------------------------------------------------------------------


def test_what_another_tool_applied_is_told_once(rung: Rung, named: Database) -> None:
    """By the run that records it."""
    named.psql(_LEDGER)
    first, second = rung("up"), rung("up")

    said = "detail: Recorded 2 migrations (1 and 2) as applied by another tool.\n"
    assert first.err.startswith(said)
    assert "Recorded" not in second.err
    assert rung("status").out.count("another tool") == 2


def test_a_run_with_nothing_else_to_do_tells_it_too(rung: Rung, named: Database) -> None:
    """Going back is told by where it ended; --quiet is quiet."""
    rung("up")
    named.psql("UPDATE schema_migrations SET version = 2")
    back = rung("up", "0")
    named.psql("UPDATE schema_migrations SET version = 1")

    assert back.err.startswith(
        "detail: Recorded that another tool left the database at version 2.\n"
    )
    assert rung("up", "0", "-q").err == ""
    assert [line.split()[3] for line in rung("history").out.splitlines()[-2:]] == ["baseline"] * 2


def test_before_that_a_status_says_what_it_cannot_tell(rung: Rung, named: Database) -> None:
    """On stderr, and as data."""
    named.psql(_LEDGER)
    note = "There is no history"

    assert f"detail: {note}" in rung("status").err
    assert json.loads(rung("status", "--json").out)["notes"][0].startswith(note)


def test_tables_without_a_ledger_are_a_note_of_a_status(rung: Rung, named: Database) -> None:
    """A run is refused; once a version is recorded the note is gone."""
    named.psql("CREATE TABLE users (id int)")
    noted, refused = rung("status"), rung("up")
    settled = rung("force", "1"), rung("status")

    assert "detail: There are tables and no ledger" in noted.err
    assert (refused.code, "Schema public has the tables users." in refused.err) == (1, True)
    assert (settled[0].code, "detail:" in settled[1].err) == (0, False)


def test_force_tells_what_counts_as_applied_from_then_on(rung: Rung) -> None:
    """The versions that it passes over."""
    ended = rung("force", "3")

    first, warned, last = ended.err.splitlines()
    assert first == ("warning: no version was recorded here: versions 1 to 2 count as forced too")
    assert warned.startswith("warning: no valid run of version 3 is recorded")
    assert last == "database: at version 3, as recorded; nothing was run"


# --- late files --------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["up", "plan", "goto 3"])
def test_a_late_file_stops_with_the_ways_out(rung: Rung, folder: Path, command: str) -> None:
    """Its name, what is newer, and two ways to go on."""
    _make_late(folder, rung)
    ended = rung(*command.split())

    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("error: out-of-order migration was never applied: 2_roles.up.sql\n")
    assert "`rung up --allow-out-of-order 2" in ended.err


def test_a_late_file_may_be_allowed(rung: Rung, folder: Path) -> None:
    """The plan marks it; the ledger stays where it is."""
    _make_late(folder, rung)
    plan = rung("plan", "--allow-out-of-order", "2")
    ended = rung("up", "--allow-out-of-order", "2", "--allow-out-of-order", "2")

    assert "up 2 roles  2_roles.up.sql  (out of order: the ledger's version stays)\n" in plan.out
    assert plan.err == "detail: Would apply 1 migration; the database would stay at version 3.\n"
    assert ended.err.endswith("database: at version 3; applied 1 migration\n")
    assert (rung("check").code, rung("up", "--allow-out-of-order", "2").code) == (0, 0)


def test_a_late_file_may_allow_itself(rung: Rung, folder: Path) -> None:
    """A check has a note of it; up runs it."""
    _make_late(folder, rung, "-- rung: allow-out-of-order\nSELECT 2;\n")
    checked = rung("check")

    assert (checked.code, "its file allows that" in checked.out) == (3, True)
    assert rung("up").err.endswith("database: at version 3; applied 1 migration\n")


def test_a_version_that_nobody_knows_cannot_be_allowed(rung: Rung, folder: Path) -> None:
    """It is a slip of the fingers; one that is not late does no harm and no good."""
    _make_late(folder, rung)

    assert rung("up", "--allow-out-of-order", "9").err.startswith(
        "error: no migration has version 9\n"
    )
    assert rung("up", "--allow-out-of-order", "3").code == 3
    assert rung("version").out == "3\n"


# --- edited files ------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["up", "plan", "goto 3"])
def test_an_edited_file_stops_with_a_diff(rung: Rung, folder: Path, command: str) -> None:
    """Against what was applied, and the command that takes the edit over."""
    _edit(folder, rung)
    ended = rung(*command.split())

    assert (ended.code, ended.out) == (3, "")
    assert "  -ALTER TABLE users ADD COLUMN role text;\n" in ended.err
    assert "  +ALTER TABLE users ADD COLUMN role int;\n" in ended.err
    assert "accept the edit: `rung accept-edit 2" in ended.err


def test_a_diff_is_coloured(rung: Rung, folder: Path, on_terminal: Callable[..., Screen]) -> None:
    """What was is red, what is is green."""
    _edit(folder, rung)
    screen = on_terminal("up")

    assert screen.end() == 3
    assert "\x1b[31m-ALTER TABLE users ADD COLUMN role text;\x1b[0m" in screen.shown
    assert "\x1b[32m+ALTER TABLE users ADD COLUMN role int;\x1b[0m" in screen.shown


def test_an_edit_is_accepted_with_a_yes(rung: Rung, folder: Path) -> None:
    """It is shown, recorded with who it was, and no stop any more; nothing runs."""
    _edit(folder, rung)
    refused, ended = rung("accept-edit", "2"), rung("accept-edit", "2", "--yes")

    assert (refused.code, ended.code) == (2, 0)
    assert "+ALTER TABLE users ADD COLUMN role int;\n" in refused.err
    assert ended.err.endswith("database: accepted the edit of version 2; nothing was run\n")
    assert rung("history").out.splitlines()[-1].split()[1:5] == ["2", "roles", "edit", "done"]
    assert (rung("up").code, rung("check").code) == (0, 0)


def test_an_edit_is_asked_about(
    rung: Rung, folder: Path, on_terminal: Callable[..., Screen]
) -> None:
    """The question names the version and the database."""
    _edit(folder, rung)
    screen = on_terminal("accept-edit", "2")
    screen.wait_for("[y/N] ")
    screen.type("y\n")

    assert screen.end() == 0
    assert "Accept the edit of version 2 on postgres@" in screen.shown
    assert rung("check").code == 0


def test_the_end_of_the_input_is_a_no(
    rung: Rung, folder: Path, on_terminal: Callable[..., Screen]
) -> None:
    """And the error has a line of its own."""
    _edit(folder, rung)
    screen = on_terminal("accept-edit", "2", "--no-color")
    screen.wait_for("[y/N] ")
    screen.type("\x04")

    assert screen.end() == 2
    assert "[y/N] \r\nerror: not confirmed: " in screen.shown


def test_an_accepted_edit_is_data(rung: Rung, folder: Path) -> None:
    """With the diff of each file."""
    _edit(folder, rung)
    (folder / "2_roles.down.sql").write_text("SELECT 1;\n")
    found = json.loads(rung("accept-edit", "2", "--yes", "--json").out)

    assert (found["version"], len(found["edits"])) == (2, 2)
    assert found["edits"][0]["file"] == "2_roles.up.sql"
    assert "+ALTER TABLE users ADD COLUMN role int;" in found["edits"][0]["diff"]


@pytest.mark.parametrize(
    ("version", "code", "said"),
    [
        ("1", 2, "version 1 is not edited"),
        ("9", 1, "no migration has version 9"),
        ("4", 2, "version 4 is not applied"),
    ],
)
def test_there_must_be_an_edit_to_accept(
    rung: Rung, folder: Path, version: str, code: int, said: str
) -> None:
    """Else nothing is recorded."""
    rung("up")
    (folder / "4_new.up.sql").write_text("SELECT 1;\n")
    ended = rung("accept-edit", version, "--yes")

    assert (ended.code, said in ended.err) == (code, True)
    assert "edit" not in rung("history").out


def test_an_edit_that_cannot_run_is_not_accepted(rung: Rung, folder: Path) -> None:
    """Its text could not be taken over."""
    rung("up")
    (folder / "1_users.up.sql").write_text("SELECT 'open;\n")
    ended = rung("accept-edit", "1", "--yes")

    assert (ended.code, "1_users.up.sql:1" in ended.err) == (1, True)
    assert "edit" not in rung("history").out


def test_a_mended_down_is_a_note(rung: Rung, folder: Path) -> None:
    """No run stops for it, and it may be taken over at once."""
    rung("up")
    (folder / "2_roles.down.sql").write_text("SELECT 1;\n")
    noted = rung("status")

    assert "  its down was edited since" in noted.out
    assert [rung("check").code, rung("up").code, rung("accept-edit", "2", "-y").code] == [0, 0, 0]
    assert "its down was edited" not in rung("status").out


# --- ahead of the files, and files that are gone -----------------------------------------


@pytest.fixture
def ahead(rung: Rung, folder: Path) -> Rung:
    """A database at version 2 and files up to 1."""
    rung("goto", "2")
    for file in (*folder.glob("2_*"), *folder.glob("3_*")):
        file.unlink()
    return rung


@pytest.mark.parametrize("command", ["up", "plan", "goto 2"])
def test_a_database_ahead_is_told_with_its_ways_out(ahead: Rung, command: str) -> None:
    """What the history knows of it, and the policy."""
    ended = ahead(*command.split())

    assert ended.code == 5
    assert ended.err.startswith("error: the database is ahead: version 2 has no file\n")
    assert "detail: The source has 1 migration; the nearest: 1.\n" in ended.err
    assert "  The history has it: roles, applied at " in ended.err
    assert "revert with the stored down: `rung down" in ended.err


def test_a_database_ahead_may_be_left_as_it_is(ahead: Rung, folder: Path) -> None:
    """By an option or by the project; told, and no error."""
    asked = ahead("up", "--if-ahead", "ok")
    planned = json.loads(ahead("plan", "--if-ahead", "ok", "--json").out)
    (folder.parent / "pyproject.toml").write_text("[tool.rung]\nif-ahead = 'ok'\n")

    assert (asked.code, asked.err.startswith("warning: the database is ahead")) == (0, True)
    assert (planned["ahead"], planned["steps"]) == (True, [])
    assert [ahead("up").code, ahead("up", "--if-ahead", "fail").code] == [0, 5]


def test_a_rollback_goes_down_by_what_the_history_holds(ahead: Rung, named: Database) -> None:
    """No newer build is needed; plan and question say where the text is from."""
    planned, ended = ahead("plan", "down"), ahead("down", "--yes", "--json")
    columns = named.psql("SELECT attname FROM pg_attribute WHERE attrelid = 'users'::regclass")

    assert "down 2 roles  2_roles.down.sql (as stored)\n" in planned.out
    assert "  down 2 roles  2_roles.down.sql (as stored)\n" in ended.err
    assert json.loads(ended.out)["steps"][0]["file"] == "2_roles.down.sql (as stored)"
    assert (("role",) in columns, ahead("check").code) == (False, 0)


def test_a_file_that_is_gone_is_missing(rung: Rung, folder: Path) -> None:
    """A check finds it; a run does at the latest when the database is at it."""
    rung("up")
    (folder / "2_roles.up.sql").unlink()
    (folder / "2_roles.down.sql").unlink()
    codes = [rung("check").code, rung("up").code]
    rung("down", "-y")
    stopped = rung("up")

    assert (codes, stopped.code) == ([3, 0], 3)
    assert "restore the file; or revert with the stored down: `rung down" in stopped.err
