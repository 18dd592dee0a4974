"""Events as log records."""

from __future__ import annotations

import logging
from typing import get_args

import pytest

from rung import events
from rung.errors import RungError, SourceNotFound, UnversionedDatabase
from rung.events import Blocker
from rung.integrations.log_events import log_crash, log_event, log_failure, log_readiness
from rung.integrations.readiness import STARTING, Readiness, readiness_of_error

EVENTS: list[tuple[events.Event, str, str]] = [
    (events.RunPlanned((1, 2), "up"), "INFO", "running up: 1, 2"),
    (
        events.LockWaiting(0, "Somebody."),
        "INFO",
        "Another run is in progress; waiting for it to end. Somebody.",
    ),
    (events.DatabaseWaiting(0, "no"), "INFO", "Waiting for the database: no."),
    (
        events.BaselineRecorded((1, 2), 2),
        "INFO",
        "Recorded 2 migrations (1 and 2) as applied by another tool.",
    ),
    (events.StepStarted(2, "b", "up", "x", 1, 3), "INFO", "up 2 b began (1 of 3)"),
    (events.HalfMissing(2, "up"), "WARNING", str(events.HalfMissing(2, "up"))),
    (
        events.StepFinished(2, "b", "up", 0.25, 1, 3, "applied"),
        "INFO",
        "up 2 b: applied in 0.250 s",
    ),
    (events.StepRan(2, "b", "up", 0.25, 1, 3), "DEBUG", "up 2 b ran; nothing is committed yet"),
    (
        events.LockRefused(8, 1, 0.2, 0.2, 1.0),
        "INFO",
        "version 8: lock timeout after 200 ms; rolled back, retrying in 1.0 s",
    ),
    (events.LockAwaited(0, ()), "INFO", "Waiting for a lock."),
    (
        events.BuildProgress("building index", 0, 0, "", 1.0),
        "DEBUG",
        "Building index, 1.0 s so far.",
    ),
    (
        events.BlockerCancelled(Blocker(0)),
        "INFO",
        "cancelled the query of a prepared transaction (see pg_prepared_xacts)",
    ),
    (events.StepResumed(2, "up", 1, 4), "INFO", str(events.StepResumed(2, "up", 1, 4))),
    (events.ModeChanged(2, "x", "because"), "INFO", "Version 2 runs x: because."),
    (events.UnitFinished(2, 1, 4), "DEBUG", "version 2: 1 of 4 statements are committed"),
    (events.Notice(2, "NOTICE", "hello"), "DEBUG", "version 2: notice: hello"),
    (events.Warned("mind this"), "WARNING", "mind this"),
]


def test_no_event_is_without_words() -> None:
    """Every kind of event that there is has its sentence here."""
    assert {type(event) for event, _, _ in EVENTS} == set(get_args(events.Event))


@pytest.mark.parametrize(("event", "level", "message"), EVENTS)
def test_each_event_is_a_record(
    event: events.Event, level: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An event is a record of the logger "rung", with its sentence and its facts."""
    caplog.set_level(logging.DEBUG, "rung")
    log_event(event)
    [record] = caplog.records

    assert (record.name, record.levelname, record.getMessage()) == ("rung", level, message)
    assert vars(record)["rung"]["event"] == type(event).__name__


@pytest.mark.parametrize(
    ("readiness", "level"),
    [(STARTING, "WARNING"), (Readiness(ready=True, state="current", reason="At 7."), "INFO")],
)
def test_readiness_is_a_record(
    readiness: Readiness, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What keeps a service from serving is a warning; that it serves is told too."""
    caplog.set_level(logging.INFO, "rung")
    log_readiness(readiness)

    assert caplog.records[0].levelname == level
    assert readiness.reason in caplog.records[0].getMessage()


def test_an_unexpected_error_has_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """What is not ours is told with all that is known of it."""
    log_crash(KeyError("x"))

    assert caplog.records[0].exc_info is not None


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (SourceNotFound("migrations", "no such folder"), "WARNING"),
        (UnversionedDatabase("public", ["users"]), "WARNING"),
    ],
)
def test_an_error_is_logged_whole(
    error: RungError, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One record holds its cause, what is true now and what to do, line by line."""
    log_failure(readiness_of_error(error), error)
    [record] = caplog.records
    lines = record.getMessage().splitlines()

    assert (record.levelname, lines[0]) == (
        level,
        f"Not ready ({readiness_of_error(error).state}): {error.cause}",
    )
    assert lines[1:] == [f"  {line}" for line in error.lines()]
    assert all(line.startswith("  ") for line in lines[1:])
