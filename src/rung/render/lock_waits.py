"""
Lock waits and the progress of index builds, as labelled lines.

The events come as often as something happens; what hardly changes is printed at once and then
every five seconds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rung.events import (
    BlockerCancelled,
    BuildProgress,
    LockAwaited,
    LockRefused,
    held_by,
    waiting_behind,
)
from rung.render.text import duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.events import Blocker, Queued

_SAY_EVERY = 5.0
_HUNDRED = 100

WaitEvent = LockRefused | LockAwaited | BlockerCancelled | BuildProgress


class Waits:
    """Make the lines of one run's lock waits; remember when the last were printed."""

    def __init__(self) -> None:
        self._said = self._built = -math.inf

    def lines(self, event: WaitEvent) -> tuple[str, ...]:
        """Give the lines of an event; none where the same was printed just now."""
        match event:
            case LockRefused():
                return self._refused(event)
            case LockAwaited(waited, blockers, queued):
                so_far = f" for {duration(waited)}" if waited >= 1 else ""
                return (f"detail: Waiting for a lock{so_far}.", *_who(blockers, queued))
            case BlockerCancelled(blocker, ""):
                return (f"warning: cancelled the query of {blocker}",)
            case BlockerCancelled(blocker, refused):
                return (f"warning: could not cancel the query of {blocker}", f"detail: {refused}")
        return self._progress(event)

    def _refused(self, event: LockRefused) -> tuple[str, ...]:
        self._said = -math.inf if event.tries == 1 else self._said
        if event.waited - self._said < _SAY_EVERY:
            return ()
        self._said = event.waited
        after = f" after {duration(event.limit)}" if event.limit else ""
        so_far = f" ({event.tries} tries so far)" if event.tries > 1 else ""
        first = (
            f"warning: version {event.version}: lock timeout{after}; rolled back, retrying in "
            f"{duration(event.pause)}{so_far}"
        )
        return (first, *_who(event.blockers, event.queued))

    def _progress(self, event: BuildProgress) -> tuple[str, ...]:
        self._built = -math.inf if event.waited < self._built else self._built
        if event.waited - self._built < _SAY_EVERY:
            return ()
        self._built = event.waited
        text = progress_text(event)
        return (f"detail: {text[:1].upper()}{text[1:]}, {duration(event.waited)} so far.",)


def progress_text(event: BuildProgress) -> str:
    """Return an index's progress: `building index: scanning table, 120 of 400 blocks (30 %)`."""
    if not event.total:
        return event.phase
    percent = event.done * _HUNDRED // event.total
    return f"{event.phase}, {event.done} of {event.total} {event.what} ({percent} %)"


def _who(blockers: Sequence[Blocker], queued: Sequence[Queued]) -> tuple[str, ...]:
    behind = waiting_behind(queued)
    lines = [*held_by(blockers), *([behind] if behind else [])]
    return tuple(f"detail: {line}" for line in lines)
