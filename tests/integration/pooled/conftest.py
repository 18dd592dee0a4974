"""A site behind a PgBouncer, and runs through it as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import rung

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.engine.sites import Site
    from tests.poolers import Pooler

    from rung.migrator import Migrator

_UP = """
import sys
from rung import run_migrations
from rung.drivers.postgres import lease
lease.LIFETIME, lease.BEAT_EVERY = float(sys.argv[3]), float(sys.argv[3]) / 6
report = run_migrations(sys.argv[1], sys.argv[2])
print(*(step.version for step in report.steps))
"""
SHORT = 1.5
"""Seconds for which a lease stays its owner's where a test waits for its end."""


@dataclass(frozen=True, slots=True)
class Behind:
    """A site, and the pooler in front of it."""

    site: Site
    pool: Pooler
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The database through the pooler."""
        return self.pool.url(self.site.database)

    def migrator(self, query: str = "", **options: float) -> Migrator:
        """A migrator through the pooler, whose events the site keeps."""
        return self.site.migrator(self.pool.url(self.site.database, query), **options)

    def up(self) -> tuple[int, ...]:
        """Go all the way up through the pooler; the versions that were applied."""
        return tuple(step.version for step in self.migrator().up().steps)

    def begin(self, lifetime: float = 30.0, database: str = "") -> subprocess.Popen[str]:
        """Start a process that goes up, through the pooler or where else it is told."""
        words = [database or self.url, str(self.site.folder), str(lifetime)]
        started = subprocess.Popen(
            [sys.executable, "-c", _UP, *words],
            env={**os.environ, "PYTHONPATH": str(Path(rung.__file__).parents[1])},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(started)
        return started

    def lease(self) -> list[tuple[object, ...]]:
        """Whether somebody holds the lease, and the process that took it last."""
        return self.site.ask("SELECT owner IS NOT NULL, process FROM schema_migrations_lease")


@pytest.fixture
def behind(site: Site, pooler: Callable[..., Pooler]) -> Iterator[Behind]:
    """Give a site behind a pool of two connections that are shared by the transaction."""
    made = Behind(site, pooler("transaction", default_pool_size="2"))
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
        process.communicate()
