"""The command on a database in memory: what is said, and the exit code."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import FakeDriver, FakeSession

from rung.golang_migrate.main import main

if TYPE_CHECKING:
    from pathlib import Path

    from rung.database import Database

_DURATION = re.compile(r"\(-?[0-9.hmnsµ]+\)")
_LONG = re.compile(r"(ran|read|Finished after) [0-9.hmnsµ]+")
_TIME = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ", re.MULTILINE)


@dataclass
class Stage:
    """Three migrations and a database that every URL leads to."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    session: FakeSession = field(default_factory=FakeSession)
    opened: list[Database] = field(default_factory=list)

    def open_driver(self, database: Database, *, as_golang_migrate: bool = False) -> FakeDriver:
        self.opened.append(database)
        return FakeDriver(self.session)

    def run(self, *words: str, stdin: str = "") -> tuple[int, list[str]]:
        """The exit code, and the lines of stderr without times; stdout stays empty."""
        where = ("-path", str(self.folder), "-database", "postgres://u:secret@h/chatapp")
        return self.bare(*where, *words, stdin=stdin)

    def bare(self, *words: str, stdin: str = "") -> tuple[int, list[str]]:
        """The same without a source and a database."""
        self.monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = main(words)
        out, err = self.capsys.readouterr()
        assert out == ""
        said = _LONG.sub(r"\1 <d>", _DURATION.sub("(<d>)", _TIME.sub("", err)))
        return code, said.splitlines()


@pytest.fixture
def stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Stage:
    """Files 1, 3 and 4, and nothing applied."""
    folder = tmp_path / "m"
    folder.mkdir()
    for name in ("1_a", "3_b", "4_c"):
        (folder / f"{name}.up.sql").write_text("select 1;\n")
        (folder / f"{name}.down.sql").write_text("select 2;\n")
    made = Stage(folder, capsys, monkeypatch)
    monkeypatch.setattr("rung.golang_migrate.endpoints.open_driver", made.open_driver)
    return made
