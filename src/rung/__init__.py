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
    from rung.diagnostics import Diagnostics, Problem
    from rung.drivers.inspection import LockHolder
    from rung.errors import MigrationFailed, RunError, RungError
    from rung.events import Event, Listener
    from rung.execution.admin import Marked
    from rung.execution.outcomes import RunReport, StepReport
    from rung.execution.preflight import PreparedStep
    from rung.execution.run import PlanPreview
    from rung.execution.wait import Waited
    from rung.execution.warnings import Absent
    from rung.ledger import Attempt, LedgerState, Outcome
    from rung.migrator import Migrator
    from rung.planning.down_choice import DownOptions, StoredDownSql
    from rung.planning.plan import Down, Goal, Goto, IfAhead, Plan, Redo, Step, Up
    from rung.planning.status import Status, StatusLine
    from rung.script.data_loss import DataLoss
    from rung.script.expected_names import ExpectedName
    from rung.startup import run_migrations, run_migrations_async

_HOMES = {
    "Absent": "rung.execution.warnings",
    "Attempt": "rung.ledger",
    "CancelToken": "rung.cancellation",
    "DataLoss": "rung.script.data_loss",
    "Database": "rung.database",
    "Diagnostics": "rung.diagnostics",
    "Down": "rung.planning.plan",
    "DownOptions": "rung.planning.down_choice",
    "Event": "rung.events",
    "ExpectedName": "rung.script.expected_names",
    "Goal": "rung.planning.plan",
    "Goto": "rung.planning.plan",
    "IfAhead": "rung.planning.plan",
    "LedgerState": "rung.ledger",
    "Listener": "rung.events",
    "LockHolder": "rung.drivers.inspection",
    "Marked": "rung.execution.admin",
    "MigrationFailed": "rung.errors",
    "Migrator": "rung.migrator",
    "Outcome": "rung.ledger",
    "Plan": "rung.planning.plan",
    "PlanPreview": "rung.execution.run",
    "PreparedStep": "rung.execution.preflight",
    "Problem": "rung.diagnostics",
    "Redo": "rung.planning.plan",
    "RunError": "rung.errors",
    "RunReport": "rung.execution.outcomes",
    "RungError": "rung.errors",
    "Status": "rung.planning.status",
    "StatusLine": "rung.planning.status",
    "Step": "rung.planning.plan",
    "StepReport": "rung.execution.outcomes",
    "StoredDownSql": "rung.planning.down_choice",
    "Up": "rung.planning.plan",
    "Waited": "rung.execution.wait",
    "run_migrations": "rung.startup",
    "run_migrations_async": "rung.startup",
}

__all__ = [
    "Absent",
    "Attempt",
    "CancelToken",
    "DataLoss",
    "Database",
    "Diagnostics",
    "Down",
    "DownOptions",
    "Event",
    "ExpectedName",
    "Goal",
    "Goto",
    "IfAhead",
    "LedgerState",
    "Listener",
    "LockHolder",
    "Marked",
    "MigrationFailed",
    "Migrator",
    "Outcome",
    "Plan",
    "PlanPreview",
    "PreparedStep",
    "Problem",
    "Redo",
    "RunError",
    "RunReport",
    "RungError",
    "Status",
    "StatusLine",
    "Step",
    "StepReport",
    "StoredDownSql",
    "Up",
    "Waited",
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
