"""
Write the events of a run as records of the logger "rung".

Adds no handler, sets no level, uses no other logger: the application decides whether and how these
records are written.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from rung.errors import MigrationFailed
from rung.events import (
    BaselineRecorded,
    BlockerCancelled,
    BuildProgress,
    DatabaseWaiting,
    HalfMissing,
    LockAwaited,
    LockRefused,
    LockWaiting,
    ModeChanged,
    Notice,
    RunPlanned,
    StepFinished,
    StepRan,
    StepResumed,
    StepStarted,
    UnitFinished,
    Warned,
)
from rung.render.errors import full_text
from rung.render.lock_waits import Waits
from rung.render.progress import sentence
from rung.render.text import one_line

if TYPE_CHECKING:
    from rung.errors import RungError
    from rung.events import Event
    from rung.integrations.readiness import Readiness

_LOGGER = logging.getLogger("rung")
_LABEL = re.compile(r"\A(?:detail|warning): ")


def log_event(event: Event) -> None:
    """Log one event; its fields are the record's attribute `rung`."""
    level = logging.WARNING if isinstance(event, HalfMissing | Warned) else logging.INFO
    if isinstance(event, UnitFinished | BuildProgress | StepRan | Notice):
        level = logging.DEBUG
    facts = {"event": type(event).__name__, **event._asdict()}
    _LOGGER.log(level, "%s", one_line(in_words(event)), extra={"rung": facts})


def log_readiness(readiness: Readiness) -> None:
    """Log a change of readiness; as a warning where the service does not serve."""
    level = logging.INFO if readiness.ready else logging.WARNING
    status = "Ready" if readiness.ready else "Not ready"
    facts = {"event": "Readiness", **readiness._asdict()}
    reason = one_line(readiness.reason)
    _LOGGER.log(level, "%s (%s): %s", status, readiness.state, reason, extra={"rung": facts})


def log_failure(readiness: Readiness, error: RungError) -> None:
    """
    Log the error because of which a service does not serve, with its advice, in one record.

    The level is error where a migration failed, and warning where waiting may help.
    """
    level = logging.ERROR if isinstance(error, MigrationFailed) else logging.WARNING
    facts = {"event": "Readiness", **readiness._asdict()}
    message = full_text(error).replace("\n", "\n  ")
    _LOGGER.log(level, "Not ready (%s): %s", readiness.state, message, extra={"rung": facts})


def log_crash(error: Exception) -> None:
    """Log an unexpected error with its traceback."""
    _LOGGER.error("unexpected error in the migrations", exc_info=error)


def log_abandoned_run() -> None:
    """Log that a cancelled run did not end in time."""
    _LOGGER.warning(
        "the database did not answer the cancel request for the migration; the service ends "
        "without waiting. The server rolls back when it notices the closed connection"
    )


def in_words(event: Event) -> str:
    """Describe an event on one line."""
    match event:
        case RunPlanned(versions, direction):
            return f"running {direction}: {', '.join(map(str, versions))}"
        case StepStarted() | StepRan() | StepFinished() | UnitFinished() | Notice():
            return _step_text(event)
        case LockWaiting() | DatabaseWaiting() | BaselineRecorded() | StepResumed():
            return sentence(event)
        case LockRefused() | LockAwaited() | BlockerCancelled() | BuildProgress():
            return " ".join(_LABEL.sub("", line) for line in Waits().lines(event))
        case HalfMissing() | ModeChanged() | Warned():
            return str(event)


def _step_text(event: StepStarted | StepRan | StepFinished | UnitFinished | Notice) -> str:
    match event:
        case StepStarted():
            where = f"{event.number} of {event.total}"
            return f"{event.direction} {event.version} {event.name} began ({where})"
        case StepRan():
            return f"{event.direction} {event.version} {event.name} ran; nothing is committed yet"
        case StepFinished():
            result = f"{event.result or 'done'} in {event.seconds:.3f} s"
            return f"{event.direction} {event.version} {event.name}: {result}"
        case UnitFinished():
            result = f"{event.statements_done} of {event.statements_total}"
            return f"version {event.version}: {result} statements are committed"
        case Notice():
            return f"version {event.version}: {event.severity.lower()}: {event.message}"
