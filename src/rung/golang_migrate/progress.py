"""
Print a run's events as golang-migrate's lines.

What golang-migrate does not print is left out: notices of the database, and missing files, which
appear as `<empty>`. In addition to its lines, lock waits and warnings are printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.events import (
    BuildProgress,
    LockAwaited,
    LockRefused,
    LockWaiting,
    RunPlanned,
    StepFinished,
    StepStarted,
    Warned,
)
from rung.golang_migrate.gostd.durations import duration
from rung.render.lock_waits import Waits
from rung.render.progress import sentence
from rung.source import Direction

if TYPE_CHECKING:
    from rung.events import Event
    from rung.golang_migrate.console import GoConsole
    from rung.source import MigrationSet

_EMPTY = "<empty>"
_SECOND = 1_000_000_000


class GoProgressLines:
    """
    The listener of a run.

    Args:
        console: receives the lines.
        migrations: the files, for the titles of scheduled steps.
        prefetches: False with `-prefetch 0`, which only changes a word.
    """

    def __init__(self, console: GoConsole, migrations: MigrationSet, *, prefetches: bool) -> None:
        self._talk, self._migrations, self._prefetches = console, migrations, prefetches
        self._waits = Waits()

    def __call__(self, event: Event) -> None:
        """Print one event."""
        match event:
            case RunPlanned(versions, direction):
                for version in versions:
                    self._talk.detail(self._scheduled(version, direction))
            case StepStarted(version, name, direction):
                if self._identifier(version, direction, name) != _EMPTY:
                    step = self._step(version, direction, name)
                    self._talk.detail(f"Read and execute {step}")
            case StepFinished():
                self._talk.line(self._finished(event))
            case LockWaiting():
                self._talk.line(sentence(event))
            case Warned(message):
                self._talk.line(f"warning: {message}")
            case _:
                self._wait_lines(event)

    def _wait_lines(self, event: Event) -> None:
        """Print lock waits and progress, which golang-migrate does not print."""
        if isinstance(event, LockRefused | LockAwaited | BuildProgress):
            for line in self._waits.lines(event):
                self._talk.line(line)

    def _scheduled(self, version: int, direction: str) -> str:
        is_buffered = self._prefetches and self._identifier(version, direction) != _EMPTY
        word = "Start buffering" if is_buffered else "Scheduled"
        return f"{word} {self._step(version, direction)}"

    def _finished(self, event: StepFinished) -> str:
        step = self._step(event.version, event.direction, event.name)
        elapsed = duration(round(event.seconds * _SECOND))
        return (
            f"Finished {step} (read 0s, ran {elapsed})"
            if self._talk.verbose
            else f"{step} ({elapsed})"
        )

    def _step(self, version: int, direction: str, name: str = "") -> str:
        return f"{version}/{direction[0]} {self._identifier(version, direction, name)}"

    def _identifier(self, version: int, direction: str, name: str = "") -> str:
        """Return the title of the file that runs, or the name in the history."""
        migration = self._migrations.by_version.get(version)
        if migration is None:
            return name
        half = migration.half(Direction(direction))
        return half.title if half else _EMPTY
