"""The command on a real database: in this process, as a process, and on a terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from rung.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.servers import Database

_TOO_LONG = 30.0
_FILES = {
    "1_users.up.sql": "CREATE TABLE users (id int);\nINSERT INTO users VALUES (1), (2);\n"
    "ANALYZE users;\n",
    "1_users.down.sql": "DROP TABLE users;\n",
    "2_roles.up.sql": "ALTER TABLE users ADD COLUMN role text;\n",
    "2_roles.down.sql": "ALTER TABLE users DROP COLUMN role;\n",
    "3_empty.up.sql": "SELECT 1;\n",
    "3_empty.down.sql": "SELECT 1;\n",
}


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder whose `migrations` hold three versions; give that one."""
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "migrations"
    made.mkdir()
    for name, text in _FILES.items():
        (made / name).write_text(text)
    return made


@pytest.fixture
def named(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Name the test's database in the environment, and nothing else."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("RUNG_SOURCE", raising=False)
    monkeypatch.setenv("RUNG_DATABASE", database.url)
    return database


@pytest.fixture
def rung(named: Database, folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Give the command, run in this process."""

    def run(*words: str) -> Ended:
        capsys.readouterr()
        code = main(words)
        shown = capsys.readouterr()
        return Ended(code, shown.out, shown.err)

    return run


@pytest.fixture
def begin(named: Database, folder: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Give the command, as a process under way."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "rung", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Give a function that waits for something to become true, not for ever."""

    def wait(true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _TOO_LONG
        while not true():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    return wait


@dataclass(slots=True)
class Screen:
    """A command on a terminal of its own."""

    process: subprocess.Popen[bytes]
    terminal: int
    shown: str = field(default="")

    def wait_for(self, text: str) -> None:
        """Read until the text is on the screen."""
        deadline = time.monotonic() + _TOO_LONG
        while text not in self.shown:
            assert self._read(deadline), f"{text!r} is not in {self.shown!r}"

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def end(self) -> int:
        """Read what is left and give the exit code."""
        deadline = time.monotonic() + _TOO_LONG
        while self._read(deadline):
            pass
        return self.process.wait(_TOO_LONG)

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))
        try:
            new = os.read(self.terminal, 65536) if ready else b""
        except OSError:  # Linux's way of saying that the other side is closed
            new = b""
        self.shown += new.decode()
        return bool(new)


@pytest.fixture
def on_terminal(named: Database, folder: Path) -> Iterator[Callable[..., Screen]]:
    """Give the command, on a terminal."""
    started: list[Screen] = []

    def start(*words: str) -> Screen:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "rung", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "120", "NO_COLOR": ""},
        )
        os.close(theirs)
        started.append(Screen(process, ours))
        return started[-1]

    yield start
    for screen in started:
        screen.process.kill()
        screen.process.wait()
        os.close(screen.terminal)
