"""How long `migrate` waits for golang-migrate's lock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import wait_for
from tests.interop.gates import THROUGH_THE_GATE

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site
    from tests.interop.gates import Gate
    from tests.interop.tools import Run, Tool

pytestmark = pytest.mark.oracle

_TIMEOUT = "error: timeout: can't acquire database lock"
_TAKE_THE_LOCK = [("up",), ("up", "1"), ("down", "-all"), ("goto", "1"), ("force", "1")]


def _holding(site: Site, theirs: Tool, gate: Gate) -> Run:
    """golang-migrate, in the middle of the second of three."""
    site.add_tables(1).add("2_b", THROUGH_THE_GATE).add_tables(3)
    run = theirs.begin("up", "2")
    assert gate.reached()
    return run


@pytest.mark.parametrize("words", [*_TAKE_THE_LOCK, ("drop", "-f")], ids=" ".join)
def test_the_limit_bounds_the_wait(
    site: Site, ours: Tool, theirs: Tool, gate: Gate, words: tuple[str, ...]
) -> None:
    """Whatever takes the lock gives up after the seconds that were given, and changes nothing."""
    holder = _holding(site, theirs, gate)
    began = time.monotonic()
    code, said = ours.having(options=("-lock-timeout", "1")).run(*words)
    took = time.monotonic() - began

    assert (code, said.rpartition(_TIMEOUT)[1]) == (1, _TIMEOUT)
    assert 1 <= took < 15
    assert site.ledger() == [(2, True)]
    gate.open()
    assert (holder.end().code, site.ledger()) == (0, [(2, False)])


def test_reading_does_not_wait(site: Site, ours: Tool, theirs: Tool, gate: Gate) -> None:
    """`version` takes no lock, and says that what looks dirty may be work under way."""
    _holding(site, theirs, gate)
    code, said = ours.having(options=("-lock-timeout", "1")).run("version")

    assert (code, said.rpartition("\n")[2]) == (0, "2 (dirty)")


def test_without_a_limit_it_waits(site: Site, ours: Tool, theirs: Tool, gate: Gate) -> None:
    """Where none is given it waits as long as the holder lives, and then does the rest."""
    holder = _holding(site, theirs, gate)
    run = ours.begin("up")
    assert wait_for(lambda: "The lock is held by" in run.said, 30)
    time.sleep(3)
    assert run.process.poll() is None
    gate.open()

    assert (holder.end().code, run.end().code) == (0, 0)
    assert site.ledger() == [(3, False)]
