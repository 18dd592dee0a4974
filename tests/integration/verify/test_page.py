"""What docs/guides/verify.md shows is what the command prints."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.integration.errors import page
from tests.integration.errors.stage import Stage, block

if TYPE_CHECKING:
    from tests.servers import Database

PAGE = page.REPAIR.with_name("verify.md")
_README = Path(__file__).parents[3] / "README.md"
_CHAT = Path(__file__).parents[3] / "backend" / "migrations"
_UP = (
    "ALTER TABLE users ADD COLUMN nickname text;\n"
    "CREATE INDEX users_nickname ON users (nickname);\n"
)
_DOWN = "DROP INDEX users_nickname;\n"


@pytest.fixture
def chat(tmp_path: Path, database: Database) -> Stage:
    """Copy the chat service's migrations into a repository with one commit."""
    del database  # the worker's server has to be one that this machine can start
    stage = Stage("", "", tmp_path, {"RUNG_DATABASE": ""})
    shutil.copytree(_CHAT, stage.migrations)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "seven"]):
        subprocess.run([*git, *words], check=True)
    return stage


def _check(stage: Stage, name: str, *words: str, on: Path = PAGE) -> int:
    code, text = stage.run(*words)
    text = re.sub(r"^verifying version .*\n|\r\x1b\[K", "", text, flags=re.MULTILINE)
    # How long it takes differs from machine to machine: the pages show what one took.
    shown = re.sub(r"in +5 ms$", "in 1.6 s", stage.shown(text), flags=re.MULTILINE)
    page.check(name, block([f"rung {' '.join(words)}"], shown, code), on)
    return code


def test_the_chat_services_migrations(chat: Stage) -> None:
    """Each of the seven is proved; the README shows it too."""
    assert _check(chat, "chat", "verify") == 0
    assert _check(chat, "verify", "verify", on=_README) == 0


def test_a_down_that_forgets_a_column(chat: Stage) -> None:
    """Only the new migration is checked; the fix is proved."""
    chat.write("000008_add_nickname.up.sql", _UP)
    chat.write("000008_add_nickname.down.sql", _DOWN)

    assert _check(chat, "refuted", "verify", "--since", "main") == 10
