"""
What is said of waiting for locks, and of an index that takes its time: lines of text.

The events come as often as something happens; what hardly changes is said at once and then
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
    """The lines of one run's waits; remembers when something was said last."""

    def __init__(self) -> None:
        self._said = self._built = -math.inf

    def lines(self, event: WaitEvent) -> tuple[str, ...]:
        """What is to be said of an event; nothing where the same was said just now."""
        match event:
            case LockRefused():
                return self._refused(event)
            case LockAwaited(waited, blockers, queued):
                so_far = f", {duration(waited)} so far" if waited >= 1 else ""
                return (f"Waiting for others to end{so_far}.", *_who(blockers, queued))
            case BlockerCancelled(blocker, ""):
                return (f"Cancelled the query of {blocker}",)
            case BlockerCancelled(blocker, refused):
                return (f"Not cancelled: {blocker}", *_indented([refused]))
        return self._progress(event)

    def _refused(self, event: LockRefused) -> tuple[str, ...]:
        self._said = -math.inf if event.tries == 1 else self._said
        if event.waited - self._said < _SAY_EVERY:
            return ()
        self._said = event.waited
        within = f" within {duration(event.limit)}" if event.limit else ""
        so_far = f" ({event.tries} tries so far)" if event.tries > 1 else ""
        first = (
            f"Version {event.version} had no lock{within} and is rolled back; it is tried "
            f"again in {duration(event.pause)}{so_far}."
        )
        return (first, *_who(event.blockers, event.queued))

    def _progress(self, event: BuildProgress) -> tuple[str, ...]:
        self._built = -math.inf if event.waited < self._built else self._built
        if event.waited - self._built < _SAY_EVERY:
            return ()
        self._built = event.waited
        return (f"{progress_text(event)}, {duration(event.waited)} so far",)


def progress_text(event: BuildProgress) -> str:
    """How far an index is: `building index: scanning table, 120 of 400 blocks (30 %)`."""
    if not event.total:
        return event.phase
    percent = event.done * _HUNDRED // event.total
    return f"{event.phase}, {event.done} of {event.total} {event.what} ({percent} %)"


def _who(blockers: Sequence[Blocker], queued: Sequence[Queued]) -> tuple[str, ...]:
    behind = waiting_behind(queued)
    return _indented([*held_by(blockers), *([behind] if behind else [])])


def _indented(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"  {line}" for line in lines)
