"""
What a service calls when it starts: one function, and its async twin.

One engine, not two: the twin runs the same code in a thread of its own and never blocks the
event loop.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rung.events import ignore
from rung.migrator import Migrator
from rung.stopping import Stop

if TYPE_CHECKING:
    import os
    from asyncio import Future

    from rung.events import Listener
    from rung.runner import RunReport


def run_migrations(
    database: str,
    source: str | os.PathLike[str],
    *,
    listener: Listener = ignore,
    stop: Stop | None = None,
    wait_for_lock: float | None = None,
) -> RunReport:
    """
    Apply every pending migration; safe to call again, and from many processes at once.

    Args:
        database: a URL, or a libpq keyword string.
        source: a folder, or `package:NAME`.
        listener: told of every `rung.events` record, in the thread that runs.
        stop: ends the run after the current migration when set, cancels when set twice.
        wait_for_lock: seconds to wait for another run; None waits as long as it lives.

    Raises:
        RungError: see `rung.errors`; a RunError carries how far the run got.
    """
    migrator = Migrator(database, source, listener=listener, stop=stop, wait_for_lock=wait_for_lock)
    return migrator.up()


async def run_migrations_async(
    database: str,
    source: str | os.PathLike[str],
    *,
    listener: Listener = ignore,
    stop: Stop | None = None,
    wait_for_lock: float | None = None,
) -> RunReport:
    """
    The same from an event loop.

    Where its task is cancelled, the run is asked to stop after the current migration, and
    the cancellation is passed on when it has; cancelled again, the migration is cancelled on
    the server. The listener is called in the run's own thread.
    """
    import asyncio

    stop = stop or Stop()
    work = partial(
        run_migrations,
        database,
        source,
        listener=listener,
        stop=stop,
        wait_for_lock=wait_for_lock,
    )
    return await _finish(asyncio.ensure_future(asyncio.to_thread(work)), stop)


async def _finish(run: Future[RunReport], stop: Stop) -> RunReport:
    """Wait for the run's end, whatever becomes of our task meanwhile."""
    import asyncio

    cancelled: asyncio.CancelledError | None = None
    while not run.done():
        try:
            await asyncio.wait({run})
        except asyncio.CancelledError as error:
            cancelled = error
            stop.set()
    if cancelled is not None:
        run.exception()
        raise cancelled
    return run.result()
