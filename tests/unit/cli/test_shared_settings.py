"""What both commands read of pyproject.toml: the names of the tables, and who writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rung.cli.config import resolve_settings, shared_settings
from rung.cli.options import CliSettings
from rung.errors import UsageError
from rung.golang_migrate.database_urls import parse_database_url
from rung.golang_migrate.gostd.urls import parse
from rung.golang_migrate.schemes import DATABASES

if TYPE_CHECKING:
    from pathlib import Path

NAMES = CliSettings(ledger_table="ops", history_table="log.h", ledger_writers=("app",))


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("", CliSettings()),
        ('ledger-table = "ops"\nhistory-table = "log.h"\nledger-writers = ["app"]', NAMES),
        ('history-table = "h"', CliSettings(history_table="h")),
        ("ledger-writers = 'app, ci'", CliSettings(ledger_writers=("app", "ci"))),
    ],
)
def test_the_names(tmp_path: Path, table: str, expected: CliSettings) -> None:
    """They are found from a folder below, and left out where the project names none."""
    (tmp_path / "pyproject.toml").write_text(f"[tool.rung]\n{table}\n")
    below = tmp_path / "below"
    below.mkdir()

    assert shared_settings({}, below) == expected


def test_both_commands_read_the_ledgers_writers_alike(tmp_path: Path) -> None:
    """The environment comes before the project's file, for `migrate` as for `rung`."""
    (tmp_path / "pyproject.toml").write_text("[tool.rung]\nledger-writers = 'app, ci'\n")
    for environ, expected in (
        ({}, ("app", "ci")),
        ({"RUNG_LEDGER_WRITERS": "one, two,"}, ("one", "two")),
        ({"RUNG_LEDGER_WRITERS": ""}, ("app", "ci")),
    ):
        assert shared_settings(environ, tmp_path).ledger_writers == expected
        assert resolve_settings(CliSettings(), environ, tmp_path).ledger_writers == expected


@pytest.mark.parametrize(
    "table", ["ledger-table = 3", "history-table = []", "ledger-writers = 3", "ledger-table ="]
)
def test_what_cannot_be_understood(tmp_path: Path, table: str) -> None:
    """A name that is not a string is an error, and so is a broken file."""
    (tmp_path / "pyproject.toml").write_text(f"[tool.rung]\n{table}\n")
    with pytest.raises(UsageError):
        shared_settings({}, tmp_path)


@pytest.mark.parametrize(
    ("url", "ledger", "history"),
    [
        ("postgres://h/d", "ops", "log.h"),
        ("postgres://h/d?x-migrations-table=mine", None, None),
        ("sqlite3://d.db", "ops", "log.h"),
        ("sqlite3://d.db?x-migrations-table=mine", "mine", None),
    ],
)
def test_they_reach_golang_migrates_command(
    url: str, ledger: str | None, history: str | None
) -> None:
    """A URL that names a ledger of its own has nothing of the project's names."""
    database = parse_database_url(parse(url), DATABASES[url.partition(":")[0]], NAMES).database

    assert (database.ledger_table, database.history_table) == (ledger, history)
