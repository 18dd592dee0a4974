"""Every error of docs/reference/errors.md is what the command prints, and changes nothing."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest
from tests.integration.errors import page, scenarios
from tests.integration.errors.stage import block
from tests.integration.errors.test_servers import NAMES

if TYPE_CHECKING:
    from tests.integration.errors.scenarios import Scenario
    from tests.integration.errors.stage import Stage

_ALL = (*scenarios.FILES, *scenarios.LEDGER, *scenarios.SQL, *scenarios.WORDS)
_GOES_UP_FIRST = {s.name for s in scenarios.SQL}
"""What stands before the bad file is applied, and stays."""


@pytest.mark.parametrize("scenario", _ALL, ids=lambda scenario: scenario.name)
def test_errors_of_a_database_and_a_folder(scenario: Scenario, stage: Stage) -> None:
    """What is printed stands on the page; what was there before is there still."""
    scenario.prepare(stage)
    if scenario.name in _GOES_UP_FIRST:
        stage.run("up", "2" if scenario.name == "left-dirty" else "1")
    before = stage.facts()
    code, printed = stage.run(*shlex.split(scenario.command))

    page.check(scenario.name, block([f"rung {scenario.command}"], stage.shown(printed), code))
    assert code == scenario.code
    assert stage.facts() == before or scenario.name == "left-dirty"


def test_the_page_has_no_other_blocks() -> None:
    """Each block of the page is provoked by a test."""
    assert set(page.blocks()) == {scenario.name for scenario in _ALL} | NAMES
