"""Many runs of both compete for the lock: the holder draws the next step."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import wait_for
from tests.interop.bodies import begin_record, bodies, overlaps, slow, write_slow

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site
    from tests.interop.conftest import Make
    from tests.interop.tools import Ended, Tool

pytestmark = pytest.mark.oracle

_STEPS = 16


def _one_by_one(tool: Tool, site: Site, at: int) -> Ended:
    """`up 1` from a version on, until it does not work any more; that last answer."""
    assert wait_for(lambda: len(bodies(site)) >= at, 60)
    while (ended := tool.run("up", "1")).code == 0:
        pass
    return ended


def test_step_by_step(site: Site, make: Make, theirs: Tool) -> None:
    """
    Each takes one step after another as fast as it can, and every step is taken once.

    Theirs begins behind our first step: it starts so fast that it would take all of them.
    """
    begin_record(site)
    write_slow(site, *[0.15] * _STEPS)
    tools = [make("ours"), theirs, make("ours")]
    with ThreadPoolExecutor(len(tools)) as pool:
        last = list(pool.map(_one_by_one, tools, [site] * 3, (0, 1, 0)))
    ran = bodies(site)

    assert {said.rpartition("\n")[2] for _, said in last} == {"error: file does not exist"}
    assert [one.version for one in ran] == [*range(1, _STEPS + 1)]
    assert {one.by_us for one in ran} == {True, False}
    assert (overlaps(ran), site.ledger()) == ([], [(_STEPS, False)])


@pytest.mark.parametrize("name", ["ours", "rung"])
def test_up_against_down(site: Site, make: Make, theirs: Tool, name: str) -> None:
    """One goes up and the other down: one after the other, whichever is first."""
    draw = random.Random(name)
    for version in (1, 2, 3):
        site.add(f"{version}_slow", slow(version, 0.03), slow(-version, 0.03))
    for _ in range(6):
        begin_record(site)
        up = make(name).begin("up")
        time.sleep(draw.uniform(0, 0.8))
        down = theirs.begin("down", "-all")
        codes, ran = [up.end().code, down.end().code], bodies(site)

        assert codes == [0, 0], (up.said, down.said)
        assert overlaps(ran) == []
        assert ([one.version for one in ran], site.ledger()) in (
            ([1, 2, 3], [(3, False)]),
            ([1, 2, 3, -3, -2, -1], []),
        )
