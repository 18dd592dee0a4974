"""
Run the service as an orchestrator does: several replicas of a build, replaced one by one.

A new replica starts first, and receives requests once it is ready; only then an old one receives no
more, and is stopped (maxSurge 1, maxUnavailable 0). A replica that dies is started again.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from bench.rolling.replicas import POLL_INTERVAL_S, Endpoints, Replica, start

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.rolling.builds import Build

_DRAIN_S = 0.5
"""From the last request that is sent to a replica to its SIGTERM: a `preStop` pause."""


class DeploymentStopped(Exception):
    """A new replica's migration failed, or it was not ready in time; the old ones still serve."""


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
        """Start all replicas at once, and wait until each is ready."""
        started = [await start(build, self._settings, self._log) for _ in range(replicas)]
        async with asyncio.timeout(patience):
            for replica in started:
                await replica.until("current")
        for replica in started:
            self._take_in(replica)

    async def deploy(self, build: Build, patience: float) -> None:
        """
        Replace the current build, replica by replica.

        Args:
            build: the new build.
            patience: seconds that a replica may take to be ready.

        Raises:
            DeploymentStopped: a replica was not ready in time, or reported a failed migration.
        """
        for old in tuple(self.serving):
            self._take_in(await self._surge(build, patience))
            await self._let_go(old)

    async def end(self) -> None:
        """Stop all replicas."""
        for replica in tuple(self.serving):
            await self._let_go(replica)

    async def _surge(self, build: Build, patience: float) -> Replica:
        """Start a replica, and restart it if it dies, until it is ready."""
        end = time.monotonic() + patience
        self.surging = await start(build, self._settings, self._log)
        while not (said := await self.surging.ready()).ready:
            if said.state == "failed" or time.monotonic() > end:
                await self.surging.stop()
                raise DeploymentStopped(f"{said.state}: {said.reason}")
            await asyncio.sleep(POLL_INTERVAL_S)
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
