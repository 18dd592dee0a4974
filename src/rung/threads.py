"""
Work beside an event loop, in a thread of its own.

Not in the loop's own threads: these are waited for when a process ends, and a server that has
fallen silent may keep one for ever. Whoever has to see the work's end waits for it.
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
    Begin some work; call it where a loop runs.

    The future is done when the work is. Cancelling it leaves the work alone, and so does the
    end of the process.
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
    except BaseException as error:  # noqa: BLE001 - it is raised where the work is waited for
        done.set_exception(error)
    else:
        done.set_result(result)
