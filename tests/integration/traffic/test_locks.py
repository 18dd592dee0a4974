"""A migration waits for a lock so long and no longer, comes back for it, and says who has it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import psycopg
import pytest
from tests.integration.engine.sites import failing, wait_for

from rung import Migrator
from rung.cancellation import CancelToken
from rung.database import Database
from rung.errors import MigrationFailed, Stopped, UsageError
from rung.events import BlockerCancelled, BuildProgress, LockAwaited, LockRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.engine.sites import Site

_FILES = {
    "transactional": "CREATE TABLE a ();\nALTER TABLE t ADD COLUMN c int;",
    "own": "BEGIN;\nCREATE TABLE a ();\nALTER TABLE t ADD COLUMN c int;\nCOMMIT;",
    "units": "CREATE TABLE a ();\nBEGIN;\nALTER TABLE t ADD COLUMN c int;\nCOMMIT;",
    "alone": "CREATE TABLE a ();\nVACUUM FULL t;",
}


@pytest.fixture
def web(site: Site) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Keep a reader in its transaction, as the application web."""
    with psycopg.connect(site.database.conninfo, application_name="web") as connection:
        connection.execute("SELECT * FROM t")
        yield connection


def _release(site: Site, web: psycopg.Connection[tuple[object, ...]]) -> None:
    """Let the reader end as soon as it was in the way."""
    wait_for(lambda: site.heard(LockRefused) or site.heard(LockAwaited))
    web.rollback()


@pytest.mark.parametrize("form", _FILES)
def test_it_is_tried_again(
    site: Site, web: psycopg.Connection[tuple[object, ...]], form: str
) -> None:
    """Whole, until it is had; nothing of it runs twice, and the first refusal names the holder."""
    site.add("2_c", _FILES[form])
    release = threading.Thread(target=_release, args=(site, web))
    release.start()

    assert site.up() == (2,)
    release.join()
    first = site.heard(LockRefused)[0]
    assert (first.version, first.tries, first.limit) == (2, 1, 0.2)
    assert [(one.application, one.state) for one in first.blockers] == [
        ("web", "idle in transaction")
    ]
    assert (site.ledger(), site.history()[-1]) == ([(2, False)], (2, "up", "done"))


def test_who_waits_behind_us_is_named(
    site: Site, web: psycopg.Connection[tuple[object, ...]]
) -> None:
    """The limit exists for these statements."""
    behind = threading.Thread(target=_read_until_told, args=(site,))
    behind.start()
    migrator = site.migrator(lock_timeout=0.5, lock_retry_for=30)
    run = threading.Thread(target=migrator.up)
    run.start()

    assert wait_for(lambda: any(event.queued for event in site.heard(LockRefused)), 20)
    web.rollback()
    run.join()
    behind.join()
    queued = next(event.queued for event in site.heard(LockRefused) if event.queued)
    assert {one.application for one in queued} == {"api"}


def _read_until_told(site: Site) -> None:
    with site.database.connect(application_name="api") as connection:
        while not any(event.queued for event in site.heard(LockRefused)):
            connection.execute("SELECT * FROM t")
            time.sleep(0.01)


def test_a_lock_that_is_not_to_be_had(
    site: Site, web: psycopg.Connection[tuple[object, ...]]
) -> None:
    """The error says who held it; the database is clean, and the attempt is recorded once."""
    error = failing(MigrationFailed, site.migrator(lock_retry_for=1.6).up)

    assert web.info.backend_pid
    assert f"Blocked by process {web.info.backend_pid}" in error.locked[0]
    assert error.locked[-1].startswith("It was tried 2 times within 1.")
    assert (site.ledger(), site.history()[-1]) == ([(1, False)], (2, "up", "failed"))


def test_without_a_limit_it_waits(site: Site, web: psycopg.Connection[tuple[object, ...]]) -> None:
    """It waits without a limit; the lock holder is reported after a second."""
    release = threading.Thread(target=_release, args=(site, web))
    release.start()
    site.migrator(lock_timeout=0).up()
    release.join()

    assert site.heard(LockRefused) == []
    assert [one.application for one in site.heard(LockAwaited)[0].blockers] == ["web"]


@pytest.mark.parametrize(
    "file",
    ["RESET ALL;\n{}", "BEGIN;\nRESET ALL;\n{}\nCOMMIT;", "VACUUM t;\nBEGIN;RESET ALL;{}END;"],
)
def test_a_reset_takes_no_limit_away(
    site: Site, web: psycopg.Connection[tuple[object, ...]], file: str
) -> None:
    """After RESET ALL in a file later statements wait in the queue no longer than before."""
    site.add(
        "2_c", file.format("SET LOCAL statement_timeout = '5s'; ALTER TABLE t ADD COLUMN c int;")
    )
    error = failing(MigrationFailed, site.migrator(lock_retry_for=0).up)

    assert web.info.backend_pid
    assert error.server.sqlstate == "55P03"


def test_a_password_that_is_not_to_be_had_twice(
    site: Site, web: psycopg.Connection[tuple[object, ...]]
) -> None:
    """The second connection is not needed: what its password function raises stops nothing."""
    tokens = iter([""])
    database = Database(site.database.url, password=lambda: next(tokens))
    migrator = Migrator(database, site.folder, lock_retry_for=0)
    error = failing(MigrationFailed, migrator.up)

    assert web.info.backend_pid
    assert error.server.sqlstate == "55P03"


