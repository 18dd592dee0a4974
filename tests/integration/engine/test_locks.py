"""One run at a time: which run waits, for how long, and the messages meanwhile."""

from __future__ import annotations

import time
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.children import begin_up
from tests.integration.engine.sites import failing, wait_for

from rung.cancellation import CancelToken
from rung.drivers.postgres.lock import foreign_key
from rung.errors import DirtyLedger, LockNotAcquired, RungError, Stopped
from rung.events import LockWaiting, StepFinished

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg
    from tests.integration.engine.golang import Golang
    from tests.integration.engine.sites import Site

_TABLE = "schema_migrations"
_HELD = (
    "CREATE TABLE held AS SELECT count(*) AS n FROM pg_locks "
    "WHERE locktype = 'advisory' AND pid = pg_backend_pid();"
)


def _lock_by_hand(site: Site, form: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection that holds golang-migrate's key, `form` being "/" or nothing before the name."""
    connection = site.database.connect(application_name="by hand")
    key = foreign_key("public", _TABLE, f"{form}{site.database.name}")
    connection.execute(f"SELECT pg_advisory_lock({key})")
    return connection


def _keys_held(site: Site) -> int:
    rows = site.ask(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return int(rows[0][0])


def _in_thread(work: Callable[[], object]) -> Thread:
    thread = Thread(target=work)
    thread.start()
    return thread


@pytest.mark.slow
def test_ten_processes_at_once(site: Site) -> None:
    """Ten replicas start on an empty database: every body runs once and all end well."""
    site.add("1_n", "CREATE TABLE n (v int); INSERT INTO n VALUES (1); SELECT pg_sleep(0.3);")
    site.add("2_n", "INSERT INTO n VALUES (2); SELECT pg_sleep(0.3);")
    site.add("3_n", "INSERT INTO n VALUES (3);\nVACUUM;")
    runs = [begin_up(site) for _ in range(10)]
    told = [run.communicate(timeout=60) for run in runs]

    assert [error for _, error in told] == [""] * 10
    assert sorted(out.strip() for out, _ in told) == [""] * 9 + ["1 2 3"]
    assert site.ask("SELECT v FROM n ORDER BY v") == [(1,), (2,), (3,)]


def test_many_threads_with_migrators_of_their_own(site: Site) -> None:
    """Migrators in threads of one process exclude each other as processes do."""
    site.add("1_n", "CREATE TABLE n (v int); INSERT INTO n VALUES (1); SELECT pg_sleep(0.2);")
    site.add_tables(2)
    applied: list[tuple[int, ...]] = []
    threads = [_in_thread(lambda: applied.append(site.up())) for _ in range(6)]
    for thread in threads:
        thread.join(30)

    assert sorted(applied) == [()] * 5 + [(1, 2)]


def test_two_that_do_not_wait_never_turn_each_other_away(site: Site) -> None:
    """Of runs that try at the same moment without waiting at least one goes through."""
    site.add_tables(1).up()
    for number in range(25):
        ended: list[str] = []

        def force(ended: list[str] = ended) -> None:
            try:
                site.migrator(wait_for_lock=0).force(1)
                ended.append("done")
            except LockNotAcquired:
                ended.append("turned away")

        threads = [_in_thread(force) for _ in range(3)]
        for thread in threads:
            thread.join(30)
        assert "done" in ended, number


@pytest.mark.parametrize("form", ["/", ""])
def test_both_forms_of_golangs_key_exclude_us(site: Site, form: str) -> None:
    """golang-migrate's key with the slash of its URL and without it keep us out, and are named."""
    site.add_tables(1)
    with _lock_by_hand(site, form) as connection:
        error = failing(LockNotAcquired, site.migrator(wait_for_lock=0).up)
        assert f"process {connection.info.backend_pid}," in error.holder
        assert ', application "by hand", ' in error.holder
        assert _keys_held(site) == 1
    assert site.up() == (1,)


@pytest.mark.parametrize("wait", [0, 0.3])
def test_waiting_is_bounded_where_asked(site: Site, wait: float) -> None:
    """A run gives up after the time it was told, having run nothing."""
    site.add_tables(1)
    with _lock_by_hand(site, "/"):
        began = time.monotonic()
        error = failing(LockNotAcquired, site.migrator(wait_for_lock=wait).up)
        took = time.monotonic() - began
    assert wait <= took < wait + 0.6
    assert error.waited >= wait
    assert site.ask("SELECT to_regclass('schema_migrations')") == [(None,)]


def test_waiting_says_for_whom(site: Site) -> None:
    """The first wait is told at once, with process, user and application of the holder."""
    site.add_tables(1)
    connection = _lock_by_hand(site, "")
    run = _in_thread(site.up)
    assert wait_for(lambda: site.heard(LockWaiting))
    pid = connection.info.backend_pid
    connection.close()
    run.join(20)

    told = site.heard(LockWaiting)[0].holder
    assert told.startswith(
        f'The lock is held by process {pid}, user "postgres", application "by hand", '
    )
    assert "connected since 20" in told
    assert site.ledger() == [(1, False)]


def test_waiting_ends_where_nothing_is_left(site: Site) -> None:
    """A waiter goes as soon as another has done its work, though the lock is still held."""
    site.add_tables(1)
    with _lock_by_hand(site, "/") as connection:
        applied: list[tuple[int, ...]] = []
        run = _in_thread(lambda: applied.append(site.up()))
        assert wait_for(lambda: site.heard(LockWaiting))
        connection.execute("CREATE TABLE schema_migrations (version bigint, dirty boolean)")
        connection.execute("INSERT INTO schema_migrations VALUES (1, false)")
        run.join(5)
        assert applied == [()]


def test_a_stop_ends_the_waiting(site: Site) -> None:
    """A run that waits and is asked to stop goes at once, having run nothing."""
    stop, errors = CancelToken(), []
    site.add_tables(1)
    with _lock_by_hand(site, "/"):
        run = _in_thread(lambda: errors.append(failing(Stopped, site.migrator(stop=stop).up)))
        assert wait_for(lambda: site.heard(LockWaiting))
        stop.set()
        run.join(5)
    assert errors[0].applied == ()


def test_a_dirty_look_from_outside_is_looked_at_again(site: Site) -> None:
    """A ledger that is dirty because another run is at work is no error: it is waited for."""
    site.add_tables(1)
    with _lock_by_hand(site, "/") as connection:
        connection.execute("CREATE TABLE schema_migrations (version bigint, dirty boolean)")
        connection.execute("INSERT INTO schema_migrations VALUES (1, true)")
        applied: list[tuple[int, ...]] = []
        run = _in_thread(lambda: applied.append(site.up()))
        assert wait_for(lambda: site.heard(LockWaiting))
        connection.execute("UPDATE schema_migrations SET dirty = false")
        run.join(5)
    assert applied == [()]


def test_a_dirty_ledger_that_nobody_works_on(site: Site) -> None:
    """Once the lock is ours a dirty ledger is what it seems."""
    site.add_tables(1).up()
    site.ask("UPDATE schema_migrations SET dirty = true")

    assert site.up_fails(DirtyLedger).version == 1
    assert _keys_held(site) == 0


def test_all_keys_are_given_back(site: Site) -> None:
    """After a run, a failed one too, no key of ours is held."""
    site.add_tables(1).up()
    site.add("2_b", "SELECT 1/0;").up_fails(RungError)
    site.migrator().force(1)

    assert wait_for(lambda: _keys_held(site) == 0)


@pytest.mark.parametrize("form", ["/", ""])
def test_a_concurrent_build_gives_golangs_keys_up(site: Site, form: str) -> None:
    """Somebody who queues on golang-migrate's key, snapshot in hand, cannot stop our build."""
    site.add("1_a", "CREATE TABLE a (x int); SELECT pg_sleep(0.4);")
    site.add("2_b", "CREATE INDEX CONCURRENTLY i ON a (x);").add("3_c", _HELD)
    run = _in_thread(site.up)
    assert wait_for(lambda: _keys_held(site) == 3)
    with _lock_by_hand(site, form) as connection:
        # Ours only behind the first step: the build has begun, and says so.
        assert connection.execute("SELECT version, dirty FROM schema_migrations").fetchall() == [
            (2, True)
        ]
        time.sleep(0.5)
    run.join(20)

    assert (site.ledger(), site.ask("SELECT n FROM held")) == ([(3, False)], [(3,)])
    assert site.ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") == [(True,)]


def test_a_queueing_neighbour_does_not_leave_a_run_that_will_not_wait_dirty(site: Site) -> None:
    """Not waiting for the lock at the start is no reason to give up in the middle."""
    site.add("1_a", "CREATE TABLE a (x int); SELECT pg_sleep(0.4);")
    site.add("2_b", "CREATE INDEX CONCURRENTLY i ON a (x);").add_tables(3)
    run = _in_thread(site.migrator(wait_for_lock=0).up)
    assert wait_for(lambda: _keys_held(site) == 3)
    with _lock_by_hand(site, "/"):
        time.sleep(0.5)
    run.join(20)

    assert site.ledger() == [(3, False)]


# --- the real golang-migrate -------------------------------------------------------------


@pytest.mark.oracle
def test_we_wait_for_golang(site: Site, golang: Golang) -> None:
    """While golang-migrate runs we wait, take its dirty ledger for no error, and go on after."""
    site.add("1_a", "CREATE TABLE a (); SELECT pg_sleep(0.7);").add_tables(2)
    other = golang.begin("up", "1")
    assert wait_for(lambda: site.ask("SELECT to_regclass('schema_migrations')") != [(None,)])
    assert wait_for(lambda: site.ledger() == [(1, True)])

    assert site.up() == (2,)
    assert site.heard(LockWaiting) != []
    assert (other.wait(), site.ledger()) == (0, [(2, False)])
    other.communicate()


@pytest.mark.oracle
def test_golang_waits_for_us(site: Site, golang: Golang) -> None:
    """While we run golang-migrate waits, and then finds nothing to do."""
    site.add("1_a", "CREATE TABLE a (); SELECT pg_sleep(0.5);").add_tables(2)
    run = _in_thread(site.up)
    assert wait_for(lambda: site.heard(object))
    assert wait_for(lambda: _keys_held(site) == 3)

    assert golang.run("up") == (0, "no change")
    run.join(20)
    assert [event.version for event in site.heard(StepFinished)] == [1, 2]


@pytest.mark.oracle
def test_our_index_build_with_golang_in_the_queue(site: Site, golang: Golang) -> None:
    """golang-migrate queueing while we build an index concurrently: no deadlock, nothing lost."""
    site.add("1_a", "CREATE TABLE a AS SELECT generate_series(1, 200000) x; SELECT pg_sleep(0.5);")
    site.add("2_b", "CREATE INDEX CONCURRENTLY i ON a (x);").add_tables(3)
    run = _in_thread(site.up)
    assert wait_for(lambda: _keys_held(site) == 3)
    code, said = golang.run("up")
    run.join(30)

    assert (code, said) in {
        (0, "no change"),
        (1, "error: Dirty database version 2. Fix and force version."),
    }
    assert site.ledger() == [(3, False)]
    assert site.history() == [(number, "up", "done") for number in (1, 2, 3)]
