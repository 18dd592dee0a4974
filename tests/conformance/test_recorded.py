"""
The recordings are what the real golang-migrate does today, of the version that they name.

A quarter of the distinct scenarios is asked again here, always the same; `make conformance` asks
all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.conformance.library import distinct, scenarios
from tests.conformance.recorder import server_version, version_of
from tests.conformance.recording import load, path, text
from tests.conformance.scenario import SCHEMES
from tests.oracle import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conformance.runner import Theatre
    from tests.conformance.tools import Process

_ONE_IN = 4
_GROUPS = [
    pytest.param(scheme, name, id=f"{scheme}-{name}")
    for scheme in SCHEMES
    for name in distinct(scheme)
]


@pytest.mark.oracle
@pytest.mark.parametrize(("scheme", "group"), _GROUPS)
def test_the_recording_is_not_stale(
    theatres: Callable[[str], Theatre], their_tool: Process, scheme: str, group: str
) -> None:
    """The binary, asked again for some of the scenarios, does what is recorded."""
    opened, recording = theatres(scheme), load(scheme)
    if recording.server != (here := server_version(scheme, getattr(opened.stage, "major", 0))):
        pytest.skip(f"recorded on {recording.server}; here is {here}")
    for each in (one for one in distinct(scheme)[group] if int(one.digest, 16) % _ONE_IN == 0):
        seen = tuple(step.outcome for step in opened.play(each, their_tool))

        assert (each.id, seen) == (each.id, recording.of(each))


@pytest.mark.oracle
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_binary_is_the_recorded_version(binary: Path, scheme: str) -> None:
    """The recordings name the version that Go wrote into the binary."""
    assert load(scheme).binary == version_of(binary) == VERSION


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scenario_is_recorded_as_it_is_written(scheme: str) -> None:
    """A scenario that was added or changed is recorded again, one that is gone is forgotten."""
    recorded = {name: digest for name, (digest, _) in load(scheme).outcomes.items()}

    assert recorded == {each.id: each.digest for each in scenarios(scheme)}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_recording_is_written_in_one_way(scheme: str) -> None:
    """Reading and writing a recording leaves it as it was."""
    assert text(load(scheme)) == path(scheme).read_text()
