"""The pages of the help, as they are printed: tests/golden/cli/help-*.txt."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rung.cli.commands import COMMANDS
from rung.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator

_GOLDEN = Path(__file__).parents[2] / "golden" / "cli"
_PAGES = {"help": "help", "help-options": "help options", "help-up": "help up"}


@pytest.mark.parametrize(("page", "line"), _PAGES.items())
def test_a_page_is_printed_as_it_was(
    page: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """RUNG_WRITE_DOCS=1 writes the page."""
    assert main(line.split()) == 0
    printed, file = capsys.readouterr().out, _GOLDEN / f"{page}.txt"
    if os.environ.get("RUNG_WRITE_DOCS") == "1":
        file.write_text(printed, encoding="utf-8")

    assert file.read_text(encoding="utf-8") == printed


def _lines(capsys: pytest.CaptureFixture[str]) -> Iterator[str]:
    for words in ([], ["options"], *([name] for name in COMMANDS)):
        main(["help", *words])
        yield from capsys.readouterr().out.splitlines()


def test_no_line_is_wider_than_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """80 columns."""
    assert [line for line in _lines(capsys) if len(line) > 80] == []
