"""up, down and goto, by somebody at no terminal."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from subprocess import Popen

    from tests.integration.cli.conftest import Ended
    from tests.servers import Database

    Rung = Callable[..., Ended]
    Until = Callable[[Callable[[], bool]], None]


def test_up_applies_all_and_says_each(rung: Rung) -> None:
    """A line for each, a sentence at the end, nothing on stdout."""
    ended = rung("up")

    lines = [re.sub(r" +", " ", line).rsplit(" ", 2)[0] for line in ended.err.splitlines()]
    assert (ended.code, ended.out) == (0, "")
    assert lines[:3] == [" up 1 users", " up 2 roles", " up 3 empty"]
    assert ended.err.endswith("database: at version 3; applied 3 migrations\n")


def test_up_again_has_nothing_to_do(rung: Rung) -> None:
    """And says where the database is."""
    rung("up")

    ended = rung("up")
    assert (ended.code, ended.err) == (0, "database: at version 3; nothing to do\n")


def test_up_takes_a_number(rung: Rung) -> None:
    """Too great a one is told of and does no harm."""
    assert rung("up", "1").err.endswith("database: at version 1; applied 1 migration\n")
    assert "2 migrations, 3 fewer than requested" in rung("up", "5").err


def test_up_prints_json(rung: Rung) -> None:
    """The steps with their files and modes; the talk stays on stderr."""
    ended = rung("--json", "up", "1")
    found = json.loads(ended.out)

    step = found["steps"][0] | {"seconds": 0}
    assert (found["rung"], found["command"], found["version"]) == (1, "up", 1)
    assert step == {
        "version": 1,
        "name": "users",
        "direction": "up",
        "file": "1_users.up.sql",
        "mode": "transactional",
        "statements": 3,
        "seconds": 0,
        "result": "applied",
    }
    assert "applied 1 migration" in ended.err


def test_quiet_says_nothing_and_verbose_says_more(rung: Rung) -> None:
    """Of a run that goes well."""
    assert rung("up", "1", "-q").err == ""
    verbose = rung("up", "-v").err
    assert "transactional\n" in verbose
    assert "Ran 2 statements.\n" in verbose


def test_down_without_a_yes_changes_nothing(rung: Rung, named: Database) -> None:
    """Where nobody can be asked; it says what would have gone, from where."""
    rung("goto", "1")
    ended = rung("down")

    assert (ended.code, rung("version").out) == (2, "1\n")
    assert "  table users (2 rows)\n" in ended.err
    assert f"/{named.name}\n" in ended.err
    assert "error: not confirmed: " in ended.err


def test_down_alone_is_one_step(rung: Rung) -> None:
    """The newest; its missing file is told of."""
    rung("up")
    ended = rung("down", "--yes")

    assert (ended.code, rung("version").out) == (0, "2\n")
    assert "  down 3 empty  3_empty.down.sql\n" in ended.err
    assert ended.err.endswith("database: at version 2; reverted 1 migration\n")


def test_down_all_goes_all_the_way(rung: Rung) -> None:
    """To no version."""
    rung("up")

    assert rung("down", "--all", "-y").err.endswith("reverted 3 migrations\n")
    assert rung("version").out == "none\n"


def test_down_with_nothing_to_do_does_not_ask(rung: Rung) -> None:
    """There is nothing to confirm."""
    ended = rung("down")

    assert (ended.code, ended.err) == (0, "database: at no version; nothing to do\n")


def test_goto_asks_only_on_the_way_down(rung: Rung) -> None:
    """Up loses nothing."""
    codes = [rung("goto", "2").code, rung("goto", "2").code, rung("goto", "1").code]

    assert codes == [0, 0, 2]
    assert rung("goto", "1", "-y").err.endswith("database: at version 1; reverted 1 migration\n")


def test_goto_an_unknown_version_is_refused(rung: Rung) -> None:
    """Before anything runs."""
    ended = rung("goto", "9")

    assert ended.code == 1
    assert ended.err.startswith("error: no migration has version 9\n")


def test_a_failing_file_is_shown_with_its_place(rung: Rung, folder: Path) -> None:
    """File, line, caret, the server's words, the state, the next step."""
    (folder / "2_roles.up.sql").write_text("-- größe\nSELECT 1, nope\n  FROM users;\n")
    ended = rung("up")

    assert ended.code == 1
    assert ended.err.splitlines()[1:] == [
        'error: migration 2 (roles) failed: column "nope" does not exist (SQLSTATE 42703)',
        "  --> 2_roles.up.sql:2:11",
        "  2 | SELECT 1, nope",
        "    |           ^^^^",
        "database: clean at version 1; the failed migration was rolled back",
        "hint: fix 2_roles.up.sql and run `rung up` again; no force is needed",
    ]


