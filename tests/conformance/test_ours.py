"""
Our command does in each scenario what golang-migrate did, or what is listed as better.

Scenarios with the same command and outcome count once here; `make conformance` runs all.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from tests.conformance.library import distinct
from tests.conformance.recording import Recording, load
from tests.conformance.report import verdicts
from tests.conformance.scenario import SCHEMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conformance.runner import Theatre
    from tests.conformance.tools import Tool

_GROUPS = [
    pytest.param(scheme, name, id=f"{scheme}-{name}")
    for scheme in SCHEMES
    for name in distinct(scheme)
]


@cache
def _recorded(scheme: str) -> Recording:
    return load(scheme)


@pytest.mark.parametrize(("scheme", "group"), _GROUPS)
def test_ours_is_equal_or_better_as_listed(
    theatres: Callable[[str], Theatre], our_tool: Tool, scheme: str, group: str
) -> None:
    """Exit code, words, ledger, schema, data: nothing differs that the list does not name."""
    opened, recording = theatres(scheme), _recorded(scheme)
    unexplained = [
        f"{each.id}\n  {fault}"
        for each in distinct(scheme)[group]
        for verdict in verdicts(opened, each, recording, our_tool)
        for fault in verdict.faults
    ]

    assert "\n".join(unexplained) == ""
