"""Listed differences of the command `migrate` that a recorded list of steps cannot show."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, NamedTuple

import pytest

from rung.golang_migrate.main import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Said(NamedTuple):
    """What a call of the command came to."""

    code: int
    err: str


@pytest.fixture
def migrate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Give the command on the folder of the test and a database file in it."""

    def run(*words: str) -> Said:
        ends = ("-path", str(tmp_path), "-database", f"sqlite3://{tmp_path}/x.db")
        return Said(main([*ends, *words]), capsys.readouterr().err)

    return run


def tables(folder: Path) -> set[str]:
    """The tables of the database file but for those of ours."""
    with sqlite3.connect(folder / "x.db") as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {name for (name,) in rows if not name.startswith("schema_migrations")}


def test_another_tools_down_is_warned_of(tmp_path: Path, migrate: Callable[..., Said]) -> None:
    """`other-tools-downs-warned`: both directions run, and a warning says so."""
    text = "-- +goose Up\nCREATE TABLE a (x);\n-- +goose Down\nDROP TABLE a;\n"
    (tmp_path / "1_a.up.sql").write_text(text)
    said = migrate("up")

    assert (said.code, tables(tmp_path)) == (0, set())
    assert "warning" in said.err
    assert "goose" in said.err
    assert "1_a.up.sql:3" in said.err


@pytest.mark.parametrize("name", [b"1_a\x1b[2J.up.sql", b"1_pr\xfcfung.up.sql"])
def test_a_name_that_cannot_be_shown(
    tmp_path: Path, migrate: Callable[..., Said], name: bytes
) -> None:
    """`names-that-can-be-shown`: such a file is an error, and the name is escaped in it."""
    with open(os.path.join(os.fsencode(tmp_path), name), "w") as file:  # noqa: PTH118, PTH123
        file.write("CREATE TABLE a (x);")
    said = migrate("up")

    assert said.code == 1
    assert "\x1b" not in said.err
    assert not (tmp_path / "x.db").exists() or tables(tmp_path) == set()


def test_a_fifo_is_not_opened(tmp_path: Path, migrate: Callable[..., Said]) -> None:
    """`no-fifo-is-opened`: it is an error at once, where golang-migrate waits for a writer."""
    os.mkfifo(tmp_path / "1_a.up.sql")
    said = migrate("up")

    assert said.code == 1
    assert "1_a.up.sql" in said.err
    assert "FIFO" in said.err


def test_the_down_of_the_up_that_ran(tmp_path: Path, migrate: Callable[..., Said]) -> None:
    """`downs-belong-to-ups`: where the files were exchanged, the stored down runs."""
    (tmp_path / "1_a.up.sql").write_text("CREATE TABLE a (x);")
    (tmp_path / "1_a.down.sql").write_text("DROP TABLE a;")
    assert migrate("up").code == 0
    for file in tmp_path.glob("1_a.*.sql"):
        file.unlink()
    (tmp_path / "1_b.up.sql").write_text("CREATE TABLE b (x);")
    (tmp_path / "1_b.down.sql").write_text("SELECT 1;")

    assert migrate("down", "1").code == 0
    assert tables(tmp_path) == set()


def test_an_empty_down_of_an_empty_up(tmp_path: Path, migrate: Callable[..., Said]) -> None:
    """Where the up made nothing, an empty down is no news."""
    for way in ("up", "down"):
        (tmp_path / f"1_a.{way}.sql").write_text("-- nothing\n")
    assert migrate("up").code == 0
    said = migrate("down", "1")

    assert (said.code, "warning" in said.err) == (0, False)
