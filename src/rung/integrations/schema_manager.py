"""
Bring a database to the version that a service needs, without blocking its event loop.

Owns when to inspect and when to run, what a database ahead of its files means for this build, and
how long to wait at shutdown. Once ready, a service stays ready: a newer release migrates while
this one serves, and that must not take this one out of service. Uses no web framework.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from rung.cancellation import CancelToken
from rung.database import Database
from rung.errors import MissingMigrationFile, RungError
from rung.events import LockAwaited, LockRefused, LockWaiting, StepStarted
from rung.integrations.log_events import (
    in_words,
    log_abandoned_run,
    log_crash,
    log_event,
    log_failure,
    log_readiness,
)
from rung.integrations.readiness import STARTING, Readiness, pause_after, readiness_of_error
from rung.migrator import Migrator
from rung.planning.plan import Up
from rung.script.created_names import used_by
from rung.startup import run_migrations
from rung.threads import run_in_thread

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Iterable

    from rung.events import Event, Listener
    from rung.execution.outcomes import RunReport
    from rung.planning.plan import IfAhead

Policy = Literal["apply", "check", "require", "ignore"]
"""
What to do about pending migrations.

apply: run them. check: stay unready until another process has applied them. require: check once
before serving, and raise if the database is not ready. ignore: check nothing.
"""

_CANCEL_TIMEOUT = 5.0
"""Seconds to wait for the end of a cancelled migration, before its server counts as lost."""
_UNCHECKED = Readiness(
    ready=True, state="unchecked", reason=("the schema's version is not checked")
)


class SchemaManager:
    """
    Keep the schema of a service up to date while `running` lasts.

    Args:
        database: its URL, or a `Database`.
        source: a folder, or `package:NAME`.
        policy: what to do about pending migrations.
        if_ahead: what to do on a database that is ahead of the files. compatible: serve if its
            migrations declare that this build works with them (`-- rung: compatible-with N`).
            ok: serve on any. fail: on none.
        compatible_up_to: serve on a database that is ahead, up to this version: the newest with
            which this build is known to work.
        check_interval: seconds, the longest pause between two checks while not ready.
        needs: SQL statements that the service uses. Where versions count as applied that no run
            of Rung applied (another tool's, or a ledger written by hand), it is not ready while
            the database lacks a name that the files create and these statements use.
        grace: seconds that a running migration has at shutdown before it is cancelled on the
            server and rolled back.
        listener: called with every `rung.events` record, in the thread of the run.

    Raises:
        UsageError, DatabaseError: the database's URL cannot be used.
    """

    def __init__(  # noqa: PLR0913 - settings, each named where it is given
        self,
        database: str | Database,
        source: str | os.PathLike[str],
        *,
        policy: Policy = "apply",
        if_ahead: IfAhead = "compatible",
        compatible_up_to: int | None = None,
        check_interval: float = 15.0,
        needs: Iterable[str] = (),
        grace: float = 20.0,
        listener: Listener = log_event,
    ) -> None:
        self._database, self._source = Database.of(database), source
        self._policy, self._if_ahead = policy, if_ahead
        self._compatible_up_to = compatible_up_to
        self._check_interval, self._grace = check_interval, grace
        self._listener, self._needs = listener, tuple(needs)
        self._migrator = Migrator(self._database, source, listener=self._on_event)
        self._readiness = STARTING
        self._last_error: RungError | None = None
        """The error of the last attempt."""
        self._stop = CancelToken()
        self._run_future: asyncio.Future[RunReport] | None = None

    @property
    def readiness(self) -> Readiness:
        """Return the current readiness."""
        return self._readiness

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """
        Bring the database to its version in the background, for a `with` block.

        Raises:
            RungError: policy "require", and the database is not ready.
        """
        self._readiness = STARTING
        if self._policy == "require":
            self._set_readiness(await self._require())
        if self._policy == "ignore":
            self._set_readiness(_UNCHECKED)
        task = asyncio.create_task(self._until_ready())
        try:
            yield
        finally:
            await self._end(task)

    async def _until_ready(self) -> None:
        times, before = 0, self._readiness.state
        while not self._readiness.ready:
            readiness = await self._attempt()
            times = times + 1 if readiness.state == before else 1
            before = readiness.state
            self._set_readiness(readiness)
            if not readiness.ready:
                pause = pause_after(readiness.state, times, self._check_interval)
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - a jitter, no secret

    async def _attempt(self) -> Readiness:
        self._last_error = None
        try:
            return await (self._run() if self._policy == "apply" else self._check())
        except RungError as error:
            readiness = self._ahead_readiness(error) or readiness_of_error(error)
            self._last_error = None if readiness.ready else error
            return readiness
        except Exception as error:  # noqa: BLE001 - the service must stay alive
            log_crash(error)
            return Readiness(ready=False, state="failed", reason="unexpected error; see the log")

    async def _require(self) -> Readiness:
        try:
            readiness = await self._check()
        except RungError as error:
            compatible = self._ahead_readiness(error)
            if compatible is None:
                raise
            return compatible
        if not readiness.ready:
            await run_in_thread(
                partial(self._migrator.wait, "newest", 0.0)
            )  # raises, and says where
        return readiness

    async def _run(self) -> Readiness:
        self._stop = CancelToken()
        work = partial(
            run_migrations,
            self._database,
            self._source,
            listener=self._on_event,
            stop=self._stop,
            if_ahead="fail",
        )
        self._run_future = run_in_thread(work)
        self._run_future.add_done_callback(_retrieve_error)
        report = await asyncio.shield(self._run_future)
        return await self._check_needs(report.version, taken_over=report.taken_over)

    async def _check(self) -> Readiness:
        """Plan without running; raise what a run would raise."""
        preview = await run_in_thread(partial(self._migrator.plan, Up(if_ahead="fail")))
        pending = [step.version for step in preview.plan.steps]
        if pending:
            versions = ", ".join(map(str, pending))
            reason = f"pending, and not applied by this service: {versions}"
            return Readiness(
                ready=False, state="behind", reason=reason, version=preview.plan.made_for.version
            )
        return await self._check_needs(preview.plan.target, taken_over=preview.taken_over)

    async def _check_needs(self, version: int | None, *, taken_over: bool) -> Readiness:
        """Return ready, unless names of `needs` are missing below an unproved ledger."""
        if not (self._needs and taken_over):
            return _current(version)
        absent = await run_in_thread(self._migrator.absent)
        used = used_by(absent.names, self._needs)
        if not used:
            return _current(version)
        needed = replace(absent, names=used)
        reason = f"this service needs what does not exist: {needed}. {absent.advice}"
        return Readiness(ready=False, state="incomplete", reason=reason, version=version)

    def _ahead_readiness(self, error: RungError) -> Readiness | None:
        """Return ready if an error only means that a compatible newer release has migrated."""
        if not (isinstance(error, MissingMigrationFile) and error.ahead):
            return None
        is_known = self._compatible_up_to is not None and error.version <= self._compatible_up_to
        is_declared = error.compatible and self._if_ahead == "compatible"
        if not (is_known or is_declared or self._if_ahead == "ok"):
            return None
        whose = "declared" if is_declared else "taken"
        reason = f"{error.cause}; it is {whose} compatible with this build"
        return Readiness(ready=True, state="ahead", reason=reason, version=error.version)

    def _on_event(self, event: Event) -> None:
        """Forward an event, and show a probe why the service waits. Runs in the run's thread."""
        match event:
            case StepStarted():
                reason = (
                    f"version {event.version} {event.name} is running ({event.number} of "
                    f"{event.total})"
                )
                self._readiness = Readiness(ready=False, state="migrating", reason=reason)
            case LockWaiting():
                self._readiness = Readiness(ready=False, state="locked", reason=in_words(event))
            case LockRefused() | LockAwaited():
                # Anybody may read a probe, so the queries of other sessions are left out.
                blockers = tuple(blocker._replace(query="") for blocker in event.blockers)
                reason = in_words(event._replace(blockers=blockers))
                self._readiness = Readiness(ready=False, state="migrating", reason=reason)
        self._listener(event)

    def _set_readiness(self, readiness: Readiness) -> None:
        changed = readiness[:3] != self._readiness[:3]
        self._readiness = readiness
        if changed and self._last_error is not None:
            log_failure(readiness, self._last_error)
        elif changed:
            log_readiness(readiness)

    async def _end(self, task: asyncio.Task[None]) -> None:
        """Stop a run after its migration; after `grace` cancel it; then abandon it."""
        task.cancel()
        await asyncio.wait({task})
        for seconds in (self._grace, _CANCEL_TIMEOUT):
            if self._run_future is not None and not self._run_future.done():
                self._stop.set()
                await asyncio.wait({self._run_future}, timeout=seconds)
        if self._run_future is not None and not self._run_future.done():
            log_abandoned_run()


def _retrieve_error(run: asyncio.Future[RunReport]) -> None:
    """Retrieve a run's error, so that asyncio does not report it as never retrieved."""
    if not run.cancelled():
        run.exception()


def _current(version: int | None) -> Readiness:
    at = "no version" if version is None else f"version {version}"
    return Readiness(
        ready=True, state="current", reason=f"the database is at {at}", version=version
    )
