"""Several tools start at the same time: one body at a time, each of them once, all end well."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import wait_for
from tests.interop.bodies import Body, begin_record, bodies, body, overlaps, write_slow
from tests.interop.gates import THROUGH_THE_GATE

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site
    from tests.interop.conftest import Make
    from tests.interop.gates import Gate
    from tests.interop.tools import Tool

pytestmark = pytest.mark.oracle


def _starting_time(tool: Tool) -> float:
    began = time.monotonic()
    tool.run("version")
    return time.monotonic() - began


def _round(site: Site, ours: Tool, theirs: Tool, delay: float | None) -> bool:
    """Both at once, or theirs behind our first body; whether the first body was ours."""
    begin_record(site)
    first = ours.begin("up")
    if delay is None:
        assert wait_for(lambda: bodies(site))
    else:
        time.sleep(delay)
    second = theirs.begin("up")
    ended = (first.end(), second.end())
    ran = bodies(site)

    assert [run.code for run in ended] == [0, 0], ended
    assert [one.version for one in ran] == [1, 2, 3]
    assert overlaps(ran) == []
    assert site.ledger() == [(3, False)]
    return ran[0].by_us


@pytest.mark.parametrize(("name", "rounds"), [("ours", 20), ("rung", 8)])
def test_twenty_times_both(site: Site, make: Make, theirs: Tool, name: str, rounds: int) -> None:
    """Whoever comes first: never two bodies at a time, none lost, none twice, both exit 0."""
    ours = make(name)
    write_slow(site, 0.05, 0.02, 0.05)
    longest = 1.5 * _starting_time(ours)
    delays = [longest * number / (rounds - 1) for number in range(rounds - 1)]
    first = [_round(site, ours, theirs, delay) for delay in (*delays, None)]

    assert set(first) == {True, False}


@pytest.mark.slow
def test_ten_of_ours_and_a_migration_of_twenty_seconds(site: Site, make: Make) -> None:
    """Ten replicas start at once: one migrates, nine wait for it, and ten exit with 0."""
    begin_record(site)
    write_slow(site, 20, 0)
    started = [make("ours").begin("up") for _ in range(10)]
    ended = [run.end() for run in started]

    assert [run.code for run in ended] == [0] * 10, ended
    assert sorted(said.rpartition("\n")[2][:9] for _, said in ended) == ["2/u slow "] + (
        ["no change"] * 9
    )
    assert [one.version for one in bodies(site)] == [1, 2]


def test_ten_of_ours_and_theirs(site: Site, make: Make, theirs: Tool) -> None:
    """Ours, rung and golang-migrate start together: one migrates, and all exit with 0."""
    begin_record(site)
    write_slow(site, 2, 0.2, 0.2)
    kinds = [make("ours"), theirs, make("rung"), theirs, make("ours")]
    ended = [run.end() for run in [kind.begin("up") for kind in kinds * 2]]
    ran = bodies(site)

    assert [run.code for run in ended] == [0] * 10, ended
    assert ([one.version for one in ran], overlaps(ran)) == ([1, 2, 3], [])
    assert site.ledger() == [(3, False)]


def test_a_lock_that_nobody_shares(site: Site, make: Make, gate: Gate) -> None:
    """With a name of its own golang-migrate's library is not excluded; our step gives way."""
    begin_record(site)
    site.add("1_a", body(1, "")).add("2_b", body(2, THROUGH_THE_GATE)).add("3_c", body(3, ""))
    ours = make("ours").begin("up")
    assert gate.reached()
    stranger = make("embedded").having(options=("-name", "mine")).begin("up")
    assert gate.reached(2)
    gate.open()

    assert (ours.end().code, stranger.end().code) == (1, 0)
    assert [one.version for one in bodies(site)] == [1, 2, 3]
    assert site.ledger() == [(3, False)]


@pytest.mark.parametrize("sql", ["SELECT pg_advisory_unlock_all();", "DISCARD ALL;"])
def test_a_file_that_gives_up_the_lock(
    site: Site, make: Make, theirs: Tool, gate: Gate, sql: str
) -> None:
    """Where a file gives our lock up behind our back, our next step gives way to theirs."""
    begin_record(site)
    site.add("1_a", body(1, "")).add("2_b", sql).add("3_c", body(3, THROUGH_THE_GATE))
    ours = make("ours").begin("up")
    assert gate.reached()
    other = theirs.begin("up")
    assert gate.reached(2)
    gate.open()

    assert (ours.end().code, other.end().code) == (1, 0)
    assert [one.version for one in bodies(site)] == [1, 3]
    assert site.ledger() == [(3, False)]


def test_the_record_shows_an_overlap() -> None:
    """What the tests above look for is found where it is."""
    first, second = Body(1, by_us=True, began=1, ended=3), Body(2, by_us=True, began=3, ended=4)
    third = Body(2, by_us=False, began=2, ended=4)

    assert overlaps([first, second]) == []
    assert overlaps([first, third]) == [(first, third)]
