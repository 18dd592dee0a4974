"""One of them is killed in the middle; the other finds what it may, and goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import wait_for
from tests.interop.bodies import begin_record, bodies, body
from tests.interop.gates import THROUGH_THE_GATE, queued

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site
    from tests.interop.conftest import Make
    from tests.interop.gates import Gate
    from tests.interop.tools import Tool

pytestmark = pytest.mark.oracle

_KEEPS_RUNNING = "lock_timeout=0&client_connection_check_interval=600s"
"""So that neither a lock timeout nor the check for a lost client ends the statement at the gate."""


def _write(site: Site, more: str = "") -> None:
    begin_record(site)
    site.add("1_a", body(1, "")).add("2_b", body(2, THROUGH_THE_GATE) + more).add(
        "3_c", body(3, "")
    )


def _kill_in_the_second(tool: Tool, gate: Gate) -> None:
    run = tool.begin("up")
    assert gate.reached()
    run.stop()


@pytest.mark.parametrize("name", ["ours", "rung"])
def test_golang_continues_where_we_were_killed(
    site: Site, make: Make, theirs: Tool, gate: Gate, name: str
) -> None:
    """What the server still does for us is waited for, and is whole: nothing is done twice."""
    _write(site)
    _kill_in_the_second(make(name).having(query=_KEEPS_RUNNING), gate)
    after = theirs.begin("up")
    assert wait_for(lambda: queued(site) == 1)
    gate.open()

    assert after.end().code == 0
    assert [one.version for one in bodies(site)] == [1, 2, 3]
    assert site.ledger() == [(3, False)]


def test_golang_does_it_anew_where_the_server_gave_us_up(
    site: Site, make: Make, theirs: Tool, gate: Gate
) -> None:
    """The server notices that we are gone and rolls back; the migration is pending again."""
    _write(site)
    _kill_in_the_second(make("ours"), gate)
    after = theirs.begin("up")
    assert wait_for(lambda: site.ledger() == [(2, True)], 30)
    assert gate.reached()
    gate.open()

    assert after.end().code == 0
    assert [(one.version, one.by_us) for one in bodies(site)] == [(1, True), (2, False), (3, False)]


def test_golang_reads_our_dirty_ledger(site: Site, make: Make, theirs: Tool, gate: Gate) -> None:
    """Killed in a file that is no transaction we leave it dirty, and both say so."""
    _write(site, "VACUUM;")
    _kill_in_the_second(make("ours"), gate)
    after = theirs.begin("up")
    gate.open()
    ended = [after.end(), make("ours").run("up")]

    said = "error: Dirty database version 2. Fix and force version."
    assert [(code, text.partition("\n")[0]) for code, text in ended] == [(1, said)] * 2


@pytest.mark.parametrize("name", ["ours", "rung"])
def test_golang_killed_leaves_it_dirty(
    site: Site, make: Make, theirs: Tool, gate: Gate, name: str
) -> None:
    """We wait for what the server still does for it, run nothing, and go on once it is forced."""
    _write(site)
    _kill_in_the_second(theirs, gate)
    after = make(name).begin("up")
    assert wait_for(lambda: "held by" in after.said, 30)
    gate.open()

    assert after.end().code != 0
    assert site.ledger() == [(2, True)]
    assert [one.version for one in bodies(site)] == [1, 2]
    assert [make(name).run(*words).code for words in (("force", "2"), ("up",))] == [0, 0]
    assert [one.version for one in bodies(site)] == [1, 2, 3]


def test_the_words_for_a_killed_golang(site: Site, make: Make, real: Tool, gate: Gate) -> None:
    """`migrate` says it as golang-migrate does, with its exit code, and changes nothing."""
    _write(site)
    _kill_in_the_second(real, gate)
    gate.open()
    said = [make("ours").run(*words) for words in (("up",), ("down", "1"), ("goto", "1"))]

    expected = (1, "error: Dirty database version 2. Fix and force version.")
    assert [(code, text.partition("\n")[0]) for code, text in said] == [expected] * 3
    assert make("ours").run("version") == (0, "2 (dirty)")
    assert real.run("version") == (0, "2 (dirty)")
