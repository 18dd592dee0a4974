"""Secrets of a connection are in nothing that the command `migrate` says."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from tests.integration.connections.test_planted import BROKEN

from rung.golang_migrate.main import main

if TYPE_CHECKING:
    from pathlib import Path

_SECRET = "zq7-Hunter2"
_MORE = (
    f"postgres://ada:{_SECRET}@127.0.0.1:1/d",
    f"pgx5://ada:{_SECRET}@127.0.0.1:1/d",
    f"postgres://ada:{_SECRET}@127.0.0.1:abc/d",
    f"yugabytedb://ada:{_SECRET}@127.0.0.1:1/d?x-multi-statement=maybe",
    f"mysql://ada:{_SECRET}@tcp(127.0.0.1:1)/d",
)


@pytest.mark.parametrize("url", [*BROKEN, *_MORE])
@pytest.mark.parametrize("words", [["version"], ["-verbose", "up"], ["drop"]])
def test_what_cannot_be_opened(
    url: str,
    words: list[str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither whole nor in pieces, as a database or as a source."""
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    monkeypatch.chdir(tmp_path)
    codes = (
        main(["-path", str(tmp_path), "-database", url, *words]),
        main(["-source", url, "-database", url, *words]),
    )
    said = "".join(capfd.readouterr())

    assert (codes, said.count("error: ")) == ((1, 1), 2)
    assert "Hunter2" not in said
