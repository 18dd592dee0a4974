"""A command makes and reads each thing once: one Migrator, connection, source, plan, state."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from psycopg.conninfo import conninfo_to_dict

import rung.cli.main
import rung.golang_migrate.main
import rung.migrator
from rung.certify.proxy import CountingProxy
from rung.drivers.postgres.connect import Connector
from rung.drivers.postgres.driver import PostgresDriver
from rung.drivers.postgres.lock import AdvisoryLock
from rung.drivers.postgres.session import PostgresSession
from rung.drivers.postgres.url import translate
from rung.execution.state import DatabaseState, plan_for, read_state
from rung.planning.plan import Down, make_plan
from rung.source import read_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType

    from tests.integration.engine.sites import Site

    from rung.execution.run import PlanPreview
    from rung.planning.plan import Goal

_COUNTED: dict[CodeType, str] = {
    rung.migrator.Migrator.__init__.__code__: "Migrator",
    translate.__code__: "URL parsed",
    PostgresDriver.__init__.__code__: "driver",
    Connector.open.__code__: "connection",
    read_source.__code__: "source read",
    read_state.__code__: "inspection",
    DatabaseState.__init__.__code__: "state",
    plan_for.__code__: "plan",
    make_plan.__code__: "steps planned",
    PostgresSession.try_lock.__code__: "lock",
    AdvisoryLock.release.__code__: "unlock",
}
_ONCE = ("Migrator", "URL parsed", "driver", "connection", "source read")


@pytest.fixture
def proxy(site: Site) -> Iterator[CountingProxy]:
    """Give a counting proxy before the site's server."""
    with CountingProxy(site.database.server.socket_dir, site.database.server.port) as proxy:
        yield proxy


@pytest.fixture
def url(site: Site, proxy: CountingProxy) -> str:
    """How to connect through the proxy, for a site with two applied versions."""
    site.add_tables(1, 2).up()
    directory = str(site.database.server.socket_dir)
    return site.database.conninfo.replace(directory, str(proxy.socket_dir))


def _calls(work: Callable[[], object]) -> list[str]:
    """Run, and give what was made or read, in order: whoever calls it, by whatever import."""
    calls: list[str] = []

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and (name := _COUNTED.get(frame.f_code)):
            calls.append(name)

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def _command(*words: str) -> Callable[[], object]:
    return lambda: rung.cli.main.main([*words, "--quiet"])


def _agree(preview: PlanPreview) -> Goal:
    return preview.plan.goal


def _under_lock(calls: list[str]) -> Counter[str]:
    return Counter(calls[calls.index("lock") + 1 : calls.index("unlock")])


@pytest.mark.parametrize(
    ("words", "inspections", "version"),
    [(["down", "1", "--yes"], 2, 1), (["redo", "--yes"], 2, 2), (["goto", "1", "-y"], 2, 1)],
)
def test_a_command_that_goes_down(
    site: Site, proxy: CountingProxy, url: str, words: list[str], inspections: int, version: int
) -> None:
    """What is shown and what runs share all but the inspection and the plan under the lock."""
    before = proxy.counts
    folder = str(site.folder)
    calls = _calls(_command(*words, "--source", folder, "--database", url, "--lock-timeout", "30s"))

    assert {name: calls.count(name) for name in _ONCE} == dict.fromkeys(_ONCE, 1)
    assert calls.count("inspection") == inspections
    assert _under_lock(calls) == {"inspection": 1, "state": 1, "plan": 1, "steps planned": 1}
    assert (proxy.counts - before).connections == 1
    assert site.ask("SELECT version FROM schema_migrations") == [(version,)]


def test_down_by_the_library(site: Site, proxy: CountingProxy, url: str) -> None:
    """A Migrator that shows what would run, and runs only that, is no more than the command."""
    before = proxy.counts
    calls = _calls(lambda: site.migrator(url, lock_timeout=30).run(Down(), confirm=_agree))

    assert {name: calls.count(name) for name in _ONCE} == dict.fromkeys(_ONCE, 1)
    assert _under_lock(calls) == {"inspection": 1, "state": 1, "plan": 1, "steps planned": 1}
    assert (proxy.counts - before).connections == 1


