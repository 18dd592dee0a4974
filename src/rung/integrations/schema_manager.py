"""
Brings a database to the version that a service needs, beside the service's event loop.

Owns when to look, when to run, what a database that is ahead means for this build, and when
to give up waiting at the end. Once ready it stays so: a newer release migrates while this one
goes on serving, and that must not take this one out of service. Knows no web framework.
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
    log_crash,
    log_event,
    log_failure,
    log_let_go,
    log_readiness,
)
from rung.integrations.readiness import STARTING, Readiness, of_error, pause_after
from rung.migrator import Migrator
from rung.planning.plan import Up
from rung.script.created_names import used_by
from rung.startup import run_migrations
from rung.threads import run_in_thread

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Iterable

    from rung.events import Event, Listener
    from rung.execution.report import RunReport
    from rung.planning.plan import IfAhead

Policy = Literal["apply", "check", "require", "ignore"]
"""
What to do about pending migrations.

apply: run them. check: stay unready until somebody else has. require: look once before
serving, and raise where the database is not ready. ignore: do not look at all.
"""

_LET_GO = 5.0
"""Seconds that a cancelled migration is given, before its server counts as gone."""
_UNCHECKED = Readiness(
    ready=True, state="unchecked", reason=("the schema's version is not checked")
)


class SchemaManager:
    """
    What keeps a service's schema, for as long as `running` lasts.

    Args:
        database: its URL, or a `Database`.
        source: a folder, or `package:NAME`.
        policy: what to do about pending migrations.
        if_ahead: what to do on a database that is ahead of the files. compatible: serve where
            its migrations say that they suit this build (`-- rung: compatible-with N`). ok:
            serve on any. fail: on none.
        compatible_up_to: serve on one that is ahead, up to this version: the newest that is
            known to suit this build.
        look_again: seconds, the longest pause between two looks while not ready.
        needs: SQL statements that the service uses. Where versions count as applied that no run
            of Rung's applied (another tool's, or a ledger written by hand), it is not ready as
            long as the database lacks a name that their files make and these statements use.
        grace: seconds that a migration under way is given at shutdown, before it is cancelled
            on the server and rolled back.
        listener: told of every `rung.events` record, in the thread that runs.

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
        look_again: float = 15.0,
        needs: Iterable[str] = (),
        grace: float = 20.0,
        listener: Listener = log_event,
    ) -> None:
        self._database, self._source = Database.of(database), source
        self._policy, self._if_ahead = policy, if_ahead
        self._compatible_up_to = compatible_up_to
        self._look_again, self._grace = look_again, grace
        self._listener, self._needs = listener, tuple(needs)
        self._migrator = Migrator(self._database, source, listener=self._hear)
        self._readiness = STARTING
        self._met: RungError | None = None
        """What the last attempt ended with."""
        self._stop = CancelToken()
        self._under_way: asyncio.Future[RunReport] | None = None

    @property
    def readiness(self) -> Readiness:
        """Where the service stands now."""
        return self._readiness

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """
        Bring the database to its version in the background, while the block goes on.

        Raises:
            RungError: policy "require", and the database is not ready.
        """
        self._readiness = STARTING
        if self._policy == "require":
            self._become(await self._required())
        if self._policy == "ignore":
            self._become(_UNCHECKED)
        task = asyncio.create_task(self._until_ready())
        try:
            yield
        finally:
            await self._end(task)

    async def _until_ready(self) -> None:
        times, before = 0, self._readiness.state
        while not self._readiness.ready:
            found = await self._attempt()
            times = times + 1 if found.state == before else 1
            before = found.state
            self._become(found)
            if not found.ready:
                pause = pause_after(found.state, times, self._look_again)
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - a jitter, no secret

    async def _attempt(self) -> Readiness:
        self._met = None
        try:
            return await (self._run() if self._policy == "apply" else self._look())
        except RungError as error:
            found = self._compatible(error) or of_error(error)
            self._met = None if found.ready else error
            return found
        except Exception as error:  # noqa: BLE001 - a service that waits for a person must not die of it
            log_crash(error)
            return Readiness(ready=False, state="failed", reason="unexpected error; see the log")

    async def _required(self) -> Readiness:
        try:
            found = await self._look()
        except RungError as error:
            compatible = self._compatible(error)
            if compatible is None:
                raise
            return compatible
        if not found.ready:
            await run_in_thread(
                partial(self._migrator.wait, "newest", 0.0)
            )  # raises, and says where
        return found

    async def _run(self) -> Readiness:
        self._stop = CancelToken()
        work = partial(
            run_migrations,
            self._database,
            self._source,
            listener=self._hear,
            stop=self._stop,
            if_ahead="fail",
        )
        self._under_way = run_in_thread(work)
        self._under_way.add_done_callback(_look_at)
        report = await asyncio.shield(self._under_way)
        return await self._with_all_it_needs(report.version, taken_over=report.taken_over)

    async def _look(self) -> Readiness:
        """Look without running; what a run would refuse is raised."""
        preview = await run_in_thread(partial(self._migrator.plan, Up(if_ahead="fail")))
        pending = [step.version for step in preview.plan.steps]
        if pending:
            said = ", ".join(map(str, pending))
            reason = f"pending, and not applied by this service: {said}"
            return Readiness(
                ready=False, state="behind", reason=reason, version=preview.plan.made_for.version
            )
        return await self._with_all_it_needs(preview.plan.target, taken_over=preview.taken_over)

    async def _with_all_it_needs(self, version: int | None, *, taken_over: bool) -> Readiness:
        """Ready; but not where a ledger that nobody's run proves is ahead of what we use."""
        if not (self._needs and taken_over):
            return _current(version)
        found = await run_in_thread(self._migrator.absent)
        used = used_by(found.names, self._needs)
        if not used:
            return _current(version)
        reason = (
            f"this service needs what does not exist: {replace(found, names=used)}. {found.advice}"
        )
        return Readiness(ready=False, state="incomplete", reason=reason, version=version)

    def _compatible(self, error: RungError) -> Readiness | None:
        """Whether an error is no more than a newer release having been here."""
        if not (isinstance(error, MissingMigrationFile) and error.ahead):
            return None
        known = self._compatible_up_to is not None and error.version <= self._compatible_up_to
        suited = error.compatible and self._if_ahead == "compatible"
        if not (known or suited or self._if_ahead == "ok"):
            return None
        whose = "declared" if suited else "taken"
        reason = f"{error.cause}; it is {whose} compatible with this build"
        return Readiness(ready=True, state="ahead", reason=reason, version=error.version)

    def _hear(self, event: Event) -> None:
        """Pass an event on, and let a probe see what keeps us. Called in the run's thread."""
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
                said = in_words(_without_queries(event))
                self._readiness = Readiness(ready=False, state="migrating", reason=said)
        self._listener(event)

    def _become(self, found: Readiness) -> None:
        changed = found[:3] != self._readiness[:3]
        self._readiness = found
        if changed and self._met is not None:
            log_failure(found, self._met)
        elif changed:
            log_readiness(found)

    async def _end(self, task: asyncio.Task[None]) -> None:
        """Ask a run under way to stop after its migration; later, to cancel that; then let go."""
        task.cancel()
        await asyncio.wait({task})
        for seconds in (self._grace, _LET_GO):
            if self._under_way is not None and not self._under_way.done():
                self._stop.set()
                await asyncio.wait({self._under_way}, timeout=seconds)
        if self._under_way is not None and not self._under_way.done():
            log_let_go()


def _without_queries(event: LockRefused | LockAwaited) -> LockRefused | LockAwaited:
    """Leave out what others run: a log may have it, a probe is answered to anybody."""
    blockers = tuple(blocker._replace(query="") for blocker in event.blockers)
    return event._replace(blockers=blockers)


def _look_at(run: asyncio.Future[RunReport]) -> None:
    """Take a run's error to notice, so that asyncio does not tell of one that nobody awaits."""
    if not run.cancelled():
        run.exception()


def _current(version: int | None) -> Readiness:
    at = "no version" if version is None else f"version {version}"
    return Readiness(
        ready=True, state="current", reason=f"the database is at {at}", version=version
    )
