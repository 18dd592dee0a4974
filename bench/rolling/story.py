"""
Run deployments in sequence under a continuous load, and roll each back again.

Owns the order, and the figures of each. After a rollback a build serves on a database that is ahead
of it, because each migration here is declared compatible with it.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, NamedTuple

from bench.rolling.builds import first_build
from bench.rolling.load import Load, begin_talks
from bench.rolling.service import DeploymentStopped, Service
from bench.traffic import Watcher, latencies
from rung.ledger import Outcome
from rung.migrator import Migrator

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

    from bench.rolling.acts import Act
    from bench.rolling.builds import Build
    from bench.rolling.load import Answer
    from bench.traffic import Latencies
    from rung.embedded import EmbeddedServer

_CALM_S = 2.0
"""Of load before the first deployment."""
_WAITS = """
SELECT extract(epoch FROM max(clock_timestamp() - l.waitstart)) FROM pg_locks l
  JOIN pg_stat_activity a USING (pid)
 WHERE NOT l.granted AND l.locktype = 'relation' AND a.application_name NOT LIKE 'rung %'
"""


class Scene(NamedTuple):
    """One deployment, with the figures from its beginning to the end of its rollback."""

    title: str
    deployed: bool
    said: str
    """Why the deployment stopped, where it did."""
    seconds: float
    """How long it took, without the rollback."""
    latencies: Latencies
    slow: int
    """Requests that took a second or longer."""
    faults: tuple[str, ...]
    """What requests that failed were answered."""
    waited: float
    """Seconds that a request waited for a table's lock at the longest, by the server's clock."""
    gap: float
    """Seconds that the machine kept the watcher of that waiting at the longest."""
    late: float
    """Seconds that the load itself was late at the longest."""
    applied: int
    """How often the history has the migration as done."""
    tried: int
    """How often it has it at all."""


def well(scene: Scene, act: Act) -> bool:
    """Report whether the deployment kept the promises, apart from seconds."""
    return (
        not scene.faults
        and scene.deployed is not act.fails
        and scene.applied == (0 if act.fails else 1)
    )


async def play(
    server: EmbeddedServer, folder: Path, acts: Sequence[Act], replicas: int, rate: float
) -> AsyncGenerator[Scene]:
    """
    Run all deployments on an empty database.

    Args:
        server: used for this alone.
        folder: for builds and logs.
        acts: the deployments, in this order.
        replicas: the number of replicas.
        rate: requests per second.
    """
    first = first_build(folder)
    async with AsyncExitStack() as stack:
        service = Service(_settings(server), folder / "service.log")
        stack.push_async_callback(service.end)
        await service.begin(first, replicas)
        watcher = stack.enter_context(Watcher(server.conninfo("postgres"), _WAITS))
        talks = await begin_talks(service.serving[0])
        load = await stack.enter_async_context(Load(service.endpoints, talks, rate))
        await asyncio.sleep(_CALM_S)
        stage = _Stage(server.url("postgres"), service, load, watcher, first)
        for act in acts:
            yield await stage.play(act)


def _settings(server: EmbeddedServer) -> dict[str, str]:
    return {
        "CHAT_DATABASE_URL": server.url("postgres"),
        "CHAT_TOKEN_SECRET": secrets.token_hex(32),
        "CHAT_RATE_PER_MINUTE": "1000000",
        "CHAT_RATE_BURST": "1000000",
        "CHAT_POOL_SIZE": "5",
    }


class _Stage:
    """The service, the load, and the newest deployed build."""

    def __init__(
        self, url: str, service: Service, load: Load, watcher: Watcher, first: Build
    ) -> None:
        self._url, self._service, self._load, self._watcher = url, service, load, watcher
        self._first = self._newest = first

    async def play(self, act: Act) -> Scene:
        """Deploy, and roll back."""
        self._load.answers.clear()
        self._watcher.longest = self._watcher.gap = 0.0
        begun = asyncio.get_running_loop().time()
        build = self._newest.next(act.name, act.up)
        said = await self._deploy(act, build)
        seconds = asyncio.get_running_loop().time() - begun
        if not said:
            self._newest = build
            await self._service.deploy(self._first, act.patience)
        return self._scene(act, build, said, seconds)

    async def _deploy(self, act: Act, build: Build) -> str:
        """Deploy, and return why it stopped; empty where it did not."""
        async with asyncio.TaskGroup() as tasks:
            if act.beside is not None:
                tasks.create_task(act.beside(self._service, self._url))
            try:
                await self._service.deploy(build, act.patience)
            except DeploymentStopped as stopped:
                return str(stopped)
        return ""

    def _scene(self, act: Act, build: Build, said: str, seconds: float) -> Scene:
        answers = tuple(self._load.answers)
        outcomes = self._outcomes(build)
        return Scene(
            title=act.title,
            deployed=not said,
            said=said,
            seconds=seconds,
            latencies=latencies([answer.seconds for answer in answers]),
            slow=sum(answer.seconds >= 1 for answer in answers),
            faults=_faults(answers),
            waited=self._watcher.longest,
            gap=self._watcher.gap,
            late=max(answer.late for answer in answers),
            applied=outcomes.count(Outcome.DONE),
            tried=len(outcomes),
        )

    def _outcomes(self, build: Build) -> list[Outcome]:
        history = Migrator(self._url, build.folder / "chatapp" / "migrations").history()
        return [entry.outcome for entry in history if entry.version == build.newest]


def _faults(answers: Sequence[Answer]) -> tuple[str, ...]:
    return tuple(f"{answer.kind}: {answer.fault}" for answer in answers if answer.fault)
