"""The deployments under load: a migration each, and what happens meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import psycopg

from bench.rolling.builds import NEWEST
from bench.rolling.replicas import POLL_INTERVAL_S

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from bench.rolling.service import Service

_BEFORE_IT_IS_KILLED_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One deployment."""

    name: str
    """Of the new build, and of its migration."""
    title: str
    up: str
    """The migration of the new build."""
    beside: Callable[[Service, str], Coroutine[None, None, None]] | None = None
    """Told the service and the database's URL; runs while it is deployed."""
    fails: bool = False
    """Whether the deployment has to stop, and the old build to serve on."""
    patience: float = 90.0
    """Seconds that a new replica may take to be ready."""


def acts(seconds: float) -> tuple[Act, ...]:
    """
    Return every kind of deployment.

    Args:
        seconds: the duration of a long migration and of a reader's lock.
    """
    return (
        _act("pinned", "a new column"),
        _indexed(),
        _act("slow", f"takes {seconds:.0f} s", f"SELECT pg_sleep({seconds});"),
        replace(_act("failing", "fails", "SELECT 1 / 0;"), fails=True),
        replace(_act("blocked", f"its lock is held for {seconds:.0f} s"), beside=_reading(seconds)),
        replace(_act("killed", "its replica is killed", "SELECT pg_sleep(4);"), beside=_kill),
    )


def _act(name: str, title: str, before: str = "") -> Act:
    """Add a column with a default: the file declares that the first build works with it."""
    column = f"ALTER TABLE messages ADD COLUMN {name} boolean NOT NULL DEFAULT false;"
    lines = (f"-- rung: compatible-with {NEWEST}", before, column)
    return Act(name=name, title=title, up="\n".join(filter(None, lines)))


def _indexed() -> Act:
    """Build an index of messages concurrently, as the only statement of its file."""
    lines = (
        f"-- rung: compatible-with {NEWEST}",
        "CREATE INDEX CONCURRENTLY messages_created_at_idx ON messages (created_at);",
    )
    return Act(name="indexed", title="an index, built concurrently", up="\n".join(lines))


def _reading(seconds: float) -> Callable[[Service, str], Coroutine[None, None, None]]:
    """Lock the table that is migrated, as a long report does."""

    async def read(service: Service, url: str) -> None:
        del service
        async with await psycopg.AsyncConnection.connect(url, application_name="report") as reader:
            await reader.execute("SELECT count(*) FROM messages")
            await asyncio.sleep(seconds)

    return read


async def _kill(service: Service, url: str) -> None:
    """Kill the first new replica during its migration."""
    del url
    while service.surging is None:  # noqa: ASYNC110 - it begins within a moment
        await asyncio.sleep(POLL_INTERVAL_S)
    doomed = service.surging
    await doomed.until("migrating")
    await asyncio.sleep(_BEFORE_IT_IS_KILLED_S)
    await doomed.kill()
