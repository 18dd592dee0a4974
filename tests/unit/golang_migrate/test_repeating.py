"""The commands of `rung` that golang-migrate's command names have the options of its call."""

from __future__ import annotations

import pytest

from rung.cli.hints import completed
from rung.golang_migrate.endpoints import options_for_rung


@pytest.mark.parametrize(
    ("source", "folder", "database", "expected"),
    [
        ("", "m", "postgres://db/x", "--database postgres://db/x --source m"),
        ("file:///m", "", "postgres://db/x", "--database postgres://db/x --source /m"),
        (
            "",
            "m",
            "postgres://db/x?x-migrations-table=ops&sslmode=disable",
            "--database 'postgres://db/x?sslmode=disable' --source m --ledger-table ops",
        ),
        (
            "",
            "m",
            "yugabyte://db/x",
            "--database postgresql://db/x --source m --ledger-table migrations",
        ),
        ("", "m", "sqlite3://a.db", "--database sqlite3://a.db --source m"),
        ("", "m", "mongodb://db", "--source m"),
        ("", "m", "", ""),
    ],
)
def test_what_a_call_says_is_repeated(
    source: str, folder: str, database: str, expected: str
) -> None:
    """In the options of `rung`; what only the other command reads is left out."""
    command = completed("`rung up`", options_for_rung(source, folder, database))

    assert command == f"`rung up {expected}`".replace(" `", "`")
