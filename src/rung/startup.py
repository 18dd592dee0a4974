"""
What a service calls when it starts: one function, and its async variant.

Both run the same code: the async variant runs it in its own thread, and never blocks the event
loop.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rung.cancellation import CancelToken
from rung.events import ignore
from rung.migrator import Migrator

if TYPE_CHECKING:
    import os
    from asyncio import Future
    from collections.abc import Sequence

    from rung.database import Database
    from rung.events import Listener
    from rung.execution.outcomes import RunReport
    from rung.planning.plan import IfAhead


def run_migrations(  # noqa: PLR0913 - the ways of a run, each named where it is given
    database: str | Database,
    source: str | os.PathLike[str],
    *,
    listener: Listener = ignore,
    stop: CancelToken | None = None,
    wait_for_lock: float | None = None,
    lock_timeout: float | None = None,
    lock_retry_for: float | None = 600.0,
    cancel_blockers: Sequence[str] = (),
    allow_out_of_order: Sequence[int] = (),
    if_ahead: IfAhead = "compatible",
) -> RunReport:
    """
    Apply every pending migration; safe to call again, and from many processes at once.

    Args:
        database: its URL, or a `Database`.
        source: a folder, or `package:NAME`.
        listener: called with every `rung.events` record, in the thread that runs.
        stop: ends the run after the current migration when set, cancels when set twice.
        wait_for_lock: seconds to wait for another run's lock; None waits until it is free.
        lock_timeout: seconds that a statement of a file waits for a lock, 0 for no limit; None is
            0.2, or what the URL sets.
        lock_retry_for: seconds for which a transaction is retried after a lock timeout, with
            pauses; None for ever.
        cancel_blockers: the names of applications whose queries may be cancelled where they block
            a migration.
        allow_out_of_order: out-of-order versions that may run after newer ones.
        if_ahead: how to treat a database that is ahead of the files: see
            `rung.planning.plan.IfAhead`.

    Raises:
        RungError: see `rung.errors`; a RunError carries how far the run got.
    """
    migrator = Migrator(
        database,
        source,
        listener=listener,
        stop=stop,
        wait_for_lock=wait_for_lock,
        lock_timeout=lock_timeout,
        lock_retry_for=lock_retry_for,
        cancel_blockers=cancel_blockers,
    )
    return migrator.up(allow_out_of_order=allow_out_of_order, if_ahead=if_ahead)


async def run_migrations_async(  # noqa: PLR0913 - likewise
    database: str | Database,
    source: str | os.PathLike[str],
    *,
    listener: Listener = ignore,
    stop: CancelToken | None = None,
    wait_for_lock: float | None = None,
    lock_timeout: float | None = None,
    lock_retry_for: float | None = 600.0,
    cancel_blockers: Sequence[str] = (),
    allow_out_of_order: Sequence[int] = (),
    if_ahead: IfAhead = "compatible",
) -> RunReport:
    """
    Apply every pending migration from an event loop; see `run_migrations`.

    If its task is cancelled, the run stops after the current migration, and then the cancellation
    is raised; if it is cancelled again, the migration is cancelled on the server. The listener is
    called in the run's own thread.
    """
    import asyncio

    stop = stop or CancelToken()
    work = partial(
        run_migrations,
        database,
        source,
        listener=listener,
        stop=stop,
        wait_for_lock=wait_for_lock,
        lock_timeout=lock_timeout,
        lock_retry_for=lock_retry_for,
        cancel_blockers=cancel_blockers,
        allow_out_of_order=allow_out_of_order,
        if_ahead=if_ahead,
    )
    return await _finish(asyncio.ensure_future(asyncio.to_thread(work)), stop)


async def _finish(run: Future[RunReport], stop: CancelToken) -> RunReport:
    """Wait until the run ends, even if our task is cancelled meanwhile."""
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
