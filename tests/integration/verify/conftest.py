"""The command `rung verify` on a folder of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.cli.conftest import Ended

from rung.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rung.embedded import EmbeddedServer

    Verify = Callable[..., Ended]

_FIRST = {
    "1_app.up.sql": "CREATE TABLE app (id int PRIMARY KEY, name text, CHECK (id > 0));\n"
    "CREATE INDEX app_name_idx ON app (name);",
    "1_app.down.sql": "DROP TABLE app;",
}


@pytest.fixture
def verify(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    server: EmbeddedServer,
) -> Verify:
    """Run the command in this process, in a folder with migrations, on the worker's server."""
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "RUNG_DATABASE", "RUNG_SOURCE", "PGHOST"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "migrations"
    folder.mkdir()

    def run(
        files: dict[str, str], *words: str, embedded: bool = False, first: bool = True
    ) -> Ended:
        for name, text in ((_FIRST if first else {}) | files).items():
            (folder / name).write_text(text)
        scratch = () if embedded else ("--scratch", server.url())
        code = main(["verify", *scratch, *words])
        printed = capsys.readouterr()
        return Ended(code, printed.out, printed.err)

    return run