def test_a_failing_file_is_data_with_json(rung: Rung, folder: Path) -> None:
    """With the facts apart."""
    (folder / "2_roles.up.sql").write_text("SELECT 1/0;\n")
    error = json.loads(rung("up", "--json").out)["error"]

    assert (error["code"], error["server"]["sqlstate"]) == ("migration-failed", "22012")
    assert (error["applied"], error["where"]["line"]) == ([1], 1)


def test_a_dirty_database_has_its_own_code(rung: Rung, named: Database) -> None:
    """For up, for the way down, and with the command that settles it."""
    rung("up", "1")
    named.psql("UPDATE schema_migrations SET dirty = true")

    ended = [rung(*line) for line in (["up"], ["down"], ["down", "-y"], ["goto", "2"])]
    assert [e.code for e in ended] == [4, 4, 4, 4]
    assert ["rung force V" in e.err for e in ended] == [True] * 4
    assert rung("version").out == "1 (dirty)\n"


def test_a_database_ahead_has_its_own_code(rung: Rung, folder: Path) -> None:
    """An older checkout meets a newer database."""
    rung("up")
    (folder / "3_empty.up.sql").unlink()
    (folder / "3_empty.down.sql").unlink()

    assert rung("up").code == 5


def test_no_server_has_its_own_code(rung: Rung) -> None:
    """And the password is not shown."""
    ended = rung("up", "-d", "postgresql://me:s3cret@127.0.0.1:1/chat")

    assert ended.code == 7
    assert "s3cret" not in ended.err


def test_a_bounded_wait_ends(
    rung: Rung, begin: Callable[..., Popen[str]], folder: Path, until: Until
) -> None:
    """With the code that says so, and the name of the one who holds the lock."""
    (folder / "3_empty.up.sql").write_text("SELECT pg_sleep(2);\n")
    other = begin("up")
    until(lambda: rung("version").out == "2\n")

    ended = rung("up", "--wait-for-lock", "0")
    assert ended.code == 6
    assert "The lock is held by process" in ended.err
    assert other.communicate()[1].endswith("database: at version 3; applied 3 migrations\n")


def test_a_run_under_way_is_not_taken_for_a_dirty_end(
    rung: Rung, begin: Callable[..., Popen[str]], folder: Path, until: Until
) -> None:
    """The ledger is dirty while a file runs unit by unit; going down waits for its end."""
    (folder / "3_empty.up.sql").write_text("VACUUM users;\nSELECT pg_sleep(1);\n")
    other = begin("up")
    until(lambda: rung("version").out == "3 (dirty)\n")

    ended = rung("down", "-y")
    assert (ended.code, rung("version").out) == (0, "2\n")
    assert "waiting for it to end" in ended.err
    assert (other.wait(30), other.communicate()[0]) == (0, "")


@pytest.mark.parametrize("line", [["up", "-1"], ["goto", "x"], ["down", str(2**63)]])
def test_a_wrong_number_is_a_fault_of_use(rung: Rung, line: list[str]) -> None:
    """No database is asked."""
    assert rung(*line, "-d", "host=nowhere.invalid").code == 2


def test_a_goto_that_lets_a_late_one_run_first(rung: Rung, folder: Path) -> None:
    """It goes both ways, asks because it goes down, and ends at exactly that version."""
    late = [(file, file.read_text()) for file in folder.glob("2_roles.*")]
    for file, _ in late:
        file.unlink()
    rung("up")
    for file, text in late:
        file.write_text(text)

    asked = rung("goto", "2", "--allow-out-of-order", "2")
    ended = rung("goto", "2", "--allow-out-of-order", "2", "--yes")
    assert (asked.code, ended.code, rung("version").out) == (2, 0, "2\n")
    assert ended.err.endswith(
        "database: at version 2; applied 1 migration and reverted 1 migration\n"
    )
