"""
Plain-SQL, versioned, reversible database migrations that prove themselves before they run.

    import rung

    rung.run_migrations("postgresql://localhost/chatapp", "package:chatapp.migrations")

Importing this loads no database driver; names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung._version import __version__

if TYPE_CHECKING:
    from rung.cancellation import CancelToken
    from rung.database import Database
    from rung.errors import MigrationFailed, RunError, RungError
    from rung.events import Event, Listener
    from rung.execution.outcomes import RunReport
    from rung.migrator import Migrator
    from rung.planning.plan import Down, Goto, Plan, Up
    from rung.startup import run_migrations, run_migrations_async

_HOMES = {
    "Database": "rung.database",
    "Down": "rung.planning.plan",
    "Event": "rung.events",
    "Goto": "rung.planning.plan",
    "Listener": "rung.events",
    "MigrationFailed": "rung.errors",
    "Migrator": "rung.migrator",
    "Plan": "rung.planning.plan",
    "RunError": "rung.errors",
    "RunReport": "rung.execution.outcomes",
    "RungError": "rung.errors",
    "CancelToken": "rung.cancellation",
    "Up": "rung.planning.plan",
    "run_migrations": "rung.startup",
    "run_migrations_async": "rung.startup",
}

__all__ = [
    "CancelToken",
    "Database",
    "Down",
    "Event",
    "Goto",
    "Listener",
    "MigrationFailed",
    "Migrator",
    "Plan",
    "RunError",
    "RunReport",
    "RungError",
    "Up",
    "__version__",
    "run_migrations",
    "run_migrations_async",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
