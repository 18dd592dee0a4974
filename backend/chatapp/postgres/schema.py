"""The service's schema: Rung brings the database to it, from the service's own migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rung
from chatapp.postgres.statements import statements
from chatapp.settings import read_settings
from rung.integrations.fastapi import Migrations

if TYPE_CHECKING:
    from chatapp.settings import Settings
    from rung import RunReport

SOURCE = "package:chatapp.migrations"


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
