"""
A run's events as golang-migrate's lines.

Left out is what it never says: a database's notices, and that a half has no file, which
shows as `<empty>`. Said beyond it is whom we wait for, and what a person should know.
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
        talk: where the lines go.
        migrations: the files, for the titles of what is about to run.
        prefetches: False with `-prefetch 0`, which only changes a word.
    """

    def __init__(self, talk: GoConsole, migrations: MigrationSet, *, prefetches: bool) -> None:
        self._talk, self._migrations, self._prefetches = talk, migrations, prefetches
        self._waits = Waits()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case RunPlanned(versions, direction):
                for version in versions:
                    self._talk.detail(self._scheduled(version, direction))
            case StepStarted(version, name, direction):
                if self._identifier(version, direction, name) != _EMPTY:
                    what = self._step(version, direction, name)
                    self._talk.detail(f"Read and execute {what}")
            case StepFinished():
                self._talk.line(self._finished(event))
            case LockWaiting():
                self._talk.line(sentence(event))
            case Warned(message):
                self._talk.line(f"warning: {message}")
            case _:
                self._meanwhile(event)

    def _meanwhile(self, event: Event) -> None:
        """Whom a migration waits for, which golang-migrate does not say."""
        if isinstance(event, LockRefused | LockAwaited | BuildProgress):
            for line in self._waits.lines(event):
                self._talk.line(line)

    def _scheduled(self, version: int, direction: str) -> str:
        ahead = self._prefetches and self._identifier(version, direction) != _EMPTY
        word = "Start buffering" if ahead else "Scheduled"
        return f"{word} {self._step(version, direction)}"

    def _finished(self, event: StepFinished) -> str:
        what = self._step(event.version, event.direction, event.name)
        took = duration(round(event.seconds * _SECOND))
        return (
            f"Finished {what} (read 0s, ran {took})" if self._talk.verbose else f"{what} ({took})"
        )

    def _step(self, version: int, direction: str, name: str = "") -> str:
        return f"{version}/{direction[0]} {self._identifier(version, direction, name)}"

    def _identifier(self, version: int, direction: str, name: str = "") -> str:
        """The title of the file that runs; of one that only the history has, its name there."""
        migration = self._migrations.by_version.get(version)
        if migration is None:
            return name
        half = migration.half(Direction(direction))
        return half.title if half else _EMPTY
