"""
The service as an orchestrator runs it: so many replicas of a build, replaced one by one.

A new replica is started first, and takes requests once it is ready; only then does an old one
lose them, and is asked to end (maxSurge 1, maxUnavailable 0). One that dies is started again.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from bench.rolling.replicas import LOOK_AGAIN_S, Endpoints, Replica, start

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.rolling.builds import Build

_DRAIN_S = 0.5
"""From the last request that is sent to a replica to its SIGTERM: a `preStop` pause."""


class DeploymentStopped(Exception):
    """A new replica's migration failed, or it was not ready in time; the old ones serve on."""


class Service:
    """
    The replicas that serve.

    Args:
        settings: the environment of each.
        log: a file for their output.
    """

    def __init__(self, settings: Mapping[str, str], log: Path) -> None:
        self._settings, self._log = dict(settings), log
        self.endpoints = Endpoints()
        self.serving: list[Replica] = []
        self.surging: Replica | None = None
        """The one that was started last, until it is ready."""

    async def begin(self, build: Build, replicas: int, patience: float = 60) -> None:
        """Start all at once, as on an empty database, and wait until each is ready."""
        started = [await start(build, self._settings, self._log) for _ in range(replicas)]
        async with asyncio.timeout(patience):
            for replica in started:
                await replica.until("current")
        for replica in started:
            self._take_in(replica)

    async def deploy(self, build: Build, patience: float) -> None:
        """
        Put a build in place of what serves, replica by replica.

        Args:
            build: what is deployed.
            patience: seconds that a replica may take to be ready.

        Raises:
            DeploymentStopped: one was not ready by then, or said that its migration failed.
        """
        for old in tuple(self.serving):
            self._take_in(await self._surge(build, patience))
            await self._let_go(old)

    async def end(self) -> None:
        """Ask all of them to end."""
        for replica in tuple(self.serving):
            await self._let_go(replica)

    async def _surge(self, build: Build, patience: float) -> Replica:
        """Start one, again where it dies, until it is ready."""
        end = time.monotonic() + patience
        self.surging = await start(build, self._settings, self._log)
        while not (said := await self.surging.ready()).ready:
            if said.state == "failed" or time.monotonic() > end:
                await self.surging.stop()
                raise DeploymentStopped(f"{said.state}: {said.reason}")
            await asyncio.sleep(LOOK_AGAIN_S)
            if not self.surging.lives:
                self.surging = await start(build, self._settings, self._log)
        new, self.surging = self.surging, None
        return new

    def _take_in(self, replica: Replica) -> None:
        self.serving.append(replica)
        self.endpoints.add(replica)

    async def _let_go(self, replica: Replica) -> None:
        self.serving.remove(replica)
        self.endpoints.remove(replica)
        await asyncio.sleep(_DRAIN_S)
        await replica.stop()
