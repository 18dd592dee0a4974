"""check: what is not as it should be, for people, for machines and by its code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.cli.conftest import Ended
    from tests.servers import Database

    Rung = Callable[..., Ended]


def test_an_empty_database_has_all_pending(rung: Rung) -> None:
    """A list on stdout, a sentence on stderr; nothing is made by looking."""
    ended = rung("check")

    assert (ended.code, len(ended.out.splitlines())) == (3, 4)
    assert ended.out.splitlines()[1].split() == ["1", "users", "pending"]
    assert ended.err.endswith(" clean at no version; 3 pending\n")
    assert rung("check").err == ended.err


def test_all_as_it_should_be_prints_nothing(rung: Rung, named: Database) -> None:
    """But a sentence, and not even that with --quiet."""
    rung("up")
    ended = rung("check")

    sentence = f"database: {named.name}, clean at version 3; up to date\n"
    assert (ended.code, ended.out, ended.err) == (0, "", sentence)
    assert rung("check", "--quiet").err == ""


def test_an_empty_folder_is_no_clean_bill(rung: Rung, folder: Path) -> None:
    """It is the wrong folder, most likely."""
    for file in folder.iterdir():
        file.unlink()

    assert (rung("check").code, rung("check").out) == (1, "")


def test_a_dirty_database_is_the_worst(rung: Rung, named: Database) -> None:
    """Its code comes first, whatever else there is."""
    rung("up", "1")
    named.psql("UPDATE schema_migrations SET dirty = true")
    ended = rung("check")

    assert (ended.code, ended.out.splitlines()[1].split()) == (4, ["1", "users", "dirty"])
    assert ended.err.endswith(", dirty at version 1; 1 dirty, 2 pending\n")


def test_a_ledger_that_is_gone_is_noted(rung: Rung, named: Database) -> None:
    """The history is not a ledger."""
    rung("up")
    named.psql("DROP TABLE schema_migrations")
    ended = rung("check")

    assert ended.code == 3
    assert ended.err.startswith("detail: There are tables and no ledger")


@pytest.mark.parametrize(
    ("file", "state"), [("0_first.up.sql", "out of order"), ("3_empty.up.sql", "edited")]
)
def test_the_problems_are_data(rung: Rung, folder: Path, file: str, state: str) -> None:
    """With the code that the process ends with."""
    rung("up")
    (folder / file).write_text("SELECT 0;\n")
    ended = rung("check", "--json")
    found = json.loads(ended.out)

    assert (ended.code, found["exit_code"]) == (3, 3)
    assert [line["state"] for line in found["problems"]] == [state]


@pytest.mark.parametrize("text", ["\\i x.sql\n", "SELECT 'a;\n", "SELECT 1;\n-- +goose Down\n"])
def test_a_down_that_can_never_run(rung: Rung, folder: Path, text: str) -> None:
    """Its version is named with the place, though its up is applied."""
    rung("up")
    (folder / "1_users.down.sql").write_text(text)
    ended = rung("check")

    assert (ended.code, ended.out.splitlines()[1].split()[:3]) == (3, ["1", "users", "applied"])
    assert "1_users.down.sql" in ended.out
    assert ended.err.splitlines()[-1].endswith("; 1 with an unreadable down")


def test_what_cannot_be_compared_is_said(rung: Rung, folder: Path, named: Database) -> None:
    """With a formula of a newer Rung nobody knows whether a file was edited; a run says so once."""
    rung("up", "--quiet", "2")
    named.psql("UPDATE schema_migrations_history SET checksum_formula = 77 WHERE version = 2")
    assert "not compared" not in rung("check").err
    (folder / "2_roles.up.sql").write_text("ALTER TABLE users ADD COLUMN role int;")
    checked, run = rung("check"), rung("up")

    assert (checked.code, rung("check").code) == (3, 3)
    assert "cannot be compared: recorded with a checksum formula" in checked.out
    assert "1 not compared" in checked.err
    assert run.code == 0
    assert run.err.count("not compared, and treated as unedited: 2; ") == 1


def test_a_role_that_only_reads_may_check(rung: Rung, named: Database) -> None:
    """As CI should."""
    rung("up", "2")
    named.psql(
        "CREATE ROLE checker; GRANT SELECT ON schema_migrations, schema_migrations_history "
        "TO checker"
    )
    ended = rung("check", "--role", "checker")
    named.psql("DROP OWNED BY checker; DROP ROLE checker")

    assert (ended.code, ended.out.splitlines()[1].split()) == (3, ["3", "empty", "pending"])
