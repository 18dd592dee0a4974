"""Asking a run to stop: once after the migration, twice at once; from threads and event loops."""

from __future__ import annotations

import asyncio
import time
from threading import Thread, Timer
from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing, wait_for

from rung import run_migrations, run_migrations_async
from rung.cancellation import CancelToken
from rung.errors import DirtyLedger, MigrationFailed, Stopped
from rung.events import Notice, StepFinished, StepStarted, UnitFinished

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site

    from rung.events import Event


def _stop_at(site: Site, stop: CancelToken, version: int, times: int) -> None:
    """Set the stop so often soon after a version has begun."""

    def listener(event: Event) -> None:
        site.events.append(event)
        if isinstance(event, StepStarted) and event.version == version:
            for number in range(times):
                Timer(0.15 + number * 0.05, stop.set).start()

    site.migrator(stop=stop, listener=listener).up()


def test_once_ends_after_the_current_migration(site: Site) -> None:
    """The running migration is completed and stays, and the remaining ones are named."""
    site.add_tables(1).add("2_b", "CREATE TABLE b (); SELECT pg_sleep(0.4);").add_tables(3, 4)
    error = failing(Stopped, lambda: _stop_at(site, CancelToken(), 2, 1))

    assert (error.applied, error.remaining) == ((1, 2), (3, 4))
    assert "clean at version 2" in error.now
    assert (site.ledger(), site.tables()) == ([(2, False)], {"t1", "b"})
    assert site.up() == (3, 4)


def test_once_in_the_last_migration_is_too_late(site: Site) -> None:
    """A stop during the last migration changes nothing: all was done."""
    site.add("1_a", "SELECT pg_sleep(0.3);")
    _stop_at(site, CancelToken(), 1, 1)

    assert site.ledger() == [(1, False)]


def test_before_it_begins(site: Site) -> None:
    """A run that was stopped before it has read the database runs nothing, and lists nothing."""
    stop = CancelToken()
    stop.set()
    error = failing(Stopped, site.add_tables(1, 2).migrator(stop=stop).up)

    assert (error.applied, error.remaining) == ((), ())
    assert site.tables() == set()


def test_twice_cancels_on_the_server(site: Site) -> None:
    """The migration under way is cancelled and rolled back, clean, with its attempt recorded."""
    site.add_tables(1).add("2_b", "CREATE TABLE b (); SELECT pg_sleep(30);").add_tables(3)
    began = time.monotonic()
    error = failing(Stopped, lambda: _stop_at(site, CancelToken(), 2, 2))

    assert time.monotonic() - began < 5
    assert error.applied == (1,)
    assert "clean at version 1" in error.now
    assert set(error.remaining) >= {2}
    assert (site.ledger(), site.tables()) == ([(1, False)], {"t1"})
    assert site.history() == [(1, "up", "done"), (2, "up", "failed")]


def test_twice_in_a_later_unit_is_dirty(site: Site) -> None:
    """A cancelled unit behind committed ones leaves dirty, with true counts."""
    site.add("1_a", "CREATE TABLE a ();\nVACUUM;\nSELECT pg_sleep(30);")
    error = failing(Stopped, lambda: _stop_at(site, CancelToken(), 1, 2))

    assert "dirty at version 1" in error.now
    assert "rung up --resume" in error.hint
    assert site.progress() == [("failed", 2, 3, None)]
    assert "; 2 of 3 statements are committed" in site.up_fails(DirtyLedger).detail


def test_a_cancel_does_not_reach_our_own_writes(site: Site) -> None:
    """What records the end of a cancelled run is not cancelled, though it has to wait."""
    site.add_tables(1).up()
    site.add("2_b", "SELECT pg_sleep(30);\nVACUUM;")
    with site.database.connect() as blocker, blocker.transaction():

        def listener(event: Event) -> None:
            if isinstance(event, StepStarted):
                Timer(0.2, block).start()

        def block() -> None:
            blocker.execute("LOCK TABLE schema_migrations_history IN SHARE MODE")
            stop.set()
            stop.set()

        stop, errors = CancelToken(), []
        run = Thread(
            target=lambda: errors.append(
                failing(Stopped, site.migrator(stop=stop, listener=listener).up)
            )
        )
        run.start()
        time.sleep(1.0)
    run.join(10)

    assert "clean at version 1" in errors[0].now
    assert site.ledger() == [(1, False)]
    assert site.progress()[-1] == ("failed", 0, 2, None)


