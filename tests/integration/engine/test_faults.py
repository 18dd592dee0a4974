"""Whatever kills a run, ledger, history and schema tell one story, and the next run goes on."""

from __future__ import annotations

import random
import signal
from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.children import begin_up, kill_up, sessions
from tests.integration.engine.sites import wait_for

from rung.certify.proxy import CountingProxy, Verdict
from rung.certify.wire import Origin, WireMessage
from rung.errors import ConnectionLost, DirtyLedger, RungError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.engine.sites import Site

_KILL_ME = "SELECT pg_terminate_backend(pg_backend_pid());"
_KILL_ME_INSIDE = f"DO $$ BEGIN COMMIT; {_KILL_ME.replace('SELECT', 'PERFORM')} END $$;"


def _agrees(site: Site) -> None:
    """The tables are those of the ledger's version, and the history has exactly those."""
    rows = site.ask("SELECT to_regclass('schema_migrations_history')")
    if rows == [(None,)]:
        assert site.tables() == set()
        return
    ledger = site.ledger()
    version = ledger[0][0] if ledger else 0
    assert ledger in ([], [(version, False)])
    assert site.tables() == {f"t{number}" for number in range(1, version + 1)}
    assert site.history() == [(number, "up", "done") for number in range(1, version + 1)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_sigkill_at_any_moment(site: Site, seed: int) -> None:
    """After kill -9 the three agree, the server's process ends, and the next run finishes."""
    site.add_tables(*range(1, 9))
    for number in range(1, 9):
        sql = f"CREATE TABLE t{number} (x int);\nSELECT pg_sleep(0.05);"
        site.add(f"{number}_t{number}", f"BEGIN;{sql}COMMIT;" if seed % 2 else sql)
    kill_up(site, 0.25 + random.Random(seed).random() * 0.5)
    assert wait_for(lambda: sessions(site) == 0, seconds=10)
    _agrees(site)

    site.up()
    assert site.ledger() == [(8, False)]
    _agrees(site)


def test_the_server_ends_the_work_of_a_killed_client(site: Site) -> None:
    """A long statement of a client that is gone is ended by the server within seconds."""
    site.add("1_a", "CREATE TABLE a ();\nSELECT pg_sleep(60);")
    run = begin_up(site)
    assert wait_for(lambda: sessions(site, "%pg_sleep%") == 1)
    run.kill()
    run.communicate()

    assert wait_for(lambda: sessions(site) == 0, seconds=12)
    assert (site.tables(), site.history()) == (set(), [])


@pytest.mark.parametrize("form", ["{}", "BEGIN;{}COMMIT;"])
def test_ctrl_c_ends_the_work_on_the_server(site: Site, form: str) -> None:
    """An interrupted process ends at once, its statement with it, and nothing of it is kept."""
    site.add_tables(1).add("2_b", form.format("CREATE TABLE b ();\nSELECT pg_sleep(60);"))
    run = begin_up(site)
    assert wait_for(lambda: sessions(site, "%pg_sleep%") == 1)
    run.send_signal(signal.SIGINT)
    told = run.communicate(timeout=5)[1]

    assert told.strip().endswith("KeyboardInterrupt")
    assert wait_for(lambda: sessions(site) == 0, seconds=2)
    assert (site.tables(), site.ledger()) == ({"t1"}, [(1, False)])


@pytest.mark.parametrize("form", ["{}", "BEGIN;{}COMMIT;"])
def test_a_terminated_session_is_rolled_back_and_told(site: Site, form: str) -> None:
    """A connection that the server ends in the middle of a file: rolled back, and it says so."""
    site.add_tables(1).add("2_b", form.format(f"CREATE TABLE b ();\n{_KILL_ME}\nSELECT 1;"))
    error = site.up_fails(ConnectionLost)

    assert (error.applied, error.version, error.committed) == ((1,), 2, False)
    assert "clean at version 1" in error.now
    assert "rolled back" in error.now
    assert (site.tables(), site.ledger()) == ({"t1"}, [(1, False)])


@pytest.mark.parametrize(
    "text",
    [
        f"CREATE TABLE b ();\nVACUUM;\n{_KILL_ME}",
        f"BEGIN;CREATE TABLE b ();COMMIT;BEGIN;{_KILL_ME}COMMIT;",
        f"CREATE TABLE b ();\n{_KILL_ME_INSIDE}",
    ],
)
def test_a_terminated_session_between_units_is_dirty_and_told(site: Site, text: str) -> None:
    """A connection lost in a later unit leaves dirty, and the history has what is committed."""
    error = site.add_tables(1).add("2_b", text).up_fails(ConnectionLost)

    assert (error.applied, error.committed) == ((1,), False)
    assert "dirty at version 2" in error.now
    assert (site.tables(), site.ledger()) == ({"t1", "b"}, [(2, True)])
    assert site.progress()[-1][0] == "running"
    assert "statements are committed" in site.up_fails(DirtyLedger).detail


def test_the_statement_in_flight_is_named(site: Site) -> None:
    """A statement sent outside a transaction whose end nobody saw is in the history."""
    site.add("1_b", f"CREATE TABLE b ();\n{_KILL_ME_INSIDE}").up_fails(ConnectionLost)

    assert site.progress() == [("running", 1, 2, 2)]
    told = site.up_fails(DirtyLedger).detail
    assert "; 1 of 2 statements are committed; statement 2 was running" in told


# --- the connection is cut around COMMIT -------------------------------------------------


def _cut_before(word: str) -> Callable[[int, WireMessage], Verdict]:
    """Lose the first message of the client that has this word in it."""

    def gate(connection: int, message: WireMessage) -> Verdict:
        lost = connection == 1 and message.origin is Origin.CLIENT and word.encode() in message.raw
        return Verdict.CUT if lost else Verdict.PASS

    return gate


def _cut_answer_to(word: str) -> Callable[[int, WireMessage], Verdict]:
    """Let that message through, and lose the end of the answer to it."""
    seen: list[bool] = []

    def gate(connection: int, message: WireMessage) -> Verdict:
        if connection != 1:
            return Verdict.PASS
        if message.origin is Origin.CLIENT and word.encode() in message.raw:
            seen.append(True)
        return Verdict.CUT if seen and message.kind == "Z" else Verdict.PASS

    return gate


def _through(
    site: Site, gate: Callable[[int, WireMessage], Verdict]
) -> RungError | tuple[int, ...]:
    """Run up through a proxy with a gate: the error, or the versions."""
    server = site.database.server
    with CountingProxy(server.socket_dir, server.port, gate) as proxy:
        conninfo = site.database.conninfo.replace(str(server.socket_dir), str(proxy.socket_dir))
        try:
            report = site.migrator(conninfo).up()
        except RungError as error:
            return error
        return tuple(step.version for step in report.steps)


_MARKED = {
    "transactional": "CREATE TABLE b (); -- marker",
    "own": "BEGIN; CREATE TABLE b (); -- marker\nCOMMIT;",
}


@pytest.mark.parametrize("text", _MARKED.values(), ids=_MARKED)
def test_a_message_lost_before_the_server_has_it(site: Site, text: str) -> None:
    """Where the file never reached the server the error says that it was rolled back."""
    error = _through(site.add_tables(1).add("2_b", text).add_tables(3), _cut_before("marker"))

    assert isinstance(error, ConnectionLost)
    assert (error.applied, error.committed) == ((1,), False)
    assert "clean at version 1; migration 2 was rolled back" in error.now
    assert site.ledger() == [(1, False)]


@pytest.mark.parametrize("text", _MARKED.values(), ids=_MARKED)
def test_an_answer_lost_behind_the_commit(site: Site, text: str) -> None:
    """Where the COMMIT went through and its answer was lost the error says committed."""
    error = _through(site.add_tables(1).add("2_b", text).add_tables(3), _cut_answer_to("marker"))

    assert isinstance(error, ConnectionLost)
    assert (error.applied, error.committed) == ((1, 2), True)
    assert "clean at version 2; migration 2 is committed" in error.now
    assert site.ledger() == [(2, False)]
    assert site.up() == (3,)


def test_an_answer_lost_behind_the_last_commit_is_success(site: Site) -> None:
    """Where only the last answer was lost everything is done, and the run says so."""
    site.add_tables(1).add("2_b", _MARKED["transactional"])

    assert _through(site, _cut_answer_to("marker")) == (1, 2)
    assert site.ledger() == [(2, False)]


@pytest.mark.parametrize("mark", ["m1", "m2", "'m3'"])
@pytest.mark.parametrize("cut", [_cut_before, _cut_answer_to])
def test_a_file_of_units_cut_anywhere(
    site: Site, mark: str, cut: Callable[[str], Callable[[int, WireMessage], Verdict]]
) -> None:
    """Whichever message of a file of units is lost, the error tells the ledger as it is."""
    site.add_tables(1).add("2_b", "CREATE TABLE m1 ();\nVACUUM /* m2 */;\nSELECT 'm3';")
    told = _through(site, cut(mark))

    assert isinstance(told, ConnectionLost)
    assert told.committed is False
    (row,) = site.ledger()
    shown = f"dirty at version {row[0]}" if row[1] else f"clean at version {row[0]}"
    assert shown in told.now


@pytest.mark.parametrize("number", range(1, 14))
def test_a_run_cut_at_each_message(site: Site, number: int) -> None:
    """Whichever message of a run is lost, the next run ends as if nothing had been."""
    site.add_tables(1, 2).add("3_c", "CREATE TABLE t3 (x int);\nVACUUM;\nSELECT 1;")
    sent: list[bytes] = []

    def gate(connection: int, message: WireMessage) -> Verdict:
        if connection == 1 and message.origin is Origin.CLIENT and message.kind == "Q":
            sent.append(message.raw)
            return Verdict.CUT if len(sent) == number else Verdict.PASS
        return Verdict.PASS

    _through(site, gate)
    if site.ask("SELECT to_regclass('schema_migrations')") != [(None,)] and any(
        dirty for _, dirty in site.ledger()
    ):
        progress = site.progress()[-1]
        assert progress[0] == "running"
        site.ask("DROP TABLE IF EXISTS t3")
        site.migrator().force(2)
    site.up()
    assert (site.tables(), site.ledger()) == ({"t1", "t2", "t3"}, [(3, False)])
