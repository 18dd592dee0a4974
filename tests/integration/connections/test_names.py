"""The ledger's and the history's names, from the command line, pyproject.toml and the URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rung.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Database

_TABLE = '[tool.rung]\nledger-table = "led.g"\nhistory-table = "his.t"\nrole = "postgres"\n'


@pytest.fixture
def folder(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with one migration, beside a database with the schemas for the names."""
    monkeypatch.chdir(tmp_path)
    for name in ("RUNG_DATABASE", "DATABASE_URL", "RUNG_SOURCE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "1_a.up.sql").write_text("SELECT 1;")
    database.psql("CREATE SCHEMA led; CREATE SCHEMA his")
    return tmp_path


def _made(database: Database) -> list[str]:
    rows = database.psql(
        "SELECT schemaname || ' ' || tablename FROM pg_tables "
        "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
    )
    return [row[0] for row in rows]


@pytest.mark.parametrize(
    ("query", "words", "made"),
    [
        ("", ["--ledger-table", "led.g"], ["led g", "led g_history"]),
        ("", ["--ledger-table=led.g", "--history-table=his.t"], ["his t", "led g"]),
        ("x-migrations-table=led.g", [], ["public led.g", "public led.g_history"]),
        (
            'x-migrations-table="led"."g"&x-migrations-table-quoted=1',
            [],
            ["led g", "led g_history"],
        ),
        ("x-migrations-table=other", ["--ledger-table=led.g"], ["led g", "led g_history"]),
    ],
)
def test_names(
    query: str, words: list[str], made: list[str], database: Database, folder: Path
) -> None:
    """An option wins over the URL, whose key means what it means to golang-migrate."""
    assert main(["up", "--database", f"{database.url}&{query}", *words]) == 0
    assert _made(database) == made


def test_names_in_a_project(database: Database, folder: Path) -> None:
    """What a project settles once holds for its every command."""
    (folder / "pyproject.toml").write_text(_TABLE)

    assert main(["up", "--database", database.url]) == 0
    assert _made(database) == ["his t", "led g"]
    assert main(["check", "--database", database.url]) == 0