def test_a_statement_timeout_is_no_stop(site: Site) -> None:
    """A cancel that nobody asked for is a failure of the migration."""
    error = site.add("1_a", "SET statement_timeout = '50ms'; SELECT pg_sleep(5);").up_fails(
        MigrationFailed
    )

    assert error.server.sqlstate == "57014"


def test_an_error_of_the_listener_ends_the_run_behind_the_migration(site: Site) -> None:
    """A listener that raises ends the run, and what was under way is kept whole."""

    def listener(event: Event) -> None:
        if isinstance(event, StepFinished):
            raise ZeroDivisionError

    site.add_tables(1, 2)
    with pytest.raises(ZeroDivisionError):
        site.migrator(listener=listener).up()
    assert (site.ledger(), site.tables()) == ([(1, False)], {"t1"})
    assert site.up() == (2,)


def test_an_error_of_the_listener_leaves_no_file_half_done(site: Site) -> None:
    """A listener that raises between two units of a file ends the run after that file."""

    def listener(event: Event) -> None:
        if isinstance(event, UnitFinished | Notice):
            raise ZeroDivisionError

    notice = "DO $$ BEGIN RAISE NOTICE 'x'; END $$;"
    site.add("1_a", f"CREATE TABLE a ();\nVACUUM;\n{notice}\nCREATE TABLE b ();").add_tables(2)
    with pytest.raises(ZeroDivisionError):
        site.migrator(listener=listener).up()
    assert (site.ledger(), site.tables()) == ([(1, False)], {"a", "b"})


# --- the async twin ----------------------------------------------------------------------


async def _up_async(site: Site) -> tuple[int, ...]:
    report = await run_migrations_async(
        site.database.conninfo, site.folder, listener=site.events.append
    )
    return tuple(step.version for step in report.steps)


def test_the_twin_does_not_block_its_loop(site: Site) -> None:
    """While migrations run the event loop goes on."""
    site.add("1_a", "SELECT pg_sleep(0.5);")

    async def main() -> int:
        ticks = 0
        run = asyncio.create_task(_up_async(site))
        while not run.done():
            await asyncio.sleep(0.01)
            ticks += 1
        assert await run == (1,)
        return ticks

    assert asyncio.run(main()) > 15


def test_a_cancelled_task_waits_for_the_migration(site: Site) -> None:
    """Cancelling the task ends the run after the current migration, and waits for that."""
    site.add("1_a", "CREATE TABLE a (); SELECT pg_sleep(0.5);").add_tables(2)

    async def main() -> None:
        run = asyncio.create_task(_up_async(site))
        await asyncio.to_thread(wait_for, lambda: site.heard(StepStarted))
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert site.ledger() == [(1, False)]

    asyncio.run(main())
    assert site.tables() == {"a"}


def test_a_task_cancelled_twice_is_cancelled_on_the_server(site: Site) -> None:
    """The second cancellation ends the migration on the server, rolled back."""
    site.add_tables(1).add("2_b", "CREATE TABLE b (); SELECT pg_sleep(30);")

    async def main() -> None:
        run = asyncio.create_task(_up_async(site))
        await asyncio.to_thread(wait_for, lambda: len(site.heard(StepStarted)) == 2)
        run.cancel()
        await asyncio.sleep(0.2)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    began = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - began < 5
    assert (site.ledger(), site.tables()) == ([(1, False)], {"t1"})


def test_the_twin_under_a_timeout(site: Site) -> None:
    """asyncio.timeout ends in TimeoutError once the migration under way is done."""
    site.add("1_a", "CREATE TABLE a (); SELECT pg_sleep(0.5);").add_tables(2)

    async def main() -> None:
        async with asyncio.timeout(None) as limit:
            run = asyncio.create_task(_up_async(site))
            await asyncio.to_thread(wait_for, lambda: site.heard(StepStarted))
            limit.reschedule(asyncio.get_running_loop().time() + 0.1)
            await run

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert site.ledger() == [(1, False)]


def test_the_twins_errors_are_the_same(site: Site) -> None:
    """What fails raises what the plain function raises."""
    site.add("1_a", "SELECT 1/0;")

    with pytest.raises(MigrationFailed):
        asyncio.run(_up_async(site))


def test_the_plain_function_inside_a_loop(site: Site) -> None:
    """`run_migrations` may be called where an event loop runs, too."""
    site.add_tables(1)

    async def main() -> int | None:
        return run_migrations(site.database.conninfo, site.folder).version

    assert asyncio.run(main()) == 1
