"""The service's schema: Rung brings the database to it, from the service's own migrations."""

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
"""How long what was read is good for: whoever asks more often costs no connection."""


@dataclass(frozen=True, slots=True)
class SchemaAttempt:
    """An attempt to change the schema, as the history has it: without its error, host and role."""

    version: int | None
    title: str
    direction: str
    outcome: str
    started: datetime
    finished: datetime | None


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Where the schema stands; `state` is `current`, or what keeps it from that."""

    version: int | None
    dirty: bool
    state: str
    attempts: tuple[SchemaAttempt, ...]
    """The newest, newest first."""


def run_migrations(settings: Settings | None = None) -> RunReport:
    """
    Apply what is pending, now, and return when it is applied: for a job before a deployment.

    Args:
        settings: whose database; read from the environment where they are left out.

    Raises:
        SettingsError: a setting is missing or cannot be used.
        rung.RungError: it could not be done; its text says what to do next.
    """
    settings = settings or read_settings()
    database = settings.database_url.get_secret_value()
    return rung.run_migrations(database, SOURCE, if_ahead=settings.if_ahead)


def migrations(settings: Settings) -> Migrations:
    """The same beside a service that starts, by the policy in its settings."""
    return Migrations(
        settings.database_url.get_secret_value(),
        SOURCE,
        policy=settings.migrations,
        if_ahead=settings.if_ahead,
        compatible_up_to=settings.compatible_up_to,
        look_again=settings.look_again_s,
        needs=(text.decode() for text in statements().values()),
    )


class SchemaReader:
    """
    Reads where the schema stands, on a connection of its own, for one who asks at a time.

    Args:
        settings: whose database.
    """

    def __init__(self, settings: Settings) -> None:
        self._migrator = rung.Migrator(settings.database_url.get_secret_value(), SOURCE)
        self._one_at_a_time = asyncio.Lock()
        self._read: tuple[float, SchemaState] | None = None

    async def read(self) -> SchemaState:
        """
        Read it, or give what was read a moment ago.

        Raises:
            rung.RungError: it cannot be read.
        """
        async with self._one_at_a_time:
            if self._read is None or time.monotonic() - self._read[0] > _FRESH_S:
                self._read = time.monotonic(), await asyncio.to_thread(self.look)
            return self._read[1]

    def look(self) -> SchemaState:
        """Read it now; needs no right to write."""
        status = self._migrator.status()
        newest = reversed(self._migrator.history()[-_MOST_ATTEMPTS:])
        attempts = tuple(map(_attempt, newest))
        return SchemaState(status.ledger.version, status.ledger.dirty, state_of(status), attempts)


def state_of(status: Status) -> str:
    """
    Say in a word where a schema stands: dirty, ahead, behind, another line's state, current.

    The first of these that fits; `behind` is a database with migrations that are pending.
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
