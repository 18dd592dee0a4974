"""Replicas: processes of a build, each on a port of its own, and those that receive requests."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import httpx2

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.rolling.builds import Build

_IDLE_S = 2.0
"""A connection is not used again after that: the service closes one that was idle for 5 s."""
_LIMITS = httpx2.Limits(max_connections=None, keepalive_expiry=_IDLE_S)
_PATIENCE_S = 60.0
POLL_INTERVAL_S = 0.1
"""The pause between two probes."""


class Ready(NamedTuple):
    """A response of `/ready`."""

    ready: bool
    state: str
    reason: str


class Replica:
    """
    A process of a build.

    Args:
        build: the build.
        process: the process.
        port: its port on 127.0.0.1.
    """

    def __init__(self, build: Build, process: asyncio.subprocess.Process, port: int) -> None:
        self.build, self._process = build, process
        address = f"http://127.0.0.1:{port}"
        self.http = httpx2.AsyncClient(base_url=address, timeout=_PATIENCE_S, limits=_LIMITS)

    @property
    def lives(self) -> bool:
        """Report whether the process runs."""
        return self._process.returncode is None

    async def ready(self) -> Ready:
        """Send a readiness probe; not ready where nothing answers."""
        try:
            said = (answer := await self.http.get("/ready")).json()
        except httpx2.TransportError as error:
            return Ready(ready=False, state="silent", reason=repr(error))
        return Ready(answer.is_success, said["state"], said["detail"])

    async def until(self, state: str) -> None:
        """Wait until it is in a state."""
        while (await self.ready()).state != state:  # noqa: ASYNC110 - another process tells no event
            await asyncio.sleep(POLL_INTERVAL_S)

    async def stop(self) -> None:
        """Stop the process, and wait for its end."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """Kill the process with SIGKILL."""
        await self._end(signal.SIGKILL)

    async def _end(self, how: signal.Signals) -> None:
        if self.lives:
            self._process.send_signal(how)
        await asyncio.wait_for(self._process.wait(), _PATIENCE_S)
        await self.http.aclose()


async def start(build: Build, settings: Mapping[str, str], log: Path) -> Replica:
    """
    Start a replica; it is not ready yet.

    Args:
        build: the build.
        settings: environment variables in addition to this process's.
        log: a file to which its output is appended.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    path = os.pathsep.join((str(build.folder), os.environ.get("PYTHONPATH", "")))
    environment = os.environ | settings | {"CHAT_PORT": str(port), "PYTHONPATH": path}
    command = (sys.executable, "-m", "chatapp")
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=build.folder, env=environment, stdout=output, stderr=output
        )
    return Replica(build, process, port)


class Endpoints:
    """The replicas that receive requests, in turn, like a Service in Kubernetes."""

    def __init__(self) -> None:
        self._taking: list[Replica] = []
        self._turn = count()

    def add(self, replica: Replica) -> None:
        """Send requests to a replica from now on."""
        self._taking.append(replica)

    def remove(self, replica: Replica) -> None:
        """Send no more requests to a replica."""
        self._taking.remove(replica)

    def next(self) -> Replica:
        """Return the next replica."""
        return self._taking[next(self._turn) % len(self._taking)]
