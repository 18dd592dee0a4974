"""
CREATE INDEX CONCURRENTLY with the other tool at the door.

The build waits for every transaction that began before it; one that waits for the builder's
lock in turn is a deadlock, and PostgreSQL shoots one of the two. Each build here waits for a
writer of the test's, so that it is under way for as long as the test wants.
"""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import wait_for
from tests.interop.gates import THROUGH_THE_GATE, queued

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.engine.sites import Site
    from tests.interop.conftest import Make
    from tests.interop.gates import Gate
    from tests.interop.tools import Run, Tool

pytestmark = pytest.mark.oracle

_BUILD = "CREATE INDEX CONCURRENTLY a_x ON a (x);"
_WITH_OTHERS = f"CREATE TABLE b ();\n{_BUILD}\nINSERT INTO a VALUES (1);"
_BUILDING = "SELECT count(*) FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting%'"
_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_x'::regclass"
_DIRTY = (1, "error: Dirty database version 3. Fix and force version.")


def _write(site: Site, build: str) -> None:
    site.add("1_a", "CREATE TABLE a (x int);").add("2_gate", THROUGH_THE_GATE)
    site.add("3_build", build).add("4_more", "CREATE TABLE more ();")


@contextmanager
def _writer(site: Site) -> Iterator[None]:
    """Somebody whose open transaction keeps every build on the table waiting."""
    with site.database.connect() as connection:
        connection.execute("BEGIN; INSERT INTO a VALUES (0)")
        yield
        connection.execute("COMMIT")


def _is_building(site: Site) -> bool:
    return wait_for(lambda: site.ask(_BUILDING) == [(1,)], 30)


def _ends_valid(site: Site) -> None:
    assert site.ask(_VALID) == [(True,)]
    assert site.ledger() == [(4, False)]
    assert {"a", "more"} <= site.tables()


@pytest.mark.parametrize("build", [_BUILD, _WITH_OTHERS], ids=["alone", "with-others"])
@pytest.mark.parametrize("name", ["ours", "rung"])
def test_ours_builds_and_theirs_queues(
    site: Site, make: Make, theirs: Tool, gate: Gate, name: str, build: str
) -> None:
    """Who queued at our lock is let in, sees that somebody is at work, and goes."""
    _write(site, build)
    ours = make(name)
    assert ours.run("up", "1").code == 0
    with _writer(site):
        building = ours.begin("up")
        assert gate.reached()
        queueing = [theirs.begin("up") for _ in range(3)]
        assert wait_for(lambda: queued(site) == 3)
        gate.open()
        assert _is_building(site)
        ended = [(code, said.rpartition("\n")[2]) for code, said in (r.end() for r in queueing)]
        later = theirs.run("up")

    assert [*ended, later] == [_DIRTY] * 4
    assert building.end().code == 0
    assert theirs.run("up").code == 0
    _ends_valid(site)


@pytest.mark.parametrize("build", [_BUILD, _WITH_OTHERS], ids=["alone", "with-others"])
def test_theirs_builds_and_ours_waits(site: Site, make: Make, gate: Gate, build: str) -> None:
    """Waiting we hold no snapshot, so their build ends well, and then we have nothing to do."""
    _write(site, build)
    real = make("real").having(query="x-multi-statement=true")
    _theirs_builds(site, make, real, gate)


def test_the_library_builds_and_ours_waits(site: Site, make: Make, gate: Gate) -> None:
    """The same with golang-migrate embedded, whose key is another one."""
    _write(site, _BUILD)
    _theirs_builds(site, make, make("embedded"), gate)


def _theirs_builds(site: Site, make: Make, theirs: Tool, gate: Gate) -> None:
    assert theirs.run("up", "1").code == 0
    with _writer(site):
        building = theirs.begin("up")
        assert gate.reached()
        waiting = [make(name).begin("up") for name in ("ours", "rung", "ours")]
        assert wait_for(lambda: all("The lock is held by" in run.said for run in waiting), 30)
        gate.open()
        assert _is_building(site)
        time.sleep(1)  # some of our tries at the lock fall into the build
        assert queued(site) == 0

    ended = [building.end(), *(run.end() for run in waiting)]
    assert [run.code for run in ended] == [0] * 4, ended
    _ends_valid(site)


def _begin_build(site: Site, ours: Tool, gate: Gate) -> Run:
    """`up` of ours in its build; a writer has to keep it there."""
    run = ours.begin("up")
    gate.open()
    assert _is_building(site)
    return run


def _signal(run: Run, answer: str) -> None:
    run.process.send_signal(signal.SIGTERM)
    assert wait_for(lambda: answer in run.said)


def test_asked_to_stop_in_a_build(site: Site, ours: Tool, theirs: Tool, gate: Gate) -> None:
    """The build is finished and recorded, and the other tool continues after it."""
    _write(site, _BUILD)
    assert ours.run("up", "1").code == 0
    with _writer(site):
        run = _begin_build(site, ours, gate)
        _signal(run, "Stopping")
        assert theirs.run("up") == _DIRTY

    assert run.end().code == 1
    assert (site.ledger(), site.ask(_VALID)) == ([(3, False)], [(True,)])
    assert theirs.run("up").code == 0
    _ends_valid(site)


def test_cancelled_in_a_build(site: Site, ours: Tool, theirs: Tool, gate: Gate) -> None:
    """What a build left cannot be rolled back: it is dirty for both, and we say what to do."""
    _write(site, _BUILD)
    assert ours.run("up", "1").code == 0
    with _writer(site):
        run = _begin_build(site, ours, gate)
        _signal(run, "Stopping")
        _signal(run, "Cancelling")
        code, said = run.end()

    assert (code, site.ledger(), theirs.run("up")) == (1, [(3, True)], _DIRTY)
    assert "rung up --resume" in said


def test_killed_in_a_build(site: Site, make: Make, theirs: Tool, gate: Gate) -> None:
    """Both see it dirty; we wait until the server is done with what it still does for the dead."""
    _write(site, _BUILD)
    assert make("ours").run("up", "1").code == 0
    with _writer(site):
        _begin_build(site, make("ours"), gate).stop()
        after = make("ours").begin("up")
        assert wait_for(lambda: "The lock is held by" in after.said, 30)
        assert theirs.run("up") == _DIRTY

    assert (after.end().code, site.ledger()) == (1, [(3, True)])
    assert _DIRTY[1] in after.said


def test_theirs_come_while_we_build(site: Site, make: Make, theirs: Tool) -> None:
    """Our build is never a deadlock's victim, whenever theirs come, and how many."""
    site.add("1_a", "CREATE TABLE a AS SELECT generate_series(1, 50000) AS x;")
    site.add("2_wait", "SELECT pg_sleep(0.3);").add("3_build", _BUILD)
    site.add("4_more", "CREATE TABLE more ();")
    ours = make("ours").begin("up")
    assert wait_for(lambda: site.ask("SELECT to_regclass('a')") != [(None,)], 30)
    others = [theirs.begin("up") for _ in range(8)]
    ended = [run.end() for run in others]

    assert ours.end().code == 0
    assert {run for run in ended if run.code} <= {_DIRTY}
    _ends_valid(site)
