"""
Run blocking work in a daemon thread, awaitable from an event loop.

The loop's own executor is not used: the end of a process waits for its threads, and a silent
server can block one for ever. A caller that needs the work's result awaits it.
"""

from __future__ import annotations

import contextvars
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from concurrent.futures import Future

T = TypeVar("T")


def run_in_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    """
    Start work in a thread; an event loop must be running.

    Returns:
        A future with the work's result or exception. Cancelling it does not stop the work, and
        the end of the process does not wait for it.
    """
    import asyncio
    from concurrent.futures import Future

    done: Future[T] = Future()
    done.set_running_or_notify_cancel()
    run = contextvars.copy_context().run
    threading.Thread(target=run, args=(_work, work, done), name="rung", daemon=True).start()
    return asyncio.wrap_future(done)


def _work(work: Callable[[], T], done: Future[T]) -> None:
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - raised where the work is awaited
        done.set_exception(error)
    else:
        done.set_result(result)
