"""`migrate` is asked to stop in the middle, and golang-migrate goes on where it stopped."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import wait_for
from tests.interop.gates import THROUGH_THE_GATE

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site
    from tests.interop.gates import Gate
    from tests.interop.tools import Run, Tool

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["int", "term"]),
]

_STOPPING = "Stopping after this running migration ...\n"


def _at_the_gate(site: Site, gate: Gate, ours: Tool) -> Run:
    """`up` in the middle of the first of two."""
    site.add("1_a", f"CREATE TABLE a (); {THROUGH_THE_GATE}").add_tables(2)
    run = ours.begin("up")
    assert gate.reached()
    return run


def _signal(run: Run, number: int, answer: str) -> None:
    run.process.send_signal(number)
    assert wait_for(lambda: answer in run.said)


def test_the_first_finishes(site: Site, ours: Tool, real: Tool, gate: Gate, number: int) -> None:
    """The running migration ends and is recorded; work remains, so the exit code is not 0."""
    run = _at_the_gate(site, gate, ours)
    _signal(run, number, _STOPPING)
    gate.open()
    code, said = run.end()

    assert code == 1
    assert said.startswith(f"{_STOPPING}1/u a (")
    assert site.ledger() == [(1, False)]
    assert real.run("up").code == 0
    assert site.tables() == {"a", "t2"}


def test_the_second_cancels(site: Site, ours: Tool, real: Tool, gate: Gate, number: int) -> None:
    """What ran is rolled back, the database is clean, and golang-migrate starts over."""
    run = _at_the_gate(site, gate, ours)
    _signal(run, number, _STOPPING)
    _signal(run, number, "Cancelling")
    code, said = run.end()

    assert (code, "1/u" in said) == (1, False)
    assert (site.ledger(), site.tables()) == ([], set())
    gate.open()
    assert real.run("up").code == 0
    assert site.ledger() == [(2, False)]


def test_in_the_last_nothing_remains(site: Site, ours: Tool, gate: Gate, number: int) -> None:
    """A run that finished all it was asked for is a success."""
    site.add("1_a", f"CREATE TABLE a (); {THROUGH_THE_GATE}")
    run = ours.begin("up")
    assert gate.reached()
    _signal(run, number, _STOPPING)
    gate.open()

    assert run.end().code == 0
    assert site.ledger() == [(1, False)]


def test_while_it_waits(site: Site, ours: Tool, theirs: Tool, gate: Gate, number: int) -> None:
    """A run that waits for golang-migrate's lock goes at once and has run nothing."""
    site.add("1_a", THROUGH_THE_GATE).add_tables(2)
    other = theirs.begin("up", "1")
    assert gate.reached()
    run = ours.begin("up")
    assert wait_for(lambda: "The lock is held by" in run.said, 30)
    _signal(run, number, _STOPPING)

    assert run.end().code == 1
    assert site.ledger() == [(1, True)]
    gate.open()
    assert (other.end().code, site.ledger()) == (0, [(1, False)])
