"""The service's schema, which Rung migrates from the service's own migrations."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import rung
from chatapp.postgres.statements import statements
from chatapp.settings import read_settings
from rung.integrations.fastapi import Migrations

if TYPE_CHECKING:
    from datetime import datetime

    from chatapp.settings import Settings
    from rung import RunReport
    from rung.ledger import Attempt
    from rung.planning.status import Status

SOURCE = "package:chatapp.migrations"
_MOST_ATTEMPTS = 50
_FRESH_S = 2.0
"""Seconds for which the state is cached: more frequent requests cost no connection."""


@dataclass(frozen=True, slots=True)
class SchemaAttempt:
    """An attempt of the history, without its error, host and role."""

    version: int | None
    title: str
    direction: str
    outcome: str
    started: datetime
    finished: datetime | None


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The state of the schema; `state` is `current`, or why it is not."""

    version: int | None
    dirty: bool
    state: str
    attempts: tuple[SchemaAttempt, ...]
    """The newest attempts, newest first."""


def run_migrations(settings: Settings | None = None) -> RunReport:
    """
    Apply pending migrations and return: for a job before a deployment.

    Args:
        settings: have the database; by default read from the environment.

    Raises:
        SettingsError: a setting is missing or cannot be used.
        rung.RungError: they could not be applied; its text says what to do next.
    """
    settings = settings or read_settings()
    database = settings.database_url.get_secret_value()
    return rung.run_migrations(database, SOURCE, if_ahead=settings.if_ahead)


def migrations(settings: Settings) -> Migrations:
    """Return the migrations of a service that starts, with the policy of its settings."""
    return Migrations(
        settings.database_url.get_secret_value(),
        SOURCE,
        policy=settings.migrations,
        if_ahead=settings.if_ahead,
        compatible_up_to=settings.compatible_up_to,
        check_interval=settings.check_interval_s,
        needs=(text.decode() for text in statements().values()),
    )


class SchemaReader:
    """
    Reads the state of the schema on a connection of its own, for one request at a time.

    Args:
        settings: have the database.
    """

    def __init__(self, settings: Settings) -> None:
        self._migrator = rung.Migrator(settings.database_url.get_secret_value(), SOURCE)
        self._one_at_a_time = asyncio.Lock()
        self._read: tuple[float, SchemaState] | None = None

    async def read(self) -> SchemaState:
        """
        Read the state, or return the cached one.

        Raises:
            rung.RungError: it cannot be read.
        """
        async with self._one_at_a_time:
            if self._read is None or time.monotonic() - self._read[0] > _FRESH_S:
                self._read = time.monotonic(), await asyncio.to_thread(self.look)
            return self._read[1]

    def look(self) -> SchemaState:
        """Read the state now; needs no right to write."""
        status = self._migrator.status()
        newest = reversed(self._migrator.history()[-_MOST_ATTEMPTS:])
        attempts = tuple(map(_attempt, newest))
        return SchemaState(status.ledger.version, status.ledger.dirty, state_of(status), attempts)


def state_of(status: Status) -> str:
    """
    Return the state of a schema: dirty, ahead, behind, another migration's state, or current.

    The first of these that applies; `behind` is a database with pending migrations.
    """
    found = {line.state for line in status.problems}
    if status.ledger.dirty or "dirty" in found:
        return "dirty"
    if "ahead" in found:
        return "ahead"
    if status.pending:
        return "behind"
    return min(found, default="current")


def _attempt(entry: Attempt) -> SchemaAttempt:
    return SchemaAttempt(
        version=entry.version,
        title=entry.name,
        direction=entry.direction,
        outcome=entry.result,
        started=entry.started,
        finished=entry.finished,
    )
