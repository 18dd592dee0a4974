"""Events as lines, and the live line of a terminal."""

from __future__ import annotations

import io
import sys

import pytest

from rung.events import (
    BaselineRecorded,
    DatabaseWaiting,
    Event,
    LockWaiting,
    Notice,
    RunPlanned,
    StepFinished,
    StepStarted,
    UnitFinished,
    Warned,
)
from rung.render.progress import ProgressLines, progress
from rung.render.terminal import Console

_RUN: tuple[Event, ...] = (
    RunPlanned((9, 10), "up"),
    StepStarted(9, "users", "up", "unit by unit", 1, 2),
    UnitFinished(9, 1, 2),
    Notice(9, "NOTICE", "hello"),
    Notice(9, "WARNING", "careful"),
    StepFinished(9, "users", "up", 0.012, 1, 2),
    StepStarted(10, "roles", "up", "transactional", 2, 2),
    StepFinished(10, "roles", "up", 2.0, 2, 2),
)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _lines(*events: Event, verbose: bool = False, quiet: bool = False) -> list[str]:
    err = io.StringIO()
    console = Console(None, err, verbose=verbose, quiet=quiet)
    with progress(console) as listener:
        for event in events:
            listener(event)
    return err.getvalue().splitlines()


def test_a_finished_migration_is_a_line() -> None:
    """Direction, version, name, time; a warning of the server is shown to everybody."""
    assert _lines(*_RUN) == [
        "warning: version 9: careful",
        "  up      9 users                               12 ms",
        "  up     10 roles                               2.0 s",
    ]


def test_verbose_says_units_modes_and_notices() -> None:
    """For those who ask."""
    assert _lines(*_RUN, verbose=True) == [
        "        1 of 2 statements committed",
        "detail: NOTICE from version 9: hello",
        "warning: version 9: careful",
        "  up      9 users                               12 ms  unit by unit",
        "  up     10 roles                               2.0 s  transactional",
    ]


def test_quiet_says_nothing() -> None:
    """Warnings included."""
    assert _lines(*_RUN, Warned("odd"), quiet=True) == []


def test_waiting_says_for_whom_and_how_long() -> None:
    """At once without a time, later with it."""
    assert _lines(LockWaiting(0.0, "Held by me."), LockWaiting(5.0, "")) == [
        "detail: Another run is in progress; waiting for it to end. Held by me.",
        "detail: Another run is in progress; waiting for it to end, 5.0 s so far.",
    ]


def test_waiting_for_a_database_says_why_and_how_long() -> None:
    """The reason stands behind the time."""
    waiting = DatabaseWaiting(0.0, "no connection"), DatabaseWaiting(65.0, "it is at version 3")

    assert _lines(*waiting) == [
        "detail: Waiting for the database: no connection.",
        "detail: Waiting for the database, 1 min 5 s so far: it is at version 3.",
    ]


@pytest.mark.parametrize(
    ("versions", "at", "expected"),
    [
        ((3,), 3, "Recorded 1 migration (3) as applied by another tool."),
        ((3, 4), 4, "Recorded 2 migrations (3 and 4) as applied by another tool."),
        ((1, 3, 4, 9), 9, "Recorded 4 migrations (1 to 9) as applied by another tool."),
        ((), 2, "Recorded that another tool left the database at version 2."),
        ((), None, "Recorded that another tool left the database at no version."),
    ],
)
def test_what_another_tool_did_is_told(
    versions: tuple[int, ...], at: int | None, expected: str
) -> None:
    """Once, when it is recorded: upwards by what counts as applied, downwards by where it is."""
    assert _lines(BaselineRecorded(versions, at)) == [f"detail: {expected}"]


def test_long_versions_are_aligned() -> None:
    """Timestamps take fourteen columns, and so do their neighbours."""
    planned = RunPlanned((1, 20260304050607), "up")

    lines = _lines(planned, StepFinished(1, "a", "up", 0.001, 1, 2))

    assert lines == [f"  up   {1:>14} {'a':<32}     1 ms"]


def test_a_terminal_has_a_live_line() -> None:
    """It names what runs now, and leaves the finished lines behind."""
    screen = _Terminal()
    with progress(Console(None, screen)) as listener:
        for event in _RUN:
            listener(event)

    shown = screen.getvalue()
    assert "0/2" in shown
    assert "users                               12 ms" in shown
    assert [line for line in shown.splitlines() if "Traceback" in line] == []


def test_a_terminal_without_rich_has_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is for beauty alone."""
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    screen = _Terminal()
    with progress(Console(None, screen)) as listener:
        for event in _RUN:
            listener(event)

    assert screen.getvalue().splitlines() == _lines(*_RUN)


def test_nothing_to_do_loads_no_rich() -> None:
    """The live line begins when a run does."""
    screen = _Terminal()
    with progress(Console(None, screen)):
        pass

    assert screen.getvalue() == ""


def test_lines_can_be_led_elsewhere() -> None:
    """As the live line does."""
    said: list[str] = []
    ProgressLines(said.append, said.append, Console(None, None).err_style, verbose=False)(
        Warned("odd")
    )

    assert said == ["odd"]