@pytest.mark.parametrize("names", [[""], ["web", " "], "web"])
def test_nobody_is_cancelled_for_an_empty_name(names: list[str]) -> None:
    """A variable that was not set names everybody who has no name."""
    with pytest.raises(UsageError, match="application"):
        Migrator("postgresql:///chat", "", cancel_blockers=names)


@pytest.mark.parametrize("own", ["SET lock_timeout = '5s';", "SET LOCAL lock_timeout = '5s';"])
def test_a_files_own_limit_prevails(
    site: Site, web: psycopg.Connection[tuple[object, ...]], own: str
) -> None:
    """Its author chose: it is not refused after 200 ms."""
    site.add("2_c", f"{own}\nALTER TABLE t ADD COLUMN c int;")
    release = threading.Timer(1.0, web.rollback)
    release.start()

    assert site.up() == (2,)
    assert site.heard(LockRefused) == []


def test_a_concurrent_build_waits(site: Site, web: psycopg.Connection[tuple[object, ...]]) -> None:
    """It blocks nobody, so it has no limit; the lock holder is reported, and the index is valid."""
    web.execute("INSERT INTO t VALUES (1, 1)")
    site.add("2_c", "CREATE INDEX CONCURRENTLY i ON t (v);")
    release = threading.Thread(target=_release, args=(site, web))
    release.start()
    site.migrator(f"{site.database.url}&lock_timeout=100").up()
    release.join()

    assert site.heard(LockAwaited)[0].blockers[0].pid == web.info.backend_pid
    assert site.heard(BuildProgress)[0].phase.startswith("waiting for")
    assert site.ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") == [(True,)]


def test_a_named_applications_query_is_cancelled(site: Site) -> None:
    """Its connection stays; others' queries are left alone."""
    with psycopg.connect(site.database.conninfo, application_name="report") as report:
        failed = _in_background(report, "SELECT pg_sleep(30) FROM (SELECT count(*) FROM t) AS one")
        site.migrator(lock_timeout=1, cancel_blockers=["report"]).up()
        failed.join()

        assert [event.refused for event in site.heard(BlockerCancelled)] == [""]
        report.rollback()
        assert report.execute("SELECT 1").fetchone() == (1,)


def _in_background(
    connection: psycopg.Connection[tuple[object, ...]], sql: str
) -> threading.Thread:
    def work() -> None:
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute(sql.encode())

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.3)
    return thread


def test_who_is_idle_cannot_be_cancelled(
    site: Site, web: psycopg.Connection[tuple[object, ...]]
) -> None:
    """That is said once, with what would end it; it is not done."""
    migrator = site.migrator(lock_retry_for=1.6, cancel_blockers=["web"])
    failing(MigrationFailed, migrator.up)

    (event,) = site.heard(BlockerCancelled)
    assert f"pg_terminate_backend({web.info.backend_pid})" in event.refused
    assert web.execute("SELECT 1").fetchone() == (1,)


def test_a_pause_ends_with_a_stop(site: Site, web: psycopg.Connection[tuple[object, ...]]) -> None:
    """At once, and clean."""
    stop = CancelToken()
    migrator = site.migrator(
        lock_timeout=4,
        stop=stop,
        listener=lambda event: stop.set() if isinstance(event, LockRefused) else None,
    )
    began = time.monotonic()
    with pytest.raises(Exception, match="stopped on request"):
        migrator.up()

    assert web.info.backend_pid
    assert time.monotonic() - began < 15
    assert site.ledger() == [(1, False)]


def test_a_ledger_that_is_locked_by_hand(site: Site) -> None:
    """Its row is waited for as a table is, before a file's first unit; who holds it is named."""
    site.add("2_c", "VACUUM t;")
    with psycopg.connect(site.database.conninfo, application_name="psql") as hand:
        hand.execute("SET idle_in_transaction_session_timeout = '9s'")
        hand.execute("UPDATE schema_migrations SET dirty = dirty")
        error = failing(MigrationFailed, site.migrator(lock_retry_for=0).up)

    assert '(user "postgres", application "psql")' in error.detail
    assert (site.ledger(), site.history()[-1][2]) == ([(1, False)], "done")


def test_a_stop_is_heard_where_the_ledger_is_locked(site: Site) -> None:
    """Nothing of the file has begun, so nothing has to be waited for."""
    site.add("2_c", "VACUUM t;")
    stop = CancelToken()
    with psycopg.connect(site.database.conninfo) as hand:
        hand.execute("SET idle_in_transaction_session_timeout = '9s'")
        hand.execute("UPDATE schema_migrations SET dirty = dirty")
        threading.Timer(0.5, stop.set_with_grace, [0.1]).start()
        failing(Stopped, site.migrator(stop=stop, lock_timeout=60).up)
        hand.rollback()

    assert site.ledger() == [(1, False)]


def test_quick_files_open_no_second_connection(site: Site) -> None:
    """The look at who blocks costs nothing where nobody does."""
    before = site.ask("SELECT sessions FROM pg_stat_database WHERE datname = current_database()")
    site.up()
    wait_for(lambda: False, 0.5)
    after = site.ask("SELECT sessions FROM pg_stat_database WHERE datname = current_database()")

    assert after[0][0] - before[0][0] <= 2  # the run's one, and the first question's own