def test_up_with_one_file(site: Site, proxy: CountingProxy, url: str) -> None:
    """The same; nothing is shown before."""
    site.add_tables(3)
    before = proxy.counts
    words = ["up", "--source", str(site.folder), "--database", url, "--lock-timeout", "30s"]
    calls = _calls(_command(*words))

    assert {name: calls.count(name) for name in _ONCE} == dict.fromkeys(_ONCE, 1)
    assert _under_lock(calls) == {"inspection": 1, "state": 1, "plan": 1, "steps planned": 1}
    assert (proxy.counts - before).connections == 1


@pytest.mark.parametrize("words", [["up"], ["goto", "2"], ["down", "0", "-y"]])
def test_nothing_to_do(site: Site, proxy: CountingProxy, url: str, words: list[str]) -> None:
    """One inspection and one plan, in one round trip, without the lock."""
    before = proxy.counts
    calls = _calls(_command(*words, "--source", str(site.folder), "--database", url))

    assert Counter(calls) == {
        **dict.fromkeys(_ONCE, 1),
        "inspection": 1,
        "state": 1,
        "steps planned": 1,
    }
    counts = proxy.counts - before
    assert (counts.connections, counts.round_trips, counts.commits) == (1, 1, 0)


_KILL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_DIRTY = "UPDATE schema_migrations SET version = 2, dirty = true"


@dataclass(frozen=True, slots=True)
class _Answer:
    """A stdin that answers y, and ends every other connection before, where it is asked to."""

    site: Site
    kills: bool

    def readline(self) -> str:
        if self.kills:
            self.site.ask(_KILL)
        return "y\n"


@pytest.mark.parametrize(("kills", "connections"), [(False, 1), (True, 2)])
@pytest.mark.parametrize("words", [["down"], ["drop"]])
def test_a_question_of_migrate(
    site: Site,
    proxy: CountingProxy,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    kills: bool,  # noqa: FBT001 - a row of the table
    connections: int,
) -> None:
    """It asks and runs on one connection; one that ended meanwhile is opened again."""
    before, parameters = proxy.counts, conninfo_to_dict(url)
    database = "postgres:///{dbname}?host={host}&port={port}&user={user}".format(**parameters)
    where = ["-path", str(site.folder), "-database", f"{database}&sslmode=disable"]
    monkeypatch.setattr("sys.stdin", _Answer(site, kills))

    assert rung.golang_migrate.main.main([*where, *words]) == 0
    assert (proxy.counts - before).connections == connections
    assert site.ask("SELECT to_regclass('t1')") == [(None,)]


def test_repair(site: Site, proxy: CountingProxy, url: str) -> None:
    """What is dirty, the diagnosis and the repair share a connection."""
    site.ask(_DIRTY)
    before = proxy.counts
    words = ["repair", "--yes", "--source", str(site.folder), "--database", url]

    calls = _calls(_command(*words, "--scratch", site.database.server.url()))
    assert calls.count("Migrator") == 1
    assert (proxy.counts - before).connections == 1
    assert site.ask("SELECT version, dirty FROM schema_migrations") == [(2, False)]


def test_repair_after_a_lost_connection(site: Site, proxy: CountingProxy, url: str) -> None:
    """Nothing of the diagnosis is lost with the connection: the repair opens another."""
    site.ask(_DIRTY)
    before = proxy.counts
    with site.migrator(url).on_one_connection() as migrator:
        diagnosis = migrator.diagnose(site.database.server.url())
        assert diagnosis is not None
        site.ask(_KILL)
        migrator.repair(diagnosis)

    assert (proxy.counts - before).connections == 2
    assert site.ask("SELECT version, dirty FROM schema_migrations") == [(2, False)]
